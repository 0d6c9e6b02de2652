"""`sdqkd status`: the links, and whether the devices are as they should be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
from rich.text import Text

from sdqkd.cli.changing import demand_person
from sdqkd.cli.console import ProgressLines, note, show, show_json, width
from sdqkd.cli.history import journal_entries
from sdqkd.cli.inputs import (
    as_json,
    inventory_file,
    network_file,
    reachable,
    read_network_file,
    state_directory,
)
from sdqkd.cli.main import EXIT_IN_DOUBT
from sdqkd.cli.running import interruptible
from sdqkd.cli.tables import device_lines, link_table, status_line
from sdqkd.controller.connect import connections
from sdqkd.controller.controller import Controller
from sdqkd.controller.history_text import open_lines
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.journal_state import open_transactions
from sdqkd.controller.status import NetworkStatus
from sdqkd.errors import JournalError

EXIT_NOT_AS_WANTED = 1


@click.command()
@network_file
@inventory_file
@state_directory
@as_json
def command(network: Path, inventory: Path | None, state: Path | None, json_output: bool) -> int:
    """Show every link of NETWORK with its figures, and the devices that are not in their desired state.

    A transaction without an end is told, with the devices that are in doubt.
    Exits with 4 if it is not certain what some device holds, else with 1 if a device cannot be read or is not as
    wanted, if a wanted link makes no key, if a transaction is under way or was left undone, or if the journal
    cannot be read, which would say so.
    """
    loaded = reachable(read_network_file(network), inventory)
    demand_person(loaded.network, changing=False)
    status = interruptible(_status(loaded))
    # After the devices were read: what began meanwhile may be in there already.
    try:
        status = replace(status, open=open_transactions(journal_entries(loaded, inventory, state)))
    except JournalError as error:
        status = replace(status, journal_error=str(error))
        note(str(error))
    if json_output:
        show_json(status.to_json())
    else:
        show_status(status)
    if status.in_doubt:
        return EXIT_IN_DOUBT
    return 0 if status.good else EXIT_NOT_AS_WANTED


async def _status(loaded: LoadedNetwork) -> NetworkStatus:
    with ProgressLines() as progress:
        async with connections(loaded) as connector, Controller(loaded, connector, progress) as controller:
            return await controller.status()


def show_status(status: NetworkStatus, took_s: float | None = None) -> None:
    """Print the links as a table, what is not as it should be, and one line with the sums."""
    show(link_table(status.links, width()))
    for line in device_lines(status):
        show(line)
    for transaction in status.open:
        for told in open_lines(transaction):
            show(Text(told, style="red"))
    show(status_line(status, took_s))
