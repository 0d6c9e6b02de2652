"""`sdqkd apply`: bring the devices to what the network file wants, or to what a saved plan says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from sdqkd.cli.changing import carry_out, demand_person, force_option
from sdqkd.cli.console import ProgressLines, show, show_json
from sdqkd.cli.inputs import (
    as_json,
    changing_journal,
    inventory_file,
    reachable,
    read_network_file,
    state_directory,
)
from sdqkd.cli.plan import show_plan
from sdqkd.cli.recover import recover_first
from sdqkd.cli.running import interruptible
from sdqkd.controller.connect import connections
from sdqkd.controller.controller import Controller
from sdqkd.controller.inventory import LoadedNetwork, read_file
from sdqkd.controller.part import Terms
from sdqkd.controller.plan import Plan
from sdqkd.controller.saved_plan import is_saved_plan, read_saved_plan


@click.command()
@click.argument("what", metavar="NETWORK|PLAN", type=click.Path(path_type=Path))
@inventory_file
@state_directory
@click.option(
    "--timeout", "timeout_s", type=click.IntRange(4, 86400), default=Terms().timeout_s, show_default=True,
    help="Seconds after which a device undoes the change by itself, unless it is asked for more.",
)  # fmt: skip
@force_option
@as_json
def command(
    what: Path,
    inventory: Path | None,
    state: Path | None,
    timeout_s: int,
    forced: tuple[str, ...],
    json_output: bool,
) -> None:
    """Bring all devices to what NETWORK wants, or none; what they hold then is read back.

    What is about to change is shown first, as `plan` does. What a controller left undone is finished before. A
    PLAN that `plan --out` has kept is applied as it is, or not at all if it is stale.
    Exits with 3 if the change was begun and every device is as it was, with 4 if that is not certain of each.
    """
    loaded, kept = _read(what)
    loaded = reachable(loaded, inventory)
    demand_person(loaded.network, forced)
    plan, txid = interruptible(_apply(loaded, state, Terms(timeout_s=timeout_s), kept, forced, json_output))
    if json_output:
        show_json({"applied": not plan.is_empty, "transaction": txid, "plan": plan.to_json()})
    elif not plan.is_empty:
        show(f"applied as {txid}: {plan.summary()}; every device was read back")


def _read(file: Path) -> tuple[LoadedNetwork, Plan | None]:
    """The network, and the plan if the file is one. Raises InputError, ApplyError for a plan of another file."""
    text = read_file(file)
    if not is_saved_plan(text):
        return read_network_file(file), None
    saved = read_saved_plan(text, str(file))
    loaded = read_network_file(Path(saved.network_file))
    saved.demand_fresh(loaded)
    return loaded, saved.plan


async def _apply(
    loaded: LoadedNetwork,
    state: Path | None,
    terms: Terms,
    kept: Plan | None,
    forced: Sequence[str],
    json_output: bool,
) -> tuple[Plan, str | None]:
    with ProgressLines() as progress, changing_journal(loaded, state) as journal:
        async with (
            connections(loaded) as connector,
            Controller(loaded, connector, progress, journal=journal, terms=terms) as controller,
        ):
            await recover_first(controller)
            running = await controller.read()
            plan = kept or controller.plan()
            if not json_output:
                show_plan(loaded, plan)
            if plan.is_empty:
                return plan, None
            return plan, await carry_out(controller, loaded, plan, running, forced=forced)
