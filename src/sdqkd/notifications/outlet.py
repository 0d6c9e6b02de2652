"""Where messages leave: a session with its subscriptions. A message is made when the session can take it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sdqkd.notifications.message import Message
from sdqkd.notifications.subscription import DynamicSubscription
from sdqkd.schema.tree import Container


class Subscriber(Protocol):
    """A session, as notifications see it."""

    @property
    def id(self) -> int:
        """Its session-id."""
        ...

    @property
    def ready(self) -> bool:
        """Whether it can take a message now; when it can again, it flushes."""
        ...

    def notify(self, message: bytes) -> None:
        """Send a <notification>, unframed."""
        ...

    def end(self, reason: str) -> None:
        """End the session: it cannot be told what it should have been."""
        ...

    def may_receive(self, notification: str) -> bool:
        """Whether access control lets it have this notification, `module:name`: RFC 8341 section 3.4.6."""
        ...

    @property
    def reads_all(self) -> bool:
        """Whether there is nothing that it may not read."""
        ...

    def may_read(self, path: str) -> bool:
        """Whether it may read a node of a datastore, with all above it."""
        ...

    def readable(self, tree: Container) -> Container:
        """What access control lets it read of a datastore; the same tree if that is all."""
        ...


class Subscription(Protocol):
    """What an outlet asks for messages."""

    @property
    def broken(self) -> str | None:
        """Why the session must end, None as long as it need not."""
        ...

    @property
    def over(self) -> bool:
        """Whether it will never have anything to say again."""
        ...

    @property
    def due(self) -> datetime | None:
        """When it has something to say even if nothing happens."""
        ...

    def next_message(self, now: datetime) -> Message | None:
        """The next message, None if there is none for now."""
        ...


# How many messages a session gets of each subscription before others have their turn, if that is not over before.
TURN_MESSAGES = 64


def never() -> bool:
    """Say that a turn is not over."""
    return False


@dataclass(slots=True)
class Outlet:
    """The subscriptions of one session. It is held from a call about them until the reply is on its way."""

    subscriber: Subscriber
    subscriptions: list[Subscription] = field(default_factory=list)
    held: bool = False
    _pumping: bool = False
    _interrupted: datetime | None = None

    @property
    def dynamic(self) -> list[DynamicSubscription]:
        """Those of RFC 8639."""
        return [one for one in self.subscriptions if isinstance(one, DynamicSubscription)]

    @property
    def blocked(self) -> bool:
        """Whether nothing can leave before the session flushes."""
        return self.held or not self.subscriber.ready

    @property
    def due(self) -> datetime | None:
        """When it must be pumped even if nothing happens."""
        if self.blocked:
            return None
        return self._interrupted or min(
            (due for one in self.subscriptions if (due := one.due) is not None), default=None
        )

    @property
    def broken(self) -> str | None:
        """Why the session must end, None as long as it need not."""
        return next((one.broken for one in self.subscriptions if one.broken), None)

    @property
    def postponed(self) -> bool:
        """Whether its turn was over before it was done."""
        return self._interrupted is not None

    def postpone(self, now: datetime) -> None:
        """Let it have its turn later."""
        self._interrupted = now

    def pump(self, now: datetime, is_over: Callable[[], bool] = never) -> None:
        """Send what there is, each subscription in turn, until the session is full or its turn `is_over`."""
        if self._pumping:
            return
        self._pumping, self._interrupted = True, None
        try:
            for _ in range(TURN_MESSAGES):
                if not self._round(now, is_over):
                    break
            else:
                self._interrupted = now
        finally:
            self._pumping = False
        self.subscriptions = [one for one in self.subscriptions if not one.over]

    def _round(self, now: datetime, is_over: Callable[[], bool]) -> bool:
        """Ask each for a message; tell whether there may be more in this turn."""
        sent = False
        for one in tuple(self.subscriptions):
            if self.blocked:
                return False
            message = one.next_message(now)
            if message is not None:
                self.subscriber.notify(message.xml())
                sent = True
            if is_over():
                self._interrupted = now
                return False
        return sent


@dataclass(slots=True)
class View:
    """What one subscriber sees of a datastore: readable, and selected. Nothing is done twice for the same tree."""

    read: Callable[[], Container]
    subscriber: Subscriber
    select: Callable[[Container], Container]
    _tree: Container | None = None
    _selected: Container | None = None

    def __call__(self) -> Container:
        """The selection now."""
        tree = self.subscriber.readable(self.read())
        if self._selected is None or tree is not self._tree:
            self._tree, self._selected = tree, self.select(tree)
        return self._selected
