"""Where a device calls home next, and when: RFC 8071, with the strategies that the IETF's model of a server has.

Pure: time and chance come in as arguments.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sdqkd.errors import InputError

Endpoint = tuple[str, int]  # host and port


class StartWith(enum.Enum):
    """Which of a client's endpoints is called first after a connection was lost."""

    FIRST_LISTED = "first-listed"
    LAST_CONNECTED = "last-connected"
    RANDOM_SELECTION = "random-selection"


@dataclass(frozen=True, slots=True)
class Reconnect:
    """How stubbornly to call. Pauses double from the first to the longest; each is shortened by chance."""

    start_with: StartWith = StartWith.FIRST_LISTED
    max_attempts: int = 3  # at one endpoint, before it is the next one's turn; round and round
    max_wait_s: float = 10.0  # for an endpoint to answer
    first_pause_s: float = 1.0
    longest_pause_s: float = 300.0
    jitter: float = (
        0.5  # the part of a pause that is left to chance, so that a thousand devices do not call at once
    )
    good_s: float = 60.0  # a connection that lasted so long ends the doubling


class Redial:
    """Decides on each call, and is told what became of it."""

    def __init__(self, endpoints: Sequence[Endpoint], strategy: Reconnect, chance: Callable[[], float]) -> None:
        """`chance` gives numbers from 0 up to 1. Raises InputError if there is no endpoint."""
        if not endpoints:
            raise InputError("calling home needs at least one endpoint")
        self._endpoints = tuple(endpoints)
        self._strategy = strategy
        self._chance = chance
        self._last_connected = 0
        self._failures = 0  # to connect, and connections that did not last, since a good one
        self._short = 0  # of them, how many connections in a row did not last
        self._attempts = 0
        self._current = self._first()

    def next_call(self) -> tuple[Endpoint, float]:
        """Give the endpoint to call, and the seconds to wait before."""
        return self._endpoints[self._current], self._pause_s()

    def failed(self) -> None:
        """Learn that nobody logged in."""
        self._failures += 1
        self._attempts += 1
        if self._attempts >= self._strategy.max_attempts:
            self._attempts = 0
            self._current = (self._current + 1) % len(self._endpoints)

    def connected(self) -> None:
        """Learn that somebody logged in. It does not matter any more how long nobody did."""
        self._last_connected = self._current
        self._failures = self._short

    def lost(self, lasted_s: float) -> None:
        """Learn that a connection has ended, and how long it had lasted."""
        self._short = 0 if lasted_s >= self._strategy.good_s else self._short + 1
        self._failures = max(1, self._short)
        self._attempts = 0
        self._current = self._first()

    def _first(self) -> int:
        if self._strategy.start_with is StartWith.LAST_CONNECTED:
            return self._last_connected
        if self._strategy.start_with is StartWith.RANDOM_SELECTION:
            return min(int(self._chance() * len(self._endpoints)), len(self._endpoints) - 1)
        return 0

    def _pause_s(self) -> float:
        if not self._failures:
            return 0.0
        doublings = min(self._failures - 1, 30)
        pause_s = min(self._strategy.first_pause_s * 2.0**doublings, self._strategy.longest_pause_s)
        return pause_s * (1 - self._strategy.jitter * self._chance())
