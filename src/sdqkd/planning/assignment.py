"""Channel assignment: for each link that shall run, a light path and a channel.

What is sought: as many links as possible, and then key rates whose product is the largest (so no link starves
for another's last bit). A link is worth `SERVED` and the logarithm of its key rate in bit/s: one link more is
worth all that six others could lose. Light paths run over passive parts and switches only: one
with an amplifier on the way is none; quantum channels do not disturb each other, so each option's key rate is
known beforehand.

Exact where all light paths are looked at and the integer program is solved to the end. Where only the best few
paths of each link and channel are looked at, the bound counts what the others could at most be worth: key at the
loss of the last path looked at, without noise.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sdqkd.network.model import ModuleEnd, QkdLink
from sdqkd.planning.forecast import Forecast, Option
from sdqkd.planning.packing import Choice, Packing, Row, packing_of
from sdqkd.planning.routes import Search
from sdqkd.planning.spectrum import Rules, Taken

Method = Literal["exact", "fast", "first-fit"]

SERVED = 100.0
FAST_PATHS = 3  # for each link and channel
EXACT_SITES = 60  # of more, only the best paths are looked at unless somebody asks
EXACT_TIME_S = 60.0


@dataclass(frozen=True, slots=True)
class Problem:
    """Links that shall run, and options for them; `links` names the link of each option.

    `ceiling` is what a link could be worth by paths that were not looked at, of links that have such. `held` is
    how many quantum channels a fibre has beside these.
    """

    demands: Mapping[str, QkdLink]
    options: tuple[Option, ...]
    links: tuple[str, ...]
    rules: Rules
    ceiling: Mapping[str, float]
    dark: frozenset[str] = frozenset()
    held: Mapping[str, int] = field(default_factory=dict)

    @property
    def values(self) -> list[float]:
        """What each option is worth."""
        return [worth(option.rate_bps) for option in self.options]

    def packing(self) -> Packing:
        """The rules of the options."""
        return packing_of(self.options, self.links, self.rules, self.held)


@dataclass(frozen=True, slots=True)
class Assignment:
    """An option for each link that has one, and the links that have none. No assignment is worth over
    `bound`."""

    chosen: Mapping[str, Option]
    unserved: tuple[str, ...]
    value: float
    bound: float
    most_links: int

    @property
    def links_more(self) -> int:
        """How many links more than these any assignment might serve, at most."""
        return self.most_links - len(self.chosen)

    @property
    def rate_factor(self) -> float:
        """By what factor the geometric mean of the key rates might be larger, at most, with as many links."""
        gap = self.bound - self.value
        served = len(self.chosen)
        return math.exp(min(gap, SERVED / 2) / served) if served else 1.0


def worth(rate_bps: float) -> float:
    """What a link with this key rate is worth; 0 without key."""
    return SERVED + math.log(rate_bps) if rate_bps > 0 else 0.0


def least_bps(link: QkdLink) -> int:
    """The least key rate that serves a link: its demand, or any key at all."""
    return max(1, link.demand_bps or 0)


def problem_of(
    forecast: Forecast, rules: Rules, *, paths: int | None = None, dark: Collection[str] = ()
) -> Problem:
    """The active links of a network with all their options, or those of the best `paths` of each channel.

    Links of three parties are no question here: the ways of their light stay as they are, and nothing comes close.
    """
    demands = {link.name: link for link in forecast.network.qkd_links.values() if link.active and not link.arms}
    taken = Taken.by_what_is_fixed(forecast.network, modules_of(demands.values()), rules)
    search = Search(forecast, taken, dark)
    options: list[Option] = []
    names: list[str] = []
    ceiling: dict[str, float] = {}
    for name, link in demands.items():
        found = [*search.options(link.transmitter, link.receiver, paths)]
        good = [option for option in found if not option.obstacle and option.rate_bps >= least_bps(link)]
        options += good
        names += [name] * len(good)
        if most := _unseen(forecast, found, paths):
            ceiling[name] = most
    return Problem(demands, tuple(options), tuple(names), rules, ceiling, frozenset(dark), taken.channels)


def modules_of(links: Collection[QkdLink]) -> set[ModuleEnd]:
    """The modules at the ends of links."""
    return {end for link in links for end in (link.transmitter, link.receiver)}


def _unseen(forecast: Forecast, found: Sequence[Option], paths: int | None) -> float:
    """What paths beyond those looked at could be worth; 0 if there are none."""
    counted: dict[int, list[Option]] = {}
    for option in found:
        counted.setdefault(option.frequency_hz, []).append(option)
    last = [of_channel[-1] for of_channel in counted.values() if paths is not None and len(of_channel) == paths]
    quiet = (
        forecast.beside(one.transmitter, one.receiver, one.path, one.frequency_hz, ()).rate_bps for one in last
    )
    return max(map(worth, quiet), default=0.0)


def assign(problem: Problem, method: Method = "exact", time_s: float = EXACT_TIME_S) -> Assignment:
    """Choose. `first-fit` takes the links in the order of the file, each by the first option that is free."""
    packing, values = problem.packing(), problem.values
    if method == "first-fit":
        chosen = tuple(sorted(packing.first_fit(range(packing.count))))
        choice = Choice(chosen, sum(values[index] for index in chosen), _trivial_bound(problem))
    else:
        choice = packing.best(values, time_s) if method == "exact" else packing.good(values)
    served = {problem.links[index]: problem.options[index] for index in choice.chosen}
    unserved = tuple(name for name in problem.demands if name not in served)
    in_order = {name: served[name] for name in problem.demands if name in served}
    return Assignment(
        in_order, unserved, choice.value, _with_unseen(problem, choice, method), _most_links(problem, method)
    )


def _trivial_bound(problem: Problem) -> float:
    """Every link by its best option."""
    best: dict[str, float] = {}
    for name, value in zip(problem.links, problem.values, strict=True):
        best[name] = max(value, best.get(name, 0.0))
    return sum(best.values())


def _with_unseen(problem: Problem, choice: Choice, method: Method) -> float:
    """The bound if links may also have what was not looked at, which nothing else stands in the way of."""
    if method == "first-fit":
        return choice.bound + sum(problem.ceiling.values())
    if not problem.ceiling:
        return choice.bound
    return max(choice.value, _wider(problem).relaxed([*problem.values, *problem.ceiling.values()])[1])


def _most_links(problem: Problem, method: Method) -> int:
    """How many links could be served together, at most."""
    if method == "first-fit":
        return len(problem.demands)
    if method == "exact" and not problem.ceiling:
        bound = problem.packing().best([1.0] * len(problem.options), EXACT_TIME_S).bound
    else:
        bound = _wider(problem).relaxed([1.0] * (len(problem.options) + len(problem.ceiling)))[1]
    return math.floor(bound + 1e-6)


def _wider(problem: Problem) -> Packing:
    """The rules with one option more for each link that has paths which were not looked at."""
    keys = (*problem.links, *problem.ceiling)
    by_link: dict[str, list[int]] = {}
    for index, name in enumerate(keys):
        by_link.setdefault(name, []).append(index)
    one_each = (Row(tuple(group), 1) for group in by_link.values())
    return Packing(len(keys), (*problem.packing().rows, *one_each))
