"""How an agent is met: its SSH port, its TLS port if it has one, and the clients that it calls home."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.serialization import Encoding

from sdqkd.errors import InputError
from sdqkd.transport import ssh_call_home, ssh_server, tls_call_home, tls_server
from sdqkd.transport.admission import Gate
from sdqkd.transport.call_home import CallHome, Dial
from sdqkd.transport.cert_names import CertToName, Fingerprint, MapType, fingerprint_of
from sdqkd.transport.door import Listener
from sdqkd.transport.links import Receiver
from sdqkd.transport.redial import Endpoint, Reconnect
from sdqkd.transport.socket_link import address
from sdqkd.transport.tls_context import Identity, read_certificates

Transport = Literal["ssh", "tls"]


@dataclass(frozen=True, slots=True)
class Tls:
    """Who an agent is on TLS, whose certificates it trusts, and which users these are (RFC 7589).

    It listens on `port`, 0 being a free one; without a port it only calls home.
    """

    identity: Identity
    trust: Path
    names: Sequence[CertToName]
    port: int | None = None

    @property
    def fingerprint(self) -> Fingerprint:
        """The fingerprint of our own certificate. Raises InputError if there is none in its file."""
        certificate = read_certificates(self.identity.certificate_file)[0]
        return fingerprint_of(certificate.public_bytes(Encoding.DER))

    @property
    def users(self) -> list[str]:
        """The users that are named here, each once."""
        return list(dict.fromkeys(entry.name for entry in self.names if entry.map_type is MapType.SPECIFIED))


@dataclass(frozen=True, slots=True)
class Home:
    """A NETCONF client that an agent calls, at one of its endpoints (RFC 8071)."""

    transport: Transport
    endpoints: Sequence[Endpoint]
    reconnect: Reconnect = field(default_factory=Reconnect)

    def __str__(self) -> str:
        return f"{self.transport}://" + ",".join(address(*place) for place in self.endpoints)


@dataclass(frozen=True, slots=True)
class Ports:
    """All ways to an agent, open."""

    ssh: Listener
    tls: Listener | None
    calls: Sequence[CallHome]

    async def close(self) -> None:
        """Listen and call no more; end all connections, with what they still have to send, within seconds."""
        listeners = [listener.close() for listener in (self.ssh, self.tls) if listener is not None]
        await asyncio.gather(*listeners, *(call.stop() for call in self.calls))


@dataclass(frozen=True, slots=True)
class Ways:
    """What all ways to an agent have in common. Their limits are counted over all of them together.

    `users` gives the SSH keys of each user; `known` are all who may log in over TLS.
    """

    host: str
    host_key: Path
    users: Mapping[str, Sequence[str]]
    known: frozenset[str]
    make_receiver: Callable[[], Receiver]
    gate: Gate


async def open_ports(ways: Ways, port: int, tls: Tls | None = None, homes: Sequence[Home] = ()) -> Ports:
    """Listen, and begin to call. If one thing fails, nothing stays open.

    Raises InputError for a key, a certificate or a missing one, TransportError if a port cannot be had.
    """
    calls = [CallHome(str(home), home.endpoints, _dial(ways, home, tls), home.reconnect) for home in homes]
    async with AsyncExitStack() as opened:
        ssh = await ssh_server.listen(
            ways.host, port, ways.host_key, ways.users, ways.make_receiver, gate=ways.gate
        )
        opened.push_async_callback(ssh.close)
        secure = await _listen_tls(ways, tls) if tls is not None and tls.port is not None else None
        opened.pop_all()
    for call in calls:
        call.start()
    return Ports(ssh, secure, calls)


async def _listen_tls(ways: Ways, tls: Tls) -> Listener:
    assert tls.port is not None
    return await tls_server.listen(
        ways.host, tls.port, tls.identity, tls.trust, tls.names, ways.make_receiver,
        users=ways.known, gate=ways.gate,
    )  # fmt: skip


def _dial(ways: Ways, home: Home, tls: Tls | None) -> Dial:
    if home.transport == "ssh":
        return ssh_call_home.dialler(ways.host_key, ways.users, ways.make_receiver, gate=ways.gate)
    if tls is None:
        raise InputError(f"to call {home} needs a certificate, its key, and the certificates to trust")
    return tls_call_home.dialler(
        tls.identity, tls.trust, tls.names, ways.make_receiver, users=ways.known, gate=ways.gate
    )
