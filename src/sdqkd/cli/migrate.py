"""`sdqkd migrate`: what a site does moves to other equipment, made there before it is removed here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from sdqkd.cli.changing import carry_out, demand_person, force_option
from sdqkd.cli.console import ProgressLines, show, show_json
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
from sdqkd.controller.both_ends import Trees
from sdqkd.controller.connect import connections
from sdqkd.controller.controller import Controller
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.migration import demand_moved, making
from sdqkd.controller.plan import Plan


class Half(NamedTuple):
    """A transaction that was done."""

    purpose: str
    txid: str
    plan: Plan


@click.command()
@network_file
@click.argument("site")
@inventory_file
@state_directory
@force_option
@as_json
def command(
    network: Path,
    site: str,
    inventory: Path | None,
    state: Path | None,
    forced: tuple[str, ...],
    json_output: bool,
) -> None:
    """Move what SITE does to other equipment. NETWORK says how it shall be: with nothing wanted at SITE any more.

    First everything new is made, and has to come up and to make key; then what is old is removed. These are two
    transactions. If the second is rolled back, both are there: run it again.
    """
    loaded = reachable(read_network_file(network), inventory)
    demand_person(loaded.network, forced)
    demand_moved(loaded.network, site)
    done = interruptible(_migrate(loaded, state, site, forced, json_output))
    if json_output:
        halves = [
            {"purpose": purpose, "transaction": txid, "plan": plan.to_json()} for purpose, txid, plan in done
        ]
        show_json({"migrated": site, "transactions": halves})
    elif not done:
        show(f"{site} has moved already: no changes")


async def _migrate(
    loaded: LoadedNetwork, state: Path | None, site: str, forced: Sequence[str], json_output: bool
) -> list[Half]:
    done: list[Half] = []

    async def carry(half: str, plan: Plan, running: Trees) -> None:
        if plan.is_empty:
            return
        purpose = f"migrate {site}: {half}"
        if not json_output:
            show(f"{purpose}:")
            show_plan(loaded, plan)
        txid = await carry_out(controller, loaded, plan, running, purpose=purpose, forced=forced)
        done.append(Half(purpose, txid, plan))
        if not json_output:
            show(f"{purpose}: done as {txid}; every device was read back")

    with ProgressLines() as progress, changing_journal(loaded, state) as journal:
        async with (
            connections(loaded) as connector,
            Controller(loaded, connector, progress, journal=journal) as controller,
        ):
            await recover_first(controller)
            running = await controller.read()
            await carry("make", making(controller.plan(), loaded.network, running), running)
            running = await controller.read()
            await carry("remove", controller.plan(), running)
    return done
