"""`sdqkd schedule`: time shared between configurations, where pairs are more than modules."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from sdqkd.cli.changing import carry_out, demand_person
from sdqkd.cli.console import ProgressLines, note, show, show_json
from sdqkd.cli.inputs import (
    Finite,
    as_json,
    changing_journal,
    inventory_file,
    network_file,
    reachable,
    read_network_file,
    state_directory,
)
from sdqkd.cli.main import EXIT_ROLLED_BACK
from sdqkd.cli.recover import recover_first
from sdqkd.cli.routes import channel_name, module_name, option_json
from sdqkd.cli.running import interruptible
from sdqkd.controller.clock import SystemClock
from sdqkd.controller.connect import connections
from sdqkd.controller.controller import Controller
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.rotation import rotate
from sdqkd.errors import ApplyError
from sdqkd.network.model import FibreSharing, Network
from sdqkd.planning.forecast import Forecast
from sdqkd.planning.schedule import Schedule, Sharing, Turn, schedule, sharing_of
from sdqkd.planning.spectrum import Rules


@click.command()
@network_file
@click.option(
    "--period", "period_s", type=Finite(1), default=3600.0, show_default=True,
    help="Seconds in which every configuration has its turn. Users must have keys in store for so long.",
)  # fmt: skip
@click.option(
    "--dead-time", "dead_s", type=Finite(0),
    help="Seconds without key when a configuration begins. [default: the modules' acquisition time]",
)  # fmt: skip
@click.option(
    "--per-fibre", type=click.IntRange(1),
    help=f"The most quantum channels in a fibre. [default: as the file says, else {Rules().per_fibre}]",
)  # fmt: skip
@click.option(
    "--run", "periods", type=click.IntRange(0), default=0,
    help="Run so many periods on the devices; then they are led back to what the file wants.",
)  # fmt: skip
@inventory_file
@state_directory
@as_json
def command(
    network: Path,
    period_s: float,
    dead_s: float | None,
    per_fibre: int | None,
    periods: int,
    inventory: Path | None,
    state: Path | None,
    json_output: bool,
) -> int:
    """Share the time of NETWORK's switched modules between all pairs of nodes that its links join, active or not.

    The worst pair's key rate over its demand is made as large as can be. Writes nothing unless told to --run: then
    each turn is a transaction, and 3 is the exit code if one was not set up. Let no `watch` run meanwhile.
    """
    loaded = read_network_file(network)
    known = loaded.network
    rules = Rules.of(known, FibreSharing(per_fibre=per_fibre))
    sharing = sharing_of(Forecast(known), rules, dead_s=dead_s, period_s=period_s)
    found = schedule(sharing)
    if json_output:
        show_json(_as_json(sharing, found))
    else:
        _show(known, sharing, found)
    if not periods:
        return 0
    demand_person(known)
    missed = interruptible(_run(reachable(loaded, inventory), state, list(found.turns) * periods))
    return EXIT_ROLLED_BACK if missed else 0


async def _run(file: LoadedNetwork, state: Path | None, turns: list[Turn]) -> int:
    """Let the turns have their time, then lead the devices back; how many could not be set up."""
    with ProgressLines() as progress, changing_journal(file, state) as journal:
        async with connections(file) as connector:

            async def set_up(what: str, network: Network) -> None:
                loaded = dataclasses.replace(file, network=network)
                async with Controller(loaded, connector, progress, journal=journal) as controller:
                    await recover_first(controller)
                    running = await controller.read()
                    plan = controller.plan()
                    if not plan.is_empty:
                        txid = await carry_out(controller, loaded, plan, running, purpose=f"schedule: {what}")
                        note(f"{what}: set up as {txid}")

            def failed(number: int, error: ApplyError) -> None:
                note(f"turn {number}: not set up: {error}")

            try:
                forecast = Forecast(file.network)
                return (
                    await rotate(forecast, turns, SystemClock(), lambda n, to: set_up(f"turn {n}", to), failed)
                )[1]
            finally:
                await set_up("as the file wants it", file.network)


def _as_json(sharing: Sharing, found: Schedule) -> dict[str, Any]:
    return {
        "period-s": sharing.period_s,
        "turns": [
            {
                "dead-s": turn.dead_s,
                "key-s": round(turn.key_s, 3),
                "links": {pair: [*map(option_json, options)] for pair, options in turn.links.items()},
            }
            for turn in found.turns
        ],
        "pairs": {
            pair: {"demand-bps": sharing.demands[pair], "key-rate-bps": round(rate_bps, 3)}
            for pair, rate_bps in found.rates_bps.items()
        },
        "without-light": list(found.hopeless),
        "worst": found.worst,
        "bound": found.bound,
        "gap": found.gap,
    }


def _show(network: Network, sharing: Sharing, found: Schedule) -> None:
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("turn", "from", "to", "by fibre", "channel"):
        table.add_column(heading, overflow="fold")
    table.add_column("key rate\n[kb/s]", justify="right", no_wrap=True)
    for number, turn in enumerate(found.turns, 1):
        name = f"{number}: {turn.dead_s:.0f} s dead, {turn.key_s:.0f} s"
        for option in turn.options:
            ends = (module_name(network, end) for end in (option.transmitter, option.receiver))
            figure = f"{option.rate_bps / 1000:,.2f}"
            table.add_row(name, *ends, ", ".join(option.path.fibres), channel_name(option.frequency_hz), figure)
            name = ""
    show(table)
    show("")
    for pair, rate_bps in found.rates_bps.items():
        show(f"{pair}: {rate_bps:,.1f} bit/s in the mean, for a demand of {sharing.demands[pair]:,.0f}")
    for pair in found.hopeless:
        show(f"{pair}: no free way between them makes key")
    if not found.rates_bps:
        show("no pair of nodes that switched links of the file join can have key: there is nothing to share")
        return
    if not found.worst:
        show(
            f"a period of {sharing.period_s:g} s has no room for the turns that all pairs need, each with"
            f" {sharing.dead_s:g} s without key"
        )
    show(
        f"the worst pair has {found.worst:.4f} of its demand; no schedule has more than {found.bound:.4f}"
        f" (gap {100 * found.gap:.2f} %)"
    )
