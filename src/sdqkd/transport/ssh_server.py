"""NETCONF over SSH, the server's end: RFC 6242. Only the netconf subsystem, only logins by public key."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from sdqkd.errors import InputError, TransportError
from sdqkd.transport.keys import OWN_KEY_TYPES, read_private, read_public
from sdqkd.transport.links import Receiver
from sdqkd.transport.ssh_link import (
    ALGORITHMS,
    KEEPALIVE_S,
    SUBSYSTEM,
    SshLink,
    address,
    log_failure,
    printable,
    watch_socket,
)

LOGIN_TIMEOUT_S = 30.0
MAX_LOGIN_FAILURES = 6  # of one connection; OpenSSH's MaxAuthTries
MAX_CHANNELS = 10  # of one connection; OpenSSH's MaxSessions

_VERSION = "sdqkd"  # all that a scanner learns: `SSH-2.0-sdqkd`
_BACKLOG = 256
_CLOSE_TIMEOUT_S = 5.0

_log = logging.getLogger(__name__)


class Listener:
    """A listening server. `port` is the real one, also when 0 was asked for."""

    def __init__(self, acceptor: asyncssh.SSHAcceptor, host: str, connections: set[_Connection]) -> None:
        self.host = host
        self.port = int(acceptor.get_addresses()[0][1])
        self._acceptor = acceptor
        self._connections = connections

    async def close(self) -> None:
        """Accept nothing more and end all connections, with what they still have to send, within seconds."""
        self._acceptor.close()
        await asyncio.gather(*(connection.end() for connection in list(self._connections)))
        await self._acceptor.wait_closed()


@dataclass
class _Service:
    """What all connections of one server share."""

    users: Mapping[str, frozenset[bytes]]  # public keys in SSH's binary form
    make_receiver: Callable[[], Receiver]
    max_channels: int
    connections: set[_Connection] = field(default_factory=set)


async def listen(
    host: str,
    port: int,
    host_key: Path,
    users: Mapping[str, Sequence[str]],
    make_receiver: Callable[[], Receiver],
    *,
    login_timeout_s: float = LOGIN_TIMEOUT_S,
    keepalive_s: float = KEEPALIVE_S,
    max_channels: int = MAX_CHANNELS,
) -> Listener:
    """Serve NETCONF on an address; port 0 takes a free one. `users` gives the public keys of each user.

    Raises InputError for a bad host key file or public key, TransportError if the address cannot be had.
    """
    service = _Service(_read_users(users), make_receiver, max_channels)
    key = read_private(host_key)
    try:
        acceptor = await asyncssh.listen(
            host,
            port,
            server_factory=lambda: _Connection(service),
            server_host_keys=[key],
            backlog=_BACKLOG,
            **_options(login_timeout_s, keepalive_s),
        )
    except OSError as error:
        raise TransportError(address(host, port), _no_listening(error)) from None
    return Listener(acceptor, host, service.connections)


def _options(login_timeout_s: float, keepalive_s: float) -> dict[str, Any]:
    refused = dict.fromkeys(
        (
            "password_auth",
            "kbdint_auth",
            "host_based_auth",
            "gss_kex",
            "gss_auth",
            "allow_pty",
            "agent_forwarding",
        ),
        False,
    )
    return {
        **ALGORITHMS,
        **refused,
        "gss_host": None,
        "x509_trusted_certs": None,
        "x11_forwarding": False,
        "allow_scp": False,
        "encoding": None,
        "server_version": _VERSION,
        "signature_algs": list(OWN_KEY_TYPES),
        "login_timeout": login_timeout_s,
        "keepalive_interval": keepalive_s,
    }


def _read_users(users: Mapping[str, Sequence[str]]) -> dict[str, frozenset[bytes]]:
    return {name: frozenset(_user_key(name, text) for text in texts) for name, texts in users.items()}


def _user_key(user: str, text: str) -> bytes:
    try:
        return read_public(text, OWN_KEY_TYPES).public_data
    except InputError as error:
        raise InputError(f"user {user!r}: {error.message}") from None


def _no_listening(error: OSError) -> str:
    reasons = {
        errno.EADDRINUSE: "another program listens there: stop it or choose another port",
        errno.EACCES: "this user may not listen there: ports below 1024 need a privilege",
        errno.EADDRNOTAVAIL: "this machine does not have that address",
    }
    number = error.errno
    if number is None and "could not bind on any address" in str(error):  # asyncio since Python 3.12
        number = errno.EADDRNOTAVAIL
    reason = reasons.get(number or 0) or (os.strerror(number) if number else str(error))
    return f"cannot listen: {reason}"


class _Connection(asyncssh.SSHServer):
    """One client's connection: who it is, and its channels. Everything that is not allowed here is refused."""

    def __init__(self, service: _Service) -> None:
        self._service = service
        self._links: set[SshLink] = set()
        self._socket_full = False
        self._failures = 0
        self._ending = False

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._conn = conn
        self._peer = address(*(conn.get_extra_info("peername") or ("unknown", 0))[:2])
        self._service.connections.add(self)
        watch_socket(conn, self._full, self._empty)

    def connection_lost(self, exc: Exception | None) -> None:
        self._service.connections.discard(self)
        if not self._conn.get_extra_info("username"):
            _log.info("%s did not log in: %s", self._peer, printable(exc) if exc else "it went away")

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Take the same way for a user who does not exist as for a wrong key."""
        if key.public_data in self._service.users.get(username, frozenset()):
            return True
        _log.info("%s may not log in as %r with key %s", self._peer, username, key.get_fingerprint())
        self._failures += 1
        if self._failures >= MAX_LOGIN_FAILURES:
            raise asyncssh.PermissionDenied("too many login failures")
        return False

    def auth_completed(self) -> None:
        _log.info("%s logged in as %r", self._peer, self._conn.get_extra_info("username"))

    def session_requested(self) -> asyncssh.SSHServerSession[bytes] | bool:
        if len(self._links) >= self._service.max_channels:
            _log.info("%s asks for more than %d channels", self._peer, self._service.max_channels)
            return False
        try:
            receiver = self._service.make_receiver()
        except Exception as error:
            log_failure("no session can be made for %s", self._peer, error)
            return False
        link = _Channel(receiver, str(self._conn.get_extra_info("username")), self._peer, self._forget)
        if self._socket_full:
            link.hold("socket")
        self._links.add(link)
        return link

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

    def _forget(self, link: SshLink) -> None:
        """Close the connection with its last session; a client whose wish was refused may have another wish."""
        self._links.discard(link)
        if not self._links and (link.made or self._ending):
            self._conn.close()

    def _full(self) -> None:
        self._socket_full = True
        for link in list(self._links):
            link.hold("socket")

    def _empty(self) -> None:
        self._socket_full = False
        for link in list(self._links):
            link.let_go("socket")


class _Channel(SshLink, asyncssh.SSHServerSession[bytes]):
    """A channel of a logged-in client, which may ask for the netconf subsystem and for nothing else."""

    def __init__(self, receiver: Receiver, username: str, peer: str, forget: Callable[[SshLink], None]) -> None:
        super().__init__(receiver, username, peer)
        self._forget = forget

    def pty_requested(self, term_type: str, term_size: Any, term_modes: Any) -> bool:
        return False

    def shell_requested(self) -> bool:
        return self._refuse("a shell")

    def exec_requested(self, command: str) -> bool:
        return self._refuse("a command")

    def subsystem_requested(self, subsystem: str) -> bool:
        return subsystem == SUBSYSTEM or self._refuse(f"subsystem {subsystem!r}")

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget(self)

    def _refuse(self, wish: str) -> bool:
        _log.info("%s asks for %s, which is not served", self.peer, wish)
        return False
