"""The sessions of a watch: opened when a device is seen to, subscribed where it tells of events, judged once.

Devices that failed the last time wait for a lane of their own, so that those that are well never wait for them.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping

from sdqkd.controller.connect import Connector
from sdqkd.controller.models import expected, mismatches
from sdqkd.controller.session import DeviceSession, Timeouts, open_session
from sdqkd.errors import RpcError, RpcErrors, SdqkdError
from sdqkd.netconf.messages import Notification
from sdqkd.network.model import Device
from sdqkd.schema.table import Schema, load

LANE = 32  # devices that are connected at the same time
SUSPECTS_LANE = 16  # the same, of those that failed the last time
MAX_TOLD = 3  # differences of a device's models that one alarm tells

OnEvent = Callable[[str, Notification], None]
OnLost = Callable[[str, SdqkdError], None]


class WatchSessions:
    """`on_event` and `on_lost` are called with the name of the device."""

    def __init__(self, connector: Connector, timeouts: Timeouts, on_event: OnEvent, on_lost: OnLost) -> None:
        self._connector = connector
        self._timeouts = timeouts
        self._on_event = on_event
        self._on_lost = on_lost
        self._sessions: dict[str, DeviceSession] = {}
        self._reached: dict[str, Device] = {}  # as they were when their sessions were opened
        self._notified: set[str] = set()
        self._lane, self._suspects = asyncio.Semaphore(LANE), asyncio.Semaphore(SUSPECTS_LANE)
        # Thousands of devices have few sets of models, and a library is long.
        self._verdicts: dict[tuple[str, str], str] = {}
        self._closing = False

    def alive(self, name: str) -> bool:
        """Whether there is a session with a device."""
        return name in self._sessions and self._sessions[name].alive

    def reaches(self, device: Device) -> bool:
        """Whether there is a session with a device as it is described now."""
        return self.alive(device.name) and self._reached[device.name] == device

    def notified(self, name: str) -> bool:
        """Whether a device tells of events on its session."""
        return self.alive(name) and name in self._notified

    def own_id(self, name: str) -> int | None:
        """The session-id of our session with a device."""
        return self._sessions[name].hello.session_id if name in self._sessions else None

    def modules(self, name: str) -> Mapping[str, str]:
        """The module of each namespace of a device."""
        return _namespaces(self._sessions[name].schema.name) if name in self._sessions else {}

    async def session(self, device: Device, *, suspect: bool) -> DeviceSession:
        """The session with a device as it is described now, opened if there is none. Raises as `open_session`."""
        if not self.reaches(device):
            await self.drop(device.name)
            async with self._suspects if suspect else self._lane:
                session = await open_session(device, self._connector, self._timeouts)
            self._sessions[device.name], self._reached[device.name] = session, device
            session.when_lost(lambda error: self._lost(device.name, session, error))
            await self._subscribe(device.name, session)
        return self._sessions[device.name]

    async def mismatch(self, session: DeviceSession) -> str:
        """How the models of a device differ from those that its model set is made for; "" if they do not."""
        key = session.schema.name, session.models_id
        if key not in self._verdicts:
            try:
                found = await session.modules()
            except (RpcError, RpcErrors):
                found = {}  # it has no library, and its hello says what it says
            wanted = expected(session.schema)
            told = list(mismatches(wanted, found, _judged(session.schema))) if found else []
            more = f" and {len(told) - MAX_TOLD} more" if len(told) > MAX_TOLD else ""
            verdict = "; ".join(told[:MAX_TOLD]) + more
            if not session.models_id:
                return verdict
            self._verdicts[key] = verdict
        return self._verdicts[key]

    async def drop(self, name: str) -> None:
        """End the session with a device that is not watched any more, or is reached otherwise."""
        self._reached.pop(name, None)
        session = self._sessions.pop(name, None)
        if session is not None:
            await session.close()

    async def close(self) -> None:
        """End all sessions; nobody is told."""
        self._closing = True
        sessions, self._sessions = self._sessions, {}
        await asyncio.gather(*(session.close() for session in sessions.values()))

    async def _subscribe(self, name: str, session: DeviceSession) -> None:
        self._notified.discard(name)
        if session.can_notify:
            try:
                await session.subscribe(lambda notification: self._on_event(name, notification))
            except (RpcError, RpcErrors):
                return  # polling is the backstop
            self._notified.add(name)

    def _lost(self, name: str, session: DeviceSession, error: SdqkdError) -> None:
        if not self._closing and self._sessions.get(name) is session:
            self._on_lost(name, error)


@functools.cache
def _namespaces(set_name: str) -> Mapping[str, str]:
    return {module.namespace: module.name for module in load(set_name).modules}


def _judged(schema: Schema) -> list[str]:
    """The modules that make the device: what every NETCONF server has may differ."""
    every = {module.name for module in load("agent").modules}
    return [module.name for module in schema.modules if module.implemented and module.name not in every]
