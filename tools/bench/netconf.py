"""Our agent beside netconfd, in turn in one run: `python -m tools.bench netconf [--rounds N] [--json]`.

With --port, --user and --key any other server on loopback that has a QKD node without links is measured alone.
Only ratios within one run mean something: the same machine is twice as fast an hour later.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from .disk import append_ms
from .figures import QUICK, Size, measure
from .raw_client import Endpoint
from .report import Figures, machine, machine_line, median, spread
from .servers import missing_for_netconfd, netconfd, our_agent, prepare

DISK = "the disk alone: append 300 B and flush [ms]"
# To netconfd's figure in the same run: a time at most this many times, a rate at least this many times.
GOALS = {
    "session set-up and close [ms]": 0.035,
    "small get-config [calls/s]": 0.9,
    "16 in flight [calls/s]": 1.0,
    "32 sessions [calls/s]": 1.25,
    "get 1000 links [ms]": 0.3,
    "edit and commit a leaf [ms]": 0.55,
    "edit and commit a leaf, 1000 links [ms]": 0.04,
    "edit and commit 1000 links [ms]": 0.5,
}


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench netconf", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds, in each of which every server has its turn")
    parser.add_argument("--quick", action="store_true", help="a short round, to see that all works")
    parser.add_argument("--ours", action="store_true", help="measure our agent alone")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--port", type=int, help="another server on loopback")
    parser.add_argument("--user", default="noc", help="its user")
    parser.add_argument("--key", type=Path, help="private key of that user")
    parser.add_argument("--pid", type=int, default=0, help="its process, whose memory is told")
    parser.add_argument(
        "--folder", type=Path, help="where the stores of the servers lie, else where temporary files do"
    )
    options = parser.parse_args(arguments)
    missing = "not asked for" if options.ours or options.port else missing_for_netconfd()
    if missing:
        print(f"netconfd is not measured: {missing}", file=sys.stderr)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sdqkd-bench-", dir=options.folder)))
        servers = list(_servers(options, stack, folder, with_netconfd=not missing))
        figures = asyncio.run(_run(servers, options.rounds, QUICK if options.quick else Size(), folder))
    if options.json:
        ratios = {name: ratio for name in GOALS if (ratio := _ratio(figures, name)) is not None}
        print(json.dumps({"machine": machine(), "figures": figures, "ratios": ratios, "goals": GOALS}, indent=2))
    else:
        print("\n".join(_table(figures)))


def _servers(
    options: argparse.Namespace, stack: ExitStack, folder: Path, *, with_netconfd: bool
) -> Iterator[Endpoint]:
    if options.port:
        yield Endpoint("the server", options.port, options.user, options.key, options.pid or os.getpid())
    else:
        yield stack.enter_context(our_agent(folder / "ours"))
    if with_netconfd:
        yield stack.enter_context(netconfd(folder / "netconfd"))


async def _run(servers: Sequence[Endpoint], rounds: int, size: Size, folder: Path) -> dict[str, Figures]:
    figures: dict[str, Figures] = {server.name: {} for server in servers}
    for turn in range(rounds):
        for server in servers:
            print(f"round {turn + 1} of {rounds}: {server.name}", file=sys.stderr)
            if turn == 0 and server.name == "netconfd":
                await prepare(server)
            async for name, value in measure(server, size):
                figures[server.name].setdefault(name, []).append(value)
            figures[server.name].setdefault(DISK, []).append(append_ms(folder))
    return figures


def _ratio(figures: dict[str, Figures], name: str) -> float | None:
    ours, theirs = (figures.get(server, {}).get(name) for server in ("sdqkd", "netconfd"))
    return median(ours) / median(theirs) if ours and theirs else None


def _table(figures: dict[str, Figures]) -> Iterator[str]:
    yield f"{machine_line()}; median (least to most) of the rounds"
    yield ""
    yield f"| figure | {' | '.join(figures)} | ratio | goal | |"
    yield f"|---|{'---|' * len(figures)}---|---|---|"
    for name in next(iter(figures.values())):
        ratio, goal = _ratio(figures, name), GOALS.get(name)
        values = " | ".join(spread(server.get(name, ())) for server in figures.values())
        yield f"| {name} | {values} | {_number(ratio)} | {_goal(name, goal)} | {_verdict(name, ratio, goal)} |"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _goal(name: str, goal: float | None) -> str:
    return "" if goal is None else f"{'>=' if name.endswith('/s]') else '<='} {goal}"


def _verdict(name: str, ratio: float | None, goal: float | None) -> str:
    if ratio is None or goal is None:
        return ""
    return "reached" if (ratio >= goal if name.endswith("/s]") else ratio <= goal) else "missed"
