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
from sdqkd.errors import DeviceError, SdqkdError
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
        self._reached: dict[str, Device] = {}  # as they were when their sessions were opened
        self._left: list[DeviceSession] = []  # with devices that are described otherwise now
        self._opening: dict[str, asyncio.Lock] = {}

    def take(self, devices: Mapping[str, Device]) -> None:
        """Know these devices from now on. Who has a session with one as it was described before may keep it."""
        self.devices = devices

    async def session(self, name: str) -> DeviceSession:
        """The open session with a device as it is described now; a new one if there is none or it is over.

        Raises as `open_session`; DeviceError for one that is not in the network file any more.
        """
        session = self._usable(name)
        if session is not None:
            return session
        # Of two who ask at once one opens it, and the other waits for that.
        async with self._opening.setdefault(name, asyncio.Lock()):
            session = self._usable(name)
            if session is None:
                device = self.devices.get(name)
                if device is None:
                    raise DeviceError(name, "it is not in the network file any more")
                session = await open_session(device, self._connector, self._timeouts)
                if (before := self._sessions.get(name)) is not None and before.alive:
                    self._left.append(before)
                self._sessions[name], self._reached[name] = session, device
            return session

    def _usable(self, name: str) -> DeviceSession | None:
        session = self._sessions.get(name)
        usable = session is not None and session.alive and self._reached[name] == self.devices.get(name)
        return session if usable else None

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
        await asyncio.gather(self.close_left(), *(session.close() for session in sessions.values()))

    async def close_left(self) -> None:
        """End the sessions with devices that are described otherwise now. Nobody may be using them any more."""
        left, self._left = self._left, []
        await asyncio.gather(*(session.close() for session in left))


def _in_order(names: list[str], found: Mapping[str, T]) -> dict[str, T]:
    return {name: found[name] for name in names if name in found}
