"""`sdqkd apply`: bring the devices to what the network file wants."""

from __future__ import annotations

from pathlib import Path

import click

from sdqkd.cli.console import ProgressLines, show, show_json
from sdqkd.cli.inputs import (
    as_json,
    inventory_file,
    network_file,
    open_journal,
    reachable,
    read_network_file,
    state_directory,
)
from sdqkd.cli.plan import show_plan
from sdqkd.cli.recover import recover_first
from sdqkd.cli.running import interruptible
from sdqkd.controller.connect import connections
from sdqkd.controller.controller import Controller
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.part import Terms
from sdqkd.controller.plan import Plan


@click.command()
@network_file
@inventory_file
@state_directory
@click.option(
    "--timeout", "timeout_s", type=click.IntRange(4, 86400), default=Terms().timeout_s, show_default=True,
    help="Seconds after which a device undoes the change by itself, unless it is asked for more.",
)  # fmt: skip
@as_json
def command(network: Path, inventory: Path | None, state: Path | None, timeout_s: int, json_output: bool) -> None:
    """Bring all devices to what NETWORK wants, or none; what they hold then is read back.

    What is about to change is shown first, as `plan` does. What a controller left undone is finished before.
    Exits with 3 if the change was begun and every device is as it was, with 4 if that is not certain of each.
    """
    loaded = reachable(read_network_file(network), inventory)
    plan, txid = interruptible(_apply(loaded, state, Terms(timeout_s=timeout_s), json_output))
    if json_output:
        show_json({"applied": not plan.is_empty, "transaction": txid, "plan": plan.to_json()})
    elif not plan.is_empty:
        show(f"applied as {txid}: {plan.summary()}; every device was read back")


async def _apply(
    loaded: LoadedNetwork, state: Path | None, terms: Terms, json_output: bool
) -> tuple[Plan, str | None]:
    with ProgressLines() as progress, open_journal(loaded, state) as journal:
        async with (
            connections(loaded) as connector,
            Controller(loaded, connector, progress, journal=journal, terms=terms) as controller,
        ):
            await recover_first(controller)
            await controller.read()
            plan = controller.plan()
            if not json_output:
                show_plan(loaded, plan)
            return plan, None if plan.is_empty else await controller.apply(plan)
