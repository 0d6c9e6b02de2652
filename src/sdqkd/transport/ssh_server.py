"""NETCONF over SSH, the server's end: RFC 6242. Only the netconf subsystem, only logins by public key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import asyncssh

from sdqkd.transport.admission import Gate, Limits
from sdqkd.transport.door import Door, Listener
from sdqkd.transport.keys import read_private
from sdqkd.transport.links import Receiver
from sdqkd.transport.ssh_service import SshConnection, SshService, read_users, server_options

__all__ = ["Listener", "listen"]


async def listen(
    host: str,
    port: int,
    host_key: Path,
    users: Mapping[str, Sequence[str]],
    make_receiver: Callable[[], Receiver],
    *,
    limits: Limits | None = None,
    gate: Gate | None = None,
) -> Listener:
    """Serve NETCONF on an address; port 0 takes a free one. `users` gives the public keys of each user.

    A `gate` that several listeners share has its limits counted over all of them.
    Raises InputError for a bad host key file or public key, TransportError if the address cannot be had.
    """
    gate = gate or Gate(limits)
    service = SshService(read_users(users), make_receiver, gate)
    key = read_private(host_key)
    door = Door(gate)
    acceptor = await asyncssh.listen(
        host,
        port,
        tunnel=door,
        server_factory=lambda: SshConnection(service, door.arriving, door.connections),
        server_host_keys=[key],
        **server_options(gate.limits),
    )
    return Listener(acceptor, host, door.connections)
