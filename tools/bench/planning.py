"""Figures of planning: `python -m tools.bench.planning [--quick]`. Assignment, a cut, and a schedule, by size.

Networks are drawn from a seed (`networks`). For each size: how long the search for options takes, and each
method of assignment; how many links each serves, and the key rate that they have together, beside the best that
is known.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from sdqkd.planning.assignment import Assignment, Method, Problem, assign, problem_of
from sdqkd.planning.forecast import Forecast
from sdqkd.planning.replan import replan
from sdqkd.planning.schedule import schedule, sharing_of
from sdqkd.planning.spectrum import Rules

from .networks import random_network
from .report import machine_line, spread

T = TypeVar("T")

# Sites, fibres, links that are wanted, modules of each role at a site, paths that the exact method looks at.
SIZES = ((10, 15, 40, 4, None), (100, 250, 500, 5, None), (1000, 5000, 3000, 4, 3))
SHARED = ((10, 15, 20, 1), (30, 50, 60, 1), (100, 150, 200, 1))
PATHS = 3
CUT_PATHS = 30  # as `assign --keep` in large networks
CUTS = 10
PERIOD_S = 14_400.0
METHODS: tuple[Method, ...] = ("first-fit", "fast", "exact")


def main(arguments: Sequence[str]) -> None:
    short = -1 if "--quick" in arguments else None
    print(machine_line())
    for lines in (_assignments(SIZES[:short]), _schedules(SHARED[:short])):
        for line in lines:
            print(line, flush=True)


def _assignments(sizes: Sequence[tuple[int, int, int, int, int | None]]) -> Iterator[str]:
    yield from _head("sites, fibres", "links", "method", "paths", "options [s]", "choose [s]", "served",
                     "key rate [Mb/s]", "given up", "more served at most", "rates within")  # fmt: skip
    cuts = []
    for sites, fibres, links, modules, exact_paths in sizes:
        forecast = Forecast(random_network(sites, fibres, links, 1, modules=modules))
        found = _timed(partial(problem_of, forecast, Rules(), paths=PATHS))
        every = (
            found if exact_paths == PATHS else _timed(partial(problem_of, forecast, Rules(), paths=exact_paths))
        )
        runs = {method: _run(method, *(every if method == "exact" else found)) for method in METHODS}
        best = _rate_mbps(runs["exact"].found)
        for method, run in runs.items():
            given_up = 100 * (1 - _rate_mbps(run.found) / best)
            yield _row(
                f"{sites}, {fibres}", len(run.problem.demands), method,
                (exact_paths or "all") if method == "exact" else PATHS, f"{run.options_s:.1f}",
                f"{run.choose_s:.2f}", len(run.found.chosen), f"{_rate_mbps(run.found):.3f}", f"{given_up:.2f} %",
                run.found.links_more, f"{100 * (run.found.rate_factor - 1):.2f} %",
            )  # fmt: skip
        cuts.append(_cut_line(f"{sites}, {fibres}", forecast, runs["fast"]))
    yield from _head("sites, fibres", "links hit", "moved", "lost", "re-plan [s]")
    yield from cuts


class Run(NamedTuple):
    """One way to assign, and how long its two steps took."""

    problem: Problem
    found: Assignment
    options_s: float
    choose_s: float


def _run(method: Method, problem: Problem, options_s: float) -> Run:
    found, choose_s = _timed(partial(assign, problem, method))
    return Run(problem, found, options_s, choose_s)


def _head(*names: str) -> Iterator[str]:
    yield ""
    yield _row(*names)
    yield "|" + "---|" * len(names)


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _cut_line(size: str, forecast: Forecast, run: Run) -> str:
    """The busiest fibres, each cut alone."""
    load: dict[str, int] = {}
    for option in run.found.chosen.values():
        for fibre in option.path.fibres:
            load[fibre] = load.get(fibre, 0) + 1
    busiest = sorted(load, key=lambda name: (-load[name], name))[:CUTS]
    served = {name: run.problem.demands[name] for name in run.found.chosen}
    again = partial(replan, forecast, served, run.found.chosen, run.problem.rules, paths=CUT_PATHS)
    cuts = [_timed(partial(again, dark=[fibre])) for fibre in busiest]
    hit = sum(load[fibre] for fibre in busiest) / len(busiest)
    moved = sum(len(after.moved) for after, _ in cuts) / len(cuts)
    lost = sum(len(after.lost) for after, _ in cuts) / len(cuts)
    return _row(size, f"{hit:.1f}", f"{moved:.1f}", f"{lost:.1f}", spread([took_s for _, took_s in cuts]))


def _schedules(sizes: Sequence[tuple[int, int, int, int]]) -> Iterator[str]:
    yield from _head("sites, fibres", "pairs", "options", "configurations", "turns", "worst/demand", "gap",
                     "solve [s]")  # fmt: skip
    for sites, fibres, pairs, modules in sizes:
        forecast = Forecast(random_network(sites, fibres, pairs, 2, modules=modules, shared=True))
        sharing = sharing_of(forecast, Rules(), period_s=PERIOD_S)
        found, took_s = _timed(partial(schedule, sharing))
        yield _row(
            f"{sites}, {fibres}", len(found.rates_bps), len(sharing.options), found.columns, len(found.turns),
            f"{found.worst:.3f}", f"{100 * found.gap:.2f} %", f"{took_s:.1f}",
        )  # fmt: skip


def _rate_mbps(chosen: Assignment) -> float:
    return sum(option.rate_bps for option in chosen.chosen.values()) / 1e6


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    start = time.perf_counter()
    done = work()
    return done, time.perf_counter() - start


if __name__ == "__main__":
    main(sys.argv[1:])
