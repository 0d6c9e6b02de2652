"""What an SSH server does on a connection, whoever has opened it: log a user in, serve the netconf subsystem."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncssh

from sdqkd.errors import InputError
from sdqkd.transport.admission import Gate, Limits, Visit
from sdqkd.transport.door import Endable
from sdqkd.transport.keys import OWN_KEY_TYPES, read_public
from sdqkd.transport.links import Receiver
from sdqkd.transport.socket_link import Patience, log_failure, peer_of, printable
from sdqkd.transport.ssh_lean import make_lean, packet_bytes, pause_socket, refuse_variables
from sdqkd.transport.ssh_link import (
    ALGORITHMS,
    PACKET_BYTES,
    REKEY_BYTES,
    REKEY_S,
    SUBSYSTEM,
    WINDOW_BYTES,
    SshLink,
    watch_socket,
)

MAX_LOGIN_FAILURES = 6  # of one connection; OpenSSH's MaxAuthTries

_MAX_REFUSALS = 50  # of channels and their wishes; a client that goes on after them is ended
_MIN_PACKET_BYTES = 1024  # a peer that takes less would have us make a packet of every few bytes
_VERSION = "sdqkd"  # all that a scanner learns: `SSH-2.0-sdqkd`
_CLOSE_TIMEOUT_S = 5.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SshService:
    """What all connections of one server share."""

    users: Mapping[str, frozenset[bytes]]  # public keys in SSH's binary form
    make_receiver: Callable[[], Receiver]
    gate: Gate


def server_options(limits: Limits) -> dict[str, Any]:
    """Give asyncssh's options for a server that allows nothing but what NETCONF needs."""
    refused = ("password_auth", "kbdint_auth", "host_based_auth", "gss_kex", "gss_auth", "allow_pty")
    return {
        **ALGORITHMS,
        **dict.fromkeys(refused, False),
        "agent_forwarding": False,
        "gss_host": None,
        "x509_trusted_certs": None,
        "x11_forwarding": False,
        "allow_scp": False,
        "line_editor": False,
        "encoding": None,
        "server_version": _VERSION,
        "signature_algs": list(OWN_KEY_TYPES),
        "login_timeout": limits.login_timeout_s,
        "keepalive_interval": limits.keepalive_s,
        "rekey_bytes": REKEY_BYTES,
        "rekey_seconds": REKEY_S,
        "window": WINDOW_BYTES,
        "max_pktsize": PACKET_BYTES,
    }


def read_users(users: Mapping[str, Sequence[str]]) -> dict[str, frozenset[bytes]]:
    """Read the public keys of each user. Raises InputError that names the user of a bad one."""
    return {name: frozenset(_user_key(name, text) for text in texts) for name, texts in users.items()}


def _user_key(user: str, text: str) -> bytes:
    try:
        return read_public(text, OWN_KEY_TYPES).public_data
    except InputError as error:
        raise InputError(f"user {user!r}: {error.message}") from None


class SshConnection(asyncssh.SSHServer):
    """One client's connection: who it is, and its channels. Everything that is not allowed here is refused."""

    def __init__(self, service: SshService, visit: Visit, connections: set[Endable]) -> None:
        self._service = service
        self._gate = service.gate
        self._visit = visit
        self._connections = connections
        self._links: set[SshLink] = set()
        self._socket_full = False
        self._failures = 0
        self._refusals = 0
        self._ending = False
        self._wait_for_session: asyncio.TimerHandle | None = None

    # What asyncssh calls

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Take note of a connection on which nobody has logged in."""
        self._conn = conn
        self.peer = peer_of(conn)
        self._visit.is_silent = lambda: not conn.get_extra_info("client_version")
        self._connections.add(self)
        make_lean(conn)
        watch_socket(conn, self._full, self._empty)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._connections.discard(self)
        self._stop_waiting()
        if self._visit.turned_away:
            _log.info("%s was turned away: too many connections wait for a login", self.peer)
        elif self._visit.user is None:
            _log.info("%s did not log in: %s", self.peer, printable(exc) if exc else "it went away")
        self._gate.leave(self._visit, asyncio.get_running_loop().time())

    def begin_auth(self, username: str) -> bool:
        """Ask everybody to log in."""
        return True

    def public_key_auth_supported(self) -> bool:
        """Let them do so by key."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Take the same way for a user who does not exist as for a wrong key."""
        if key.public_data in self._service.users.get(username, frozenset()):
            return True
        _log.info("%s may not log in as %r with key %s", self.peer, username, key.get_fingerprint())
        self._failures += 1
        if self._failures >= MAX_LOGIN_FAILURES:
            raise asyncssh.PermissionDenied("too many login failures")
        return False

    def auth_completed(self) -> None:
        """Let the user in, if there is a place."""
        username = str(self._conn.get_extra_info("username"))
        refusal = self._gate.enter(self._visit, username)
        if refusal is not None:
            _log.warning("%s may not log in: %s", self.peer, refusal)
            self._conn.disconnect(asyncssh.DISC_TOO_MANY_CONNECTIONS, refusal)
            return
        _log.info("%s logged in as %r", self.peer, username)
        loop = asyncio.get_running_loop()
        self._wait_for_session = loop.call_later(self._gate.limits.login_timeout_s, self._no_session)

    def session_requested(self) -> asyncssh.SSHServerSession[bytes]:
        """Give a new channel its session. Raises ChannelOpenError, with a reason that the client is told."""
        if (reason := self._no_room()) is not None:
            self._count_refusal(reason)
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_RESOURCE_SHORTAGE, reason)
        try:
            receiver = self._service.make_receiver()
        except Exception as error:
            if self._links:
                self._gate.give_place_back(self._visit)
            log_failure("no session can be made for %s", self.peer, error)
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "no session can be made now") from None
        link = _Channel(self, receiver, self._visit.user or "", self.peer, self._gate.limits.patience)
        if self._socket_full:
            link.hold("socket")
        self._links.add(link)
        return link

    # What the listener calls

    async def end(self) -> None:
        """Close all channels, then the connection."""
        self._ending = True
        for link in list(self._links):
            link.close()
        if not self._links:
            self._conn.close()
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self._conn.wait_closed()
        except TimeoutError:
            self._conn.abort()
            await self._conn.wait_closed()

    # What channels call

    def started(self) -> None:
        """Learn that there is a session."""
        self._stop_waiting()

    def refuse(self, wish: str) -> bool:
        """Refuse a wish of a channel."""
        self._count_refusal(f"asks for {wish}, which is not served")
        return False

    def forget(self, link: SshLink) -> None:
        """Close the connection with its last session; a client whose wish was refused may have another wish."""
        if link not in self._links:
            return
        self._links.discard(link)
        self._gate.give_place_back(self._visit)
        if not self._links and (link.made or self._ending):
            self._conn.close()

    # For itself

    def _no_room(self) -> str | None:
        if len(self._links) >= self._gate.limits.max_channels:
            return f"this connection has {len(self._links)} channels, as many as one may have"
        return self._gate.take_place(self._visit) if self._links else None

    def _count_refusal(self, reason: str) -> None:
        _log.info("%s is refused a channel: %s", self.peer, reason)
        self._refusals += 1
        if self._refusals > _MAX_REFUSALS:
            _log.warning("%s asks for channels without end and is disconnected", self.peer)
            self._conn.abort()

    def _no_session(self) -> None:
        _log.info("%s logged in and opened no session", self.peer)
        self._conn.disconnect(asyncssh.DISC_BY_APPLICATION, "no netconf session was opened in time")

    def _stop_waiting(self) -> None:
        if self._wait_for_session is not None:
            self._wait_for_session.cancel()

    def _full(self) -> None:
        self._socket_full = True
        pause_socket(self._conn, True)
        for link in list(self._links):
            link.hold("socket")

    def _empty(self) -> None:
        self._socket_full = False
        pause_socket(self._conn, False)
        for link in list(self._links):
            link.let_go("socket")


class _Channel(SshLink, asyncssh.SSHServerSession[bytes]):
    """A channel of a logged-in client, which may ask for the netconf subsystem and for nothing else."""

    def __init__(
        self, owner: SshConnection, receiver: Receiver, username: str, peer: str, patience: Patience
    ) -> None:
        super().__init__(receiver, username, peer, patience)
        self._owner = owner

    def connection_made(self, chan: Any) -> None:
        refuse_variables(chan)
        super().connection_made(chan)

    def pty_requested(self, term_type: str, term_size: Any, term_modes: Any) -> bool:
        return False

    def shell_requested(self) -> bool:
        return self._owner.refuse("a shell")

    def exec_requested(self, command: str) -> bool:
        return self._owner.refuse("a command")

    def subsystem_requested(self, subsystem: str) -> bool:
        if subsystem != SUBSYSTEM:
            return self._owner.refuse(f"subsystem {subsystem!r}")
        if self._channel is not None and packet_bytes(self._channel) < _MIN_PACKET_BYTES:
            return self._owner.refuse(f"packets of {packet_bytes(self._channel)} bytes")
        self._owner.started()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._owner.forget(self)
