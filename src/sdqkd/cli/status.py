"""`sdqkd status`: the links, and whether the devices are as they should be."""

from __future__ import annotations

from pathlib import Path

import click

from sdqkd.cli.changing import demand_person
from sdqkd.cli.console import ProgressLines, show, show_json, width
from sdqkd.cli.inputs import as_json, inventory_file, network_file, reachable, read_network_file
from sdqkd.cli.running import interruptible
from sdqkd.cli.show import device_lines, link_table, status_line
from sdqkd.controller.connect import connections
from sdqkd.controller.controller import Controller
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.status import NetworkStatus

EXIT_NOT_AS_WANTED = 1


@click.command()
@network_file
@inventory_file
@as_json
def command(network: Path, inventory: Path | None, json_output: bool) -> int:
    """Show every link of NETWORK with its figures, and the devices that are not in their desired state.

    Exits with 1 if a device cannot be read or is not as wanted, or if a wanted link makes no key.
    """
    loaded = reachable(read_network_file(network), inventory)
    demand_person(loaded.network, changing=False)
    status = interruptible(_status(loaded))
    if json_output:
        show_json(status.to_json())
    else:
        show_status(status)
    return 0 if status.good else EXIT_NOT_AS_WANTED


async def _status(loaded: LoadedNetwork) -> NetworkStatus:
    with ProgressLines() as progress:
        async with connections(loaded) as connector, Controller(loaded, connector, progress) as controller:
            return await controller.status()


def show_status(status: NetworkStatus, took_s: float | None = None) -> None:
    """Print the links as a table, devices that are not as they should be, and one line with the sums."""
    show(link_table(status.links, width()))
    for line in device_lines(status):
        show(line)
    show(status_line(status, took_s))
