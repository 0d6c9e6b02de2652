"""NETCONF over TLS, the server's end: RFC 7589. Every client shows a certificate, and is whom it stands for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from sdqkd.transport.admission import Gate, Limits
from sdqkd.transport.cert_names import CertToName
from sdqkd.transport.door import Door, Listener
from sdqkd.transport.links import Receiver
from sdqkd.transport.tls_context import Identity, server_context
from sdqkd.transport.tls_service import TlsService, TlsVisit

__all__ = ["PORT", "Listener", "listen"]

PORT = 6513  # of NETCONF over TLS, by IANA


async def listen(
    host: str,
    port: int,
    identity: Identity,
    trust: Path,
    names: Sequence[CertToName],
    make_receiver: Callable[[], Receiver],
    *,
    users: Collection[str] | None = None,
    limits: Limits | None = None,
    gate: Gate | None = None,
) -> Listener:
    """Serve NETCONF over TLS on an address; port 0 takes a free one.

    A client's certificate must be issued by one in the file `trust`, or be one of them, and `names` must find a
    user for it, one of `users` if they are given. A `gate` that several listeners share counts over all of them.

    Raises InputError for a file that cannot be used, TransportError if the address cannot be had.
    """
    gate = gate or Gate(limits)
    service = TlsService(server_context(identity, trust), tuple(names), users, make_receiver, gate)
    door = Door(gate)
    server = await door.create_server(
        lambda *_: TlsVisit(service, door.arriving, door.connections).handshake, host, port
    )
    return Listener(server, host, door.connections)
