"""Sharing time: more pairs want keys than modules can serve at once, so configurations of the switches take
turns.

A configuration is a set of options that can run together. What share of the time each gets is a linear program
whose columns are all configurations; they are too many to write down, so those that improve it are sought one
after the other (column generation): a packing with the dual prices as values. It maximises the worst pair's key
rate over its demand. Every price vector bounds the optimum from above, so the gap is known whenever we stop.

Dead time: when a configuration begins, no link makes key until its modules have found each other. It is counted
for all links, also those that go on, so the rates are on the safe side. An integer program over the columns that
were found chooses which of them are worth their dead time.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sdqkd.network.model import ModuleEnd, Network
from sdqkd.planning.forecast import Forecast, Option
from sdqkd.planning.packing import Packing, packing_of
from sdqkd.planning.routes import routing_combinations, switched_modules
from sdqkd.planning.spectrum import Rules

DEMAND_BPS = 1000  # of pairs for which the file names none
MAX_ROUNDS = 500
CLOSE = 1e-6  # a gap, as a share of the bound, that counts as none
PRICING_S = 20.0
MASTER_S = 20.0

Configuration = tuple[int, ...]  # options by index, in order


@dataclass(frozen=True, slots=True)
class Sharing:
    """Pairs of nodes with their demands in bit/s, the options of each pair, and the times in seconds.

    `pairs` names the pair of each option; `held` counts the channels of fixed links by fibre. In each `period_s`
    every configuration has its turn once.
    """

    demands: Mapping[str, float]
    options: tuple[Option, ...]
    pairs: tuple[str, ...]
    rules: Rules
    dead_s: float = 0.0
    period_s: float = 3600.0
    held: Mapping[str, int] = field(default_factory=dict)

    def packing(self) -> Packing:
        """Which options can run together: a pair may have several, by different modules."""
        return packing_of(self.options, range(len(self.options)), self.rules, self.held)

    def most_pairs(self) -> int:
        """How many pairs can have key at the same time, at most."""
        packing = packing_of(self.options, self.pairs, self.rules, self.held)
        return math.floor(packing.best([1.0] * len(self.options), PRICING_S).bound + 1e-6)

    def rates_bps(self, configuration: Configuration) -> dict[str, float]:
        """What each pair has while this configuration runs."""
        rates: dict[str, float] = {}
        for index in configuration:
            rates[self.pairs[index]] = rates.get(self.pairs[index], 0.0) + self.options[index].rate_bps
        return rates


@dataclass(frozen=True, slots=True)
class Turn:
    """A configuration and its time in each period: until keys come (`dead_s`), and while they do.

    `links` are the options of each pair.
    """

    links: Mapping[str, tuple[Option, ...]]
    dead_s: float
    key_s: float

    @property
    def options(self) -> tuple[Option, ...]:
        """What runs together."""
        return tuple(option for several in self.links.values() for option in several)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Turns, the mean key rate of each pair in bit/s, and the worst of these over its demand.

    No schedule has more than `bound` there. `columns` were looked at. Pairs without any option are in
    `hopeless`.
    """

    turns: tuple[Turn, ...]
    rates_bps: Mapping[str, float]
    worst: float
    bound: float
    columns: int
    hopeless: tuple[str, ...] = ()

    @property
    def gap(self) -> float:
        """What might be missing, as a share of the bound."""
        return max(0.0, (self.bound - self.worst) / self.bound) if self.bound > 0 else 0.0


def sharing_of(
    forecast: Forecast, rules: Rules, *, dead_s: float | None = None, period_s: float = 3600.0
) -> Sharing:
    """The pairs that the switched links of the file join, active or not, by any of their modules either way.

    Unless given, the dead time is the longest acquisition time of the modules' profiles.
    """
    network = forecast.network
    modules = {*switched_modules(forecast)}
    demands = _demands(network, modules)
    found = routing_combinations(
        forecast, rules, wanted=lambda one, other: _pair(network, one, other) in demands
    ).feasible
    held = _held(network, modules)
    # What passes a fibre that fixed links have filled never runs: then its pair shall not hold back the others.
    found = tuple(
        one for one in found if all(held.get(name, 0) < rules.in_(name).per_fibre for name in one.path.fibres)
    )
    pairs = tuple(_pair(network, option.transmitter, option.receiver) for option in found)
    longest_s = max((forecast.profile_of(end).acquisition_s for end in modules), default=0.0)
    return Sharing(
        demands,
        found,
        pairs,
        rules,
        longest_s if dead_s is None else dead_s,
        period_s,
        held,
    )


def _held(network: Network, movable: set[ModuleEnd]) -> Mapping[str, int]:
    fixed = (
        link for link in network.beams.values() if link.active and not {link.transmitter, link.receiver} & movable
    )
    return Counter(fibre for link in fixed for fibre in link.fibres)


def _demands(network: Network, modules: set[ModuleEnd]) -> dict[str, float]:
    demands: dict[str, float] = {}
    for link in network.qkd_links.values():
        if {link.transmitter, link.receiver} <= modules:
            pair = _pair(network, link.transmitter, link.receiver)
            demands[pair] = max(demands.get(pair, 0.0), float(link.demand_bps or DEMAND_BPS))
    return demands


def _pair(network: Network, one: ModuleEnd, other: ModuleEnd) -> str:
    return " - ".join(sorted(network.devices[end.device].site for end in (one, other)))


def schedule(sharing: Sharing) -> Schedule:
    """The shares of time. A pair without options is left out, and named."""
    reachable = {pair: demand for pair, demand in sharing.demands.items() if pair in sharing.pairs}
    hopeless = tuple(pair for pair in sharing.demands if pair not in reachable)
    if not reachable:
        return Schedule((), {}, 0.0, 0.0, 0, hopeless)
    columns, bound = generate(sharing, reachable)
    least_turns = math.ceil(len(reachable) / sharing.most_pairs())
    times = chosen_times(sharing, reachable, columns)
    return _written(sharing, reachable, columns, times, _with_dead_time(sharing, bound, least_turns), hopeless)


def _with_dead_time(sharing: Sharing, bound: float, least_turns: int) -> float:
    """The bound if so many turns at least are needed. A single one never ends, and has no dead time."""
    if least_turns == 1:
        return bound
    return bound * max(0.0, 1 - least_turns * sharing.dead_s / sharing.period_s)


def generate(sharing: Sharing, demands: Mapping[str, float]) -> tuple[list[Configuration], float]:
    """Configurations among which are those of an optimum without dead time, and a bound of that optimum."""
    packing = sharing.packing()
    columns = [_first(sharing, packing, pair) for pair in demands]
    columns = list(dict.fromkeys(columns))
    known, bound = {*columns}, math.inf
    for _ in range(MAX_ROUNDS):
        worst, prices = _master(sharing, demands, columns)
        values = [
            prices[pair] * option.rate_bps for option, pair in zip(sharing.options, sharing.pairs, strict=True)
        ]
        found = packing.best(values, PRICING_S)
        bound = min(bound, found.bound)
        column = _filled(packing, found.chosen)
        if bound - worst <= CLOSE * bound or column in known:
            break
        columns.append(column)
        known.add(column)
    return columns, bound


def _first(sharing: Sharing, packing: Packing, pair: str) -> Configuration:
    """The best option of a pair, and what fits beside it."""
    own = [index for index, name in enumerate(sharing.pairs) if name == pair]
    best = max(own, key=lambda index: sharing.options[index].rate_bps)
    others = sorted(range(len(sharing.options)), key=lambda index: -sharing.options[index].rate_bps)
    return tuple(sorted(packing.first_fit([best, *others])))


def _filled(packing: Packing, chosen: Sequence[int]) -> Configuration:
    """A configuration in which nothing more fits: what prices ignore may be of use later."""
    return tuple(sorted(packing.first_fit([*chosen, *range(packing.count)])))


def _master(
    sharing: Sharing, demands: Mapping[str, float], columns: Sequence[Configuration]
) -> tuple[float, dict[str, float]]:
    """The optimum over these columns, and the prices of the pairs, which weigh one with the demands."""
    from scipy.optimize import linprog

    rates = [sharing.rates_bps(column) for column in columns]
    shortfall = [[demand, *(-rate.get(pair, 0.0) for rate in rates)] for pair, demand in demands.items()]
    time = [0.0] + [1.0] * len(columns)
    found = linprog([-1.0] + [0.0] * len(columns), A_ub=[*shortfall, time], b_ub=[0.0] * len(demands) + [1.0])
    prices = [max(0.0, -price) for price in found.ineqlin.marginals[: len(demands)]]
    # Whatever the solver's tolerance: prices that weigh exactly one give a bound that holds.
    weight = sum(price * demand for price, demand in zip(prices, demands.values(), strict=True))
    return float(found.x[0]), {pair: price / weight for pair, price in zip(demands, prices, strict=True)}


def chosen_times(
    sharing: Sharing, demands: Mapping[str, float], columns: Sequence[Configuration]
) -> dict[Configuration, float]:
    """The shares of the period in which each configuration makes key, worth their dead time together."""
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp

    n, dead = len(columns), sharing.dead_s / sharing.period_s
    rates = [sharing.rates_bps(column) for column in columns]
    # Variables: the worst rate over demand, key times, whether a configuration is used.
    enough = [[-demand, *(rate.get(pair, 0.0) for rate in rates), *[0.0] * n] for pair, demand in demands.items()]
    period = [[0.0, *[1.0] * n, *[dead] * n]]
    used = np.hstack([np.zeros((n, 1)), np.eye(n), -np.eye(n)])
    constraints: list[Any] = [
        LinearConstraint(np.array(enough), lb=0.0),
        LinearConstraint(np.array(period), ub=1.0),
        LinearConstraint(used, ub=0.0),
    ]
    bounds = Bounds([0.0] * (1 + 2 * n), [math.inf] + [1.0] * (2 * n))
    found = milp(
        [-1.0] + [0.0] * (2 * n), integrality=[0] * (1 + n) + [1] * n, bounds=bounds, constraints=constraints,
        options={"time_limit": MASTER_S},
    )  # fmt: skip
    times = {} if found.x is None else dict(zip(columns, map(float, found.x[1 : n + 1]), strict=True))
    several = {column: share for column, share in times.items() if share > CLOSE}
    alone = max(columns, key=lambda column: _worst(sharing, demands, {column: 1.0}))
    single = {alone: 1.0}
    return max(single, several, key=lambda chosen: _worst(sharing, demands, chosen))


def _worst(sharing: Sharing, demands: Mapping[str, float], times: Mapping[Configuration, float]) -> float:
    means = _means(sharing, times)
    return min(means.get(pair, 0.0) / demand for pair, demand in demands.items())


def _means(sharing: Sharing, times: Mapping[Configuration, float]) -> dict[str, float]:
    means: dict[str, float] = {}
    for column, share in times.items():
        for pair, rate_bps in sharing.rates_bps(column).items():
            means[pair] = means.get(pair, 0.0) + share * rate_bps
    return means


def _links(sharing: Sharing, configuration: Configuration) -> dict[str, tuple[Option, ...]]:
    links: dict[str, tuple[Option, ...]] = {}
    for index in configuration:
        pair = sharing.pairs[index]
        links[pair] = (*links.get(pair, ()), sharing.options[index])
    return links


def _written(
    sharing: Sharing,
    demands: Mapping[str, float],
    columns: Sequence[Configuration],
    times: Mapping[Configuration, float],
    bound: float,
    hopeless: tuple[str, ...],
) -> Schedule:
    dead_s = sharing.dead_s if len(times) > 1 else 0.0
    turns = tuple(
        Turn(_links(sharing, column), dead_s, share * sharing.period_s)
        for column, share in sorted(times.items(), key=lambda item: -item[1])
    )
    means = _means(sharing, times)
    rates = {pair: means.get(pair, 0.0) for pair in demands}
    worst = _worst(sharing, demands, times)
    return Schedule(turns, rates, worst, max(bound, worst), len(columns), hopeless)
