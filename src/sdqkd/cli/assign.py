"""`sdqkd assign`: a light path and a channel for each link that shall run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sdqkd.cli.assign_keep import keep
from sdqkd.cli.assign_text import (
    Lacking,
    lacking_json,
    link_table,
    pairs_json,
    power_table,
    powers_json,
    promise,
    remedy_words,
)
from sdqkd.cli.console import show, show_json
from sdqkd.cli.inputs import Finite, as_json, network_file, read_network_file
from sdqkd.cli.routes import option_json, require_fibres
from sdqkd.network.model import FibreSharing, Network
from sdqkd.planning.assignment import (
    EXACT_SITES,
    EXACT_TIME_S,
    FAST_PATHS,
    Assignment,
    Method,
    Problem,
    assign,
    problem_of,
)
from sdqkd.planning.ceilings import SENSITIVITY_DBM, Ceiling, ceilings
from sdqkd.planning.forecast import Forecast
from sdqkd.planning.relaxing import MOST_PATHS, remedies
from sdqkd.planning.spectrum import Rules
from sdqkd.planning.three_parties import pairs_in

EXIT_UNSERVED = 2
_GHZ = 1_000_000_000
_PLAIN = Rules()


@click.command()
@network_file
@click.option(
    "--method", type=click.Choice(["exact", "fast", "first-fit"]),
    help=f"How to choose. [default: exact for up to {EXACT_SITES} sites, else fast, which looks at the best"
    f" {FAST_PATHS} paths of each link and channel]",
)  # fmt: skip
@click.option(
    "--guard", type=click.IntRange(0),
    help="Least distance in GHz of a quantum channel from classical channels on its strand, in every fibre."
    f" [default: as the file says, else {_PLAIN.guard_hz // _GHZ}]",
)  # fmt: skip
@click.option(
    "--spacing", type=click.IntRange(1),
    help="Least distance in GHz of quantum channels in a fibre from each other."
    f" [default: as the file says, else {_PLAIN.spacing_hz // _GHZ}]",
)  # fmt: skip
@click.option(
    "--per-fibre", type=click.IntRange(1),
    help=f"The most quantum channels in a fibre. [default: as the file says, else {_PLAIN.per_fibre}]",
)  # fmt: skip
@click.option(
    "--sensitivity", type=Finite(),
    help="What every classical receiver needs, in dBm, for the floors of launch powers. [default: as the profiles"
    f" of transponders say for data, else {SENSITIVITY_DBM:g}]",
)  # fmt: skip
@click.option(
    "--dark", metavar="FIBRE", multiple=True, help="Leave out a fibre, as if it were cut. May be repeated."
)
@click.option(
    "--keep", "keeping", is_flag=True,
    help="Leave links where they are as long as they work there, and look for ways for the rest alone.",
)  # fmt: skip
@as_json
def command(
    network: Path,
    method: Method | None,
    guard: int | None,
    spacing: int | None,
    per_fibre: int | None,
    sensitivity: float | None,
    dark: tuple[str, ...],
    keeping: bool,
    json_output: bool,
) -> int:
    """Find a light path and a channel for each active link of NETWORK. Writes nothing.

    As many links as possible, then the largest product of key rates. Exits with 0 if every link has one, else with
    2, saying of each that has none which constraint would have to give way, and by how much. With --keep it exits
    with 0 if every link stays where it is, else with 2. Links of three parties keep the ways and the channel that
    the file gives them, and nothing comes too close to them.
    """
    known = read_network_file(network).network
    require_fibres(known, dark)
    forecast = Forecast(known)
    asked = FibreSharing(_hz(guard), _hz(spacing), per_fibre)
    way = method or ("exact" if len(known.sites) <= EXACT_SITES else "fast")
    paths = FAST_PATHS if way == "fast" else None
    if keeping:
        if way == "first-fit":
            raise click.UsageError("--keep chooses by --method exact or fast")
        paths = MOST_PATHS if way == "fast" else None  # few links look for another way, so they may look further
        return keep(forecast, asked, dark, paths, sensitivity, json_output=json_output)
    problem = problem_of(forecast, Rules.of(known, asked), paths=paths, dark=dark)
    found = assign(problem, way, EXACT_TIME_S)
    limits = ceilings(forecast, found.chosen, sensitivity, dark)
    lacking = {name: remedies(forecast, problem, found.chosen, name) for name in found.unserved}
    pairs = pairs_in(forecast, dark)
    if json_output:
        show_json(_as_json(found, limits, lacking) | {"method": way, "of-three-parties": pairs_json(pairs)})
    else:
        _show(known, problem, found, limits, lacking)
        for name, one in pairs.items():
            kept = f"keeps its ways to its hub and its channel: {one.rate_bps / 1000:,.2f} kb/s"
            show(f"{name} {f'is not served: {one.obstacle}' if one.obstacle else kept}")
    return EXIT_UNSERVED if found.unserved or any(one.obstacle for one in pairs.values()) else 0


def _hz(ghz: int | None) -> int | None:
    return None if ghz is None else ghz * _GHZ


def _as_json(found: Assignment, limits: tuple[Ceiling, ...], lacking: Lacking) -> dict[str, Any]:
    return {
        "links": {name: option_json(option) for name, option in found.chosen.items()},
        "unserved": lacking_json(lacking),
        "links-more-at-most": found.links_more,
        "rate-factor-at-most": round(found.rate_factor, 6),
        "launch-power": powers_json(limits),
    }


def _show(
    network: Network,
    problem: Problem,
    found: Assignment,
    limits: tuple[Ceiling, ...],
    lacking: Lacking,
) -> None:
    if found.chosen:
        show(link_table(network, found.chosen))
    if limits:
        show("\nlaunch powers that every link and receiver bears [dBm]:")
        show(power_table(limits))
    if not problem.demands:
        show("\nno link of two parties is active, so there is nothing to choose")
        return
    show(
        f"\n{len(found.chosen)} of {len(problem.demands)} links have a light path and a channel; {promise(found)}"
    )
    for name, ways in lacking.items():
        show(f"{name} has none: {remedy_words(ways)}")
