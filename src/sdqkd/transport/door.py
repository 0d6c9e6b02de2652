"""A listening address. Whoever comes passes the gate before a protocol sees the connection."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from typing import Any, Protocol, cast

from sdqkd.errors import TransportError
from sdqkd.transport.admission import Gate, Visit
from sdqkd.transport.socket_link import address

_BACKLOG = 256


class Endable(Protocol):
    """A connection that can be ended in good order."""

    async def end(self) -> None:
        """Send what is kept, then end, within seconds."""


class Listener:
    """A listening server. `port` is the real one, also when 0 was asked for."""

    def __init__(self, server: Any, host: str, connections: set[Endable]) -> None:
        self.host = host
        self.port = int(server.sockets[0].getsockname()[1])
        self._server = server
        self._connections = connections

    async def close(self) -> None:
        """Accept nothing more and end all connections, with what they still have to send, within seconds."""
        self._server.close()
        await asyncio.gather(*(connection.end() for connection in list(self._connections)))
        await self._server.wait_closed()


class Door:
    """Stands behind a listening socket. It can serve asyncssh as `tunnel`: what asyncssh listens by."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.connections: set[Endable] = set()
        self._arriving: Visit | None = None

    @property
    def arriving(self) -> Visit:
        """The visit whose protocol is being made and told of its connection."""
        assert self._arriving is not None
        return self._arriving

    async def create_server(
        self, session_factory: Callable[[str, int], Any], host: str, port: int
    ) -> asyncio.Server:
        """Listen; hand each connection to a protocol from the factory, which is called with an address.

        Raises TransportError if the address cannot be had.
        """
        loop = asyncio.get_running_loop()

        def visitor() -> _Visitor:
            return _Visitor(self, lambda: session_factory("", 0))

        try:
            return await loop.create_server(visitor, host, port, backlog=_BACKLOG, flags=socket.AI_PASSIVE)
        except (OSError, UnicodeError) as error:
            raise TransportError(address(host, port), f"cannot listen: {_why_not(error)}") from None

    def hand_over(
        self, visit: Visit, make_protocol: Callable[[], asyncio.Protocol], transport: asyncio.Transport
    ) -> None:
        """Let a protocol have the connection."""
        self._arriving = visit
        protocol = make_protocol()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        self._arriving = None


class _Visitor(asyncio.Protocol):
    """A connection that nobody has dealt with yet."""

    def __init__(self, door: Door, make_protocol: Callable[[], asyncio.Protocol]) -> None:
        self._door = door
        self._make_protocol = make_protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        gate, loop = self._door.gate, asyncio.get_running_loop()
        peer = transport.get_extra_info("peername") or ("unknown", 0)
        self._visit = gate.arrive(peer[0], self._transport.abort)
        if delay_s := gate.delay_s(self._visit, loop.time()):
            self._transport.pause_reading()
            loop.call_later(delay_s, self._let_in)
            self._door.connections.add(self)
        else:
            self._let_in()

    async def end(self) -> None:
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._door.connections.discard(self)
        self._door.gate.leave(self._visit, asyncio.get_running_loop().time())

    def _let_in(self) -> None:
        self._door.connections.discard(self)
        if not self._transport.is_closing():
            self._door.hand_over(self._visit, self._make_protocol, self._transport)
            self._transport.resume_reading()


def _why_not(error: OSError | UnicodeError) -> str:
    if isinstance(error, socket.gaierror):
        return f"the name cannot be resolved: {error.strerror}"
    if isinstance(error, UnicodeError):
        return "this cannot be the name of a host"
    reasons = {
        errno.EADDRINUSE: "another program listens there: stop it or choose another port",
        errno.EACCES: "this user may not listen there: ports below 1024 need a privilege",
        errno.EADDRNOTAVAIL: "this machine does not have that address",
    }
    number = error.errno
    if number is None and "could not bind on any address" in str(error):  # asyncio since Python 3.12
        number = errno.EADDRNOTAVAIL
    return reasons.get(number or 0) or (os.strerror(number) if number else str(error))
