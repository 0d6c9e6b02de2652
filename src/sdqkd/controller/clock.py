"""The time of the controller: a Protocol, so that tests can bend it, and this machine's."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is. Waiting is measured by `now_s`; `wall` is for people, and may jump."""

    def now_s(self) -> float:
        """Give the seconds since this machine was started, or since some moment; the same in every process."""
        ...

    def wall(self) -> datetime:
        """Give the time of day, aware of its zone."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The clocks of this machine."""

    def now_s(self) -> float:
        """Give the seconds of the monotonic clock."""
        return time.monotonic()

    def wall(self) -> datetime:
        """Give the time of day in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait in the running event loop."""
        await asyncio.sleep(seconds)


def time_text(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC, to the millisecond."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
