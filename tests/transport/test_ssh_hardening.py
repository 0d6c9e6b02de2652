"""What an abuse costs the server: little, for a short time, and never an honest client's service."""

import asyncio
import contextlib
import logging
import socket
from typing import Any

import asyncssh
import pytest

from sdqkd.errors import LoginRefusedError, SessionLostError
from sdqkd.transport import ssh_lean
from sdqkd.transport.admission import Gate, Limits
from sdqkd.transport.socket_link import Patience

PATIENCE_S = 20.0
# In which an honest client must be served, whatever others do: far less than the 30 s after which they are cut.
AT_ONCE_S = 10.0

NETCONF = {"subsystem": "netconf", "encoding": None}
MSG_IGNORE, MSG_KEXINIT, MSG_GLOBAL_REQUEST = 2, 20, 80


async def honest(dial: Any, port: Any) -> None:
    """Log in, and be answered, at once."""
    async with asyncio.timeout(AT_ONCE_S):
        client = await dial(port)
        client.link.write(b"x")
        await client.heard(b"x")
    client.link.close()
    await client.lost()


@contextlib.asynccontextmanager
async def silence(port: int, count: int) -> Any:
    """Open connections and say nothing."""
    pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    yield [reader for reader, _ in pairs]
    for _, writer in pairs:
        writer.transport.abort()


def shrink(sock: Any) -> None:
    """Have the system keep little of what is sent and not yet read."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)


async def somebody_waits(gate: Gate) -> None:
    while not gate.waiting:  # noqa: ASYNC110 - accepting a connection rings no bell
        await asyncio.sleep(0)


# Who has not logged in


async def test_silent_connections_make_room(serve: Any, dial: Any, echo: Any) -> None:
    gate = Gate(Limits(max_waiting_per_source=20))
    listener = await serve(echo, gate=gate)
    async with silence(listener.port, 100) as readers:
        await honest(dial, listener)
        assert gate.waiting <= 20
        async with asyncio.timeout(PATIENCE_S):
            for reader in readers[:80]:
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() in (b"", b"SSH-2.0-sdqkd\r\n")
        await honest(dial, listener)


async def test_a_flood_of_wrong_keys(serve: Any, dial: Any, echo: Any, raw: Any, keys: Any) -> None:
    gate = Gate()
    listener = await serve(echo, gate=gate)
    tried = 0
    enough = asyncio.Event()

    async def guess() -> None:
        nonlocal tried
        while True:
            with pytest.raises(asyncssh.PermissionDenied):
                await raw(listener, keys, client_keys=[str(keys.file("other"))])
            tried += 1
            if tried > 30:
                enough.set()

    guessers = [asyncio.create_task(guess()) for _ in range(4)]
    try:
        await honest(dial, listener)
        async with asyncio.timeout(PATIENCE_S):
            await enough.wait()
        await honest(dial, listener)
    finally:
        for task in guessers:
            task.cancel()
        await asyncio.gather(*guessers, return_exceptions=True)


async def test_a_server_that_is_closed_lets_nobody_in_who_was_slowed_down(
    serve: Any, echo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sdqkd.transport.admission._FREE_STRIKES", -1.0)
    monkeypatch.setattr("sdqkd.transport.admission._DELAY_PER_STRIKE_S", 60.0)
    monkeypatch.setattr("sdqkd.transport.admission._MAX_DELAY_S", 60.0)
    gate = Gate()
    listener = await serve(echo, gate=gate)
    async with silence(listener.port, 1) as (reader,):
        await somebody_waits(gate)
        await listener.close()
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""


# Who has logged in


async def test_a_user_has_so_many_sessions(serve: Any, dial: Any, echo: Any, keys: Any) -> None:
    users = {"noc": [keys.noc], "eve": [keys.noc]}
    listener = await serve(echo, users=users, limits=Limits(max_sessions_per_user=2))
    clients = [await dial(listener) for _ in range(2)]
    with pytest.raises(LoginRefusedError) as caught:
        await dial(listener)
    assert str(caught.value).endswith(
        "lets nobody else in: user 'noc' has 2 sessions, as many as one user may have"
    )
    await dial(listener, username="eve")
    clients[0].link.close()
    await clients[0].lost()
    await honest(dial, listener)


async def test_a_server_has_so_many_sessions(serve: Any, dial: Any, echo: Any) -> None:
    gate = Gate(Limits(max_sessions=3))
    listeners = [await serve(echo, gate=gate) for _ in range(2)]
    for number in range(3):
        await dial(listeners[number % 2])
    with pytest.raises(LoginRefusedError, match="3 sessions are open, as many as are served"):
        await dial(listeners[0])


async def test_some_places_are_left_for_who_must_always_come_in(
    serve: Any, dial: Any, echo: Any, keys: Any
) -> None:
    users = {"noc": [keys.noc], "eve": [keys.noc]}
    listener = await serve(echo, users=users, gate=Gate(Limits(max_sessions=3), always=["noc"]))
    for _ in range(3):
        await dial(listener, username="eve")
    with pytest.raises(LoginRefusedError, match="3 sessions are open"):
        await dial(listener, username="eve")
    for _ in range(4):
        await dial(listener, username="noc")
    with pytest.raises(LoginRefusedError, match="7 sessions are open"):
        await dial(listener, username="noc")


async def test_each_channel_is_a_session(serve: Any, echo: Any, raw: Any, keys: Any, caller: Any) -> None:
    gate = Gate(Limits(max_sessions_per_user=3))
    listener = await serve(echo, gate=gate)
    async with await raw(listener, keys) as connection:
        channels = [(await connection.create_session(caller, **NETCONF))[0] for _ in range(3)]
        with pytest.raises(asyncssh.ChannelOpenError, match="user 'noc' has 3 sessions"):
            await connection.create_session(caller, **NETCONF)
        channels[0].close()
        await channels[0].wait_closed()
        await connection.create_session(caller, **NETCONF)
    await listener.close()
    assert gate._places.total() == 0


async def test_a_login_without_a_session_is_ended(serve: Any, echo: Any, raw: Any, keys: Any, dial: Any) -> None:
    listener = await serve(echo, limits=Limits(login_timeout_s=1))  # the honest client must be in by then too
    idle = await raw(listener, keys)
    client = await dial(listener)
    async with asyncio.timeout(PATIENCE_S):
        await idle.wait_closed()
    client.link.write(b"still here")
    await client.heard(b"still here")


async def test_channels_without_end(serve: Any, echo: Any, raw: Any, keys: Any, caller: Any, dial: Any) -> None:
    listener = await serve(echo, limits=Limits(max_channels=2))
    greedy = await raw(listener, keys)
    refused = 0
    async with asyncio.timeout(PATIENCE_S):
        while refused < 1000 and not greedy.is_closed():
            try:
                await greedy.create_session(caller, **NETCONF)
            except asyncssh.ChannelOpenError:
                refused += 1
        await greedy.wait_closed()
    assert 50 <= refused <= 60
    await honest(dial, listener)


async def test_nothing_is_kept_of_variables(serve: Any, recorder: Any, raw: Any, keys: Any, caller: Any) -> None:
    receiver = recorder()
    async with await raw(await serve(lambda: receiver), keys) as connection:
        await connection.create_session(caller, env={"A": "x" * 1000}, **NETCONF)
        await receiver.until(lambda: "made" in receiver.calls)
        assert dict(receiver.link._channel.get_environment()) == {}


async def test_tiny_packets_are_refused(serve: Any, echo: Any, raw: Any, keys: Any, caller: Any) -> None:
    async with await raw(await serve(echo), keys) as connection:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.create_session(caller, max_pktsize=10, **NETCONF)
        await connection.create_session(caller, max_pktsize=1024, **NETCONF)


# Who does not read


async def test_who_reads_nothing_is_cut_off(
    serve: Any, dial: Any, recorder: Any, relay: Any, caplog: pytest.LogCaptureFixture
) -> None:
    receivers: list[Any] = []
    patience = Patience(unread_timeout_s=0.2)
    listener = await serve(lambda: receivers.append(recorder()) or receivers[-1], limits=Limits(patience=patience))
    async with relay(listener.port) as line:
        deaf, good = await dial(line.port), await dial(listener)
        line.flows.clear()
        receivers[0].link.write(bytes(50_000_000))
        error = await receivers[0].lost()
        assert str(error).endswith(": the peer has read nothing for 0.2 s")
        assert receivers[0].calls == ["made", "pause", "lost"]
        receivers[1].link.write(b"x")
        await good.heard(b"x")
        line.flows.set()
        assert isinstance(await deaf.lost(), SessionLostError | None)
    assert "has read nothing for 0.2 s: its session is ended" in caplog.text


async def test_what_waits_for_a_reader_is_bounded(serve: Any, dial: Any, recorder: Any) -> None:
    receiver = recorder()
    listener = await serve(lambda: receiver, limits=Limits(patience=Patience(max_unread_bytes=10_000_000)))
    client = await dial(listener)
    client.link.pause_reading()
    receiver.link.write(bytes(30_000_000))  # one reply may be as long as it is
    assert receiver.losses == []
    for _ in range(100):
        receiver.link.write(bytes(1_000_000))
    assert str(await receiver.lost()).endswith("leaves more than 10000000 bytes unread")
    client.link.resume_reading()
    await client.lost()
    assert len(client.data) <= 30_000_000


async def test_who_does_not_read_may_not_ask(
    serve: Any, dial: Any, echo: Any, raw: Any, keys: Any, caller: Any
) -> None:
    """Every request wants a reply; the replies would fill the memory if requests were read on and on."""
    receivers: list[Any] = []
    listener = await serve(lambda: receivers.append(echo()) or receivers[-1])
    deaf = await raw(listener, keys)
    await deaf.create_session(caller, **NETCONF)
    deaf._transport.pause_reading()
    shrink(deaf.get_extra_info("socket"))
    shrink(receivers[0].link._connection.get_extra_info("socket"))
    request = asyncssh.packet.String(b"x" * 200) + asyncssh.packet.Boolean(True)
    sent = 0
    async with asyncio.timeout(PATIENCE_S):
        while deaf._transport.get_write_buffer_size() < 1_000_000:  # the server has stopped reading
            for _ in range(100):
                deaf.send_packet(MSG_GLOBAL_REQUEST, request)
            sent += 100
            assert sent < 100_000
            await asyncio.sleep(0)
    assert ssh_lean.socket_buffer_bytes(receivers[0].link._connection) < 1_000_000
    await honest(dial, listener)
    deaf.abort()
    await deaf.wait_closed()


# Changing keys


async def test_keys_are_changed_under_way(
    serve: Any, dial: Any, echo: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sdqkd.transport.ssh_service.REKEY_BYTES", 100_000)
    caplog.set_level(logging.DEBUG, logger="asyncssh")
    client = await dial(await serve(echo))
    pieces = [bytes([number]) * 20_000 for number in range(50)]
    for piece in pieces:
        client.link.write(piece)
    await client.heard(b"".join(pieces))
    assert caplog.text.count("Requesting key exchange") > 4


async def test_who_begins_to_change_keys_and_does_not_end(
    serve: Any, recorder: Any, raw: Any, keys: Any, caller: Any
) -> None:
    """What is written meanwhile is kept, and no window limits it."""
    receiver = recorder()
    patience = Patience(unread_timeout_s=0.3)
    connection = await raw(await serve(lambda: receiver, limits=Limits(patience=patience)), keys)
    await connection.create_session(caller, window=2**31, **NETCONF)
    process = connection.process_packet
    connection.process_packet = lambda kind, seq, packet: kind == MSG_KEXINIT or process(kind, seq, packet)
    connection._send_kexinit()
    await receiver.until(lambda: "made" in receiver.calls)
    while "pause" not in receiver.calls:
        receiver.link.write(b"x")
        await asyncio.sleep(0)
    assert str(await receiver.lost()).endswith("has read nothing for 0.3 s")
    connection.abort()
    await connection.wait_closed()


# What is left out of asyncssh


def test_all_that_is_left_out_was_found() -> None:
    assert ssh_lean.SENDS_NO_IGNORE
    assert ssh_lean.KEEPS_OPTIONS
    assert ssh_lean.REFUSES_VARIABLES
    assert ssh_lean.LOGS_NO_PACKETS
    assert ssh_lean.KEEPS_TIMERS


@pytest.mark.parametrize("found", [True, False])
async def test_an_answer_is_one_packet(
    serve: Any, echo: Any, raw: Any, keys: Any, caller: Any, monkeypatch: pytest.MonkeyPatch, found: bool
) -> None:
    """And if asyncssh changes, two, but the same answer."""
    for part in ("SENDS_NO_IGNORE", "KEEPS_OPTIONS", "REFUSES_VARIABLES", "LOGS_NO_PACKETS", "KEEPS_TIMERS"):
        monkeypatch.setattr(ssh_lean, part, found)
    seen: list[int] = []
    async with await raw(await serve(echo), keys) as connection:
        process = connection.process_packet
        connection.process_packet = lambda kind, *rest: seen.append(kind) or process(kind, *rest)
        channel, mine = await connection.create_session(caller, **NETCONF)
        channel.write(b"x" * 100)
        async with asyncio.timeout(PATIENCE_S):
            await mine.heard.wait()
    assert mine.data == b"x" * 100
    assert (MSG_IGNORE not in seen) == found


async def test_answers_to_what_comes_together_go_together(
    serve: Any, echo: Any, raw: Any, keys: Any, caller: Any
) -> None:
    async with await raw(await serve(echo), keys) as connection:
        channel, mine = await connection.create_session(caller, **NETCONF)
        written: list[bytes] = []
        connection._transport.write, write = written.append, connection._transport.write
        for number in range(16):
            channel.write(b"%02d" % number)
        write(b"".join(written))
        connection._transport.write = write
        async with asyncio.timeout(PATIENCE_S):
            while len(mine.data) < 32:
                mine.heard.clear()
                await mine.heard.wait()
    assert mine.data == b"".join(b"%02d" % number for number in range(16))
    assert mine.deliveries <= 2
