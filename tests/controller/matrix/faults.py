"""The faults of the matrix: where each can strike, and what is done then. `Site.judge` decides what came of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.controller.matrix.site import NAMES, OLD, Job, Site, demand

ALFA, BRAVO = NAMES
ALWAYS = 9999
Point = tuple[Any, ...]


@dataclass(frozen=True)
class Row:
    """One fault. `points` are found out on the site itself; `play` strikes at one and tells what came of it."""

    name: str
    points: Callable[[Site], Sequence[Point]]
    play: Callable[..., str]


def counted(site: Site) -> Job:
    """An apply without a fault: how much it writes and asks."""
    site.begin()
    (outcome,) = site.run(site.job())
    demand(outcome["result"] == "done", f"an apply without a fault fails: {outcome}")
    demand(site.judge(outcome) == "new", "an apply without a fault changes nothing")
    return outcome


def settled(site: Site, outcome: Job, **terms: Any) -> str:
    """What came of it; what is in doubt is finished once the fault is gone."""
    found = site.judge(outcome)
    if found != "in doubt":
        return found
    for agent in site.agents.values():
        agent.ask("clear")
    (outcome,) = site.run(site.job("recover", **terms))
    found = site.judge(outcome)
    demand(found != "in doubt", f"still in doubt without any fault: {outcome}")
    return f"in doubt, then {found}"


def journal_writes(site: Site) -> list[Point]:
    return [(number, when) for number in range(1, counted(site)["journal"] + 1) for when in ("before", "after")]


def rpcs(site: Site) -> list[Point]:
    numbers = range(1, counted(site)["rpc"] + 1)
    return [(number, when) for number in numbers for when in ("before", "after", "answered")]


def rpcs_of_each(site: Site) -> list[Point]:
    by_device = counted(site)["by_device"]
    return [
        (name, n, when) for name in NAMES for n in range(1, by_device[name] + 1) for when in ("before", "after")
    ]


def rpcs_of_one(site: Site) -> list[Point]:
    return [point for point in rpcs_of_each(site) if point[0] == BRAVO]


def times(number: int) -> Callable[[Site], Sequence[Point]]:
    return lambda site: [(n,) for n in range(number)]


def on_each(site: Site) -> list[Point]:
    return [(name,) for name in NAMES]


def kill(what: str) -> Callable[..., str]:
    def play(site: Site, number: int, when: str) -> str:
        site.begin()
        site.run(site.job(fault={"kind": "kill", "what": what, "at": number, "when": when}))
        (outcome,) = site.run(site.job("recover"))
        return settled(site, outcome)

    return play


# Where a first death leaves most to do: edited, committed on one or both, decided, confirmed on one.
_FIRST = (
    ("rpc", 16, "after"),
    ("rpc", 19, "answered"),
    ("rpc", 22, "after"),
    ("journal", 5, "after"),
    ("rpc", 25, "answered"),
)


def killed_twice(site: Site) -> list[Point]:
    points: list[Point] = []
    for first in _FIRST:
        _kill_first(site, first)
        (outcome,) = site.run(site.job("recover"))
        for what in ("journal", "rpc"):
            numbers = range(1, outcome[what] + 1)
            points += [(first, what, number, when) for number in numbers for when in ("before", "after")]
    return points


def _kill_first(site: Site, first: Point) -> None:
    site.begin()
    what, number, when = first
    (outcome,) = site.run(site.job(fault={"kind": "kill", "what": what, "at": number, "when": when}))
    demand(outcome["result"] == "killed", f"not killed at {first}: {outcome}")


def kill_again(site: Site, first: Point, what: str, number: int, when: str) -> str:
    _kill_first(site, first)
    site.run(site.job("recover", fault={"kind": "kill", "what": what, "at": number, "when": when}))
    (outcome,) = site.run(site.job("recover"))
    return settled(site, outcome)


def torn_places(site: Site) -> list[Point]:
    return [(number, cut) for number in range(1, counted(site)["journal"] + 1) for cut in (1, 30, 4000)]


def tear(site: Site, number: int, cut: int) -> str:
    """The process dies while it writes a record: of what it wrote, the end is missing."""
    site.begin()
    site.run(site.job(fault={"kind": "kill", "what": "journal", "at": number, "when": "after"}))
    log = site.state / "journal.sqlite-wal"
    os.truncate(log, log.stat().st_size - cut)
    (outcome,) = site.run(site.job("recover"))
    return settled(site, outcome)


def each_write(site: Site) -> list[Point]:
    return [(number,) for number in range(1, counted(site)["journal"] + 1)]


def fill_disk(site: Site, number: int) -> str:
    site.begin()
    (outcome,) = site.run(site.job(fault={"kind": "disk-full", "what": "journal", "at": number, "when": "before"}))
    shown = site.shown()
    demand(len({one["power"] for one in shown.values()}) == 1, f"devices differ: {outcome} {shown}")
    demand(outcome["result"] != "done", f"nobody was told that the disk is full: {outcome}")
    (outcome,) = site.run(site.job("recover"))
    return settled(site, outcome)


def bad_flushes(site: Site) -> list[Point]:
    return [(number, kept) for (number,) in each_write(site) for kept in ("kept", "lost")]


def fail_flush(site: Site, number: int, kept: str) -> str:
    """A write is not flushed, nor is any after it; its bytes are found later, or not. What was told stays true."""
    site.begin()
    fault = {"kind": "flush", "bytes": kept, "what": "journal", "at": number, "when": "before"}
    (told,) = site.run(site.job(fault=fault))
    demand(told["result"] != "done", f"nobody was told that the disk fails: {told}")
    left = {one["power"] for one in site.shown().values()}
    (outcome,) = site.run(site.job("recover"))
    found = settled(site, outcome)
    if told["result"] in ("ApplyError", "RolledBackError"):
        demand(found == "old" and left == {OLD}, f"rolled back, it was said, and now it is {found}: {told}")
    return found if told["result"] != "InDoubtError" else f"in doubt, then {found}"


def kill_agent(site: Site, name: str, number: int, when: str) -> str:
    site.begin()
    pid = site.agents[name].process.pid
    fault = {"kind": "kill-agent", "pid": pid, "what": "rpc", "device": name, "at": number, "when": when}
    (outcome,) = site.run(site.job(fault=fault))
    site.revive()
    return settled(site, outcome)


def hang_up(site: Site, name: str, number: int, when: str) -> str:
    site.begin()
    fault = {"kind": "hang-up", "what": "rpc", "device": name, "at": number, "when": when}
    (outcome,) = site.run(site.job(fault=fault))
    return settled(site, outcome)


def cut(seconds: float, **terms: Any) -> Callable[..., str]:
    def play(site: Site, name: str, number: int, when: str) -> str:
        site.begin()
        fault = {"kind": "cut", "seconds": seconds, "what": "rpc", "device": name, "at": number, "when": when}
        (outcome,) = site.run(site.job(fault=fault, answer_s=0.3, **terms))
        return settled(site, outcome)

    return play


def odd_device(*faults: tuple[str, str, int], **terms: Any) -> Callable[..., str]:
    """Devices with faults: whether it is the one of the point (`it`) or the other, which, and how often."""

    def play(site: Site, name: str) -> str:
        site.begin()
        other = ALFA if name == BRAVO else BRAVO
        for who, fault, times_due in faults:
            site.agents[name if who == "it" else other].ask("fault", fault, times_due)
        (outcome,) = site.run(site.job(**{"patience_s": 0.5, **terms}))
        return settled(site, outcome)

    return play


def kill_without_timer(site: Site, name: str, number: int) -> str:
    """The device never goes back by itself, and the controller is dead until long after it should have."""
    site.begin()
    site.agents[name].ask("fault", "no-timer", ALWAYS)
    fault = {"kind": "kill", "what": "rpc", "at": number, "when": "after"}
    site.run(site.job(fault=fault, timeout_s=1))
    time.sleep(1.3)
    (outcome,) = site.run(site.job("recover"))
    return settled(site, outcome)


def after_commit(site: Site) -> list[Point]:
    operations = counted(site)["operations"]
    commits = [at for at, operation in enumerate(operations, 1) if operation.endswith(" commit")]
    return [(name, number) for name in NAMES for number in range(commits[0], commits[-1] + 1)]


def foreign(command: str, *arguments: object) -> Callable[..., str]:
    """Somebody else is at work on a device when we come: we leave it to them."""

    def play(site: Site, name: str) -> str:
        site.begin()
        site.agents[name].ask(command, *arguments)
        before = site.shown()
        (outcome,) = site.run(site.job())
        demand(outcome["result"] == "ApplyError", f"not refused: {outcome}")
        demand(site.shown() == before, f"not left alone: {before} {site.shown()}")
        return "refused"

    return play


def change_in_between(site: Site, name: str) -> str:
    site.begin()
    ready, go = site.folder / "ready", site.folder / "go"
    ready.unlink(missing_ok=True)
    go.unlink(missing_ok=True)
    os.mkfifo(go)
    site.send(site.job(meanwhile=[str(ready), str(go)]))
    while not ready.exists():
        time.sleep(0.01)
    site.agents[name].ask("change", "-7.0")
    with open(go, "wb"):
        pass
    (outcome,) = site.wait()
    demand(outcome["result"] == "ApplyError", f"a stale plan is not refused: {outcome}")
    powers = {name: one["power"] for name, one in site.shown().items()}
    demand(powers == dict.fromkeys(NAMES, OLD) | {name: "-7.0"}, f"not left alone: {powers}")
    return "refused"


def race(*, apart: bool) -> Callable[..., str]:
    def play(site: Site, number: int) -> str:
        site.begin()
        other = site.job(state=str(site.state) + "-other") if apart else site.job()
        outcomes = site.run(site.job(), other)
        results = {outcome["result"] for outcome in outcomes}
        demand(results <= {"done", "LeaseError", "ApplyError"}, f"two at once: {outcomes}")
        return site.judge(next((one for one in outcomes if one["result"] == "done"), outcomes[0]))

    return play


def stop_points(site: Site) -> list[Point]:
    outcome = counted(site)
    return [
        (what, number, when)
        for what in ("journal", "rpc")
        for number in range(1, outcome[what] + 1)
        for when in ("before", "after")
    ]


def stop(site: Site, what: str, number: int, when: str) -> str:
    """It stands still until another has taken its place, and then goes on."""
    site.begin()
    fault = {"kind": "stop", "what": what, "at": number, "when": when}
    job = site.job(fault=fault, lease_s=0.2)
    (stopped,) = site.run(job)
    if stopped["result"] != "stopped":
        return f"not stopped: {site.judge(stopped)}"
    begun = any(record.is_open for record in site.transactions())
    for recovered in _recoveries(site):
        if recovered["result"] != "LeaseError":
            break
    found = site.judge(recovered)
    before = site.shown()
    (resumed,) = site.run({"continue": stopped["pid"], "outcome": job["outcome"]})
    if resumed["result"] == "LeaseError":
        demand(site.shown() == before, f"it has written on: {before} {site.shown()} {resumed}")
    else:
        demand(not begun, f"it does not notice that its work was taken over: {resumed}")
        found = site.judge(resumed)
    return found


def _recoveries(site: Site) -> Iterator[Job]:
    until = time.monotonic() + 5.0
    while time.monotonic() < until:
        (outcome,) = site.run(site.job("recover", lease_s=0.2))
        yield outcome
        time.sleep(0.05)


def jumps(site: Site) -> list[Point]:
    return [(number, seconds) for number in range(1, counted(site)["journal"] + 1) for seconds in (-1e6, 1e6)]


def jump(site: Site, number: int, seconds: float) -> str:
    site.begin()
    fault = {"kind": "clock", "seconds": seconds, "what": "journal", "at": number, "when": "before"}
    (outcome,) = site.run(site.job(fault=fault))
    return settled(site, outcome)


ROWS: tuple[Row, ...] = (
    Row("controller killed before and after each journal write", journal_writes, kill("journal")),
    Row("controller killed before and after each RPC, and as its answer comes", rpcs, kill("rpc")),
    Row("controller killed again while it recovers", killed_twice, kill_again),
    Row("last record of the journal torn", torn_places, tear),
    Row("disk full from each journal write on", each_write, fill_disk),
    Row("flush fails from each journal write on, its bytes kept or lost", bad_flushes, fail_flush),
    Row("agent killed before or during each RPC, then started again", rpcs_of_each, kill_agent),
    Row("session lost before each RPC, or before its answer", rpcs_of_each, hang_up),
    Row("device cut off for less than the timeout", rpcs_of_one, cut(0.8)),
    Row("device cut off for longer than the timeout", rpcs_of_one, cut(2.5, timeout_s=1)),
    Row("device cut off for longer than anybody waits", rpcs_of_one, cut(9.0, timeout_s=1, patience_s=0.5)),
    Row("validate slower than the timeout", on_each, odd_device(("it", "slow-validate", 1), timeout_s=1)),
    Row("commit slower than the timeout", on_each, odd_device(("it", "slow-commit", 1), timeout_s=1)),
    Row("device rewrites what it was given", on_each, odd_device(("it", "rewrite", 1))),
    Row("confirm refused once", on_each, odd_device(("it", "refuse-confirm", 1))),
    Row("confirm refused for good", on_each, odd_device(("it", "refuse-confirm", ALWAYS))),
    Row(
        "confirm refused until the device has gone back",
        on_each,
        odd_device(("it", "refuse-confirm", ALWAYS), timeout_s=1, patience_s=2.0),
    ),
    Row("cancel refused once", on_each, odd_device(("it", "refuse-cancel", 1), ("other", "rewrite", 1))),
    Row("cancel refused for good", on_each, odd_device(("it", "refuse-cancel", ALWAYS), ("other", "rewrite", 1))),
    Row(
        "cancel and writing back refused for good",
        on_each,
        odd_device(("it", "refuse-cancel", ALWAYS), ("it", "refuse-confirm", ALWAYS), ("other", "rewrite", 1)),
    ),
    Row("timer that never fires, controller killed after committing", after_commit, kill_without_timer),
    Row("somebody else's lock", on_each, foreign("lock")),
    Row("somebody else's edit in the candidate", on_each, foreign("edit", "-7.0")),
    Row("somebody else's commit between plan and apply", on_each, change_in_between),
    Row("two controllers at once, one state directory", times(12), race(apart=False)),
    Row("two controllers at once, a state directory each", times(12), race(apart=True)),
    Row("controller stopped at each write and RPC, replaced, resumed", stop_points, stop),
    Row("clock jumps before each journal write", jumps, jump),
)
