"""The command `sdqkd`: its subcommands, and what every one of them does with an error.

Exit codes: 0 done, or nothing to change; 1 an error, or wrong usage; 2 `plan` found changes,
or `conformance` a fault; 3 a change was begun and taken back; 4 in doubt; 130 interrupted.
Subcommands are imported when they run, so that `--help` answers at once.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Mapping, Sequence

import click

from sdqkd import __version__
from sdqkd.errors import (
    ApplyError,
    InDoubtError,
    InputError,
    InputErrors,
    InterruptedApplyError,
    RolledBackError,
    SdqkdError,
)

EXIT_ERROR = 1
EXIT_ROLLED_BACK = 3
EXIT_IN_DOUBT = 4
EXIT_INTERRUPTED = 130

COMMANDS: Mapping[str, str] = {
    "validate": "Check a network file against the model and the rules of the network.",
    "emulate": "Serve every device of a network on loopback, until interrupted.",
    "plan": "Show what would change on which device. Exits 2 if anything would.",
    "apply": "Bring the devices to the state that the network file wants.",
    "history": "List what was done to a network, and check that the record of it is whole.",
    "show": "Show one transaction in full.",
    "rollback": "Take back what a transaction has done.",
    "migrate": "Move what a site does to other equipment, made there before it is removed here.",
    "import": "Enter into the network file what devices do already.",
    "keys": "Take another host key of a device, or another key of the controller.",
    "recover": "Finish what a controller left undone when it died.",
    "drift": "Show what devices hold that the network file does not want. Exits 2 if there is anything.",
    "watch": "Keep the devices in their desired state, until interrupted.",
    "alarms": "Show what is wrong, and say that somebody knows of it.",
    "routes": "Show what could be set up between switched modules: path, channel, loss, key rate.",
    "assign": "Find a light path and a channel for each link; say which constraint is in the way.",
    "schedule": "Share time between configurations of the switches, where pairs are more than modules.",
    "switch": "Let another link of the switched domain run: path, channel, roles and links, over NETCONF.",
    "spectrum": "Draw the light in the fibres of a link.",
    "status": "Show the links and whether the devices are in their desired state.",
    "fault": "Break or mend something in an emulated network.",
    "demo": "Emulate a network, bring it up from factory configuration, and check it.",
    "agent": "Serve one device of a network.",
    "conformance": "Find out whether a NETCONF server does what the RFCs demand.",
}

_MODULES = {"import": "importing"}  # where the name is Python's


class LazyGroup(click.Group):
    """A group that imports a subcommand only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The subcommands in the order in which a person meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand itself, imported now."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"sdqkd.cli.{_MODULES.get(cmd_name, cmd_name)}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Bring a QKD network to its desired configuration over NETCONF, and keep it there."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code. Every `SdqkdError` becomes one message, never a traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _prepare_output()
    try:
        code = _run(given)
        sys.stdout.flush()
    except OSError as error:
        code = _give_up_output(error)
    sys.exit(code)


def _run(given: list[str]) -> int:
    as_json = "--json" in given
    try:
        code = cli.main(given, prog_name="sdqkd", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        if as_json:
            show_errors([{"kind": "UsageError", "message": error.format_message()}])
        return EXIT_ERROR
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    except SdqkdError as error:
        report(error, as_json=as_json)
        return exit_code(error)
    return code if isinstance(code, int) else 0


def exit_code(error: SdqkdError) -> int:
    """What to exit with."""
    codes: Mapping[type[SdqkdError], int] = {
        InDoubtError: EXIT_IN_DOUBT,
        RolledBackError: EXIT_ROLLED_BACK,
        InterruptedApplyError: EXIT_INTERRUPTED,
    }
    return codes.get(type(error), EXIT_ERROR)


def _prepare_output() -> None:
    """Let nothing be lost over a character that the terminal cannot show, or over a stream that was closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # The program lives on without a reader, so this is never closed.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        else:
            stream.reconfigure(errors="replace")


def _give_up_output(error: OSError) -> int:
    """The result cannot be written: its reader went away, or the disk is full. Say so, and keep Python silent."""
    if not isinstance(error, BrokenPipeError):
        click.echo(f"error: the result cannot be written: {error.strerror}", err=True)
    # What is left in the buffer would fail again when the interpreter ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return EXIT_ERROR


def report(error: SdqkdError, *, as_json: bool) -> None:
    """One message on stderr; with `--json` also an object on stdout, so that a script need not parse text."""
    click.echo(f"error: {error}", err=True)
    if as_json:
        faults = error.errors if isinstance(error, InputErrors) else (error,)
        show_errors([describe(one) for one in faults])


def show_errors(errors: list[dict[str, object]]) -> None:
    """Errors as JSON on stdout."""
    click.echo(json.dumps({"errors": errors}, ensure_ascii=False, indent=2))


def describe(error: SdqkdError) -> dict[str, object]:
    """An error as an object: its kind, its message, and where it lies as far as it knows."""
    shown: dict[str, object] = {"kind": type(error).__name__, "message": getattr(error, "message", str(error))}
    if isinstance(error, InputError):
        shown |= {"file": error.file, "line": error.line, "path": error.path}
    if isinstance(error, ApplyError):
        shown["failures"] = {device: describe(failure) for device, failure in error.failures.items()}
        shown["left"] = dict(error.left)
        shown["findings"] = [dict(finding) for finding in error.findings]
    return shown
