"""Session keys of protected connections: which one is in use, and since when. Identifiers only, never a key.

Pure: time is an argument, in seconds of any clock that does not go back. Both ends of a connection share a
session, so they show the same identifier.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:sdqkd:emulated-session-key")


class Connection(NamedTuple):
    """A connection by its name and the two encryptors, in the order of their names."""

    name: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class Session:
    """`used` session keys were used before `since_s`; from then on one an interval. `since_s` None: down."""

    used: int = 0
    since_s: float | None = None
    interval_s: int = 1

    def count(self, now_s: float) -> int:
        """How many session keys were used until now."""
        return (
            self.used if self.since_s is None else self.used + 1 + int(self._elapsed_s(now_s)) // self.interval_s
        )

    def age_s(self, now_s: float) -> int:
        """Age of the session key in use, in whole seconds."""
        return int(self._elapsed_s(now_s)) % self.interval_s

    def _elapsed_s(self, now_s: float) -> float:
        return 0.0 if self.since_s is None else max(0.0, now_s - self.since_s)


Sessions = Mapping[Connection, Session]


def connection_of(name: str, device: str, peer: str) -> Connection:
    """The connection, whichever end asks."""
    return Connection(name, *sorted((device, peer)))


def key_id(connection: Connection, count: int) -> str:
    """Identifier of the session key of this number: the same at both ends, another for every key."""
    return str(uuid.uuid5(_NAMESPACE, "\n".join((*connection, str(count)))))


def rekeyed(session: Session, at_s: float) -> Session:
    """The session of a connection that is up, with another key from `at_s` on."""
    return Session(session.count(at_s), at_s, session.interval_s)


def advanced(sessions: Sessions, up: Mapping[Connection, int], at_s: float) -> dict[Connection, Session]:
    """Sessions after a change at `at_s`: those in `up`, with their intervals, run on or start, the others end."""
    after = {}
    for connection in {**sessions, **up}:
        session = sessions.get(connection, Session())
        interval_s = up.get(connection)
        running = session.since_s is not None
        if interval_s is None:
            after[connection] = Session(session.count(at_s)) if running else session
        elif running and session.interval_s == interval_s:
            after[connection] = session
        else:
            after[connection] = Session(session.count(at_s), at_s, interval_s)
    return after
