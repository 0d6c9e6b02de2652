"""After a cut: what ran through the fibre finds another way, and nothing else moves.

Moving a link that runs costs its users the time until its modules have found each other again. So links that the
cut leaves alone keep their light path and channel, and those that it hits choose among what is left free.
`assign` with the fibre dark does it all anew, and says what that would gain.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sdqkd.network.model import QkdLink
from sdqkd.planning.assignment import EXACT_TIME_S, Assignment, Problem, least_bps, worth
from sdqkd.planning.forecast import Forecast, Option
from sdqkd.planning.packing import packing_of
from sdqkd.planning.routes import Search
from sdqkd.planning.spectrum import Taken


@dataclass(frozen=True, slots=True)
class Replan:
    """An option for each link that has one after the cut, the links that moved, and those without a way."""

    chosen: Mapping[str, Option]
    moved: tuple[str, ...]
    lost: tuple[str, ...]


def replan(
    forecast: Forecast, problem: Problem, before: Assignment, dark: Collection[str], paths: int | None = None
) -> Replan:
    """Ways around the dark fibres for the links that ran through them; `paths` of each channel are looked at.

    As many of these as possible run on, then with the largest product of key rates, beside those that stay.
    """
    cut = frozenset(dark) | problem.dark
    kept = {name: one for name, one in before.chosen.items() if cut.isdisjoint(one.path.fibres)}
    hit = [name for name in before.chosen if name not in kept]
    options, names = [*kept.values()], [*kept]
    search = Search(forecast, _taken(forecast, problem), cut)
    for name in hit:
        found = [*_options(search, problem.demands[name], paths)]
        options += found
        names += [name] * len(found)
    packing = packing_of(options, names, problem.rules).beside(range(len(kept)))
    choice = packing.best([worth(option.rate_bps) for option in options], EXACT_TIME_S)
    moved = {names[index]: options[index] for index in choice.chosen}
    found_ways = {name: kept.get(name) or moved[name] for name in before.chosen if name in kept or name in moved}
    return Replan(found_ways, tuple(moved), tuple(name for name in hit if name not in moved))


def _taken(forecast: Forecast, problem: Problem) -> Taken:
    movable = {end for link in problem.demands.values() for end in (link.transmitter, link.receiver)}
    return Taken.by_what_is_fixed(forecast.network, movable, problem.rules)


def _options(search: Search, link: QkdLink, paths: int | None) -> Iterator[Option]:
    for option in search.options(link.transmitter, link.receiver, paths):
        if not option.obstacle and option.rate_bps >= least_bps(link):
            yield option
