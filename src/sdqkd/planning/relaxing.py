"""Why a link has no light path and channel, and which constraint would have to give way, by how much.

Each constraint is looked at alone, all others as they are: what the modules bear, the demand, the light of our
neighbours, the guard band, and what other links hold. A remedy is one that would do; the smallest is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sdqkd.network.model import QkdLink
from sdqkd.planning.assignment import Problem, least_bps, modules_of
from sdqkd.planning.ceilings import MOST_DB, spare_db
from sdqkd.planning.forecast import Forecast, Option
from sdqkd.planning.packing import packing_of
from sdqkd.planning.routes import Search
from sdqkd.planning.spectrum import Rules, Taken

EXTRA_DB = 20.0  # of loss: paths beyond are not looked for
MOST_PATHS = 30  # of each channel, those of the least loss: within so much more loss there may be thousands
MOST_FIBRES = 4  # channels that a fibre might carry more


@dataclass(frozen=True, slots=True)
class Remedy:
    """A constraint, and how it would have to change: for people, and as a number of its `unit`.

    Constraints are amplifier, cut, loss, demand, launch-power, guard-band, channels-per-fibre, links.
    """

    constraint: str
    text: str
    amount: float
    unit: str


def remedies(forecast: Forecast, problem: Problem, chosen: Mapping[str, Option], name: str) -> tuple[Remedy, ...]:
    """What would let this link run beside the chosen ones, each by itself.

    Empty if no light comes through whatever is allowed.
    """
    link = problem.demands[name]
    if name in problem.links:
        return (*_cut(forecast, problem, chosen, link), *_room(problem, chosen, name))
    search = Search(forecast, _taken(forecast, problem, problem.rules), problem.dark)
    if blocking := tuple(_amplifiers(forecast, problem, link)):
        return blocking
    near = [*search.options(link.transmitter, link.receiver, MOST_PATHS, EXTRA_DB)]
    free = [one for one in near if "too close" not in one.obstacle]
    return (*_cut(forecast, problem, chosen, link), *_loss(forecast, link, free), *_demand(link, free),
            *_power(forecast, link, free), *_guard(forecast, problem, link))  # fmt: skip


def _amplifiers(forecast: Forecast, problem: Problem, link: QkdLink) -> Iterator[Remedy]:
    """Amplifiers on the way with the least loss, if the link has no way but through amplifiers."""
    taken = _taken(forecast, problem, problem.rules)
    ends = link.transmitter, link.receiver
    network = forecast.network
    if not network.amplifiers or any(True for _ in Search(forecast, taken, problem.dark).options(*ends, 1)):
        return
    without = Forecast(replace(network, amplifiers={}), forecast.installation.profiles)
    options = Search(without, taken, problem.dark).options(*ends, 1)
    serving = [one for one in options if one.rate_bps >= least_bps(link)]
    if serving:
        best = min(serving, key=lambda one: one.loss_db)
        cords = (forecast.topology.cords.get(port) for port in best.path.ports)
        barring = sorted({cord.amplifier for cord in cords if cord and cord.amplifier})
        text = f"a way without {' and '.join(barring)}: an amplifier is on the way, which ends quantum light"
        yield Remedy("amplifier", text, len(barring), "amplifiers")


def _cut(forecast: Forecast, problem: Problem, chosen: Mapping[str, Option], link: QkdLink) -> Iterator[Remedy]:
    """The fewest dark fibres that would have to carry light again, for a way that is free then."""
    if not problem.dark:
        return
    search = Search(forecast, _taken(forecast, problem, problem.rules))
    options = search.options(link.transmitter, link.receiver, MOST_PATHS)
    through = (one for one in options if not problem.dark.isdisjoint(one.path.fibres))
    serving = [one for one in through if not one.obstacle and one.rate_bps >= least_bps(link)]
    if serving := _beside(chosen, serving, problem.rules):
        best = min(serving, key=lambda one: (len(problem.dark & {*one.path.fibres}), one.loss_db))
        mended = [fibre for fibre in best.path.fibres if fibre in problem.dark]
        yield Remedy("cut", f"light in fibre {' and '.join(mended)} again", len(mended), "fibres")


def _beside(chosen: Mapping[str, Option], options: Sequence[Option], rules: Rules) -> list[Option]:
    """Those of a link's options that can run beside the chosen ones."""
    count = len(chosen)
    keys = (*chosen, *[""] * len(options))
    packing = packing_of((*chosen.values(), *options), keys, rules).beside(range(count))
    return [option for index, option in enumerate(options, count) if packing.allows([index])]


def _taken(forecast: Forecast, problem: Problem, rules: Rules) -> Taken:
    return Taken.by_what_is_fixed(forecast.network, modules_of(problem.demands.values()), rules)


def _loss(forecast: Forecast, link: QkdLink, options: Sequence[Option]) -> Iterator[Remedy]:
    """Modules that bear more: beside the light that there is, or else in the dark."""
    most_db = forecast.most_db(link.transmitter, link.receiver)
    if any(one.loss_db <= most_db for one in options):
        return
    for lit, besides in ((True, ""), (False, ", and no classical light beside it")):
        over_db = [
            one.loss_db - most_db
            for one in options
            if forecast.rate_regardless(one, forecast.exposure(one.path) if lit else ()) >= least_bps(link)
        ]
        if over_db:
            text = f"modules that bear {min(over_db):.2f} dB more than {most_db:g} dB{besides}"
            yield Remedy("loss", text, round(min(over_db), 2), "dB")
            return


def _demand(link: QkdLink, options: Sequence[Option]) -> Iterator[Remedy]:
    best = max((one.rate_bps for one in options), default=0)
    if 0 < best < least_bps(link):
        text = f"a demand of {best:,} bit/s, {least_bps(link) - best:,} bit/s less than it has"
        yield Remedy("demand", text, least_bps(link) - best, "bit/s")


def _power(forecast: Forecast, link: QkdLink, options: Sequence[Option]) -> Iterator[Remedy]:
    """Neighbours of ours that are weaker, on the option where the least of that will do."""
    most_db = forecast.most_db(link.transmitter, link.receiver)
    fitting = [one for one in options if one.loss_db <= most_db and one.rate_bps < least_bps(link)]
    spare = [spare_db(forecast, link.name, one) for one in fitting]
    if spare and -MOST_DB + 0.1 < max(spare) < 0:
        text = f"classical channels of ours on its way that are {-max(spare):.2f} dB weaker"
        yield Remedy("launch-power", text, round(-max(spare), 2), "dB")


def _guard(forecast: Forecast, problem: Problem, link: QkdLink) -> Iterator[Remedy]:
    """A guard band that is narrower, by whole channels of 100 GHz."""
    rules = problem.rules
    widest_hz = max(one.guard_hz for one in (rules, *rules.fibres.values()))
    for less_hz in range(100_000_000_000, widest_hz, 100_000_000_000):
        taken = _taken(forecast, problem, rules.eased(guard_hz=less_hz))
        options = Search(forecast, taken, problem.dark).options(link.transmitter, link.receiver, MOST_PATHS)
        if any(not one.obstacle and one.rate_bps >= least_bps(link) for one in options):
            less = less_hz / 1e9
            left = "" if rules.fibres else f" of {(rules.guard_hz - less_hz) / 1e9:g} GHz"
            text = f"a guard band{left}, {less:g} GHz narrower" if left else f"guard bands {less:g} GHz narrower"
            yield Remedy("guard-band", text, less, "GHz")
            return


def _room(problem: Problem, chosen: Mapping[str, Option], name: str) -> Iterator[Remedy]:
    """The link has options, and all collide: more channels in a fibre, or other links that give way."""
    kept = [index for index, link in enumerate(problem.links) if chosen.get(link) is problem.options[index]]
    own = [index for index, link in enumerate(problem.links) if link == name]
    for more in range(1, MOST_FIBRES + 1):
        rules = problem.rules.eased(channels=more)
        packing = packing_of(problem.options, problem.links, rules).beside({*kept})
        if any(packing.allows([index]) for index in own):
            yield Remedy(
                "channels-per-fibre",
                f"{more} quantum channels in a fibre more than the file allows"
                if rules.fibres
                else f"{rules.per_fibre} quantum channels in a fibre, {more} more",
                more,
                "channels",
            )
            break
    packing = problem.packing()
    gone = min(
        (packing.blockers(index, set(kept)) for index in own), key=lambda found: (len(found), sorted(found))
    )
    others = [problem.links[index] for index in sorted(gone)]
    if others:
        yield Remedy("links", f"{' and '.join(others)} given up for it", len(others), "links")
