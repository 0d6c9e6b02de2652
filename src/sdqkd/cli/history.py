"""`sdqkd history`: what was done to a network, and whether the record of it is whole."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from sdqkd.cli.changing import demand_person
from sdqkd.cli.console import show, show_json
from sdqkd.cli.inputs import (
    as_json,
    default_run_directory,
    default_state_directory,
    inventory_file,
    network_file,
    open_journal,
    read_network_file,
    state_directory,
)
from sdqkd.cli.run_directory import RunDirectory
from sdqkd.controller.history_text import row, transaction_json
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.journal import Entry, Remark
from sdqkd.controller.journal_state import TransactionRecord, fold
from sdqkd.errors import JournalError

_JOURNAL = "journal.sqlite"


@click.command()
@network_file
@inventory_file
@state_directory
@click.option("--last", type=click.IntRange(min=1), help="Only so many of the latest transactions.")
@click.option("--verify", is_flag=True, help="Check that nothing in the journal was changed, and print its head.")
@click.option(
    "--head", metavar="NUMBER:HASH", help="With --verify: a head noted before, which must still be in the journal."
)
@as_json
def command(
    network: Path,
    inventory: Path | None,
    state: Path | None,
    last: int | None,
    verify: bool,
    head: str | None,
    json_output: bool,
) -> None:
    """List what was done to NETWORK: when, by whom, why, and what became of it. Reads no device.

    Every entry of the journal carries a hash over itself and the one before it. Who can write the file could make
    it anew from the beginning; a head that was noted elsewhere shows that too.
    """
    loaded = read_network_file(network)
    demand_person(loaded.network, changing=False)
    entries = journal_entries(loaded, inventory, state)
    if verify or head:
        _show_verified(entries, head, json_output)
        return
    records = [*fold(entries).values()][-last if last else 0 :]
    remarks = [entry for entry in entries if isinstance(entry.record, Remark)]
    if json_output:
        shown = {"transactions": [transaction_json(record) for record in records]}
        show_json({**shown, "remarks": [_remark_json(entry) for entry in remarks]})
    elif not records:
        show("nothing was changed yet")
    else:
        show(_table(records))


def journal_entries(loaded: LoadedNetwork, inventory: Path | None, state: Path | None) -> Sequence[Entry]:
    """All entries of the journal of a network, none if there is no journal. Raises JournalError."""
    folder = state or _state_of(loaded, inventory)
    if not (folder / _JOURNAL).exists():
        return ()
    with ExitStack() as stack:
        return stack.enter_context(open_journal(loaded, folder)).entries()


def _state_of(loaded: LoadedNetwork, inventory: Path | None) -> Path:
    """Where the journal is: of the emulation, also of one that runs no more, unless there is one of a network."""
    run = RunDirectory(inventory.parent) if inventory else default_run_directory(loaded)
    otherwise = default_state_directory(loaded)
    emulated = run.is_emulation and (run.inventory.exists() or not (otherwise / _JOURNAL).exists())
    return run.controller if emulated else otherwise


def _show_verified(entries: Sequence[Entry], head: str | None, json_output: bool) -> None:
    # That each entry vouches for the one before was seen to when they were read.
    if head is not None:
        _demand_head(entries, head)
    last = f"{entries[-1].number}:{entries[-1].hash}" if entries else None
    if json_output:
        show_json({"whole": True, "entries": len(entries), "head": last})
    elif last is None:
        show("the journal is empty")
    else:
        show(f"{len(entries)} entries, each vouches for all before it; head {last}")


def _demand_head(entries: Sequence[Entry], head: str) -> None:
    number, colon, digest = head.partition(":")
    if not colon or not number.isdecimal():
        raise click.UsageError(f"--head takes NUMBER:HASH as --verify prints it, not '{head}'")
    found = next((entry.hash for entry in entries if entry.number == int(number)), None)
    if found != digest:
        what = "is no longer there" if found is None else "is another than it was"
        raise JournalError(f"the journal was made anew or cut off: entry {number} {what}")


def _table(records: Sequence[TransactionRecord]) -> Table:
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("transaction", "began (UTC)", "by", "status"):
        table.add_column(heading, no_wrap=True)
    table.add_column("what for", overflow="fold")
    for record in records:
        table.add_row(*row(record))
    return table


def _remark_json(entry: Entry) -> dict[str, Any]:
    record = entry.record
    assert isinstance(record, Remark)
    return {"at": entry.at, "what": record.what, "author": record.author, "details": record.details}
