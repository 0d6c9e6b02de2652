"""Event streams with their logs: RFC 5277 section 3, RFC 8639 section 2.1.

A log is bounded and holds what was sent, not trees. It is also the only queue that there is: every subscriber
has a place in it (see `reader`), so one who does not read costs nothing, and loses what the log has dropped.
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
    """What a stream is for, and how much its log holds at most; without room for events there is no replay."""

    name: str
    description: str
    max_events: int = 1000
    max_bytes: int = 256 * 1024

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

    @property
    def held_bytes(self) -> int:
        """What the log takes, roughly."""
        return self._bytes

    def append(self, time: datetime, name: str, payload: bytes) -> Event:
        """Log an event. The log may be over its bounds until `age_out`."""
        self._last += 1
        event = Event(self._last, time, name, payload)
        self._log.append(event)
        self._bytes += _size(event)
        return event

    def age_out(self) -> None:
        """Drop the oldest events until the log is within its bounds."""
        while len(self._log) > self.spec.max_events or self._bytes > self.spec.max_bytes:
            event = self._log.popleft()
            self._bytes -= _size(event)
            self.aged = event.time

    def get(self, number: int) -> Event | None:
        """The event of this number, None if it is to come or was dropped."""
        at = number - self.first
        return self._log[at] if 0 <= at < len(self._log) else None


def _size(event: Event) -> int:
    return len(event.payload) + EVENT_OVERHEAD_BYTES
