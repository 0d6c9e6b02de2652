"""One SSH connection with the netconf subsystem, by paramiko: bytes out, bytes in, with deadlines."""

from __future__ import annotations

import base64
import contextlib
import logging
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import paramiko

from sdqkd.errors import HostKeyError, InputError, LoginRefusedError, UnreachableError

_READ_BYTES = 1 << 20

# What paramiko's thread has to say about a lost connection is said by this room.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Login:
    """Where a server listens and who logs in. `host_key` is `ssh-ed25519 AAAA…`; None accepts any."""

    host: str
    port: int
    user: str
    key_file: Path
    host_key: str | None

    @property
    def peer(self) -> str:
        """`host:port`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Channel:
    """The netconf subsystem of one connection."""

    def __init__(self, transport: paramiko.Transport, channel: paramiko.Channel) -> None:
        self._transport = transport
        self._channel = channel

    def send(self, data: bytes, within_s: float) -> bool:
        """Send all; False if the peer closed, or did not read it in time."""
        self._channel.settimeout(within_s)
        try:
            self._channel.sendall(data)
        except OSError:  # also a time-out
            return False
        return True

    def receive(self, until: float) -> bytes | None:
        """Give what comes before `until` (of `time.monotonic`): b"" when the peer has closed, None for silence."""
        self._channel.settimeout(max(until - time.monotonic(), 0.001))
        try:
            return bytes(self._channel.recv(_READ_BYTES))
        except TimeoutError:
            return None
        except OSError:
            return b""

    @property
    def open(self) -> bool:
        """Whether the peer has neither closed nor gone."""
        return self._transport.is_active() and not (self._channel.closed or self._channel.eof_received)

    def drop(self) -> None:
        """Leave without a word, at once: paramiko by itself would take a tenth of a second to close the socket."""
        with contextlib.suppress(OSError):
            self._transport.sock.shutdown(socket.SHUT_RDWR)
        self._transport.close()


def connect(login: Login, timeout_s: float) -> Channel:
    """Log in and ask for the subsystem. Raises TransportError, InputError for a key that cannot be read."""
    key = _private_key(login.key_file)
    transport = _transport(login, timeout_s)
    try:
        transport.auth_publickey(login.user, key)
        channel = transport.open_session(timeout=timeout_s)
        channel.invoke_subsystem("netconf")
    except (paramiko.SSHException, OSError, EOFError) as error:
        transport.close()
        raise LoginRefusedError(login.peer, f"{login.user} is not let in: {_said(error)}") from error
    return Channel(transport, channel)


def tcp(login: Login, timeout_s: float) -> socket.socket:
    """Connect and say nothing. Raises UnreachableError."""
    try:
        opened = socket.create_connection((login.host, login.port), timeout_s)
    except OSError as error:
        raise UnreachableError(login.peer, f"no connection: {_said(error)}") from error
    # Small packets in quick succession: each would wait for the peer's delayed acknowledgement, 40 ms.
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def _transport(login: Login, timeout_s: float) -> paramiko.Transport:
    transport = paramiko.Transport(tcp(login, timeout_s))
    transport.banner_timeout = transport.auth_timeout = timeout_s
    if login.host_key is not None:
        transport.get_security_options().key_types = (login.host_key.split()[0],)
    try:
        transport.start_client(timeout=timeout_s)
    except (paramiko.SSHException, OSError, EOFError) as error:
        transport.close()
        raise UnreachableError(login.peer, f"no SSH: {_said(error)}") from error
    shown = base64.b64encode(transport.get_remote_server_key().asbytes()).decode()
    if login.host_key is not None and shown != login.host_key.split()[1]:
        transport.close()
        raise HostKeyError(login.peer, "it shows another host key than the expected one")
    return transport


def _private_key(file: Path) -> paramiko.PKey:
    try:
        return paramiko.PKey.from_path(file)
    except (OSError, ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
        raise InputError("this is no private key that can be read", str(file)) from error


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
