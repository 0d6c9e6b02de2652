"""One controller and ever more devices: `python -m tools.bench scale [--devices N …] [--rounds N] [--json]`.

The devices are agents in a process of their own. Beside each thing that the controller does, the least that could
do it has its turn in the same process and against the same agents: see `scale_client`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence

from .agents import many_agents
from .report import Figures, machine, machine_line, median, spread

SIZES = (10, 100, 1000)
# What is measured, what it is held against in the same run, and how many times that it may be at most.
GOALS = {
    "connect all [s]": ("bare: connect all [s]", 1.3),
    "read all, plan without change [s]": ("bare: get-config of all [s]", 2.0),
    "change 100 devices and back [s]": ("bare: change 100 devices and back [s]", 1.5),
}
LIMITS = {"memory of a device [KiB]": 300.0, "watch: processor while nothing changes, with the backstop [%]": 2.0}


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench scale", description=__doc__)
    parser.add_argument("--devices", type=int, nargs="+", default=SIZES, help="even numbers of devices")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, in each of which both have their turn")
    parser.add_argument("--idle", type=float, default=45.0, help="seconds of watching while nothing changes")
    parser.add_argument("--profile", action="store_true", help="print where the controller's time goes, too")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args(arguments)
    figures = {count: _measure(count, options) for count in options.devices}
    if options.json:
        print(json.dumps({"machine": machine(), "load": os.getloadavg(), "figures": figures}, indent=2))
    else:
        print("\n".join(_tables(figures)))


def _measure(count: int, options: argparse.Namespace) -> Figures:
    with many_agents(count) as (_, agents):
        job = {
            "folder": str(agents[0].key_file.parent),
            "ports": [agent.port for agent in agents],
            "agents_pid": agents[0].pid,
            "rounds": options.rounds,
            "idle_s": options.idle,
            "profile": options.profile,
        }
        command = [sys.executable, "-m", "tools.bench.scale_client"]
        done = subprocess.run(command, input=json.dumps(job), stdout=subprocess.PIPE, text=True, check=True)
    figures: Figures = json.loads(done.stdout)
    return figures


def _tables(figures: Mapping[int, Figures]) -> Iterator[str]:
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    yield f"{machine_line()}; load {load} at the end; median (least to most) of the rounds"
    yield ""
    yield f"| devices | {' | '.join(map(str, figures))} |"
    yield f"|---|{'---|' * len(figures)}"
    for name in dict.fromkeys(name for each in figures.values() for name in each):
        yield f"| {name} | {' | '.join(spread(each.get(name, ())) for each in figures.values())} |"
    yield ""
    yield f"| held against its goal | goal | {' | '.join(map(str, figures))} |"
    yield f"|---|---|{'---|' * len(figures)}"
    for name, (peer, goal) in GOALS.items():
        ratios = (_ratio(each, name, peer, goal) for each in figures.values())
        yield f"| {name} / {peer} | <= {goal:g} | {' | '.join(ratios)} |"
    for name, most in LIMITS.items():
        verdicts = (_verdict(median(each.get(name, ())), most) for each in figures.values())
        yield f"| {name} | < {most:g} | {' | '.join(verdicts)} |"


def _ratio(figures: Figures, name: str, peer: str, goal: float) -> str:
    """The ratio of the medians; in brackets the median of the ratios within a round."""
    ours, theirs = figures.get(name, []), figures.get(peer, [])
    if not ours or not theirs:
        return "-"
    in_rounds = median([one / other for one, other in zip(ours, theirs, strict=True)])
    return f"{_verdict(median(ours) / median(theirs), goal)} ({in_rounds:.2f})"


def _verdict(value: float, goal: float) -> str:
    return f"{value:.2f} {'reached' if value <= goal else 'missed'}"
