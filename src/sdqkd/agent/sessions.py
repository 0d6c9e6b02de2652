"""The open sessions of an agent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

# How a session ended, as RFC 6470 names it.
Termination: TypeAlias = Literal["closed", "killed", "dropped", "timeout", "bad-hello", "other"]


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

    @property
    def writable(self) -> bool:
        """Whether it may get a notification now: it has said hello, and reads what it gets."""
        ...

    def notify(self, message: bytes) -> None:
        """Send a <notification>, unframed."""
        ...

    def close_after_reply(self) -> None:
        """End in good order as soon as the current call is answered."""
        ...

    def end(self, reason: str, how: Termination, killed_by: int | None = None) -> None:
        """End now; the reason is for people. `killed_by` is the session that wants it."""
        ...


class Sessions:
    """The open sessions by their ids, which are never used twice, and what there was of others."""

    def __init__(self) -> None:
        self._open: dict[int, Session] = {}
        self._waiting: dict[int, int] = {}
        self._waiting_bytes = 0
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

    def remove(self, session: Session, how: Termination) -> None:
        """Forget a session that has ended."""
        del self._open[session.id]
        self._past.add(session.counters)
        self.bad_hellos += how == "bad-hello"
        self.dropped += how in ("dropped", "timeout")
        self.weigh(session, 0)

    def weigh(self, session: Session, waiting_bytes: int) -> int:
        """Note how much a session has received that is no whole message yet; give the sum over all sessions."""
        self._waiting_bytes += waiting_bytes - self._waiting.pop(session.id, 0)
        if waiting_bytes:
            self._waiting[session.id] = waiting_bytes
        return self._waiting_bytes

    def heaviest(self) -> Session:
        """Give the session that has most waiting; there must be one."""
        return self._open[max(self._waiting, key=self._waiting.__getitem__)]

    def get(self, session_id: int) -> Session | None:
        """Find an open session."""
        return self._open.get(session_id)

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._open.values()))

    def __len__(self) -> int:
        return len(self._open)


def host_of(peer: str) -> str:
    """Take the port off `host:port`, and the brackets off an IPv6 address."""
    host = peer.rpartition(":")[0] or peer
    return host.removeprefix("[").removesuffix("]")
