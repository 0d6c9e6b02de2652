"""The notifications of one agent: its hub, with a clock, the rights of its users, and what its parts tell it.

Nothing here waits or polls: one timer rings when the hub says so, and a device that can (`Watchable`) says itself
when its state may have changed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sdqkd.agent.access import AccessControl
from sdqkd.agent.clock import Clock, Timer
from sdqkd.agent.sessions import Session, Sessions, Termination, host_of
from sdqkd.datastore.confirmed import ConfirmEvent
from sdqkd.datastore.datastores import Datastores
from sdqkd.datastore.locks import Target
from sdqkd.datastore.ports import Changed
from sdqkd.devices.device import Device, Watchable
from sdqkd.netconf.xml import Element
from sdqkd.notifications.base_events import Client
from sdqkd.notifications.board import Limits
from sdqkd.notifications.hub import Hub
from sdqkd.notifications.qkd_aspects import NODE
from sdqkd.notifications.qkd_watch import QkdWatch
from sdqkd.schema.overlay import Overlay
from sdqkd.schema.tree import EMPTY, Container

_TURN_S = 0.01  # for what is sent to all who listen, before other work has its turn


@dataclass(frozen=True, slots=True)
class _Listener:
    """A session as the hub sees it."""

    session: Session
    access: AccessControl

    @property
    def id(self) -> int:
        return self.session.id

    @property
    def ready(self) -> bool:
        return self.session.writable

    def notify(self, message: bytes) -> None:
        self.session.notify(message)

    def end(self, reason: str) -> None:
        self.session.end(reason, "other")

    def may_receive(self, notification: str) -> bool:
        return self.access.may_receive(self.session.username, notification)

    @property
    def reads_all(self) -> bool:
        return self.access.rights(self.session.username).reads_all

    def may_read(self, path: str) -> bool:
        return self.access.rights(self.session.username).may_read_text(path)

    def readable(self, tree: Container) -> Container:
        return self.access.readable(self.session.username, tree)


class Notifier:
    """What the parts of an agent call when something happens, and sessions for their subscriptions."""

    def __init__(
        self, device: Device, datastores: Datastores, sessions: Sessions, access: AccessControl, clock: Clock
    ) -> None:
        self._device = device
        self._datastores = datastores
        self._sessions = sessions
        self._access = access
        self._clock = clock
        self._timer: Timer | None = None
        self._overlay = Overlay(device.schema)
        self._seen: tuple[Container, Container, Container] = (EMPTY, EMPTY, EMPTY)
        unwatch = device.watch(self._state_may_change) if isinstance(device, Watchable) else None
        self._unwatch: Callable[[], None] = unwatch or (lambda: None)
        sources = {f"ietf-datastores:{name}": self._reader(name) for name in datastores.targets}
        sources["ietf-datastores:intended"] = self._reader("running")
        sources["ietf-datastores:operational"] = datastores.get
        self.hub = Hub(
            device.schema,
            sources,
            clock.wall(),
            device=self._state_of_device,
            watch=QkdWatch() if NODE in device.schema.data else None,
            limits=Limits(poll=None) if unwatch else Limits(),
            wake=self._wake,
            turn=self._turn,
        )
        # An agent can be made before there is an event loop, and be served in it.
        with contextlib.suppress(RuntimeError):
            self._wake(self.hub.due)
        datastores.watchers.append(self._changed)

    # What happens

    def session_started(self, session: Session) -> None:
        """Tell of a session that has said hello."""
        if self._timer is None:
            self._wake(self.hub.due)
        self.hub.session_started(_client(session), self._clock.wall())

    def session_ended(self, session: Session, how: Termination, killed_by: int | None) -> None:
        """Tell of the end of a session."""
        self.hub.session_ended(_client(session), self._clock.wall(), how, killed_by)

    def commit_pending(
        self, event: ConfirmEvent | None, session: Session | None = None, timeout_s: int | None = None
    ) -> None:
        """Tell how a confirmed commit goes, if there is anything to tell."""
        if event is not None:
            client = None if session is None else _client(session)
            self.hub.commit_pending(event, client, self._clock.wall(), timeout_s)

    def _changed(self, change: Changed) -> None:
        now = self._clock.wall()
        if change.target == "candidate":
            self.hub.datastores_changed(now)
            return
        session = None if change.session is None else self._sessions.get(change.session)
        by = None if session is None else _client(session)
        self.hub.config_changed(change.before, change.after, now, by, change.target)

    def _state_may_change(self) -> None:
        self.hub.state_may_change(self._clock.wall())

    # Subscriptions

    def perform(self, session: Session, operation: Element) -> bytes:
        """Do what a session asks for, and give the content of the reply. Raises RpcError."""
        return self.hub.perform(_Listener(session, self._access), operation, self._clock.wall())

    def flush(self, session: Session) -> None:
        """Send a session what has waited: it was answered, or it reads again."""
        if self.hub.serves(session.id):
            self.hub.flush(session.id, self._clock.wall())

    def leave(self, session: Session) -> None:
        """Send a session nothing more."""
        self.hub.leave(session.id, self._clock.wall())

    def close(self) -> None:
        """Do nothing more of itself."""
        self._unwatch()
        self._set(None)

    # Data

    def _reader(self, target: Target) -> Callable[[], Container]:
        return lambda: self._datastores.get_config(target)

    def _state_of_device(self) -> Container:
        """Give running with what the device reports; the same tree as long as both are the same."""
        running, state = self._datastores.get_config("running"), self._device.state()
        if self._seen[0] is not running or self._seen[1] is not state:
            self._seen = (running, state, self._overlay.lay(running, state))
        return self._seen[2]

    # Time

    def _turn(self) -> Callable[[], bool]:
        until_s = self._clock.now_s() + _TURN_S
        return lambda: self._clock.now_s() > until_s

    def _wake(self, due: datetime | None) -> None:
        self._set(None if due is None else max(0.0, (due - self._clock.wall()).total_seconds()))

    def _set(self, delay_s: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if delay_s is None else self._clock.call_later(delay_s, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self.hub.tick(self._clock.wall())


def _client(session: Session) -> Client:
    return Client(session.username, session.id, host_of(session.peer))
