"""The short way of packets with data: the same bytes as the long one, and whatever is wrong goes the long one."""

import asyncio
import contextlib
import gc
import os
import re
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import asyncssh
import pytest
from asyncssh.connection import SSHConnection
from asyncssh.crypto import cipher as cipher_module
from asyncssh.crypto.cipher import GCMCipher
from asyncssh.encryption import GCMEncryption
from asyncssh.packet import Boolean, Byte, String, UInt32

from sdqkd.transport import ssh_client, ssh_packets, ssh_service

PATIENCE_S = 20.0
NETCONF = {"subsystem": "netconf", "encoding": None}
GCM = {"encryption_algs": ["aes128-gcm@openssh.com"]}
MSG_DISCONNECT, MSG_IGNORE, MSG_DEBUG, MSG_KEXINIT, MSG_NEWKEYS, MSG_KEX_FIRST = 1, 2, 4, 20, 21, 30
MSG_USERAUTH_REQUEST, MSG_GLOBAL_REQUEST = 50, 80
MSG_WINDOW_ADJUST, MSG_CHANNEL_DATA, MSG_EXTENDED_DATA, MSG_EOF, MSG_CLOSE, MSG_CHANNEL_REQUEST = range(93, 99)
# Those about a block of the cipher, about a packet, and several packets.
SIZES = [*range(1, 40), 32_767, 32_768, 32_769, 200_000]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How long the packets were that asyncssh itself has opened."""
    lengths: list[int] = []
    verify = GCMCipher.verify_and_decrypt

    def count(cipher: GCMCipher, header: bytes, data: bytes, mac: bytes) -> bytes | None:
        lengths.append(len(data))
        return verify(cipher, header, data, mac)

    monkeypatch.setattr(GCMCipher, "verify_and_decrypt", count)
    return lengths


def test_asyncssh_is_as_we_know_it() -> None:
    assert ssh_packets.TAKES_SHORT_WAY


def test_all_that_is_touched_was_looked_for() -> None:
    source = Path(ssh_packets.__file__).read_text("utf-8")
    body = source[source.index("class _Padding") :]
    touched = set(re.findall(r"(?:channel|connection|encryption|cipher)\.(_\w+)", body))
    methods = {"_recv_pkthdr", "_finish_recv_packet", "_send", "_accept_data", "_update_iv"}
    attributes = {*ssh_packets._OF_CONNECTION, *ssh_packets._OF_CHANNEL, "_key", "_iv", "_cipher"}
    assert touched == attributes | methods


class _Renamed:
    def __init__(self, cipher_name: str, key: bytes, iv: bytes) -> None:
        self._key, self._nonce = key, iv

    def _update_iv(self) -> None:
        pass


def _module(**classes: type) -> ModuleType:
    module = ModuleType("another")
    vars(module).update(classes)
    return module


@pytest.mark.parametrize(
    ("cipher", "encryption"),
    [
        (None, _module(GCMEncryption=GCMEncryption)),
        (cipher_module, None),
        (cipher_module, _module()),
        (_module(GCMCipher=_Renamed), _module(GCMEncryption=GCMEncryption)),
        (cipher_module, _module(GCMEncryption=_Renamed)),
    ],
)
def test_another_asyncssh_is_left_alone(cipher: ModuleType | None, encryption: ModuleType | None) -> None:
    assert not ssh_packets.is_as_known(cipher, encryption)


@pytest.mark.parametrize("names", ["_OF_CONNECTION", "_OF_CHANNEL"])
def test_an_asyncssh_without_a_name_is_left_alone(monkeypatch: pytest.MonkeyPatch, names: str) -> None:
    known = (cipher_module, _module(GCMEncryption=GCMEncryption))
    assert ssh_packets.is_as_known(*known)
    monkeypatch.setattr(ssh_packets, names, (*getattr(ssh_packets, names), "_other"))
    assert not ssh_packets.is_as_known(*known)


@pytest.mark.parametrize("found", [True, False])
async def test_both_ways_carry_the_same(
    serve: Any, dial: Any, echo: Any, monkeypatch: pytest.MonkeyPatch, found: bool
) -> None:
    monkeypatch.setattr(ssh_packets, "TAKES_SHORT_WAY", found)
    client = await dial(await serve(echo))
    said = b""
    for size in SIZES:
        said += (piece := os.urandom(size))
        client.link.write(piece)
        await client.heard(said)
    client.link.close()
    await client.lost()


async def test_data_take_the_short_way(serve: Any, dial: Any, echo: Any, opened: list[int]) -> None:
    client = await dial(await serve(echo))
    del opened[:]
    for number in range(20):
        client.link.write(b"x" * 1000)
        await client.heard(b"x" * 1000 * (number + 1))
    assert not [length for length in opened if length > 1000]


@pytest.mark.parametrize("cipher", ["aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes128-ctr"])
async def test_each_cipher_carries_data(
    serve: Any, echo: Any, raw: Any, keys: Any, caller: Any, cipher: str
) -> None:
    async with await raw(await serve(echo), keys, encryption_algs=[cipher]) as connection:
        channel, mine = await connection.create_session(caller, **NETCONF)
        for size in SIZES[-6:]:
            mine.data = b""
            channel.write(b"x" * size)
            async with asyncio.timeout(PATIENCE_S):
                while len(mine.data) < size:
                    mine.heard.clear()
                    await mine.heard.wait()


async def _disconnected(connection: Any) -> None:
    """Wait until the server has ended the connection."""
    async with asyncio.timeout(PATIENCE_S):
        with contextlib.suppress(asyncssh.Error):
            await connection.wait_closed()


async def test_a_packet_that_somebody_has_changed_ends_the_connection(
    serve: Any, recorder: Any, raw: Any, keys: Any, caller: Any
) -> None:
    receiver = recorder()
    connection = await raw(await serve(lambda: receiver), keys, **GCM)
    channel, _ = await connection.create_session(caller, **NETCONF)
    write = connection._transport.write
    connection._transport.write = lambda data: write(data[:-1] + bytes([data[-1] ^ 1]))
    channel.write(b"x" * 100)
    assert await receiver.lost() is not None
    assert not receiver.data
    await _disconnected(connection)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(asyncssh.packet.UInt32(7) + asyncssh.packet.String(b"x"), id="another channel"),
        pytest.param(asyncssh.packet.UInt32(0) + asyncssh.packet.UInt32(200) + b"x", id="too few data"),
        pytest.param(asyncssh.packet.UInt32(0) + asyncssh.packet.String(b"x") + b"y", id="more than data"),
        pytest.param(asyncssh.packet.UInt32(0), id="no data"),
    ],
)
async def test_a_wrong_packet_ends_the_connection(
    serve: Any, recorder: Any, raw: Any, keys: Any, caller: Any, content: bytes
) -> None:
    receiver = recorder()
    connection = await raw(await serve(lambda: receiver), keys, **GCM)
    await connection.create_session(caller, **NETCONF)
    connection.send_packet(MSG_CHANNEL_DATA, content)
    await receiver.lost()
    assert not receiver.data
    await _disconnected(connection)


async def test_more_than_the_window_ends_the_connection(
    serve: Any, recorder: Any, raw: Any, keys: Any, caller: Any
) -> None:
    receiver = recorder()
    connection = await raw(await serve(lambda: receiver), keys, **GCM)
    channel, _ = await connection.create_session(caller, **NETCONF)
    await receiver.until(lambda: "made" in receiver.calls)
    receiver.link.pause_reading()
    channel.write(b"x" * channel._send_window)
    granted = receiver.link._channel
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await asyncio.sleep(0)
            if not granted._recv_window:
                break
    channel._send_window = 1  # the client's belief
    channel.write(b"x")
    await receiver.lost()
    await _disconnected(connection)


async def test_what_waits_for_a_slow_reader_is_kept_once(
    serve: Any, recorder: Any, raw: Any, keys: Any, caller: Any
) -> None:
    receiver = recorder()
    connection = await raw(await serve(lambda: receiver), keys, **GCM)
    channel, mine = await connection.create_session(caller, **NETCONF, window=65_536)
    await receiver.until(lambda: "made" in receiver.calls)
    connection._transport.pause_reading()
    answer = os.urandom(2**22)
    tracemalloc.start()
    receiver.link.write(answer)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1.5 * len(answer)
    connection._transport.resume_reading()
    async with asyncio.timeout(PATIENCE_S):
        while len(mine.data) < len(answer):
            mine.heard.clear()
            await mine.heard.wait()
    assert mine.data == answer
    channel.close()


# Whatever comes, the short way ends as the long one


def _sealed(connection: Any, payload: bytes, padding: int | None = None, claimed: int | None = None) -> bytes:
    """A packet as the client would send it next; `claimed` is the length of the padding that it claims."""
    if padding is None:
        padding = 4 + -(5 + len(payload)) % 16
    content = Byte(padding if claimed is None else claimed) + payload + os.urandom(padding)
    body, tag = connection._send_encryption.encrypt_packet(connection._send_seq, UInt32(len(content)), content)
    connection._send_seq += 1
    return bytes(body + tag)


def _data(data: bytes, channel: int = 0) -> bytes:
    return Byte(MSG_CHANNEL_DATA) + UInt32(channel) + String(data)


def _between(*others: bytes) -> Callable[[Any], list[bytes]]:
    """Such packets, with data before and after each."""
    return lambda connection: [
        _sealed(connection, payload)
        for number, other in enumerate(others)
        for payload in (_data(b"%d" % number), other, _data(b"after"))
    ]


def _swapped(connection: Any) -> list[bytes]:
    return [_sealed(connection, _data(b"1")), _sealed(connection, _data(b"2"))][::-1]


def _changed(connection: Any, at: int) -> list[bytes]:
    packet = bytearray(_sealed(connection, _data(b"x" * 100)))
    packet[at] ^= 1
    return [_sealed(connection, _data(b"right")), bytes(packet), os.urandom(100)]


_FIFTEEN = _data(b"x" * 15)
PADDINGS = [(0, 0), (8, 0), (1, 1), (3, 3), (4, 4), (255, 255), (10, 250), (4, 28), (4, 29), (20, 10)]
SENT: dict[str, Callable[[Any], list[bytes]]] = {
    "sizes": lambda c: [_sealed(c, _data(b"x" * size)) for size in range(40)],
    "no whole blocks": lambda c: [_sealed(c, _data(b"abc" * size), 4) for size in range(1, 40)],
    **{
        f"padding of {claimed} for {padding}": lambda c, p=padding, q=claimed: [_sealed(c, _FIFTEEN, p, q)]
        for padding, claimed in PADDINGS
    },
    **{
        f"a length of {length}": lambda c, length=length: [UInt32(length) + os.urandom(100)]
        for length in (0, 1, 12, 15, 16, 17, 80, 35_001, 2**31, 2**32 - 1)
    },
    "a changed length": lambda c: _changed(c, 3),
    "a changed byte": lambda c: _changed(c, 20),
    "a changed tag": lambda c: _changed(c, -1),
    "twice": lambda c: [_sealed(c, _data(b"x"))] * 2,
    "another order": _swapped,
    "a size into the padding": lambda c: [_sealed(c, Byte(94) + UInt32(0) + UInt32(5) + b"x")],
    "what may come between": _between(
        Byte(MSG_IGNORE) + String(b"x"),
        Byte(MSG_DEBUG) + Boolean(False) + String(b"x") + String(b""),
        Byte(MSG_GLOBAL_REQUEST) + String(b"keepalive@openssh.com") + Boolean(True),
        Byte(MSG_WINDOW_ADJUST) + UInt32(0) + UInt32(100),
        Byte(MSG_CHANNEL_REQUEST) + UInt32(0) + String(b"keepalive@openssh.com") + Boolean(True),
        Byte(200),
    ),
    "another channel": _between(_data(b"x", 2**32 - 1)),
    "stderr": _between(Byte(MSG_EXTENDED_DATA) + UInt32(0) + UInt32(1) + String(b"x")),
    "nothing": _between(b""),
    "disconnect": _between(Byte(MSG_DISCONNECT) + UInt32(11) + String(b"bye") + String(b"")),
    "eof": _between(Byte(MSG_EOF) + UInt32(0)),
    "close": _between(Byte(MSG_CLOSE) + UInt32(0)),
    "new keys": _between(Byte(MSG_NEWKEYS)),
    "a key exchange": _between(Byte(MSG_KEX_FIRST) + String(bytes(32))),
    "half a wish for keys": _between(Byte(MSG_KEXINIT) + bytes(16)),
    "a login": _between(Byte(MSG_USERAUTH_REQUEST) + String(b"noc")),
}  # fmt: skip


async def _outcome(
    receiver: Any, connection: Any, caller: Any, packets: Callable[[Any], list[bytes]], piece: int
) -> tuple[bytes, list[str], bool]:
    """What the server heard and how it ended, when these packets came in pieces of so many bytes."""
    await connection.create_session(caller, **NETCONF)
    await receiver.until(lambda: "made" in receiver.calls)
    server = receiver.link._connection
    sent = b"".join(packets(connection))
    for start in range(0, len(sent), piece):
        if server._transport is not None:
            server.data_received(sent[start : start + piece])
    for _ in range(10):  # what asyncssh does soon, it does now
        await asyncio.sleep(0)
    heard, ends = bytes(receiver.data), server._transport is None
    reasons = [str(error).partition(": ")[2] for error in receiver.losses]
    connection.abort()
    await receiver.lost()
    return heard, reasons, ends


@pytest.mark.parametrize("piece", [1, 7, 2**20])
@pytest.mark.parametrize("packets", [pytest.param(packets, id=name) for name, packets in SENT.items()])
async def test_both_ways_hear_the_same(
    serve: Any,
    echo: Any,
    raw: Any,
    keys: Any,
    caller: Any,
    monkeypatch: pytest.MonkeyPatch,
    packets: Callable[[Any], list[bytes]],
    piece: int,
) -> None:
    outcomes = []
    for found in (False, True):
        monkeypatch.setattr(ssh_packets, "TAKES_SHORT_WAY", found)
        receiver = echo()
        connection = await raw(await serve(lambda receiver=receiver: receiver), keys, **GCM)
        outcomes.append(await _outcome(receiver, connection, caller, packets, piece))
    assert outcomes[0] == outcomes[1]


# New keys


@pytest.fixture
def changes_of_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The connections that have taken new keys, each time."""
    taken: list[Any] = []
    take = SSHConnection._packet_handlers[MSG_NEWKEYS]

    def count(connection: Any, *arguments: Any) -> Any:
        taken.append(connection)
        return take(connection, *arguments)

    monkeypatch.setitem(SSHConnection._packet_handlers, MSG_NEWKEYS, count)
    return taken


@pytest.mark.parametrize("rekey_bytes", [1, 2000, 50_000])
@pytest.mark.parametrize("who", [[ssh_client], [ssh_service], [ssh_client, ssh_service]])
async def test_nothing_is_lost_when_keys_change(
    serve: Any,
    dial: Any,
    echo: Any,
    monkeypatch: pytest.MonkeyPatch,
    changes_of_keys: list[Any],
    rekey_bytes: int,
    who: list[ModuleType],
) -> None:
    for side in who:
        monkeypatch.setattr(side, "REKEY_BYTES", rekey_bytes)
    client = await dial(await serve(echo))
    said = b""
    sizes = [1, 30, 900] if rekey_bytes == 1 else [1, 900, 33_000, 120_000]
    for number in range(20):
        said += (piece := os.urandom(sizes[number % len(sizes)]))
        client.link.write(piece)
        if number % 7 == 0:
            await client.heard(said)
    await client.heard(said)
    assert len(changes_of_keys) > 10
    client.link.close()
    await client.lost()


async def test_no_copy_of_an_old_key_stays(serve: Any, dial: Any, echo: Any, changes_of_keys: list[Any]) -> None:
    server = echo()
    client = await dial(await serve(lambda: server))
    client.link.write(b"x")
    await client.heard(b"x")
    ends = (client.link._connection, server.link._connection)
    old = [weakref.ref(way._cipher) for end in ends for way in (end._send_encryption, end._recv_encryption)]
    del changes_of_keys[:]
    ends[0]._rekey_bytes = 0
    ends[0].send_packet(MSG_DEBUG, Boolean(False), String(b""), String(b""))
    ends[0]._rekey_bytes = 2**30
    async with asyncio.timeout(PATIENCE_S):
        while len(changes_of_keys) < 2:  # noqa: ASYNC110 - new keys ring no bell
            await asyncio.sleep(0)
    gc.collect()
    assert not [cipher for cipher in old if cipher() is not None]
