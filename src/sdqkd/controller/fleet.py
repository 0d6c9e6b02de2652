"""Sessions with all devices of a network, and one thing done on many of them at once.

So many at a time as was said; one device that fails does not stop the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from sdqkd.controller.connect import Connector
from sdqkd.controller.session import DeviceSession, Timeouts, open_session
from sdqkd.errors import SdqkdError
from sdqkd.network.model import Device

T = TypeVar("T")

LIMIT = 32  # devices worked with at the same time, unless told otherwise

Progress: TypeAlias = Callable[[str, int, int], None]  # what is being done, how many are done, of how many


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What came of something on many devices: each has either a result or an error, in the order asked."""

    results: Mapping[str, T]
    failures: Mapping[str, SdqkdError]


def silent(what: str, done: int, of: int) -> None:
    """Report no progress."""


class Fleet:
    """The devices of a network and their sessions, which are opened when they are first needed."""

    def __init__(
        self,
        devices: Mapping[str, Device],
        connector: Connector,
        progress: Progress = silent,
        limit: int = LIMIT,
        timeouts: Timeouts | None = None,
    ) -> None:
        self.devices = devices
        self._connector = connector
        self._progress = progress
        self._limit = limit
        self._timeouts = timeouts or Timeouts()
        self._sessions: dict[str, DeviceSession] = {}
        self._opening: dict[str, asyncio.Lock] = {}

    async def session(self, name: str) -> DeviceSession:
        """The open session with a device; a new one if there is none or it is over. Raises as `open_session`."""
        session = self._sessions.get(name)
        if session is not None and session.alive:
            return session
        # Of two who ask at once one opens it, and the other waits for that.
        async with self._opening.setdefault(name, asyncio.Lock()):
            session = self._sessions.get(name)
            if session is None or not session.alive:
                session = await open_session(self.devices[name], self._connector, self._timeouts)
                self._sessions[name] = session
            return session

    async def each(self, what: str, names: Iterable[str], work: Callable[[str], Awaitable[T]]) -> Outcome[T]:
        """Do `work` for each device; all have finished when this returns.

        `what` is for the progress; if it is empty, none is told.
        """
        todo = list(names)
        slots = asyncio.Semaphore(self._limit)
        results: dict[str, T] = {}
        failures: dict[str, SdqkdError] = {}

        async def one(name: str) -> None:
            async with slots:
                try:
                    results[name] = await work(name)
                except SdqkdError as error:
                    failures[name] = error
            if what:
                self._progress(what, len(results) + len(failures), len(todo))

        async with asyncio.TaskGroup() as group:
            for name in todo:
                group.create_task(one(name))
        return Outcome(_in_order(todo, results), _in_order(todo, failures))

    async def close(self) -> None:
        """End all sessions."""
        sessions, self._sessions = self._sessions, {}
        await asyncio.gather(*(session.close() for session in sessions.values()))


def _in_order(names: list[str], found: Mapping[str, T]) -> dict[str, T]:
    return {name: found[name] for name in names if name in found}
