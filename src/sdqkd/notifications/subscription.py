"""Dynamic subscriptions of RFC 8639: what all of them share, and those to event streams.

A subscription is asked for its next message whenever its client can take one; nothing waits in a queue but the
few notifications about the subscription itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from datetime import datetime
from typing import Literal

from sdqkd.notifications.filters import TooMuchWorkError
from sdqkd.notifications.message import Message, payload_of
from sdqkd.notifications.reader import Mark, StreamReader
from sdqkd.notifications.refusals import SN
from sdqkd.notifications.streams import Event
from sdqkd.notifications.terms import Terms
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container, Node

State = Literal["replay-completed", "subscription-modified", "subscription-resumed", "subscription-suspended",
                "subscription-terminated", "subscription-completed"]  # fmt: skip


class DynamicSubscription(ABC):
    """One subscription that a client has established and may modify, delete, or see ended."""

    def __init__(self, schema: Schema, number: int, terms: Terms) -> None:
        self.schema = schema
        self.id = number
        self.terms = terms
        self.ended = False
        self.suspended = False
        self._news: deque[Container] = deque()

    broken: str | None = None  # a loss can be told here, so it never ends the session

    @property
    def over(self) -> bool:
        """Whether it will never have anything to say again."""
        return self.ended and not self._news

    @property
    def due(self) -> datetime | None:
        """When it has something to say even if nothing happens."""
        if self.ended:
            return None
        return min(filter(None, (self._next_due(), self.terms.stop)), default=None)

    def next_message(self, now: datetime) -> Message | None:
        """The next message, None if there is none for now."""
        message = None
        if not self._news and not self.ended:
            message = self._next(now)
        if message is None and self._news:
            message = Message(now, payload_of(self.schema, self._news.popleft()))
        return message

    def change(self, terms: Terms) -> None:
        """Go on with other terms, and say so. One that was suspended is so no longer (section 2.4.3)."""
        self.terms, self.suspended = terms, False
        self._tell("subscription-modified", dict(terms.tree.children))

    def terminate(self, reason: str) -> None:
        """End it; `reason` is an identity, as `module:name`."""
        self._tell("subscription-terminated", {"reason": reason})
        self.ended = True

    def complete(self) -> None:
        """End it at its stop time. Only servers with configured subscriptions have a notification for that."""
        self._tell("subscription-completed")
        self.ended = True

    def suspend(self, reason: str) -> None:
        """Send nothing for now; `reason` is an identity, as `module:name`."""
        if not self.suspended:
            self.suspended = True
            self._tell("subscription-suspended", {"reason": reason})

    def resume(self) -> None:
        """Send again what there is."""
        if self.suspended:
            self.suspended = False
            self._tell("subscription-resumed")

    def _tell(self, state: State, content: dict[str, Node] | None = None) -> None:
        member = f"{SN}:{state}"
        if member in self.schema.notifications:
            self._news.append(Container({member: Container({"id": str(self.id), **(content or {})})}))

    @property
    @abstractmethod
    def counts(self) -> tuple[int, int]:
        """How many event records were sent, and how many the filter held back."""

    @abstractmethod
    def _next(self, now: datetime) -> Message | None:
        """The next message beside those about the subscription itself; may `_tell` or `complete`."""

    @abstractmethod
    def _next_due(self) -> datetime | None:
        """When `_next` has something even if nothing happens; the stop time is not its concern."""


class StreamSubscription(DynamicSubscription):
    """A subscription to an event stream. Of a loss it says that it was suspended for a while."""

    def __init__(self, schema: Schema, number: int, terms: Terms, reader: StreamReader) -> None:
        super().__init__(schema, number, terms)
        self.reader = reader

    @property
    def counts(self) -> tuple[int, int]:
        """How many event records were sent, and how many the filter held back."""
        return self.reader.sent, self.reader.excluded

    def change(self, terms: Terms) -> None:
        """Go on with other terms; the filter is set at the reader."""
        self.reader.stop = terms.stop
        super().change(terms)

    def _next(self, now: datetime) -> Message | None:
        while not (self._news or self.ended):
            item = self._read(now)
            if isinstance(item, Event):
                return Message(item.time, item.payload)
            if item is None:
                return None
            self._mark(item)
        return None

    def _read(self, now: datetime) -> Event | Mark | None:
        if self.suspended:  # only other terms can help
            return Mark.DONE if self.terms.stop is not None and now >= self.terms.stop else None
        try:
            return self.reader.read(now)
        except TooMuchWorkError:
            self.suspend(f"{SN}:insufficient-resources")
            return None

    def _mark(self, mark: Mark) -> None:
        if mark is Mark.REPLAYED:
            self._tell("replay-completed")
        elif mark is Mark.DONE:
            self.reader.done = True
            self.complete()
        else:
            self.suspend(f"{SN}:unsupportable-volume")
            self.resume()

    def _next_due(self) -> datetime | None:
        return self.reader.interrupted
