"""`sdqkd switch`: one more link of the switched domain, in place of those that stand in its way."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
from sdqkd.cli.routes import channel_name, option_json, require_fibres
from sdqkd.cli.running import interruptible
from sdqkd.controller.both_ends import Trees
from sdqkd.controller.changeover import Changeover, Wish, changeover, module_named, wish_for_link
from sdqkd.controller.changeover_file import rewritten, write_down
from sdqkd.controller.connect import connections
from sdqkd.controller.controller import Controller
from sdqkd.controller.inventory import LoadedNetwork, read_file
from sdqkd.controller.plan import Plan
from sdqkd.controller.switching import Step, switch_over
from sdqkd.physics.grid import channel_to_hz
from sdqkd.planning.forecast import Forecast


@click.command()
@network_file
@click.argument("ends", nargs=-1, required=True, metavar="LINK | TRANSMITTER RECEIVER")
@click.option("--channel", type=click.IntRange(1, 72), help="The channel. [default: LINK's, else the best]")
@click.option("--fibre", "fibres", multiple=True, help="The way, fibre by fibre. [default: LINK's, else the best]")
@click.option("--instead-of", metavar="LINK", multiple=True, help="An active link that may end for it.")
@click.option("--dry-run", is_flag=True, help="Only say what would run, and what would end for it.")
@inventory_file
@state_directory
@force_option
@as_json
def command(
    network: Path,
    ends: tuple[str, ...],
    channel: int | None,
    fibres: tuple[str, ...],
    instead_of: tuple[str, ...],
    dry_run: bool,
    inventory: Path | None,
    state: Path | None,
    forced: tuple[str, ...],
    json_output: bool,
) -> None:
    """Let a link run between two switched modules of NETWORK: LINK of the file, or any that `routes` shows.

    A module is a DEVICE:INTERFACE, or a site or device that has only one. Links that use one of the two modules
    end; others only if they are named. What can be made before something is broken is made first; a module that
    must move goes back if no key comes within its acquisition time. Then the file says what runs.
    """
    file = read_network_file(network)
    demand_person(file.network, forced, changing=not dry_run)
    change = changeover(Forecast(file.network), _wish(file, ends, channel, fibres, instead_of))
    # What the file could not say would be undone by the next `apply`: so better now than then.
    rewritten(file, read_file(network), change)
    if not json_output:
        _announce(change)
    done: list[tuple[Step, str]] = []
    if not dry_run:
        done = interruptible(_switch(reachable(file, inventory), change, state, forced, json_output, network))
    if json_output:
        show_json(_as_json(change, done))
    elif not done and not dry_run:
        show("no changes")


def _wish(
    file: LoadedNetwork,
    ends: tuple[str, ...],
    channel: int | None,
    fibres: tuple[str, ...],
    instead: tuple[str, ...],
) -> Wish:
    require_fibres(file.network, fibres)
    if len(ends) == 1:
        wish = wish_for_link(file.network, ends[0])
    elif len(ends) == 2:
        forecast = Forecast(file.network)
        transmitter, receiver = ends
        wish = Wish(
            module_named(forecast, transmitter, "TRANSMITTER"), module_named(forecast, receiver, "RECEIVER")
        )
    else:
        raise click.UsageError("give one LINK, or a TRANSMITTER and a RECEIVER")
    wish = dataclasses.replace(wish, instead_of=instead, fibres=fibres or wish.fibres)
    return wish if channel is None else dataclasses.replace(wish, frequency_hz=channel_to_hz(channel))


def _announce(change: Changeover) -> None:
    one = change.option
    show(
        f"{change.link.name}: channel {channel_name(one.frequency_hz)} over {', '.join(one.path.fibres)},"
        f" {one.loss_db:.2f} dB, {one.rate_bps / 1000:,.2f} kb/s expected"
    )
    for name in change.stops:
        show(f"{name} ends for it")


async def _switch(
    loaded: LoadedNetwork,
    change: Changeover,
    state: Path | None,
    forced: Sequence[str],
    json_output: bool,
    file: Path,
) -> list[tuple[Step, str]]:
    done: list[tuple[Step, str]] = []
    # The file's devices with where they answer, and the links as they shall be.
    goal = dataclasses.replace(loaded, network=dataclasses.replace(change.network, devices=loaded.network.devices))
    with ProgressLines() as progress, changing_journal(loaded, state) as journal:
        async with (
            connections(loaded) as connector,
            Controller(goal, connector, progress, journal=journal) as controller,
        ):

            async def carry(step: Step, plan: Plan, running: Trees) -> None:
                if not json_output:
                    show(f"{step}:")
                    show_plan(loaded, plan)
                purpose = f"switch {change.link.name}: {step}"
                txid = await carry_out(controller, goal, plan, running, purpose=purpose, forced=forced)
                if not done:
                    # From now on the new link runs, whatever becomes of the old ones: the file shall not undo it.
                    write_down(loaded, file, change)
                done.append((step, txid))
                if not json_output:
                    show(f"{step}: done as {txid}; every device was read back")

            await recover_first(controller)
            await switch_over(controller, loaded.network, carry)
    return done


def _as_json(change: Changeover, done: list[tuple[Step, str]]) -> dict[str, Any]:
    return {
        "link": change.link.name,
        "option": option_json(change.option),
        "ends": list(change.stops),
        "transactions": [{"step": step, "transaction": txid} for step, txid in done],
    }
