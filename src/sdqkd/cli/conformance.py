"""`sdqkd conformance`: whether a NETCONF server does what the RFCs demand."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from sdqkd.cli.console import ProgressLines, note, show, show_json
from sdqkd.cli.inputs import Finite
from sdqkd.errors import InputError, SdqkdError

EXIT_FAILED = 2
DEFAULT_PORT = 830
_CLIENTS = ("paramiko", "ncclient")
_STYLES = {"passed": "green", "failed": "red", "warning": "yellow", "skipped": "dim"}


@click.command()
@click.argument("server", metavar="HOST[:PORT]", required=False)
@click.option("--user", default="noc", show_default=True, help="User of the server; must be allowed everything.")
@click.option("--key", type=click.Path(path_type=Path), help="Private key of the user.")
@click.option("--host-key", metavar="'TYPE KEY'", help="The server's host key: 'ssh-ed25519 AAAA…'.")
@click.option("--insecure-any-host-key", is_flag=True, help="Do not check which server answers.")
@click.option("--second-user", help="Another user, with no rights of its own: for access control.")
@click.option("--second-key", type=click.Path(path_type=Path), help="Private key of the second user.")
@click.option("--target", metavar="NAME|FILE", help="Sample data of a model that the server has.")
@click.option(
    "--select", metavar="PATTERN", multiple=True, help="Only cases of this id, section or RFC; repeatable."
)
@click.option("--cases", type=click.Path(path_type=Path), multiple=True, help="A file of cases, instead of ours.")
@click.option("--restart-command", metavar="COMMAND", help="Restarts the server: for what must survive that.")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="A value that some cases need.")
@click.option(
    "--patience",
    type=Finite(min=0, min_open=True),
    default=10,
    show_default=True,
    help="Seconds to wait for an answer.",
)
@click.option("--junit", type=click.Path(path_type=Path), help="Also write JUnit XML to this file.")
@click.option("--list", "only_list", is_flag=True, help="List the cases, run nothing.")
@click.option("--json", "json_output", is_flag=True, help="Print the report, or the list, as JSON.")
def command(server: str | None, **given: Any) -> int:
    """Find out whether the NETCONF server at HOST:PORT does what the RFCs demand.

    It writes to the server and provokes it: not for a device in service. Exits with 2 if a case fails, with 1
    if none could be run.
    """
    _check_clients()
    from sdqkd.conformance import case, report, runner

    read = tuple(map(case.read_section, given["cases"])) or case.shipped_sections()
    sections = runner.select(read, given["select"])
    if not sections:
        raise InputError(f"no case is selected by {', '.join(given['select'])}")
    if given["only_list"]:
        return _list(sections, as_json=given["json_output"])
    options, targets = _options(server, given)
    with ProgressLines() as progress:
        result = runner.run(options, sections, targets, progress)
    if given["junit"] is not None:
        _write(given["junit"], report.to_junit(result))
    if given["json_output"]:
        show_json(report.to_json(result))
    else:
        show_report(result)
    return EXIT_FAILED if result.count("failed") else 0


def _check_clients() -> None:
    missing = [name for name in _CLIENTS if importlib.util.find_spec(name) is None]
    if missing:
        raise SdqkdError(f"this needs {' and '.join(missing)}: pip install 'sdqkd[conformance]'")


def _options(server: str | None, given: dict[str, Any]) -> tuple[Any, tuple[Any, ...]]:
    """What to run against, and the target models to choose from. Raises click.UsageError, InputError."""
    from sdqkd.conformance import case, runner, session, ssh

    if server is None or given["key"] is None:
        raise click.UsageError("give HOST:PORT and the --key of the user")
    host_key = given["host_key"]
    if (host_key is None) != given["insecure_any_host_key"]:
        raise click.UsageError("give the server's --host-key, or else --insecure-any-host-key")
    if host_key is not None and len(host_key.split()) < 2:
        raise click.UsageError("--host-key takes the type and the key: 'ssh-ed25519 AAAA…'")
    host, port = _address(server)
    login = ssh.Login(host, port, given["user"], given["key"], host_key)
    second = None
    if given["second_user"] is not None:
        second = ssh.Login(host, port, given["second_user"], given["second_key"] or given["key"], host_key)
    target, targets = given["target"], case.shipped_targets()
    if target is not None and Path(target).suffix == ".yaml":
        targets = (case.read_target(Path(target)),)
        target = targets[0].name
    settings = dict(map(_setting, given["settings"]))
    patience = session.Patience(answer_s=given["patience"])
    return runner.Options(login, second, target, given["restart_command"], settings, patience), targets


def _address(server: str) -> tuple[str, int]:
    host, colon, port = server.rpartition(":")
    if not colon or server.endswith("]"):
        host, port = server, str(DEFAULT_PORT)
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise click.UsageError(f"'{port}' is no port")
    return host.strip("[]"), int(port)


def _setting(option: str) -> tuple[str, str]:
    name, equals, value = option.partition("=")
    if not equals:
        raise click.UsageError(f"--set takes NAME=VALUE, not '{option}'")
    return name, value


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise InputError(f"the report cannot be written: {error.strerror}", str(file)) from error


def _list(sections: Iterable[Any], *, as_json: bool) -> int:
    if as_json:
        show_json({
            "cases": [
                {"id": case.id, "title": case.title, "section": section.title, "rfc": section.rfc,
                 "needs": [*case.needs]}
                for section in sections
                for case in section.cases
            ]
        })  # fmt: skip
        return 0
    for section in sections:
        show(Text(f"{section.title} ({section.rfc})", style="bold"))
        for case in section.cases:
            show(f"  {case.id}: {case.title}" + (f" [{', '.join(case.needs)}]" if case.needs else ""))
    return 0


def show_report(report: Any) -> None:
    """Print what came of a run: a table of sections, then what failed, and why cases were skipped."""
    show(_table(report))
    for outcome in ("failed", "warning"):
        for one in (one for one in report.results if one.outcome == outcome):
            text = Text(f"{outcome}: ", style=_STYLES[outcome])
            show(
                text.append(f"{one.case.id}: {one.case.title} ({one.case.rfc})\n    {one.reason}", style="default")
            )
    for reason, ids in _skipped(report.results).items():
        show(Text(f"skipped, as {reason}: {', '.join(ids)}", style=_STYLES["skipped"]))
    counts = ", ".join(f"{report.count(outcome)} {outcome}" for outcome in _STYLES)
    note(f"{report.peer}, target model {report.target}: {counts}")


def _table(report: Any) -> Table:
    table = Table("section", "demanded by", title=f"NETCONF conformance of {report.peer}")
    for outcome, style in _STYLES.items():
        table.add_column(outcome, justify="right", style=style)
    for section in report.sections:
        counts = (report.count(outcome, section.name) for outcome in _STYLES)
        table.add_row(section.title, section.rfc, *(str(count or "") for count in counts))
    return table


def _skipped(results: Sequence[Any]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for one in results:
        if one.outcome == "skipped":
            # One line for all that a target model lacks; which text of it that is, --json says.
            shown = re.sub(r"(the target model \S+) has no '.*'", r"\1 has no data for it", one.reason)
            reasons.setdefault(shown, []).append(one.case.id)
    return reasons
