"""The open sessions of an agent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(slots=True)
class Counters:
    """What netconf-state counts of a session, and in all: RFC 6022 section 2.1.5."""

    in_rpcs: int = 0
    in_bad_rpcs: int = 0
    out_rpc_errors: int = 0
    out_notifications: int = 0

    def add(self, other: Counters) -> None:
        """Count what another has counted, too."""
        self.in_rpcs += other.in_rpcs
        self.in_bad_rpcs += other.in_bad_rpcs
        self.out_rpc_errors += other.out_rpc_errors
        self.out_notifications += other.out_notifications


class Session(Protocol):
    """One open session, as operations see it. `protocol` is what carries it, `ssh` or `tls`."""

    id: int
    username: str
    peer: str
    protocol: str
    login_time: datetime
    counters: Counters

    def close_after_reply(self) -> None:
        """End in good order as soon as the current call is answered."""
        ...

    def end(self, reason: str) -> None:
        """End now."""
        ...


class Sessions:
    """The open sessions by their ids, which are never used twice, and what there was of others."""

    def __init__(self) -> None:
        self._open: dict[int, Session] = {}
        self._past = Counters()
        self.started = 0
        self.bad_hellos = 0
        self.dropped = 0

    def next_id(self) -> int:
        """Give a new session-id, from 1."""
        self.started += 1
        return self.started

    def counters(self) -> Counters:
        """Count over all sessions, the ended ones too."""
        total = Counters()
        for counters in (self._past, *(session.counters for session in self)):
            total.add(counters)
        return total

    def add(self, session: Session) -> None:
        """Take in a session that has got its id."""
        self._open[session.id] = session

    def remove(self, session: Session) -> None:
        """Forget a session that has ended."""
        if self._open.pop(session.id, None) is not None:
            self._past.add(session.counters)

    def get(self, session_id: int) -> Session | None:
        """Find an open session."""
        return self._open.get(session_id)

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._open.values()))

    def __len__(self) -> int:
        return len(self._open)
