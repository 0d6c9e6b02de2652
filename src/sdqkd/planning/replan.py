"""Planning anew what does not work any more, a fibre cut for example: nothing else moves.

Moving a link that runs costs its users the time until its modules have found each other again. So links that still
work keep their light path and channel, and the others choose among what is left free. `assign` with the fibre
dark does it all anew, and says what that would gain.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sdqkd.network.model import QkdLink
from sdqkd.planning.assignment import EXACT_TIME_S, Problem, least_bps, modules_of, worth
from sdqkd.planning.forecast import Forecast, Option
from sdqkd.planning.packing import packing_of
from sdqkd.planning.routes import Search
from sdqkd.planning.spectrum import UNRULED, Rules, Taken


@dataclass(frozen=True, slots=True)
class Replan:
    """An option for each link that has one afterwards, in the order asked for.

    `broken` says why a link could not stay. `problem` has the options that were looked at, one for each link that
    stays.
    """

    chosen: Mapping[str, Option]
    broken: Mapping[str, str]
    problem: Problem

    @property
    def moved(self) -> tuple[str, ...]:
        """Links that run elsewhere now."""
        return tuple(name for name in self.broken if name in self.chosen)

    @property
    def lost(self) -> tuple[str, ...]:
        """Links without a way."""
        return tuple(name for name in self.broken if name not in self.chosen)


def replan(
    forecast: Forecast,
    links: Mapping[str, QkdLink],
    present: Mapping[str, Option],
    rules: Rules,
    dark: Collection[str] = (),
    *,
    held: Rules = UNRULED,
    paths: int | None = None,
) -> Replan:
    """Other ways for those of the links whose present option does not work; `dark` names fibres that are cut.

    What stays must keep the rules of `held`, what is new those of `rules`. As many broken links as possible run
    on, then with the largest product of key rates. The best `paths` of each channel are looked at, or all.
    """
    taken = Taken.by_what_is_fixed(forecast.network, modules_of(links.values()), held)
    whole, broken = {}, {}
    for name, link in links.items():
        if why := _why_broken(taken, link, present.get(name), frozenset(dark)):
            broken[name] = why
        else:
            whole[name] = present[name]
    kept = _standing(whole, held)
    broken |= {name: "it is too close to what stays, or one too many" for name in whole if name not in kept}
    problem = _problem(forecast, links, kept, rules, dark, paths)
    packing = problem.packing().beside(range(len(kept)))
    choice = packing.best(problem.values, EXACT_TIME_S)
    found = {problem.links[index]: problem.options[index] for index in choice.chosen} | kept
    in_order = {name: found[name] for name in links if name in found}
    return Replan(in_order, {name: broken[name] for name in links if name in broken}, problem)


def _why_broken(taken: Taken, link: QkdLink, option: Option | None, dark: frozenset[str]) -> str:
    """Why the link cannot stay where it is; "" if it can."""
    if option is None:
        return "it has no light path"
    if cut := [fibre for fibre in option.path.fibres if fibre in dark]:
        return f"{' and '.join(cut)} {'is' if len(cut) == 1 else 'are'} cut"
    judged = taken.judged(option)
    if judged.obstacle:
        return judged.obstacle
    least = least_bps(link)
    return f"{judged.rate_bps:,} bit/s is less than its demand of {least:,}" if judged.rate_bps < least else ""


def _standing(whole: Mapping[str, Option], held: Rules) -> dict[str, Option]:
    """The links that can stay beside each other: all, unless somebody asks for stricter rules."""
    names, options = [*whole], [*whole.values()]
    packing = packing_of(options, names, held)
    if packing.allows(range(len(options))):
        return dict(whole)
    choice = packing.best([worth(option.rate_bps) for option in options], EXACT_TIME_S)
    return {names[index]: options[index] for index in choice.chosen}


def _problem(
    forecast: Forecast,
    links: Mapping[str, QkdLink],
    kept: Mapping[str, Option],
    rules: Rules,
    dark: Collection[str],
    paths: int | None,
) -> Problem:
    """What stays, first, and all options of the rest."""
    taken = Taken.by_what_is_fixed(forecast.network, modules_of(links.values()), rules)
    search = Search(forecast, taken, dark)
    options, names = [*kept.values()], [*kept]
    for name, link in links.items():
        if name not in kept:
            found = search.options(link.transmitter, link.receiver, paths)
            good = [one for one in found if not one.obstacle and one.rate_bps >= least_bps(link)]
            options += good
            names += [name] * len(good)
    return Problem(links, tuple(options), tuple(names), rules, {}, frozenset(dark), taken.channels)
