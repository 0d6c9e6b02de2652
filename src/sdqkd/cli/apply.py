"""`sdqkd apply`: bring the devices to what the network file wants."""

from __future__ import annotations

from pathlib import Path

import click

from sdqkd.cli.console import ProgressLines, show, show_json
from sdqkd.cli.inputs import as_json, inventory_file, network_file, reachable, read_network_file
from sdqkd.cli.plan import show_plan
from sdqkd.cli.running import interruptible
from sdqkd.controller.connect import connections
from sdqkd.controller.controller import Controller
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.plan import Plan


@click.command()
@network_file
@inventory_file
@as_json
def command(network: Path, inventory: Path | None, json_output: bool) -> None:
    """Bring all devices to what NETWORK wants, or none; what they hold then is read back.

    What is about to change is shown first, as `plan` does.
    """
    loaded = reachable(read_network_file(network), inventory)
    plan = interruptible(_apply(loaded, json_output))
    if json_output:
        show_json({"applied": not plan.is_empty, "plan": plan.to_json()})
    elif not plan.is_empty:
        show(f"applied: {plan.summary()}; every device was read back")


async def _apply(loaded: LoadedNetwork, json_output: bool) -> Plan:
    with ProgressLines() as progress:
        async with connections(loaded) as connector, Controller(loaded, connector, progress) as controller:
            await controller.read()
            plan = controller.plan()
            if not json_output:
                show_plan(loaded, plan)
            if not plan.is_empty:
                await controller.apply(plan)
            return plan
