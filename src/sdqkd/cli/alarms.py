"""`sdqkd alarms`: what is wrong, and who knows of it."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from sdqkd.cli.console import show, show_json
from sdqkd.cli.inputs import (
    as_json,
    default_run_directory,
    default_state_directory,
    network_file,
    read_network_file,
    state_directory,
)
from sdqkd.controller.alarm_store import SqliteWatchStore
from sdqkd.controller.alarms import RANK, TYPES, Alarm, AlarmKey, acknowledged
from sdqkd.errors import InputError

_STYLES = {"critical": "bold red", "major": "red", "minor": "yellow", "warning": "yellow"}


@click.group()
def command() -> None:
    """Show the alarms that `watch` has raised, and say that somebody knows of them. Both take --json."""


@command.command("list")
@network_file
@state_directory
@click.option("--all", "also_cleared", is_flag=True, help="Also those that are over.")
@as_json
def list_alarms(network: Path, state: Path | None, also_cleared: bool, json_output: bool) -> None:
    """List the alarms of NETWORK that stand, the worst first."""
    found = [alarm for alarm in _alarms(_folder(network, state)) if also_cleared or not alarm.cleared]
    found.sort(key=lambda alarm: (alarm.cleared, -RANK[alarm.severity], alarm.raised))
    if json_output:
        show_json({"alarms": [alarm.to_json() for alarm in found]})
    elif found:
        show(_table(found))
    else:
        show("no alarms")


@command.command("ack")
@network_file
@click.argument("resource")
@click.argument("alarm_type", metavar="TYPE", type=click.Choice(list(TYPES)))
@click.option("--note", "text", default="", help="What there is to say about it.")
@state_directory
@as_json
def acknowledge(
    network: Path, resource: str, alarm_type: str, text: str, state: Path | None, json_output: bool
) -> None:
    """Say that you know of the alarm of TYPE on RESOURCE, a device of NETWORK. It stands until it is over."""
    folder, key, now = _folder(network, state), AlarmKey(resource, alarm_type), datetime.now(UTC)
    if not any(alarm.key == key for alarm in _alarms(folder)):
        raise InputError(f"there is no alarm {alarm_type} on {resource}")
    with closing(SqliteWatchStore(folder)) as store:
        _, after = store.update(
            key, lambda alarm: None if alarm is None else acknowledged(alarm, getpass.getuser(), text, now)
        )
    assert after is not None
    if json_output:
        show_json(after.to_json())
    else:
        show(f"{resource}: {alarm_type} is acknowledged")


def _folder(network: Path, state: Path | None) -> Path:
    """Where the alarms are: of an emulation, though it may not run just now."""
    loaded = read_network_file(network)
    run = default_run_directory(loaded)
    return state or (run.controller if run.is_emulation else default_state_directory(loaded))


def _alarms(folder: Path) -> Sequence[Alarm]:
    """All alarms; none where no watch has ever run. Nothing is made."""
    if not (folder / "watch.sqlite").exists():
        return ()
    with closing(SqliteWatchStore(folder)) as store:
        return store.alarms()


def _table(alarms: Sequence[Alarm]) -> Table:
    table = Table(header_style="bold", box=None, pad_edge=False)
    for heading in ("since", "severity", "device", "type", "known to", "what"):
        table.add_column(heading, overflow="fold")
    for alarm in alarms:
        severity = (
            Text("cleared") if alarm.cleared else Text(alarm.severity, style=_STYLES.get(alarm.severity, ""))
        )
        known = alarm.notes[-1] if alarm.acknowledged and alarm.notes else None
        who = "" if known is None else known.operator + (f": {known.text}" if known.text else "")
        since = alarm.raised.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(since, severity, Text(alarm.key.resource), Text(alarm.key.type), Text(who), Text(alarm.text))
    return table
