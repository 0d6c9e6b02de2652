"""What the SSH server and the SSH client share: the accepted algorithms, and a channel that serves as a Link."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import asyncssh
from asyncssh.channel import SSHChannel
from asyncssh.connection import SSHConnection
from asyncssh.session import SSHSession

from sdqkd.errors import SessionLostError
from sdqkd.transport.links import Receiver
from sdqkd.transport.socket_link import Patience, SocketLink, printable
from sdqkd.transport.ssh_lean import exchanges_keys, log_no_packets, more_comes, socket_buffer_bytes
from sdqkd.transport.ssh_packets import Sending

SUBSYSTEM = "netconf"
KEEPALIVE_S = 20.0  # of silence, after which the peer is asked whether it lives; the third silence ends the link
WINDOW_BYTES = 256 * 1024  # that a peer may send while its session does not read: what a channel costs at most
PACKET_BYTES = 32 * 1024
REKEY_BYTES = 2**30
REKEY_S = 3600.0

# asyncssh cuts packets off the front of what it was given, and moves all the rest each time.
_PIECE_BYTES = 4 * PACKET_BYTES
_KEYS_AGAIN_S = 0.1  # between two looks at a peer that is changing keys

# AES-GCM costs asyncssh a seventh of what chacha20 does for small packets. Both carry their own MAC, and
# curve25519 with strict key exchange is what every SSH of the last ten years speaks. No SHA-1, no CBC.
# AES-CTR with HMAC comes last: clients on libssh2 before 1.11, such as Debian's yangcli, have nothing better.
ALGORITHMS: dict[str, Any] = {
    "kex_algs": ["curve25519-sha256", "curve25519-sha256@libssh.org"],
    "encryption_algs": [
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
        "aes256-ctr",
        "aes128-ctr",
    ],
    # Used with AES-CTR only, but some peers insist on agreeing on one.
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


def watch_socket(connection: SSHConnection, full: Callable[[], None], empty: Callable[[], None]) -> None:
    """Hear when the socket's own buffer is full, and when it is empty again.

    asyncssh leaves these two callbacks of asyncio's protocol empty and trusts the window that the peer grants;
    a peer that grants 4 GiB and reads nothing would have us keep them.
    """
    connection.pause_writing = full  # type: ignore[method-assign]
    connection.resume_writing = empty  # type: ignore[method-assign]


class SshLink(SocketLink, SSHSession[bytes]):
    """A channel with the netconf subsystem: the Link of a Receiver, and what asyncssh calls."""

    protocol = "ssh"

    def __init__(self, receiver: Receiver, username: str, peer: str, patience: Patience) -> None:
        super().__init__(receiver, username, peer, patience)
        self._channel: SSHChannel[bytes] | None = None
        self._connection: SSHConnection | None = None
        self._sending: Sending | None = None
        self._reading = True

    # What a Receiver calls

    def close(self) -> None:
        """Send what is kept, then close the channel, with the peer's consent if it comes in time."""
        self._flush()
        if self._channel is not None and not self._closing and not self._lost:
            self._watch_closing()
            self._channel.close()

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
        self._connection = channel.get_connection()
        if log_no_packets(channel):
            self._sending = Sending(self._connection, channel)

    def session_started(self) -> None:
        """Give the receiver its link."""
        self._make()
        if not self._reading:  # asyncssh will read now, whatever the receiver has just asked for
            asyncio.get_running_loop().call_soon(self._pause)

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Pass on what came, but what came as stderr."""
        if datatype is None and not self._lost:
            self._deliver(self._receiver.data_received, data)

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
        self._lose(self._reason(exc))

    # What a SocketLink has

    def abort(self, error: Exception | None = None) -> None:
        """End the link at once; what is not sent is lost."""
        if self._channel is not None:
            self._channel.abort()
        self._lose(error)

    def _send(self, data: bytes) -> None:
        sent = self._sending.send(data) if self._sending is not None else 0
        for start in range(sent, len(data), _PIECE_BYTES):
            if self._channel is None or self._channel.is_closing():
                return
            self._channel.write(data[start : start + _PIECE_BYTES])
        if "keys" not in self._full and exchanges_keys(self._connection):
            self._wait_for_keys()

    def _unsent_bytes(self) -> int:
        in_channel = self._channel.get_write_buffer_size() if self._channel is not None else 0
        return in_channel + socket_buffer_bytes(self._connection)

    def _more_comes(self) -> bool:
        return more_comes(self._connection)

    # For itself

    def _reason(self, error: Exception | None) -> SessionLostError | None:
        if error is None or self._closing:
            return None
        return SessionLostError(self.peer, f"the connection was lost: {printable(error)}")

    def _wait_for_keys(self) -> None:
        """Make the receiver wait while keys are changed: until then asyncssh keeps all, window or not."""
        if self._lost:
            return
        if exchanges_keys(self._connection):
            self.hold("keys")
            asyncio.get_running_loop().call_later(_KEYS_AGAIN_S, self._wait_for_keys)
        else:
            self.let_go("keys")

    def _pause(self) -> None:
        if not self._reading and self._channel is not None:
            self._channel.pause_reading()

    def _resume(self) -> None:
        if self._reading and self._channel is not None and not self._lost:
            self._channel.resume_reading()
