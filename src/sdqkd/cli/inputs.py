"""What several subcommands take: the network file, the inventory, the run directory, and how they are read."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import click

from sdqkd.agent.roles import ROLES, Role
from sdqkd.cli.console import note
from sdqkd.cli.run_directory import RunDirectory
from sdqkd.controller.alarm_board import AlarmBoard
from sdqkd.controller.alarm_store import SqliteWatchStore
from sdqkd.controller.clock import SystemClock
from sdqkd.controller.inventory import (
    LoadedNetwork,
    check_endpoints,
    load_inventory,
    load_network,
    read_file,
    with_inventory,
)
from sdqkd.controller.journal_sqlite import SqliteJournal
from sdqkd.controller.watch_journal import JournalView
from sdqkd.errors import InputError, JournalError, StoreError


class Finite(click.FloatRange):
    """A number, within limits if there are any. Python takes `nan` and `inf` for numbers too; we do not."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number. Fails for what is none."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number

    def _describe_range(self) -> str:
        """What `--help` shows of the limits. Without any, click's own would show `x<=None`."""
        return "" if self.min is None and self.max is None else super()._describe_range()


network_file = click.argument("network", type=click.Path(path_type=Path))

inventory_file = click.option(
    "--inventory",
    type=click.Path(path_type=Path),
    help="Where the devices answer. Unless given: the run directory's, else what the network file says.",
)

run_directory = click.option(
    "--run-dir",
    type=click.Path(path_type=Path),
    help="Folder for keys, configurations and the inventory of an emulation. [default: run/<network's name>]",
)

state_directory = click.option(
    "--state",
    type=click.Path(path_type=Path),
    help="Folder for the controller's journal. [default: the run directory's `controller` for an emulation, else"
    " $XDG_STATE_HOME/sdqkd/<network's name>]",
)

authorized_keys = click.option(
    "--authorized",
    metavar="USER=FILE",
    multiple=True,
    help="Also let USER in with the public keys of FILE, one a line. May be repeated.",
)

user_roles = click.option(
    "--role",
    "user_roles",
    metavar="USER=ROLE",
    multiple=True,
    help="What USER may do on a device that is new: admin (everything, unless given) or viewer. May be repeated.",
)

recovery_users = click.option(
    "--recovery-user",
    "recovery_users",
    metavar="USER",
    multiple=True,
    help="Let USER do everything, whatever a device's access control says. May be repeated.",
)

as_json = click.option("--json", "json_output", is_flag=True, help="Print the result as JSON.")


def read_network_file(file: Path) -> LoadedNetwork:
    """A network file that is right. Raises InputErrors."""
    return load_network(read_file(file), str(file))


def default_run_directory(loaded: LoadedNetwork) -> RunDirectory:
    """Where an emulation of this network keeps its files unless told otherwise."""
    return RunDirectory(Path("run") / loaded.network.name)


def reachable(loaded: LoadedNetwork, inventory: Path | None) -> LoadedNetwork:
    """The network with an endpoint for every device: from the given inventory, else from that of an emulation.

    Raises InputErrors for a bad inventory, and for devices of which nobody says where they answer.
    """
    emulated = default_run_directory(loaded).inventory
    file = inventory or (emulated if emulated.exists() else None)
    if file is not None:
        loaded = with_inventory(loaded, load_inventory(read_file(file), str(file)))
    check_endpoints(loaded)
    if calling := sum(device.management.call_home for device in loaded.network.devices.values()):
        who = "1 device calls" if calling == 1 else f"{calling} devices call"
        note(f"{who} home: waiting up to {loaded.waiting.patience_s:g} s for {'it' if calling == 1 else 'them'}")
    return loaded


def open_journal(loaded: LoadedNetwork, folder: Path | None) -> AbstractContextManager[SqliteJournal]:
    """The journal of a network, to be closed. Raises JournalError if it cannot be used."""
    return closing(SqliteJournal(folder or default_state_directory(loaded), loaded.network.name))


@contextmanager
def changing_journal(loaded: LoadedNetwork, folder: Path | None) -> Iterator[SqliteJournal]:
    """The same for who changes the network: in the end there is an alarm for each device in doubt, and no other.

    That the alarms cannot be kept is said on stderr, and changes nothing else.
    """
    folder = folder or default_state_directory(loaded)
    with open_journal(loaded, folder) as journal:
        try:
            yield journal
        finally:
            try:
                _alarm(journal, folder)
            except (JournalError, StoreError) as error:
                note(f"no alarm could be kept: {error}")


def _alarm(journal: SqliteJournal, folder: Path) -> None:
    view = JournalView(journal)
    view.refresh()
    if view.doubts or (folder / "watch.sqlite").exists():
        with closing(SqliteWatchStore(folder)) as store:
            AlarmBoard(store, SystemClock()).in_doubt(view.doubts)


def default_state_directory(loaded: LoadedNetwork) -> Path:
    """Where the controller of this network keeps its journal unless told otherwise."""
    if loaded.inventory is not None:
        run = RunDirectory(Path(loaded.inventory).parent)
        if run.is_emulation:
            return run.controller
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "sdqkd" / loaded.network.name


def read_users(authorized: tuple[str, ...]) -> dict[str, list[str]]:
    """Public keys by user from `USER=FILE` options. Raises InputError for a file that cannot be read."""
    users: dict[str, list[str]] = {}
    for option in authorized:
        user, _, file = option.partition("=")
        if not user or not file:
            raise click.UsageError(f"--authorized takes USER=FILE, not '{option}'")
        users.setdefault(user, []).extend(_public_keys(Path(file)))
    return users


def read_roles(options: tuple[str, ...]) -> dict[str, Role]:
    """What users may do, from `USER=ROLE` options."""
    roles: dict[str, Role] = {}
    for option in options:
        user, _, name = option.partition("=")
        role = next((role for role in ROLES if role == name), None)
        if not user or role is None:
            raise click.UsageError(f"--role takes USER=ROLE, a role being {' or '.join(ROLES)}, not '{option}'")
        roles[user] = role
    return roles


def _public_keys(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"the public keys cannot be read: {reason}", str(file)) from error
    keys = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not keys:
        raise InputError("there is no public key in this file", str(file))
    return keys
