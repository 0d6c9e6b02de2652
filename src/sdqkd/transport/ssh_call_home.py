"""Call home over SSH (RFC 8071): a device that calls and serves, and a client that is called and logs in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import asyncssh

from sdqkd.errors import InputError, UnreachableError
from sdqkd.transport.admission import Gate, Limits, Visit
from sdqkd.transport.call_home import Call, Dial, MakeReceiver, wanted
from sdqkd.transport.door import Door, Endable, Listener
from sdqkd.transport.keys import read_private, read_public
from sdqkd.transport.links import Receiver
from sdqkd.transport.socket_link import Patience, address, no_connection, peer_of, printable
from sdqkd.transport.ssh_client import ClientLink, client_options, open_session
from sdqkd.transport.ssh_lean import make_lean
from sdqkd.transport.ssh_service import SshConnection, SshService, read_users, server_options

_CLOSE_TIMEOUT_S = 5.0

_log = logging.getLogger(__name__)


# The device's side


def dialler(
    host_key: Path,
    users: Mapping[str, Sequence[str]],
    make_receiver: Callable[[], Receiver],
    *,
    gate: Gate | None = None,
) -> Dial:
    """Prepare a device to call: arguments as of `ssh_server.listen`. Raises InputError for a bad key."""
    gate = gate or Gate()
    service = SshService(read_users(users), make_receiver, gate)
    key = read_private(host_key)
    options = server_options(gate.limits)

    async def dial(host: str, port: int, max_wait_s: float) -> Call:
        peer = address(host, port)
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        visit = gate.call(host)
        visit.on_left = lambda: over.set_result(None)
        connection = SshConnection(service, visit, set())
        try:
            async with asyncio.timeout(max_wait_s):
                await asyncssh.connect_reverse(
                    host, port, server_factory=lambda: connection, server_host_keys=[key], **options
                )
        except TimeoutError:
            raise UnreachableError(peer, f"nobody logged in within {max_wait_s:g} s") from None
        except asyncssh.Error as error:
            raise UnreachableError(peer, f"nobody logged in: {printable(error)}") from None
        except OSError as error:
            raise UnreachableError(peer, no_connection(error)) from None
        return Call(connection, over)

    return dial


# The client's side


async def listen(
    host: str,
    port: int,
    devices: Mapping[str, str],
    make_receiver: MakeReceiver,
    *,
    username: str,
    client_key_file: Path,
    limits: Limits | None = None,
) -> Listener:
    """Be called by devices; each is known by its host key, `devices` gives the public key of each name.

    A device that is not among them is refused before anything is told to it. Raises InputError for a bad key,
    TransportError if the address cannot be had.
    """
    known = _read_devices(devices)
    own = read_private(client_key_file)
    gate = Gate(limits)
    door = Door(gate)
    login_timeout_s = gate.limits.login_timeout_s
    expected = [read_public(text) for text in devices.values()]
    options = client_options(username, own, expected, login_timeout_s, gate.limits.keepalive_s)
    acceptor = await asyncssh.listen_reverse(
        host,
        port,
        tunnel=door,
        client_factory=lambda: _Caller(known, make_receiver, gate, door.arriving, door.connections),
        **options,
    )
    return Listener(acceptor, host, door.connections)


def _read_devices(devices: Mapping[str, str]) -> dict[bytes, str]:
    known: dict[bytes, str] = {}
    for name, text in devices.items():
        try:
            data = read_public(text).public_data
        except InputError as error:
            raise InputError(f"device {name!r}: {error.message}") from None
        if data in known:
            raise InputError(
                f"devices {known[data]!r} and {name!r} have the same host key: who calls cannot be told"
            )
        known[data] = name
    return known


class _Caller(asyncssh.SSHClient):
    """A connection that somebody has opened, who has to show a device's host key."""

    def __init__(
        self,
        known: Mapping[bytes, str],
        make_receiver: MakeReceiver,
        gate: Gate,
        visit: Visit,
        connections: set[Endable],
    ) -> None:
        self._known = known
        self._make_receiver = make_receiver
        self._gate = gate
        self._visit = visit
        self._connections = connections
        self._device: str | None = None
        self._link: ClientLink | None = None
        self._opening: asyncio.Task[None] | None = None

    # What asyncssh calls

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self._conn = conn
        self._peer = peer_of(conn)
        self._visit.is_silent = lambda: not conn.get_extra_info("server_version")
        self._connections.add(self)
        make_lean(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        if self._visit.user is None:
            self._tell_failure(exc)
        self._gate.leave(self._visit, asyncio.get_running_loop().time())

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self._device = self._known.get(key.public_data)
        if self._device is None:
            shown = key.get_fingerprint()
            _log.warning("%s called with host key %s, which is no device's: refused", self._peer, shown)
        return self._device is not None

    def auth_completed(self) -> None:
        device = self._device or ""
        refusal = self._gate.enter(self._visit, device)
        receiver = wanted(self._make_receiver, device) if refusal is None else None
        if receiver is None:
            reason = refusal or "it is not wanted now"
            _log.info("device %r called from %s and is turned away: %s", device, self._peer, reason)
            self._conn.disconnect(asyncssh.DISC_BY_APPLICATION, printable(reason))
            return
        _log.info("device %r called from %s", self._device, self._peer)
        username = str(self._conn.get_extra_info("username"))
        self._link = ClientLink(receiver, username, self._peer, Patience())
        self._opening = asyncio.get_running_loop().create_task(self._open(self._link))

    # What the listener calls

    async def end(self) -> None:
        """End the session in good order, then the connection, within seconds."""
        if self._link is not None and self._link.made:
            self._link.close()
        else:
            self._conn.abort()
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self._conn.wait_closed()
        except TimeoutError:
            self._conn.abort()
            await self._conn.wait_closed()

    def _tell_failure(self, error: Exception | None) -> None:
        reason = printable(error) if error is not None else "it went away"
        if self._device is not None:
            _log.warning("device %r called from %s and did not let us in: %s", self._device, self._peer, reason)
        else:
            _log.info("%s called and is no device: %s", self._peer, reason)

    async def _open(self, link: ClientLink) -> None:
        try:
            async with asyncio.timeout(self._gate.limits.login_timeout_s):
                await open_session(self._conn, link)
        except (asyncssh.Error, OSError) as error:
            _log.warning("device %r called and grants no netconf subsystem: %s", self._device, printable(error))
