"""The notifications of one agent: what happens goes in, what each client shall hear goes out.

Nothing here waits. The agent calls `tick` when `wake` said so, and `flush` when a session can take messages
again or has been answered. Without a subscription an event costs its place in the log, and time costs nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sdqkd.errors import RpcError, SdqkdError
from sdqkd.notifications import base_events, operations
from sdqkd.notifications.base_events import Client
from sdqkd.notifications.board import OPERATIONAL, Board, Limits, Sources
from sdqkd.notifications.filters import Filters
from sdqkd.notifications.legacy import LegacySubscription
from sdqkd.notifications.message import payload_of
from sdqkd.notifications.outlet import Subscriber, never
from sdqkd.notifications.push import OnChangePush
from sdqkd.notifications.reader import StreamReader
from sdqkd.notifications.refusals import SN
from sdqkd.notifications.report import state_of
from sdqkd.notifications.selection import FILTERS
from sdqkd.notifications.streams import NETCONF, Stream, StreamSpec
from sdqkd.notifications.subscription import StreamSubscription
from sdqkd.schema.diff import diff
from sdqkd.schema.elements import Element
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import EMPTY, Container, merge

# State follows a change with some delay, and several changes often come at once; so it is also the least time
# between two looks at the state. All looks are at multiples of it: many agents of one plant share a reading.
_SETTLING = timedelta(seconds=0.5)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_LOG = logging.getLogger(__name__)


class Watch(Protocol):
    """Looks at a device's state for what is to be told on `stream`; `due` is when it wants to look again."""

    stream: StreamSpec
    due: datetime | None

    def begin(self, tree: Container, known: Container | None = None) -> None:
        """Learn how the device is when it starts; what is not in `known`, if that is given, is new."""
        ...

    def look(self, tree: Container, now: datetime) -> Sequence[Container]:
        """The notifications that are due."""
        ...


def _nobody(due: datetime | None) -> None:
    """Wake nobody."""


def _endless() -> Callable[[], bool]:
    """Begin a turn that is never over."""
    return never


def _settled(now: datetime) -> datetime:
    """When to look at what has changed now."""
    return _EPOCH + ((now - _EPOCH) // _SETTLING + 2) * _SETTLING


class Hub:
    """`sources` gives the datastores by identity, such as `ietf-datastores:running`, `device` operational without
    what the agent itself counts; `streams` are those beside NETCONF. `wake` is told when `tick` must be called,
    None for never, whenever that changes after the beginning. `turn` begins a turn of those who listen, and gives
    what says that it is over.
    """

    def __init__(
        self,
        schema: Schema,
        sources: Mapping[str, Callable[[], Container]],
        now: datetime,
        *,
        streams: Sequence[StreamSpec] = (),
        netconf: StreamSpec = NETCONF,
        watch: Watch | None = None,
        device: Callable[[], Container] | None = None,
        limits: Limits | None = None,
        wake: Callable[[datetime | None], None] = _nobody,
        turn: Callable[[], Callable[[], bool]] = _endless,
    ) -> None:
        specs = [netconf, *streams, *([watch.stream] if watch is not None else [])]
        self._board = Board(
            schema,
            {spec.name: Stream(spec, now) for spec in specs},
            Sources(sources, device),
            Filters(schema),
            limits or Limits(),
        )
        self._watch = watch
        self._begun = False  # whether the watch knows how the device was
        self._wake = wake
        self._turn = turn
        self._due: datetime | None = None
        self._look_at: datetime | None = None  # when to look at the device, beside when the watch wants to
        self._looked_at = now
        self._backlog: list[tuple[Container, str]] = []
        self._publishing = False
        self._ending = False
        self.operations = operations.handlers(self._board)
        if watch is not None:
            self._look_at = self._due = _settled(now)

    @property
    def due(self) -> datetime | None:
        """When `tick` must be called, None for never."""
        return self._due

    # What happens

    def publish(self, notification: Container, now: datetime, stream: str = NETCONF.name) -> None:
        """Tell of an event, on NETCONF and on `stream`. What the model set does not have is not told."""
        (member,) = notification.children
        if member not in self._board.schema.notifications:
            return
        self._backlog.append((notification, stream))
        if self._publishing:
            return  # a session that ends because of one event is another event, which comes after it
        self._publishing = True
        try:
            while self._backlog:
                self._append(*self._backlog.pop(0), now)
        finally:
            self._publishing = False
        self._settle(now)

    def config_changed(
        self,
        old: Container,
        new: Container,
        now: datetime,
        by: Client | None = None,
        datastore: base_events.Datastore = "running",
    ) -> None:
        """Tell that a datastore has changed, by a client or by the server itself (None)."""
        if old is new:
            return
        board = self._board
        board.sources.forget()
        if f"{base_events.MODULE}:netconf-config-change" in board.schema.notifications:
            changes = diff(board.schema, old, new)
            if changes:
                self.publish(base_events.config_change(board.schema, changes, by, datastore), now)
        if datastore == "running":
            self._running_changed(old, new, now)
        self.datastores_changed(now)

    def _running_changed(self, old: Container, new: Container, now: datetime) -> None:
        if old.children.get(FILTERS) is not new.children.get(FILTERS):
            operations.follow_filters(self._board)
        if self._watch is not None and not self._begun:
            self._begin(self._watch, old)
        self._look_soon(now)

    def _begin(self, watch: Watch, old: Container) -> None:
        """Learn how the device was with its old configuration, of which nothing was told yet."""
        try:
            tree = self._board.sources.read_changing(OPERATIONAL)
        except SdqkdError:
            tree = EMPTY
        watch.begin(merge(self._board.schema, tree, old), old)
        self._begun = True

    def datastores_changed(self, now: datetime) -> None:
        """Look at all datastores but operational: what only those who subscribed to them need to know."""
        self._board.sources.forget()
        self._look(*(name for name in self._board.sources if name != OPERATIONAL))
        self._pump(now)

    def state_may_change(self, now: datetime) -> None:
        """Look at the device's state soon, if anybody wants to know."""
        self._look_soon(now)
        self._settle(now)

    def _look_soon(self, now: datetime) -> None:
        if self._look_at is None and (self._watch is not None or self._is_pushed()):
            self._look_at = _settled(now)

    def state_changed(self, now: datetime) -> None:
        """Look at the device's state now."""
        self._board.sources.forget()
        self._looked_at, self._look_at = now, None
        if self._watch is not None:
            self._let_watch(self._watch, now)
        self._look(OPERATIONAL)
        self._pump(now)

    def _let_watch(self, watch: Watch, now: datetime) -> None:
        try:
            tree = self._board.sources.read_changing(OPERATIONAL)
            if not self._begun:
                watch.begin(tree)
                self._begun = True
            notifications = watch.look(tree, now)
        except SdqkdError as error:
            _LOG.warning("the state of the device cannot be read: %s", error)
            self._look_at = _settled(now)
            return
        for notification in notifications:
            self.publish(notification, now, watch.stream.name)

    def session_started(self, client: Client, now: datetime) -> None:
        """Tell that a session has begun."""
        self.publish(base_events.session_start(client), now)

    def session_ended(
        self, client: Client, now: datetime, reason: base_events.Termination, killed_by: int | None = None
    ) -> None:
        """Tell that a session is over; its subscriptions are, too."""
        self.leave(client.session_id, now)
        self.publish(base_events.session_end(client, reason, killed_by), now)

    def commit_pending(
        self,
        event: base_events.ConfirmEvent,
        client: Client | None,
        now: datetime,
        timeout_s: int | None = None,
    ) -> None:
        """Tell how a confirmed commit goes."""
        self.publish(base_events.confirmed_commit(event, client, timeout_s), now)

    # Clients

    def perform(self, subscriber: Subscriber, operation: Element, now: datetime) -> bytes:
        """Do one of `operations` and give the content of the reply. Raises RpcError.

        The session's messages are held until it flushes, so that they come after the reply.
        """
        handler = self.operations[str(operation.tag)]
        content = handler(self._board, subscriber, operation, now)
        outlet = self._board.outlets.get(subscriber.id)
        if outlet is not None:
            outlet.held = True
        self._pump(now)
        return content

    def flush(self, session_id: int, now: datetime) -> None:
        """Send what a session may have now: it was answered, or it can take messages again."""
        outlet = self._board.outlets.get(session_id)
        if outlet is not None:
            outlet.held = False
            outlet.pump(now, self._turn())
            self._settle(now)

    def serves(self, session_id: int) -> bool:
        """Whether a session has a subscription."""
        return session_id in self._board.outlets

    def leave(self, session_id: int, now: datetime) -> None:
        """Forget a session that is gone."""
        if self._board.outlets.pop(session_id, None) is not None:
            self._settle(now)

    def check(self, proposed: Container) -> None:
        """Raise RpcError for a configuration of what only clients can ask for here: subscriptions."""
        if f"{SN}:subscriptions" in proposed.children:
            message = "subscriptions cannot be configured here; clients establish them"
            raise RpcError("operation-not-supported", message, path=f"/{SN}:subscriptions")

    def state(self) -> Container:
        """What `get` shows of streams and subscriptions."""
        return state_of(self._board)

    # Time

    def tick(self, now: datetime) -> datetime | None:
        """Do what is due, and say when to call again; None for never."""
        self._due = None  # so that `wake` is told again, even if it came too early
        look_at = self._next_look()
        if look_at is not None and look_at <= now:
            self.state_changed(now)
        else:
            self._pump(now)
        return self._due

    def _next_look(self) -> datetime | None:
        """When the device's state must be looked at."""
        moments = [self._look_at, self._watch.due if self._watch is not None else None]
        if self._board.limits.poll is not None and self._is_listened():
            moments.append(self._looked_at + self._board.limits.poll)
        due = min(filter(None, moments), default=None)
        return None if due is None else max(due, self._looked_at + _SETTLING)

    def _is_listened(self) -> bool:
        """Whether a client wants to hear of what only looking can find."""
        return self._is_pushed() or (self._watch is not None and any(self._readers()))

    def _is_pushed(self) -> bool:
        """Whether a client is told of the device's state when it changes."""
        return any(
            isinstance(one, OnChangePush) and one.terms.datastore == OPERATIONAL
            for outlet in self._board.outlets.values()
            for one in outlet.subscriptions
        )

    def _readers(self) -> Iterator[StreamReader]:
        for outlet in self._board.outlets.values():
            for one in outlet.subscriptions:
                if isinstance(one, LegacySubscription | StreamSubscription):
                    yield one.reader

    # The work

    def _append(self, notification: Container, stream: str, now: datetime) -> None:
        board = self._board
        (member,) = notification.children
        payload = payload_of(board.schema, notification)
        streams = [board.streams[name] for name in dict.fromkeys((NETCONF.name, stream))]
        for one in streams:
            one.append(now, member, payload)
        self._give_turns(now)
        for one in streams:
            one.age_out(self._needed(one))

    def _needed(self, stream: Stream) -> int | None:
        """The first event that a client has still to read."""
        needs = (reader.needs for reader in self._readers() if reader.stream is stream)
        return min((number for number in needs if number is not None), default=None)

    def _look(self, *datastores: str) -> None:
        for _, subscription in self._board.dynamic():
            if isinstance(subscription, OnChangePush) and subscription.terms.datastore in datastores:
                subscription.look()

    def _pump(self, now: datetime) -> None:
        self._give_turns(now)
        self._settle(now)

    def _give_turns(self, now: datetime) -> None:
        """Let all sessions have what is there for them: first who had to wait, last who is not done."""
        is_over, outlets = self._turn(), self._board.outlets
        queue = sorted(outlets.items(), key=lambda item: not item[1].postponed)
        for number, (session_id, outlet) in enumerate(queue):
            if number and is_over():
                outlet.postpone(now)
                continue
            outlet.pump(now, is_over)
            if outlet.postponed and session_id in outlets:
                outlets[session_id] = outlets.pop(session_id)

    def _settle(self, now: datetime) -> None:
        """End what is broken, forget what is over, and say when to be woken."""
        board = self._board
        board.sources.forget()
        self._end_broken()
        for session_id in [number for number, outlet in board.outlets.items() if not outlet.subscriptions]:
            del board.outlets[session_id]
        moments = [outlet.due for outlet in board.outlets.values()]
        due = min(filter(None, (*moments, self._next_look())), default=None)
        if due != self._due:
            self._due = due
            self._wake(due)

    def _end_broken(self) -> None:
        """End the sessions that cannot be told what they should have been; each end may break others."""
        if self._ending:
            return
        self._ending = True
        outlets = self._board.outlets
        try:
            while broken := next(((number, one.broken) for number, one in outlets.items() if one.broken), None):
                session_id, reason = broken
                outlets.pop(session_id).subscriber.end(reason)
        finally:
            self._ending = False
