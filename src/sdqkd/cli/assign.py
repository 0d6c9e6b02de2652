"""`sdqkd assign`: a light path and a channel for each link that shall run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.table import Table

from sdqkd.cli.console import show, show_json
from sdqkd.cli.inputs import as_json, network_file, read_network_file
from sdqkd.cli.routes import channel_name, option_json, require_fibres
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
from sdqkd.planning.relaxing import Remedy, remedies
from sdqkd.planning.spectrum import Rules

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
    "--sensitivity", type=float,
    help="What every classical receiver needs, in dBm, for the floors of launch powers. [default: as the profiles"
    f" of transponders say for data, else {SENSITIVITY_DBM:g}]",
)  # fmt: skip
@click.option(
    "--dark", metavar="FIBRE", multiple=True, help="Leave out a fibre, as if it were cut. May be repeated."
)
@as_json
def command(
    network: Path,
    method: Method | None,
    guard: int | None,
    spacing: int | None,
    per_fibre: int | None,
    sensitivity: float | None,
    dark: tuple[str, ...],
    json_output: bool,
) -> int:
    """Find a light path and a channel for each active link of NETWORK. Writes nothing.

    As many links as possible, then the largest product of key rates. Exits with 0 if every link has one, else with
    2, saying of each that has none which constraint would have to give way, and by how much.
    """
    known = read_network_file(network).network
    require_fibres(known, dark)
    forecast = Forecast(known)
    rules = Rules.of(known, FibreSharing(_hz(guard), _hz(spacing), per_fibre))
    way = method or ("exact" if len(known.sites) <= EXACT_SITES else "fast")
    problem = problem_of(forecast, rules, paths=FAST_PATHS if way == "fast" else None, dark=dark)
    found = assign(problem, way, EXACT_TIME_S)
    limits = ceilings(forecast, found.chosen, sensitivity)
    lacking = {name: remedies(forecast, problem, found, name) for name in found.unserved}
    if json_output:
        show_json(_as_json(found, limits, lacking) | {"method": way})
    else:
        _show(known, problem, found, limits, lacking)
    return EXIT_UNSERVED if found.unserved else 0


def _hz(ghz: int | None) -> int | None:
    return None if ghz is None else ghz * _GHZ


def _as_json(
    found: Assignment, limits: tuple[Ceiling, ...], lacking: dict[str, tuple[Remedy, ...]]
) -> dict[str, Any]:
    return {
        "links": {name: option_json(option) for name, option in found.chosen.items()},
        "unserved": {
            name: [{"constraint": one.constraint, "text": one.text, "amount": one.amount, "unit": one.unit}
                   for one in ways]
            for name, ways in lacking.items()
        },
        "links-more-at-most": found.links_more,
        "rate-factor-at-most": round(found.rate_factor, 6),
        "launch-power": [
            {"channel": one.channel, "now-dbm": one.launch_dbm, "most-dbm": _rounded(one.most_dbm),
             "least-dbm": _rounded(one.least_dbm), "set-by": one.set_by, "contradicts": one.contradicts}
            for one in limits
        ],
    }  # fmt: skip


def _rounded(dbm: float | None) -> float | None:
    return None if dbm is None else round(dbm, 2)


def _show(
    network: Network,
    problem: Problem,
    found: Assignment,
    limits: tuple[Ceiling, ...],
    lacking: dict[str, tuple[Remedy, ...]],
) -> None:
    show(_link_table(network, found))
    if limits:
        show("\nlaunch powers that every link and receiver bears [dBm]:")
        show(_power_table(limits))
    show(
        f"\n{len(found.chosen)} of {len(problem.demands)} links have a light path and a channel; {_promise(found)}"
    )
    for name, ways in lacking.items():
        show(f"{name} has none: {_words(ways)}")


def _promise(found: Assignment) -> str:
    more = f"at most {found.links_more} more could have" if found.links_more else "no choice serves more"
    rates = f"their key rates are within {100 * (found.rate_factor - 1):.2f} % of the best, in the mean"
    return f"{more}; {rates}"


def _words(ways: tuple[Remedy, ...]) -> str:
    return "it would need " + ", or ".join(one.text for one in ways) if ways else "no constraint alone would do"


def _link_table(network: Network, found: Assignment) -> Table:
    table = _plain_table(("link", "by fibre"), ("channel", "instead of", "loss [dB]", "key rate [kb/s]"))
    for name, one in found.chosen.items():
        before = network.qkd_links[name].frequency_hz
        table.add_row(
            name,
            ", ".join(one.path.fibres),
            channel_name(one.frequency_hz),
            "" if before == one.frequency_hz else channel_name(before),
            f"{one.loss_db:.2f}",
            f"{one.rate_bps / 1000:,.2f}",
        )
    return table


def _power_table(limits: tuple[Ceiling, ...]) -> Table:
    table = _plain_table(("channel",), ("now", "at most", "at least"))
    table.add_column("set by")
    for one in limits:
        note = f"{one.set_by}: contradicts" if one.contradicts else one.set_by
        shown = ("-" if dbm is None else f"{dbm:.2f}" for dbm in (one.launch_dbm, one.most_dbm, one.least_dbm))
        table.add_row(one.channel, *shown, note)
    return table


def _plain_table(texts: tuple[str, ...], figures: tuple[str, ...]) -> Table:
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in texts:
        table.add_column(heading, overflow="fold")
    for heading in figures:
        table.add_column(heading, justify="right", no_wrap=True)
    return table
