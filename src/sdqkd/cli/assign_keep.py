"""`sdqkd assign --keep`: what still works stays where it is, the rest finds another way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sdqkd.cli.assign_text import (
    Lacking,
    lacking_json,
    link_table,
    pairs_json,
    power_table,
    powers_json,
    remedy_words,
)
from sdqkd.cli.console import show, show_json
from sdqkd.cli.routes import option_json
from sdqkd.controller.routing import routes
from sdqkd.network.model import FibreSharing, Network
from sdqkd.planning.ceilings import Ceiling, ceilings
from sdqkd.planning.forecast import Forecast, Option
from sdqkd.planning.relaxing import remedies
from sdqkd.planning.replan import Replan, replan
from sdqkd.planning.spectrum import UNRULED, Rules
from sdqkd.planning.three_parties import PairForecast, pairs_in

EXIT_CHANGES = 2
STAYS, MOVES, LOST = "stays", "moves", "lost"


def keep(
    forecast: Forecast,
    asked: FibreSharing,
    dark: tuple[str, ...],
    paths: int | None,
    sensitivity_dbm: float | None,
    *,
    json_output: bool,
) -> int:
    """Re-plan the active links of a network and print what becomes of each; the exit code.

    What stays need only keep what somebody has said, not our defaults: it runs.
    """
    network = forecast.network
    links = {name: link for name, link in network.qkd_links.items() if link.active and not link.arms}
    rules, held = Rules.of(network, asked), Rules.of(network, asked, UNRULED)
    present = _present(forecast)
    found = replan(forecast, links, present, rules, dark, held=held, paths=paths)
    lacking = {name: remedies(forecast, found.problem, found.chosen, name) for name in found.lost}
    limits = ceilings(forecast, found.chosen, sensitivity_dbm, dark)
    pairs = pairs_in(forecast, dark)
    if json_output:
        show_json(_as_json(found, pairs, present, lacking, limits) | {"of-three-parties": pairs_json(pairs)})
    else:
        _show(network, found, pairs, lacking, limits)
    return EXIT_CHANGES if found.broken or any(one.obstacle for one in pairs.values()) else 0


def _present(forecast: Forecast) -> dict[str, Option]:
    """What the active links do on the light paths that the file wants for them."""
    network = forecast.network
    return {
        name: forecast.option(link.transmitter, link.receiver, path, link.frequency_hz)
        for name, path in routes(network, forecast.topology).paths.items()
        if name in network.qkd_links
        for link in (network.qkd_links[name],)
    }


def _outcomes(found: Replan) -> dict[str, str]:
    """What becomes of each link."""
    return {
        name: STAYS if name not in found.broken else MOVES if name in found.chosen else LOST
        for name in found.problem.demands
    }


def _counts(found: Replan, pairs: Mapping[str, PairForecast]) -> Counter[str]:
    """How many links stay, move and are lost. Links of three parties have no other way."""
    of_pairs = (LOST if one.obstacle else STAYS for one in pairs.values())
    return Counter([*_outcomes(found).values(), *of_pairs])


def _as_json(
    found: Replan,
    pairs: Mapping[str, PairForecast],
    present: dict[str, Option],
    lacking: Lacking,
    limits: tuple[Ceiling, ...],
) -> dict[str, Any]:
    links: dict[str, Any] = {}
    for name, outcome in _outcomes(found).items():
        links[name] = {"outcome": outcome, "why": found.broken.get(name, "")}
        for key, options in (("before", present), ("after", found.chosen)):
            links[name][key] = option_json(options[name]) if name in options else None
    counts = _counts(found, pairs)
    return {
        "links": links,
        "counts": {outcome: counts[outcome] for outcome in (STAYS, MOVES, LOST)},
        "unserved": lacking_json(lacking),
        "launch-power": powers_json(limits),
    }


def _show(
    network: Network,
    found: Replan,
    pairs: Mapping[str, PairForecast],
    lacking: Lacking,
    limits: tuple[Ceiling, ...],
) -> None:
    outcomes = _outcomes(found)
    if found.chosen:
        show(link_table(network, found.chosen, outcomes))
    if limits:
        show("\nlaunch powers that every link and receiver bears [dBm]:")
        show(power_table(limits))
    counts = _counts(found, pairs)
    show(f"\nlinks as they are: {counts[STAYS]}, moved: {counts[MOVES]}, lost: {counts[LOST]}")
    for name, why in found.broken.items():
        lost = name in lacking
        show(f"{name} {'is lost' if lost else 'moves'}: {why}{f'; {remedy_words(lacking[name])}' if lost else ''}")
    for name, one in pairs.items():
        if one.obstacle:
            show(f"{name} is lost: {one.obstacle}")
