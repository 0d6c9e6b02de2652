"""The short way of packets with data: one call for what takes asyncssh a dozen. Figures: docs/decisions/0005.

It is open while nothing else goes on: AES-GCM, somebody logged in, no compression, a window with room, and for
sending no change of keys. All other packets, and whatever is wrong, go asyncssh's own way, which finds everything
as if nobody had looked. It reaches into asyncssh, so all that it touches is looked for first: see `ssh_lean`.
"""

from __future__ import annotations

import importlib
import inspect
import os
import struct
import time
from types import ModuleType
from typing import Any

from asyncssh.channel import SSHChannel
from asyncssh.connection import SSHConnection
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_DATA = 94  # SSH_MSG_CHANNEL_DATA
_LENGTH = 4  # bytes before the encrypted part of a packet
_TAG = 16  # bytes after it
_BLOCK = 16
_LEAST_PADDING = 4
# Inside: length of the padding, SSH_MSG_CHANNEL_DATA, the channel, length of the data (RFC 4253 6, RFC 4254 5.2).
_HEAD = struct.Struct(">BBII")


def has_method(owner: type, name: str, *parameters: str) -> bool:
    """Whether a method is there and takes what we know it to take."""
    method = getattr(owner, name, None)
    return callable(method) and tuple(inspect.signature(method).parameters)[1:] == parameters


def sets(owner: type, *names: str) -> bool:
    """Whether all instances have these attributes from the beginning: whether `__init__` names them."""
    known = getattr(getattr(owner, "__init__", None), "__code__", None)
    return known is not None and set(names) <= set(known.co_names)


def is_as_known(cipher: ModuleType | None, encryption: ModuleType | None) -> bool:
    """Whether asyncssh, with these two modules of it, has all that is touched here."""
    gcm_cipher, gcm_encryption = getattr(cipher, "GCMCipher", None), getattr(encryption, "GCMEncryption", None)
    return (
        gcm_cipher is not None
        and gcm_encryption is not None
        and has_method(gcm_cipher, "_update_iv")
        and sets(gcm_cipher, "_key", "_iv")
        and gcm_cipher.__dictoffset__ != 0  # so that `_key_of` can leave something with it
        and has_method(gcm_encryption, "__init__", "cipher")
        and sets(gcm_encryption, "_cipher")
        and has_method(SSHConnection, "_recv_pkthdr")
        and has_method(SSHConnection, "_finish_recv_packet", "pkttype", "seq", "_task", "is_async")
        and has_method(SSHConnection, "_send", "data")
        and sets(SSHConnection, *_OF_CONNECTION)
        and has_method(SSHChannel, "_accept_data", "data", "datatype")
        and sets(SSHChannel, *_OF_CHANNEL)
    )


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


_OF_CONNECTION = (
    "_inpbuf", "_recv_encryption", "_recv_seq", "_decompressor", "_max_recv_pktlen", "_channels", "_auth_complete",
    "_kex_complete", "_send_encryption", "_send_seq", "_compressor", "_rekey_bytes", "_rekey_bytes_sent",
    "_rekey_seconds", "_rekey_time",
)  # fmt: skip
_OF_CHANNEL = (
    "_recv_state",
    "_recv_window",
    "_send_state",
    "_send_chan",
    "_send_window",
    "_send_pktsize",
    "_send_buf",
)
_ENCRYPTION = _module("asyncssh.encryption")

# Whether asyncssh was found to be as it must be for this.
TAKES_SHORT_WAY = is_as_known(_module("asyncssh.crypto.cipher"), _ENCRYPTION)
_GCM = getattr(_ENCRYPTION, "GCMEncryption", None)


class _Padding:
    """Random bytes, which are asked of the system for many packets at once."""

    def __init__(self) -> None:
        self._bytes = b""
        self._used = 0

    def take(self, size: int) -> bytes:
        if self._used + size > len(self._bytes):
            self._bytes, self._used = os.urandom(4096), 0
        self._used += size
        return self._bytes[self._used - size : self._used]


_PADDING = _Padding()


def take_short_way(connection: Any) -> None:
    """Let data that come on a connection take it."""
    if TAKES_SHORT_WAY:
        connection._recv_pkthdr = _Receiving(connection).packet


class _Receiving:
    """Stands where asyncssh reads the beginning of each packet."""

    __slots__ = ("_connection", "_long_way")

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._long_way = connection._recv_pkthdr

    def packet(self) -> bool:
        """Take a packet from what has come; tell whether to go on with what follows it."""
        connection = self._connection
        received, encryption = connection._inpbuf, connection._recv_encryption
        length = int.from_bytes(received[:_LENGTH], "big")
        end = _LENGTH + length + _TAG
        if (
            len(received) < end
            or not _BLOCK <= length <= connection._max_recv_pktlen
            or type(encryption) is not _GCM
            or not connection._auth_complete
            or connection._decompressor
        ):
            return bool(self._long_way())
        cipher = encryption._cipher
        try:
            content = _key_of(cipher).decrypt(cipher._iv, received[_LENGTH:end], received[:_LENGTH])
        except InvalidTag:
            return bool(self._long_way())
        channel, data = self._data(content)
        if channel is None:
            return bool(self._long_way())
        cipher._update_iv()
        connection._inpbuf = received[end:]
        channel._accept_data(data)
        connection._finish_recv_packet(_DATA, connection._recv_seq)
        return True

    def _data(self, content: bytes) -> tuple[Any, bytes]:
        """Give the channel and the data of a packet; no channel if it is another packet, or a wrong one."""
        padding, kind, number, size = _HEAD.unpack_from(content)
        if kind != _DATA or not size or _HEAD.size + size + padding != len(content) or padding < _LEAST_PADDING:
            return None, b""
        channel = self._connection._channels.get(number)
        if channel is None or channel._recv_state != "open" or size > channel._recv_window:
            return None, b""
        return channel, content[_HEAD.size : _HEAD.size + size]


class Sending:
    """The short way out of one channel."""

    __slots__ = ("_channel", "_connection")

    def __init__(self, connection: Any, channel: Any) -> None:
        self._connection = connection
        self._channel = channel

    def send(self, data: bytes) -> int:
        """Send data in packets; tell how many bytes went, for the rest cannot take the short way now."""
        view, sent = memoryview(data), 0
        while size := self._room(len(data) - sent):
            self._packet(view[sent : sent + size])
            sent += size
        return sent

    def _packet(self, data: memoryview) -> None:
        connection, channel = self._connection, self._channel
        cipher = connection._send_encryption._cipher
        size = len(data)
        padding = -(_HEAD.size + size) % _BLOCK
        if padding < _LEAST_PADDING:
            padding += _BLOCK
        head = _HEAD.pack(padding, _DATA, channel._send_chan, size)
        content = b"".join((head, data, _PADDING.take(padding)))
        length = len(content).to_bytes(_LENGTH, "big")
        sealed = _key_of(cipher).encrypt(cipher._iv, content, length)
        cipher._update_iv()
        channel._send_window -= size
        connection._send_seq = (connection._send_seq + 1) & 0xFFFFFFFF
        connection._rekey_bytes_sent += len(content)
        connection._send(length + sealed)

    def _room(self, size: int) -> int:
        """How many of so many bytes may go in a packet now, the short way."""
        connection, channel = self._connection, self._channel
        if (
            TAKES_SHORT_WAY
            and type(connection._send_encryption) is _GCM
            and connection._kex_complete
            and connection._auth_complete
            and not connection._compressor
            and connection._rekey_bytes_sent < connection._rekey_bytes
            and not (connection._rekey_seconds and time.monotonic() >= connection._rekey_time)
            and channel._send_state == "open"
            and channel._send_chan is not None
            and not channel._send_buf
        ):
            return int(min(size, channel._send_window, channel._send_pktsize))
        return 0


def _key_of(cipher: Any) -> AESGCM:
    """Give the key of asyncssh's cipher, ready for use. It stays with the cipher, so that it goes with it."""
    try:
        key: AESGCM = cipher.sdqkd_key
    except AttributeError:
        key = cipher.sdqkd_key = AESGCM(cipher._key)
    return key
