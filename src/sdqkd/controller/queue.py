"""Work to be done, by the name of the device: never the event that asked for it, only that there is something to
see.

However often a device is added, it is there once. Whoever takes it has it alone until it says what came of it;
what is added meanwhile comes afterwards. After a failure a device waits, longer each time, and a little
differently from the others, so that not all come back at one moment. Time is an argument, in seconds of any clock
that never goes back.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol


class WorkQueue(Protocol):
    """What stands behind the watch. Every method may be called with any name."""

    def add(self, key: str, due: float) -> None:
        """There is something to see by `due`. What is to be done sooner anyway stays so."""
        ...

    def take(self, now: float) -> str | None:
        """Give a device that is due, the longest due first, to do its work; None if there is none."""
        ...

    def done(self, key: str) -> None:
        """Say that the work on a device has succeeded."""
        ...

    def failed(self, key: str, now: float) -> float:
        """Say that it has not, and give the seconds after which it will be taken again."""
        ...

    def failures(self, key: str) -> int:
        """How often it has failed since it last succeeded."""
        ...

    def forget(self, key: str) -> None:
        """Drop a device that there is no more."""
        ...

    def next_due(self) -> float | None:
        """When there will be something to take, None if never."""
        ...


@dataclass(frozen=True, slots=True)
class BackOff:
    """How long to wait after failures: `first_s`, doubled each time up to `most_s`, less a random part of it."""

    first_s: float = 2.0
    most_s: float = 300.0
    jitter: float = 0.5  # of the time, at most

    def after(self, failures: int, chance: float) -> float:
        """Seconds to wait after so many failures in a row, from 1; `chance` is from 0 up to 1."""
        # Two to a large number would be no float.
        whole = min(self.most_s, self.first_s * 2.0 ** min(failures - 1, 60))
        return whole * (1 - self.jitter * chance)


@dataclass(slots=True)
class _Work:
    """`due` is None if nothing is to be done; `not_before` is when the last failure is over."""

    due: float | None = None
    taken: bool = False
    failures: int = 0
    not_before: float = float("-inf")


@dataclass(slots=True)
class MemoryQueue:
    """A `WorkQueue` that is gone with the process. `chance` gives random numbers from 0 up to 1."""

    chance: Callable[[], float]
    back_off: BackOff = field(default_factory=BackOff)
    _works: dict[str, _Work] = field(default_factory=dict)
    _heap: list[tuple[float, str]] = field(default_factory=list)  # may hold what is no longer so

    def add(self, key: str, due: float) -> None:
        """There is something to see by `due`, or when the last failure is over."""
        work = self._works.setdefault(key, _Work())
        due = max(due, work.not_before)
        if work.due is None or due < work.due:
            work.due = due
            if not work.taken:
                heapq.heappush(self._heap, (due, key))

    def take(self, now: float) -> str | None:
        """Give a device that is due, to do its work."""
        due = self.next_due()
        if due is None or due > now:
            return None
        _, key = heapq.heappop(self._heap)
        work = self._works[key]
        work.taken, work.due = True, None
        return key

    def done(self, key: str) -> None:
        """Say that the work on a device has succeeded."""
        work = self._works.setdefault(key, _Work())
        work.failures, work.not_before = 0, float("-inf")
        self._give_back(key, work)

    def failed(self, key: str, now: float) -> float:
        """Say that it has not, and give the seconds after which it will be taken again."""
        work = self._works.setdefault(key, _Work())
        work.failures += 1
        wait_s = self.back_off.after(work.failures, self.chance())
        work.not_before = work.due = now + wait_s
        self._give_back(key, work)
        return wait_s

    def failures(self, key: str) -> int:
        """How often it has failed since it last succeeded."""
        return self._works[key].failures if key in self._works else 0

    def forget(self, key: str) -> None:
        """Drop a device that there is no more."""
        self._works.pop(key, None)

    def next_due(self) -> float | None:
        """When there will be something to take."""
        while self._heap:
            due, key = self._heap[0]
            work = self._works.get(key)
            if work is not None and not work.taken and work.due == due:
                return due
            heapq.heappop(self._heap)
        return None

    def _give_back(self, key: str, work: _Work) -> None:
        work.taken = False
        if work.due is not None:
            heapq.heappush(self._heap, (work.due, key))
