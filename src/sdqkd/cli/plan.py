"""`sdqkd plan`: what would change on which device."""

from __future__ import annotations

from pathlib import Path

import click

from sdqkd.cli.console import ProgressLines, show, show_json
from sdqkd.cli.inputs import as_json, inventory_file, network_file, reachable, read_network_file
from sdqkd.cli.running import interruptible
from sdqkd.cli.show import plan_text
from sdqkd.controller.connect import connections
from sdqkd.controller.controller import Controller
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.plan import Plan

EXIT_CHANGES = 2


@click.command()
@network_file
@inventory_file
@as_json
def command(network: Path, inventory: Path | None, json_output: bool) -> int:
    """Show what would change on which device to reach what NETWORK wants. Writes nothing.

    Exits with 0 if nothing would change, with 2 if something would.
    """
    loaded = reachable(read_network_file(network), inventory)
    plan = interruptible(_plan(loaded))
    show_plan(loaded, plan, json_output)
    return 0 if plan.is_empty else EXIT_CHANGES


async def _plan(loaded: LoadedNetwork) -> Plan:
    with ProgressLines() as progress:
        async with connections(loaded) as connector, Controller(loaded, connector, progress) as controller:
            await controller.read()
            return controller.plan()


def show_plan(loaded: LoadedNetwork, plan: Plan, json_output: bool = False, *, brief: bool = False) -> None:
    """Print a plan, and how much it is. Not as JSON it may be `brief`."""
    if json_output:
        show_json(plan.to_json())
    elif plan.is_empty:
        show("no changes")
    else:
        show(plan_text(plan, loaded.network, brief=brief))
        show(str(plan.summary()))
