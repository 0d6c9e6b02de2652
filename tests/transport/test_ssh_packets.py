"""The short way of packets with data: the same bytes as the long one, and whatever is wrong goes the long one."""

import asyncio
import contextlib
import os
from collections.abc import Iterator
from typing import Any

import asyncssh
import pytest
from asyncssh.crypto.cipher import GCMCipher

from sdqkd.transport import ssh_packets

PATIENCE_S = 20.0
NETCONF = {"subsystem": "netconf", "encoding": None}
GCM = {"encryption_algs": ["aes128-gcm@openssh.com"]}
MSG_CHANNEL_DATA = 94
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
