"""Before any subcommand changes a network: who may, is it the time, do both ends fit, which link is harmed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from sdqkd.cli.console import note
from sdqkd.controller.both_ends import Trees, demand_both_ends
from sdqkd.controller.clock import SystemClock
from sdqkd.controller.coexistence import Coexistence, coexistence, demand_coexistence, without_watch
from sdqkd.controller.coexistence_text import effect_lines, warning_lines
from sdqkd.controller.controller import Controller
from sdqkd.controller.gate import Gate, OpenGate
from sdqkd.controller.health_gate import HealthGate, Memory
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.plan import Plan
from sdqkd.controller.policy import demand_may, demand_window, this_person
from sdqkd.controller.saved_plan import demand_bases, demand_own
from sdqkd.controller.stages import Stage, in_stages
from sdqkd.network.model import Network

BOTH_ENDS = "both-ends"
HEALTH = "health"

force_option = click.option(
    "--force",
    "forced",
    metavar="NAME",
    multiple=True,
    help="Change the network though this holds it back: a maintenance window by its name, `both-ends` (rules"
    " across devices), `health` (what links must keep to) or a QKD link that may be harmed. May be repeated; the"
    " journal notes it.",
)


def demand_person(network: Network, forced: Sequence[str] = (), *, changing: bool = True) -> None:
    """Raise NotAllowedError if who runs us may not look at this network, change it, or force that.

    Raises click.UsageError for something forced that holds nothing back. Asked before any device is reached.
    """
    known = [*(window.name for window in network.rules.windows), BOTH_ENDS, HEALTH]
    if unknown := [name for name in forced if name not in known and name not in network.qkd_links]:
        there = f"there are {', '.join(known)}, and the QKD links"
        raise click.UsageError(f"nothing called '{unknown[0]}' holds changes back; {there}")
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
    """Apply a plan, in stages if need be, unless something holds it back; the (last) transaction's identifier.

    `running` is what the controller has read. Raises NotAllowedError outside of maintenance windows, ApplyError
    for a stale plan, for both ends that do not fit and for a QKD link that is harmed, and as `Controller.apply`.
    """
    network = loaded.network
    effects = _demand_nothing_held_back(network, plan, running, forced)
    if forced:
        purpose = f"{purpose or 'apply'}, forced: {', '.join(forced)}"
    watched = without_watch(network, forced)
    staged = len(effects.stages) > 1
    remembered: Memory = {}

    async def one(stage: Stage) -> str:
        gate: Gate = OpenGate() if HEALTH in forced else HealthGate(watched, SystemClock(), remembered=remembered)
        txid = await controller.apply(
            stage.plan, author=this_person().name, purpose=_purpose(purpose, stage), gate=gate
        )
        if staged:
            note(f"stage {stage.name} is done: {txid}")
        return txid

    async def back(stage: Stage) -> str:
        # What is restored was there before, so nothing is tried out.
        what = f"take back stage {stage.name}"
        return await controller.apply(stage.plan, author=this_person().name, purpose=what, gate=OpenGate())

    return (await in_stages(effects.stages, one, back))[-1]


def _demand_nothing_held_back(network: Network, plan: Plan, running: Trees, forced: Sequence[str]) -> Coexistence:
    """What the plan does to QKD links, if it may be carried out now."""
    demand_own(plan, network)
    demand_window(network, plan.changed, datetime.now(UTC), forced)
    demand_bases(plan, network, running)
    if BOTH_ENDS not in forced:
        demand_both_ends(network, plan, running)
    effects = coexistence(network, plan, running, forced)
    for line in effect_lines(effects):
        note(line)
    demand_coexistence(effects, forced)
    for line in warning_lines(effects, forced):
        note(line)
    return effects


def _purpose(purpose: str, stage: Stage) -> str:
    return f"{purpose or 'apply'}, stage {stage.name}" if stage.name else purpose
