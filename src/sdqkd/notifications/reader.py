"""A subscriber's place in a stream: what was logged, then what comes, and the marks in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import TypeAlias

from sdqkd.notifications.streams import Event, Stream

# An event as its subscriber gets it, None if it does not.
Wanted: TypeAlias = Callable[[Event], Event | None]

# How many events that nobody wants are passed over before others have their turn.
TURN_EVENTS = 64


class Mark(Enum):
    """What is to be told between events."""

    REPLAYED = "all that was logged has been read"
    LOST = "events were dropped before they were read"
    DONE = "the stop time has come, and everything before it has been read"


class StreamReader:
    """Reads a stream from now on, or from `start` if that is given, up to `stop` inclusively.

    `wanted` may be set anew at any time. `sent` and `excluded` count the events that it let pass and did not.
    `interrupted` is the time of a reading that gave nothing only because its turn was over.
    """

    def __init__(self, stream: Stream, wanted: Wanted, start: datetime | None, stop: datetime | None) -> None:
        self.stream = stream
        self.wanted = wanted
        self.stop = stop
        self.sent = 0
        self.excluded = 0
        self.done = False
        self.interrupted: datetime | None = None
        self._start = start
        self._logged = stream.last if start is not None else 0
        self._replaying = start is not None
        self._next = stream.first if start is not None else stream.last + 1

    @property
    def is_behind(self) -> bool:
        """Whether the log has dropped events that were still to be read."""
        return not self.done and self._next < self.stream.first

    @property
    def needs(self) -> int | None:
        """The number of the first event that is logged and not read yet, None if there is none."""
        return None if self.done or self._next > self.stream.last else self._next

    def read(self, now: datetime) -> Event | Mark | None:
        """The next event or mark; None if there is nothing for now. After `DONE` there never is.

        What `wanted` raises is raised; that event is passed over then.
        """
        self.interrupted = None
        if self.done:
            return None
        if self.is_behind:
            self._next = self.stream.first
            return Mark.LOST
        for _ in range(TURN_EVENTS):
            event = self._candidate()
            if event is None:
                return self._mark(now)
            self._next += 1
            passed = self._passed(event)
            if passed is not None:
                return passed
        self.interrupted = now
        return None

    def _mark(self, now: datetime) -> Mark | None:
        if self._replaying:
            self._replaying = False
            return Mark.REPLAYED
        if self.stop is not None and now >= self.stop:
            self.done = True
            return Mark.DONE
        return None

    def _candidate(self) -> Event | None:
        """The next event, unless the mark between the logged and the new ones is due before it."""
        return None if self._replaying and self._next > self._logged else self.stream.get(self._next)

    def _passed(self, event: Event) -> Event | None:
        # A clock can go back, so what comes live is not held against the start.
        if event.number <= self._logged and self._start is not None and event.time < self._start:
            return None
        if self.stop is not None and event.time > self.stop:
            return None
        passed = self.wanted(event)
        if passed is None:
            self.excluded += 1
        else:
            self.sent += 1
        return passed
