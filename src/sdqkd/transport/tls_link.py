"""NETCONF over TLS on one connection: the handshake, then the Link. RFC 7589.

OpenSSL works on memory here, not on the socket: so a connection costs no more than what it has to say, and being
called and calling are one code. asyncio's own TLS keeps 256 KiB for each connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from sdqkd.errors import SessionLostError
from sdqkd.transport.links import Receiver
from sdqkd.transport.socket_link import Patience, SocketLink, printable
from sdqkd.transport.tls_faults import fault_of_talk

_CLOSE_TIMEOUT_S = 5.0
_LINGER_S = 1.0  # for a peer to read why it is refused
_READ_BYTES = 64 * 1024
_RECORD_BYTES = 4096  # ncclient reads so much when select() says so, and misses what OpenSSL keeps of a longer one
_RECORDS = 64  # encrypted before they are sent


def keep_alive(transport: asyncio.Transport, silence_s: float) -> None:
    """Have the system ask a silent peer whether it lives, and end the connection after three silences."""
    sock = transport.get_extra_info("socket")
    seconds = max(1, round(silence_s))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    values = {
        "TCP_KEEPIDLE": seconds,
        "TCP_KEEPINTVL": seconds,
        "TCP_KEEPCNT": 2,
        "TCP_USER_TIMEOUT": 3000 * seconds,
    }
    for name, value in values.items():
        if hasattr(socket, name):  # not every system has all of them
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


@dataclass(frozen=True, slots=True)
class Wire:
    """A TLS connection in memory and the socket that it goes out on."""

    transport: asyncio.Transport
    tls: ssl.SSLObject
    incoming: ssl.MemoryBIO
    outgoing: ssl.MemoryBIO

    def flush(self) -> None:
        """Send what OpenSSL wants to be sent."""
        if (data := self.outgoing.read()) and not self.transport.is_closing():
            self.transport.write(data)

    def finish(self) -> None:
        """Send what waits and no more. The socket is closed when the peer has done so: until then it can read."""
        self.flush()
        if not self.transport.is_closing():
            self.transport.write_eof()
            self.transport.resume_reading()


class TlsHandshake(asyncio.Protocol):
    """A connection until both ends have shown who they are, or one has failed to."""

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        server_side: bool,
        timeout_s: float,
        on_done: Callable[[Wire], None],
        on_failed: Callable[[Exception], None],
        server_name: str | None = None,
    ) -> None:
        """One of `on_done` and `on_failed` is called, once; the latter when the connection is gone."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._bios = incoming, outgoing
        self._tls = context.wrap_bio(incoming, outgoing, server_side, server_name)
        self._timeout_s = timeout_s
        self._on_done = on_done
        self._on_failed = on_failed
        self._error: Exception | None = None
        self.begun = False
        self.heard = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.begun = True
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wire = Wire(cast(asyncio.Transport, transport), self._tls, *self._bios)
        self._timer = asyncio.get_running_loop().call_later(self._timeout_s, self.fail, TimeoutError())
        self._step()

    def data_received(self, data: bytes) -> None:
        """Go on."""
        self.heard = True
        if self._error is None:
            self._bios[0].write(data)
            self._step()

    def eof_received(self) -> None:
        """Let OpenSSL say what is missing."""
        if self._error is None:
            self._bios[0].write_eof()
            self._step()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell why there is no session."""
        self._timer.cancel()
        self._gone.set_result(None)
        self._on_failed(self._error or exc or ConnectionResetError())

    def fail(self, error: Exception) -> None:
        """End the connection, with the alert that tells the peer why if there is one."""
        if self._error is not None:
            return
        self._error = error
        self._timer.cancel()
        if isinstance(error, TimeoutError):
            self._wire.transport.abort()
        else:
            self._timer = asyncio.get_running_loop().call_later(_LINGER_S, self._wire.transport.abort)
            self._wire.finish()

    def abort(self) -> None:
        """End the connection at once, if there is one."""
        if self.begun:
            self._wire.transport.abort()

    async def end(self) -> None:
        """End a connection on which nobody has been let in."""
        self.abort()
        await self._gone

    def _step(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._wire.flush()
        except ssl.SSLError as error:
            self.fail(error)
        else:
            self._timer.cancel()
            self._wire.flush()
            self._on_done(self._wire)


class TlsLink(SocketLink, asyncio.Protocol):
    """A connection whose ends know each other: the Link of a Receiver."""

    protocol = "tls"

    def __init__(self, wire: Wire, receiver: Receiver, username: str, peer: str, patience: Patience) -> None:
        super().__init__(receiver, username, peer, patience)
        self._wire = wire
        self._reading = True
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.on_gone: Callable[[], None] = lambda: None
        wire.transport.set_protocol(self)

    def start(self) -> None:
        """Give the receiver its link, then what came with the end of the handshake."""
        self._make()
        self._read()

    async def end(self) -> None:
        """Send what is kept, then end, within seconds."""
        self.close()
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await asyncio.shield(self._ended)
        except TimeoutError:
            self.abort()

    # What a Receiver calls

    def close(self) -> None:
        """Send what is kept, then end the link."""
        self._flush()
        if self._closing or self._lost:
            return
        self._watch_closing()
        with contextlib.suppress(ssl.SSLError):
            self._wire.tls.unwrap()  # says good-bye; the peer's answer is not waited for
        self._wire.finish()

    def pause_reading(self) -> None:
        """Deliver nothing more; TCP then makes the peer wait."""
        self._reading = False
        self._wire.transport.pause_reading()

    def resume_reading(self) -> None:
        """Deliver again, soon: not inside this call, in which the receiver may be in the middle of something."""
        self._reading = True
        asyncio.get_running_loop().call_soon(self._resume)

    # What asyncio calls

    def data_received(self, data: bytes) -> None:
        """Decrypt, and pass on."""
        if not self._closing and not self._lost:
            self._wire.incoming.write(data)
            self._read()

    def eof_received(self) -> None:
        """Notice a peer that goes without a good-bye. The socket is closed after this."""
        self._wire.incoming.write_eof()
        self._read()

    def pause_writing(self) -> None:
        """Tell the receiver that the socket's buffer is full."""
        if self._wire.tls.server_side:  # who does not read may not ask for more
            self._wire.transport.pause_reading()
        self.hold("socket")

    def resume_writing(self) -> None:
        """Tell the receiver that the peer reads again."""
        self.let_go("socket")
        if self._reading:
            self._resume()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the receiver, if it does not know."""
        error = None if self._closing else SessionLostError(self.peer, self._reason(exc))
        self._lose(error)
        self._ended.set_result(None)
        self.on_gone()

    # What a SocketLink has

    def abort(self, error: Exception | None = None) -> None:
        """End the link at once; what is not sent is lost."""
        self._wire.transport.abort()
        self._lose(error)

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            for number, begin in enumerate(range(0, len(view), _RECORD_BYTES), 1):
                record = view[begin : begin + _RECORD_BYTES]
                while record:
                    record = record[self._wire.tls.write(record) :]
                if number % _RECORDS == 0:
                    self._wire.flush()
        except ssl.SSLError as error:
            asyncio.get_running_loop().call_soon(self.abort, self._failure(error))
        self._wire.flush()

    def _unsent_bytes(self) -> int:
        return self._wire.transport.get_write_buffer_size()

    # For itself

    def _hear(self, data: bytes) -> None:
        self._deliver(self._receiver.data_received, data)

    def _read(self) -> None:
        """Deliver what is complete, and answer what TLS itself has to answer."""
        pieces: list[bytes] = []
        end: Exception | None = None
        while self._reading and not self._lost and end is None:
            try:
                piece = self._wire.tls.read(_READ_BYTES)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLError as error:
                end = error
            else:
                pieces.append(piece)
                if not piece:
                    end = ssl.SSLZeroReturnError()
        self._wire.flush()
        if data := b"".join(pieces):
            self._hear(data)
        if end is not None and not self._lost:
            self._finish(end)

    def _finish(self, end: Exception) -> None:
        if isinstance(end, ssl.SSLZeroReturnError):
            self.close()
        elif not self._closing:
            self._lose(self._failure(end))
            self._wire.finish()
            asyncio.get_running_loop().call_later(_LINGER_S, self._wire.transport.abort)

    def _failure(self, error: Exception) -> Exception:
        return SessionLostError(self.peer, self._reason(error))

    def _reason(self, error: Exception | None) -> str:
        if error is None or isinstance(error, ssl.SSLEOFError):
            return "the connection was lost: it ended without a good-bye"
        talk = fault_of_talk(error) if isinstance(error, ssl.SSLError) else printable(error)
        return f"the connection was lost: {talk}"

    def _resume(self) -> None:
        if self._reading and not self._lost and not self._wire.transport.is_closing():
            self._wire.transport.resume_reading()
            self._read()
