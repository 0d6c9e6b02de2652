"""The open sessions of an agent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


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
