"""`sdqkd rollback`: take back what a transaction has done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from sdqkd.cli.changing import carry_out, demand_person, force_option
from sdqkd.cli.console import ProgressLines, note, show, show_json
from sdqkd.cli.inputs import (
    as_json,
    changing_journal,
    inventory_file,
    network_file,
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
from sdqkd.controller.plan import Plan
from sdqkd.controller.rollback import rollback_plan


@click.command()
@network_file
@click.argument("txid")
@inventory_file
@state_directory
@force_option
@as_json
def command(
    network: Path,
    txid: str,
    inventory: Path | None,
    state: Path | None,
    forced: tuple[str, ...],
    json_output: bool,
) -> None:
    """Take back what the transaction TXID has done to NETWORK, as a transaction of its own.

    Refused if a device was changed again since. The network file still wants what is taken back: change it too, or
    the next `apply` brings it again.
    """
    loaded = reachable(read_network_file(network), inventory)
    demand_person(loaded.network, forced)
    plan, new_txid = interruptible(_rollback(loaded, state, txid, forced, json_output))
    if json_output:
        show_json({"rolled-back": txid, "transaction": new_txid, "plan": plan.to_json()})
    else:
        show(f"{txid} is taken back by {new_txid}: {plan.summary()}; every device was read back")
        note(f"{network} still wants what was taken back: change it, or the next apply brings it again")


async def _rollback(
    loaded: LoadedNetwork, state: Path | None, txid: str, forced: Sequence[str], json_output: bool
) -> tuple[Plan, str]:
    with ProgressLines() as progress, changing_journal(loaded, state) as journal:
        async with (
            connections(loaded) as connector,
            Controller(loaded, connector, progress, journal=journal) as controller,
        ):
            await recover_first(controller)
            running = await controller.read()
            plan = rollback_plan(controller.history(), txid, controller.plan())
            if not json_output:
                show_plan(loaded, plan)
            purpose = f"rollback of {txid}"
            return plan, await carry_out(controller, loaded, plan, running, purpose=purpose, forced=forced)
