"""What all sessions of an agent share, and which sessions there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from sdqkd.datastore.datastores import Datastores
from sdqkd.netconf.session import SERVER_MAX_MESSAGE_BYTES
from sdqkd.schema.table import Schema


class Timer(Protocol):
    """A call that is still to come."""

    def cancel(self) -> None:
        """Call it off."""
        ...


CallLater: TypeAlias = Callable[[float, Callable[[], None]], Timer]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an agent bears from a client. Times in seconds."""

    hello_timeout_s: float = 30.0
    max_message_bytes: int = SERVER_MAX_MESSAGE_BYTES


class Session(Protocol):
    """One open session, as operations see it."""

    id: int
    username: str
    peer: str

    def close_after_reply(self) -> None:
        """End in good order as soon as the current call is answered."""
        ...

    def end(self, reason: str) -> None:
        """End now."""
        ...


class Sessions:
    """The open sessions by their ids, which are never used twice."""

    def __init__(self) -> None:
        self._open: dict[int, Session] = {}
        self._last_id = 0

    def next_id(self) -> int:
        """Give a new session-id, from 1."""
        self._last_id += 1
        return self._last_id

    def add(self, session: Session) -> None:
        """Take in a session that has got its id."""
        self._open[session.id] = session

    def remove(self, session: Session) -> None:
        """Forget a session that has ended."""
        self._open.pop(session.id, None)

    def get(self, session_id: int) -> Session | None:
        """Find an open session."""
        return self._open.get(session_id)

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._open.values()))

    def __len__(self) -> int:
        return len(self._open)


@dataclass(frozen=True, slots=True)
class Service:
    """What all sessions of an agent share. `name` is the device's, for the logs.

    `namespaces` gives the namespace of each module; `call_later` takes seconds and what to do then.
    """

    name: str
    schema: Schema
    datastores: Datastores
    sessions: Sessions
    capabilities: tuple[str, ...]
    namespaces: Mapping[str, str]
    limits: Limits
    call_later: CallLater
