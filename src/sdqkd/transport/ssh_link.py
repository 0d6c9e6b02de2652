"""What the SSH server and the SSH client share: the accepted algorithms, and a channel that serves as a Link."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable
from typing import Any

import asyncssh
from asyncssh.channel import SSHChannel
from asyncssh.connection import SSHConnection
from asyncssh.session import SSHSession

from sdqkd.errors import SessionLostError
from sdqkd.transport.links import FlowControlled, Receiver

SUBSYSTEM = "netconf"
KEEPALIVE_S = 20.0  # of silence, after which the peer is asked whether it lives; the third silence ends the link

_CLOSE_TIMEOUT_S = 30.0  # for a closing peer to read some more of the rest, or to agree; then we go without
_SHOWN = 200  # characters of what a peer or the system says that an error repeats
_CORKED_BYTES = 64 * 1024

# AES-GCM costs asyncssh a seventh of what chacha20 does for small packets. Both carry their own MAC, and
# curve25519 with strict key exchange is what every SSH of the last ten years speaks. No SHA-1, no CBC.
ALGORITHMS: dict[str, Any] = {
    "kex_algs": ["curve25519-sha256", "curve25519-sha256@libssh.org"],
    "encryption_algs": ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"],
    # Not used with these ciphers, but some peers insist on agreeing on one.
    "mac_algs": [
        "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com",
        "hmac-sha2-256",
        "hmac-sha2-512",
    ],
    "compression_algs": None,
}

# asyncssh tells of each connection, and of each packet when debugging: what matters is told by this room.
asyncssh.set_log_level(logging.WARNING)
_log = logging.getLogger(__name__)


def address(host: str, port: int) -> str:
    """Write `host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def printable(error: Exception) -> str:
    """Give an error's text, part of which the peer may have written, fit for a terminal and a log."""
    text = str(error)[:_SHOWN]
    return "".join(character if character.isprintable() else "?" for character in text)


def log_failure(message: str, peer: str, error: Exception) -> None:
    """Log what failed and where; the text of an exception is left out: it may hold a part of a configuration."""
    where = "".join(traceback.format_tb(error.__traceback__))
    _log.error(f"{message}: %s\n%s", peer, type(error).__name__, where)


def watch_socket(connection: SSHConnection, full: Callable[[], None], empty: Callable[[], None]) -> None:
    """Hear when the socket's own buffer is full, and when it is empty again.

    asyncssh leaves these two callbacks of asyncio's protocol empty and trusts the window that the peer grants;
    a peer that grants 4 GiB and reads nothing would have us keep them.
    """
    connection.pause_writing = full  # type: ignore[method-assign]
    connection.resume_writing = empty  # type: ignore[method-assign]


class SshLink(SSHSession[bytes]):
    """A channel with the netconf subsystem: the Link of a Receiver, and what asyncssh calls.

    What is written while data are being received goes out at once at the end: one packet for many answers.
    """

    def __init__(self, receiver: Receiver, username: str, peer: str) -> None:
        self.username = username
        self.peer = peer
        self._receiver = receiver
        self._channel: SSHChannel[bytes] | None = None
        self._corked: list[bytes] | None = None
        self._corked_bytes = 0
        self.made = False
        self._lost = False
        self._reading = True
        self._full: set[str] = set()  # what keeps us from writing: the channel's window, the socket's buffer
        self._closing: asyncio.TimerHandle | None = None

    # What a Receiver calls

    def write(self, data: bytes) -> None:
        """Send bytes, or keep them until the peer makes room."""
        if self._corked is None:
            self._send(data)
            return
        self._corked.append(data)
        self._corked_bytes += len(data)
        if self._corked_bytes > _CORKED_BYTES:
            self._flush()

    def close(self) -> None:
        """Send what is kept, then close the channel, with the peer's consent if it comes in time."""
        self._flush()
        if self._channel is not None and self._closing is None and not self._lost:
            self._channel.close()
            self._wait_for_consent(self._channel)

    def pause_reading(self) -> None:
        """Deliver nothing more; SSH's window then makes the peer wait."""
        self._reading = False
        if self._channel is not None:
            self._channel.pause_reading()

    def resume_reading(self) -> None:
        """Deliver again, soon: not inside this call, in which the receiver may be in the middle of something."""
        self._reading = True
        asyncio.get_running_loop().call_soon(self._resume)

    # What asyncssh calls

    def connection_made(self, channel: Any) -> None:
        """Remember the channel; the receiver hears of it once the subsystem is granted."""
        self._channel = channel

    def session_started(self) -> None:
        """Give the receiver its link."""
        self.made = True
        self._cork(self._receiver.link_made, self)
        if self._full and isinstance(self._receiver, FlowControlled):
            self._tell(self._receiver.pause_writing)

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Pass on what came, but what came as stderr."""
        if datatype is None and not self._lost:
            self._cork(self._receiver.data_received, data)

    def eof_received(self) -> bool:
        """Close: a peer that will not call any more has no use for the session."""
        self.close()
        return True

    def pause_writing(self) -> None:
        """Tell the receiver that the peer's window is used up."""
        self.hold("window")

    def resume_writing(self) -> None:
        """Tell the receiver that the peer reads again."""
        self.let_go("window")

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the receiver, once, whoever ended the link."""
        if self._lost:
            return
        self._lost = True
        self._corked = None
        if self._closing is not None:
            self._closing.cancel()
        if self.made:
            self._tell(self._receiver.link_lost, self._reason(exc))

    # What the connection calls

    def hold(self, reason: str) -> None:
        """Ask the receiver to write no more, for one reason of possibly several."""
        first = not self._full
        self._full.add(reason)
        if first and self.made and isinstance(self._receiver, FlowControlled):
            self._tell(self._receiver.pause_writing)

    def let_go(self, reason: str) -> None:
        """Take a reason away; without any, the receiver may write again."""
        was_full = bool(self._full)
        self._full.discard(reason)
        if was_full and not self._full and self.made and isinstance(self._receiver, FlowControlled):
            self._cork(self._receiver.resume_writing)

    def abort(self) -> None:
        """End the link at once; what is not sent is lost."""
        if self._channel is not None:
            self._channel.abort()
        self.connection_lost(None)

    def _reason(self, error: Exception | None) -> SessionLostError | None:
        if error is None or self._closing is not None:
            return None
        return SessionLostError(self.peer, f"the connection was lost: {printable(error)}")

    def _wait_for_consent(self, channel: SSHChannel[bytes], before: int | None = None) -> None:
        """Look from time to time whether a closing peer still reads; end without its consent if not."""
        left = channel.get_write_buffer_size()
        if left == before:
            self.abort()
            return
        loop = asyncio.get_running_loop()
        self._closing = loop.call_later(_CLOSE_TIMEOUT_S, self._wait_for_consent, channel, left)

    def _resume(self) -> None:
        if self._reading and self._channel is not None and not self._lost:
            self._channel.resume_reading()

    def _cork(self, callback: Callable[..., None], *arguments: Any) -> None:
        """Call the receiver and send what it writes meanwhile in one go."""
        outermost = self._corked is None
        if outermost:
            self._corked = []
        self._tell(callback, *arguments)
        if outermost:
            self._flush()

    def _flush(self) -> None:
        """Send what was collected. A write after this goes out at once, or after the next collection."""
        corked, self._corked, self._corked_bytes = self._corked, None, 0
        if corked:
            self._send(b"".join(corked))

    def _send(self, data: bytes) -> None:
        if data and self._channel is not None and not self._lost and not self._channel.is_closing():
            self._channel.write(data)

    def _tell(self, callback: Callable[..., None], *arguments: Any) -> None:
        """Call the receiver; if it fails, its link ends and nobody else's."""
        try:
            callback(*arguments)
        except Exception as error:
            log_failure("a session with %s failed and was ended", self.peer, error)
            if not self._lost:
                self.abort()
