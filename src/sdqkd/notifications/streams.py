"""Event streams with their logs: RFC 5277 section 3, RFC 8639 section 2.1.

A log is bounded and holds what was sent, not trees. It is also the only queue that there is: every subscriber
has a place in it (see `reader`), so many who do not read cost no more than one, and lose what the log has dropped.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime

# What an event costs beside its payload: the objects that hold it.
EVENT_OVERHEAD_BYTES = 256


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `number` counts from 1 in each stream, `name` is the notification's member name."""

    number: int
    time: datetime
    name: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """What a stream is for, and how much its log holds at most; without room for events there is no replay.

    `lag_events` and `lag_bytes` are what it holds beyond that, as long as a subscriber has still to read it.
    """

    name: str
    description: str
    max_events: int = 1000
    max_bytes: int = 256 * 1024
    lag_events: int = 1000
    lag_bytes: int = 256 * 1024

    @property
    def replay(self) -> bool:
        """Whether clients may ask for what was before."""
        return self.max_events > 0


NETCONF = StreamSpec("NETCONF", "Everything that this server tells")


class Stream:
    """One stream. `created` is when its log began, `aged` the time of the last event that it dropped."""

    def __init__(self, spec: StreamSpec, now: datetime) -> None:
        self.spec = spec
        self.created = now
        self.aged: datetime | None = None
        self._log: deque[Event] = deque()
        self._bytes = 0
        self._last = 0

    @property
    def first(self) -> int:
        """The number of the oldest event in the log; of the next one if it is empty."""
        return self._last + 1 - len(self._log)

    @property
    def last(self) -> int:
        """The number of the newest event that there ever was, 0 before any."""
        return self._last

    @property
    def since(self) -> datetime:
        """From when on the log is complete."""
        return self.created if self.aged is None else self.aged

    def append(self, time: datetime, name: str, payload: bytes) -> Event:
        """Log an event. The log may be over its bounds until `age_out`."""
        self._last += 1
        event = Event(self._last, time, name, payload)
        self._log.append(event)
        self._bytes += _size(event)
        return event

    def age_out(self, needed: int | None = None) -> None:
        """Drop the oldest events until the log is within its bounds.

        `needed` is the number of the first event that a subscriber has still to read, None if all have read all.
        """
        while self._is_over(0, 0):
            oldest = self._log[0]
            is_needed = needed is not None and oldest.number >= needed
            if is_needed and not self._is_over(self.spec.lag_events, self.spec.lag_bytes):
                break
            self._log.popleft()
            self._bytes -= _size(oldest)
            self.aged = oldest.time

    def _is_over(self, more_events: int, more_bytes: int) -> bool:
        spec = self.spec
        too_many = len(self._log) > spec.max_events + more_events
        return bool(self._log) and (too_many or self._bytes > spec.max_bytes + more_bytes)

    def get(self, number: int) -> Event | None:
        """The event of this number, None if it is to come or was dropped."""
        at = number - self.first
        return self._log[at] if 0 <= at < len(self._log) else None


def _size(event: Event) -> int:
    return len(event.payload) + EVENT_OVERHEAD_BYTES
