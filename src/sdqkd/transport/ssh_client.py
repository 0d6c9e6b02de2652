"""NETCONF over SSH, the client's end: RFC 6242. One host key is accepted, one key of our own is shown.

Nothing on the machine has a say: no known_hosts, no agent, no `~/.ssh/config`, no default keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncssh

from sdqkd.errors import HostKeyError, InputError, LoginRefusedError, TransportError, UnreachableError
from sdqkd.transport.keys import read_private, read_public
from sdqkd.transport.links import Link, Receiver
from sdqkd.transport.socket_link import Patience, address, no_connection, printable
from sdqkd.transport.ssh_lean import make_lean
from sdqkd.transport.ssh_link import (
    ALGORITHMS,
    KEEPALIVE_S,
    REKEY_BYTES,
    REKEY_S,
    SUBSYSTEM,
    SshLink,
    watch_socket,
)

TIMEOUT_S = 10.0

_VERSION = "sdqkd"
# Algorithms by which a device may prove its host key, SHA-1 excluded. Vendors' devices often have RSA keys.
_HOST_KEY_ALGORITHMS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)


async def connect(
    host: str,
    port: int,
    *,
    username: str,
    client_key_file: Path,
    host_key: str | None,
    receiver: Receiver,
    timeout_s: float = TIMEOUT_S,
    keepalive_s: float = KEEPALIVE_S,
) -> Link:
    """Log in to a device and open the netconf subsystem; `receiver` has its link when this returns.

    `host_key` is the public key that the device must show. Raises InputError for a bad key file, HostKeyError
    also when none is expected, LoginRefusedError, and UnreachableError when no session comes in `timeout_s`.
    """
    peer = address(host, port)
    expected = _expected_key(peer, host_key)
    own = read_private(client_key_file)
    client, link = _Client(expected), ClientLink(receiver, username, peer, Patience())
    options = client_options(username, own, [expected], timeout_s, keepalive_s)
    try:
        async with asyncio.timeout(timeout_s):
            connection = await asyncssh.connect(host, port, client_factory=lambda: client, **options)
            await open_session(connection, link)
    except asyncssh.PermissionDenied:
        key = own.get_fingerprint()
        raise LoginRefusedError(peer, f"refuses user {username!r} with key {key}: enter this key there") from None
    except (asyncssh.Error, OSError, ValueError) as error:
        raise _explain(peer, client, error, timeout_s) from None
    return link


def _expected_key(peer: str, host_key: str | None) -> asyncssh.SSHKey:
    if host_key is None:
        raise HostKeyError(peer, "no host key is known for this device, so nothing was sent: enter its public key")
    try:
        return read_public(host_key)
    except InputError as error:
        raise HostKeyError(peer, f"the host key to expect cannot be read: {error}") from None


def client_options(
    username: str, own: asyncssh.SSHKey, expected: Sequence[asyncssh.SSHKey], timeout_s: float, keepalive_s: float
) -> dict[str, Any]:
    """Give asyncssh's options for a client that expects one of some host keys."""
    refused = dict.fromkeys(("password_auth", "kbdint_auth", "host_based_auth", "gss_kex", "gss_auth"), False)
    return {
        **ALGORITHMS,
        **refused,
        "username": username,
        "client_keys": [own],
        "client_version": _VERSION,
        "config": None,
        "known_hosts": ([], [], []),  # none: the client is asked about each key
        "server_host_key_algs": _host_key_algorithms(expected),
        "agent_path": None,
        "gss_host": None,
        "x509_trusted_certs": None,
        "preferred_auth": ["publickey"],
        "login_timeout": timeout_s,
        "keepalive_interval": keepalive_s,
        "rekey_bytes": REKEY_BYTES,
        "rekey_seconds": REKEY_S,
    }


def _host_key_algorithms(expected: Sequence[asyncssh.SSHKey]) -> list[str]:
    """Ask for what is expected first, for a device may have several keys; then for any, to name what it has."""
    wanted = {name.decode() for key in expected for name in key.sig_algorithms}
    return sorted(_HOST_KEY_ALGORITHMS, key=lambda name: name not in wanted)


async def open_session(connection: asyncssh.SSHClientConnection, link: ClientLink) -> None:
    """Open the netconf subsystem; if that fails, end the connection."""
    try:
        await connection.create_session(lambda: link, subsystem=SUBSYSTEM, encoding=None)
    except BaseException:
        connection.abort()
        await connection.wait_closed()
        raise


def _explain(peer: str, client: _Client, error: Exception, timeout_s: float) -> TransportError:
    """Turn what asyncssh or the system says into what is wrong, where, and what to do."""
    reason = printable(error)
    if client.mismatch:
        return HostKeyError(peer, client.mismatch)
    if client.too_many:
        return LoginRefusedError(peer, f"lets nobody else in: {client.too_many}")
    if isinstance(error, asyncssh.ChannelOpenError):
        return LoginRefusedError(peer, f"grants no netconf subsystem ({reason}): is this the NETCONF port?")
    if isinstance(error, asyncssh.KeyExchangeFailed):
        is_key = "host key" in reason or "hash mismatch" in reason
        return (HostKeyError if is_key else UnreachableError)(peer, f"no safe SSH can be agreed on: {reason}")
    if isinstance(error, TimeoutError):
        return UnreachableError(peer, f"no session within {timeout_s:g} s: {client.progress}")
    if isinstance(error, OSError) and not client.connected:
        return UnreachableError(peer, no_connection(error))
    return UnreachableError(peer, f"{client.progress}: {reason}")


class _Client(asyncssh.SSHClient):
    """What the connection asks and tells."""

    def __init__(self, expected: asyncssh.SSHKey) -> None:
        self.mismatch = ""
        self.too_many = ""
        self._expected = expected
        self._connection: asyncssh.SSHClientConnection | None = None

    @property
    def connected(self) -> bool:
        """Whether something took the TCP connection."""
        return self._connection is not None

    @property
    def progress(self) -> str:
        """How far the connection came."""
        if self._connection is None:
            return "no answer"
        if not self._connection.get_extra_info("server_version"):
            return "what listens there does not speak SSH"
        return "the login did not come to its end"

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self._connection = conn
        make_lean(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if isinstance(exc, asyncssh.DisconnectError) and exc.code == asyncssh.DISC_TOO_MANY_CONNECTIONS:
            self.too_many = printable(exc.reason).removesuffix(f" (error {exc.code})")

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        if key.public_data == self._expected.public_data:
            return True
        self.mismatch = (
            f"the device shows host key {key.get_fingerprint()}, but {self._expected.get_fingerprint()} "
            "is expected: another machine answers, or its key was changed"
        )
        return False


class ClientLink(SshLink, asyncssh.SSHClientSession[bytes]):
    """The one channel of a connection; both end together."""

    def connection_made(self, chan: Any) -> None:
        """Watch the connection too."""
        super().connection_made(chan)
        connection = chan.get_connection()
        watch_socket(connection, lambda: self.hold("socket"), lambda: self.let_go("socket"))

    def connection_lost(self, exc: Exception | None) -> None:
        """End the connection too."""
        super().connection_lost(exc)
        if self._connection is not None:
            self._connection.close()
