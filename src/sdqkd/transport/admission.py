"""Who may come in, and how many: decided here without sockets and without a clock.

One Gate serves all ports of an agent. A connection that has not logged in is a *visit* that waits; there is room
for some from each source and for some in all. Who comes when the room is full is let in, and the oldest visit that
has not said a word leaves for it: silent connections never keep an honest client out.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from sdqkd.transport.socket_link import Patience

_FREE_STRIKES = 10.0  # connections without a login that a source may have before it is slowed down
_STRIKES_PER_S = 1.0  # of these, how fast they are forgotten
_DELAY_PER_STRIKE_S = 0.02
_MAX_DELAY_S = 0.3
_MAX_SOURCES = 4096
_RESERVED = 4  # sessions that are left for who must always come in


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a server bears. A login takes a place; so does each session after the first of a connection."""

    max_sessions: int = 256
    max_sessions_per_user: int = 128
    max_channels: int = 10  # of one SSH connection; OpenSSH's MaxSessions
    max_waiting: int = 128  # connections that have not logged in
    max_waiting_per_source: int = 32
    login_timeout_s: float = 30.0  # to log in, and then again to open a session
    keepalive_s: float = 20.0  # of silence, after which the peer is asked whether it lives
    patience: Patience = field(default_factory=Patience)


@dataclass(slots=True, eq=False)
class Visit:
    """One connection, from its arrival to its end. `turn_away` ends it at once."""

    source: str
    turn_away: Callable[[], None]
    is_silent: Callable[[], bool] = lambda: True
    user: str | None = None  # None until it has logged in
    places: int = 0
    turned_away: bool = False
    called: bool = False  # we have opened it: it is nobody's fault if nobody logs in
    on_left: Callable[[], None] = lambda: None


class Gate:
    """The books of all connections of one server. Times are monotonic seconds.

    For the users `always` some places are left when all others are taken, so that they can end sessions.
    """

    def __init__(self, limits: Limits | None = None, always: Collection[str] = ()) -> None:
        self.limits = limits or Limits()
        self._always = frozenset(always)
        self._waiting: dict[Visit, None] = {}  # oldest first
        self._places: Counter[str] = Counter()  # taken by each user
        self._strikes: dict[str, tuple[float, float]] = {}  # by source: how many there were at what time

    @property
    def waiting(self) -> int:
        """How many connections have not logged in."""
        return len(self._waiting)

    def arrive(self, address: str, turn_away: Callable[[], None]) -> Visit:
        """Let a connection from an address in; another may have to leave for it."""
        visit = Visit(source_of(address), turn_away)
        self._waiting[visit] = None
        if (crowd := self._crowd(visit.source)) is not None:
            self._make_room([other for other in self._waiting if other.source == crowd])
        return visit

    def call(self, address: str) -> Visit:
        """Take in a connection that we have opened."""
        return Visit(source_of(address), lambda: None, called=True)

    def delay_s(self, visit: Visit, now: float) -> float:
        """Say how long to let a connection wait: a source that fails to log in again and again is slowed down."""
        excess = self._strikes_of(visit.source, now) - _FREE_STRIKES
        return min(max(excess, 0.0) * _DELAY_PER_STRIKE_S, _MAX_DELAY_S)

    def enter(self, visit: Visit, user: str) -> str | None:
        """Let a user in who has logged in. Give the reason if that is refused."""
        self._waiting.pop(visit, None)
        visit.user = user
        return self.take_place(visit)

    def take_place(self, visit: Visit) -> str | None:
        """Count one more session of a connection. Give the reason if that is refused."""
        user, limits = visit.user or "", self.limits
        if self._places[user] >= limits.max_sessions_per_user:
            return f"user {user!r} has {self._places[user]} sessions, as many as one user may have"
        if self._places.total() >= limits.max_sessions + (_RESERVED if user in self._always else 0):
            return f"{self._places.total()} sessions are open, as many as are served"
        self._places[user] += 1
        visit.places += 1
        return None

    def give_place_back(self, visit: Visit) -> None:
        """Count one session of a connection less; the connection itself keeps one place."""
        if visit.places > 1:
            self._free(visit, 1)

    def leave(self, visit: Visit, now: float) -> None:
        """Forget a connection that has ended."""
        self._waiting.pop(visit, None)
        if visit.user is None and not visit.called:
            self._strike(visit.source, now)
        self._free(visit, visit.places)
        visit.on_left()

    def _free(self, visit: Visit, places: int) -> None:
        visit.places -= places
        user = visit.user or ""
        self._places[user] -= places
        if not self._places[user]:
            del self._places[user]

    def _crowd(self, source: str) -> str | None:
        """Name the source that is to lose a connection; None if there is room."""
        by_source = Counter(visit.source for visit in self._waiting)
        if by_source[source] > self.limits.max_waiting_per_source:
            return source
        if len(self._waiting) > self.limits.max_waiting:
            return by_source.most_common(1)[0][0]
        return None

    def _make_room(self, crowd: list[Visit]) -> None:
        """Turn the oldest away, if possible one that has not said a word; never the one that has just come."""
        older = crowd[:-1] or crowd
        unlucky = next((visit for visit in older if visit.is_silent()), older[0])
        del self._waiting[unlucky]
        unlucky.turned_away = True
        unlucky.turn_away()

    def _strikes_of(self, source: str, now: float) -> float:
        strikes, then = self._strikes.get(source, (0.0, now))
        return max(0.0, strikes - (now - then) * _STRIKES_PER_S)

    def _strike(self, source: str, now: float) -> None:
        strikes = self._strikes_of(source, now)
        self._strikes.pop(source, None)
        self._strikes[source] = (strikes + 1, now)
        if len(self._strikes) > _MAX_SOURCES:
            del self._strikes[next(iter(self._strikes))]  # who has not failed for the longest time


def source_of(address: str) -> str:
    """Name where an address belongs to: one host has a whole /64 of IPv6."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, 64), strict=False))
