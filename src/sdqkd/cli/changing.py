"""What every subcommand that changes a network does first: who may, is it the time, do both ends fit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from sdqkd.controller.both_ends import Trees, demand_both_ends
from sdqkd.controller.controller import Controller
from sdqkd.controller.gate import Gate, OpenGate
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.plan import Plan
from sdqkd.controller.policy import demand_may, demand_window, this_person
from sdqkd.controller.saved_plan import demand_bases
from sdqkd.network.model import Network

BOTH_ENDS = "both-ends"
HEALTH = "health"

force_option = click.option(
    "--force",
    "forced",
    metavar="NAME",
    multiple=True,
    help="Change the network though this holds it back: a maintenance window by its name, `both-ends` (rules"
    " across devices) or `health` (what links must keep to). May be repeated; the journal notes it.",
)


def demand_person(network: Network, forced: Sequence[str] = (), *, changing: bool = True) -> None:
    """Raise NotAllowedError if who runs us may not look at this network, change it, or force that.

    Raises click.UsageError for something forced that holds nothing back. Asked before any device is reached.
    """
    known = [*(window.name for window in network.rules.windows), BOTH_ENDS, HEALTH]
    if unknown := [name for name in forced if name not in known]:
        raise click.UsageError(f"nothing called '{unknown[0]}' holds changes back; there are {', '.join(known)}")
    person = this_person()
    demand_may(network, person, "apply" if changing else "plan")
    if forced:
        demand_may(network, person, "force")


async def carry_out(
    controller: Controller,
    loaded: LoadedNetwork,
    plan: Plan,
    running: Trees,
    *,
    purpose: str = "",
    forced: Sequence[str] = (),
) -> str:
    """Apply a plan unless something holds it back; the identifier of the transaction.

    `running` is what the controller has read. Raises NotAllowedError outside of maintenance windows, ApplyError
    for a stale plan and for both ends that do not fit, and as `Controller.apply`.
    """
    demand_window(loaded.network, plan.changed, datetime.now(UTC), forced)
    demand_bases(plan, loaded.network, running)
    if BOTH_ENDS not in forced:
        demand_both_ends(loaded.network, plan, running)
    gate: Gate | None = OpenGate() if HEALTH in forced else None
    if forced:
        purpose = f"{purpose or 'apply'}, forced: {', '.join(forced)}"
    return await controller.apply(plan, author=this_person().name, purpose=purpose, gate=gate)
