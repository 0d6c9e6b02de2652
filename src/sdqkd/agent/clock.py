"""The time of an agent: a Protocol, so that tests can let it pass, and the event loop's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol


class Timer(Protocol):
    """A call that is still to come."""

    def cancel(self) -> None:
        """Call it off."""
        ...


class Clock(Protocol):
    """What time it is, and calls to come."""

    def now_s(self) -> float:
        """Give the seconds since some moment; they never jump."""
        ...

    def wall(self) -> datetime:
        """Give the time of day, aware of its zone."""
        ...

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        """Call once, after so many seconds."""
        ...


class LoopClock:
    """The clock of the running event loop."""

    def now_s(self) -> float:
        """Give the seconds that asyncio's loops count, too."""
        return time.monotonic()

    def wall(self) -> datetime:
        """Give the time of day in UTC."""
        return datetime.now(UTC)

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        """Call once, from the loop."""
        return asyncio.get_running_loop().call_later(delay_s, callback)


def time_text(moment: datetime) -> str:
    """Write a moment as YANG's date-and-time, in UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
