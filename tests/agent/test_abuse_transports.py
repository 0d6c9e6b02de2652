"""What somebody without a login can do to an agent over real SSH and TLS, and what no session may outlast: honest
clients are served within a second meanwhile, over both."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from tests.agent import raw_ssh, raw_tls
from tests.agent.child import Child
from tests.agent.test_abuse import FATAL, REFUSED, asking, edit, rpc, tags
from tests.transport.certificates import issue

from sdqkd.transport.keys import make_key_pair

PORTS = {"ssh": "port", "tls": "tls-port"}
CONNECT: dict[str, Callable[..., Awaitable[Any]]] = {"ssh": raw_ssh.connect, "tls": raw_tls.connect}
PATIENCE_S = 20.0

over_both = pytest.mark.parametrize("transport", PORTS)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    (tmp_path / "client.pub").write_text(make_key_pair(tmp_path / "client"))
    issue(tmp_path, "device")
    issue(tmp_path, "noc")
    children: list[Child] = []

    def serve(**limits: float) -> Child:
        children.append(Child(tmp_path, **limits))
        return children[-1]

    yield serve
    for child in children:
        child.kill()


@asynccontextmanager
async def client(child: Child, transport: str, *, greet: bool = True) -> AsyncIterator[Any]:
    session = await CONNECT[transport](child, greet=greet)
    try:
        yield session
    finally:
        if transport == "ssh":
            session.connection.abort()
            await session.connection.wait_closed()
        else:
            session.transport.abort()
            await session.is_closed()


async def is_served(child: Child) -> None:
    """Somebody new logs in, over each transport, and is answered."""
    for transport in PORTS:
        with child.serves_at_once():
            async with client(child, transport) as newcomer:
                await newcomer.ask()


@asynccontextmanager
async def honest_clients(child: Child) -> AsyncIterator[None]:
    """Two who ask again and again, and never wait long; then new ones, while what was done still lasts."""
    async with client(child, "ssh") as one, client(child, "tls") as other, asking(child, one, other):
        yield
        await is_served(child)


class Stranger(asyncio.Protocol):
    """A TCP connection without a login."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()
        self.heard = asyncio.Event()
        self.transport: asyncio.Transport

    def data_received(self, data: bytes) -> None:
        self.heard.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()

    async def is_closed(self) -> bool:
        async with asyncio.timeout(PATIENCE_S):
            return await self.closed.wait()


@asynccontextmanager
async def strangers(child: Child, transport: str, count: int, says: bytes = b"") -> AsyncIterator[list[Stranger]]:
    async def come() -> Stranger:
        made, stranger = await asyncio.get_running_loop().create_connection(
            Stranger, "127.0.0.1", child.said[PORTS[transport]]
        )
        stranger.transport = made
        made.write(says)
        return stranger

    all_of_them = [await come() for _ in range(count)]
    try:
        yield all_of_them
    finally:
        for stranger in all_of_them:
            stranger.transport.abort()


def client_hello() -> bytes:
    """The first bytes of a client that speaks TLS."""
    outgoing = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    return outgoing.read()


BEGINNINGS = {"ssh": b"SSH-2.0-slow\r\n", "tls": client_hello()}
DRIPS = {"ssh": b"SSH-2.0-" + b"s" * 240, "tls": client_hello()}
GARBAGE = {
    "zeros": bytes(4096),
    "HTTP": b"GET / HTTP/1.1\r\n\r\n" * 200,
    "the other transport": b"",
    "a packet of 4 GB": b"SSH-2.0-x\r\n\xff\xff\xff\xff" + b"\xff" * 4096,
    "a record of the greatest length": b"\x16\x03\x01\xff\xff" + b"\xff" * 4096,
}


# Before the login


@over_both
@pytest.mark.parametrize("begun", ["silent", "begun"])
async def test_a_flood_that_never_logs_in_keeps_nobody_out(
    serve: Callable[..., Child], transport: str, begun: str
) -> None:
    """Three hundred connections that stay, silent or with their handshake half done."""
    child = serve()
    before_mib = child.resident_mib
    says = BEGINNINGS[transport] if begun == "begun" else b""
    async with strangers(child, transport, 300, says) as flood, honest_clients(child):
        assert any(not stranger.closed.is_set() for stranger in flood)
    assert child.resident_mib - before_mib < 60
    await is_served(child)


@over_both
async def test_fifty_silent_connections_and_a_real_client_at_once(
    serve: Callable[..., Child], transport: str
) -> None:
    child = serve()
    async with strangers(child, transport, 50):
        await is_served(child)


@over_both
async def test_a_handshake_that_drips_is_cut_off(serve: Callable[..., Child], transport: str) -> None:
    """A byte now and then, for ever: what counts is the time since the connection."""
    child = serve(login_timeout_s=1.0)
    async with honest_clients(child):
        begun = time.monotonic()
        async with strangers(child, transport, 10) as slow:
            for byte in DRIPS[transport]:
                if all(stranger.closed.is_set() for stranger in slow):
                    break
                for stranger in slow:
                    stranger.transport.write(bytes([byte]))
                await asyncio.sleep(0.02)
            else:
                pytest.fail("whoever drips is not cut off")
            assert time.monotonic() - begun > 0.8


@over_both
async def test_a_handshake_that_stops_half_way_is_cut_off(serve: Callable[..., Child], transport: str) -> None:
    child = serve(login_timeout_s=1.0)
    async with strangers(child, transport, 5, BEGINNINGS[transport]) as half:
        for stranger in half:
            await stranger.is_closed()
            assert stranger.heard.is_set()
    await is_served(child)


@over_both
async def test_connections_that_come_and_go(serve: Callable[..., Child], transport: str) -> None:
    child = serve()
    before_mib = child.resident_mib
    async with honest_clients(child):
        for _ in range(20):
            async with strangers(child, transport, 20, BEGINNINGS[transport]):
                pass
    assert child.resident_mib - before_mib < 60


@over_both
@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbage_ends_its_own_connection(serve: Callable[..., Child], transport: str, garbage: str) -> None:
    child = serve(login_timeout_s=1.0)
    other = BEGINNINGS["tls" if transport == "ssh" else "ssh"]
    async with strangers(child, transport, 5, GARBAGE[garbage] or other) as peers:
        for peer in peers:
            assert await peer.is_closed()
    await is_served(child)


# After the login


@over_both
async def test_whoever_says_no_hello_is_cut_off(serve: Callable[..., Child], transport: str) -> None:
    child = serve(hello_timeout_s=0.5)
    begun = time.monotonic()
    async with client(child, transport, greet=False) as silent:
        assert await silent.is_closed()
        assert time.monotonic() - begun < 5
    await is_served(child)


@over_both
@pytest.mark.parametrize("beginning", [b"\n#1000\n<rpc", b""])
async def test_whoever_stops_is_cut_off(serve: Callable[..., Child], transport: str, beginning: bytes) -> None:
    child = serve(rpc_timeout_s=0.5, idle_timeout_s=0.8)
    async with client(child, transport) as abuser:
        await abuser.ask()
        abuser.send(beginning)
        assert await abuser.is_closed()
    await is_served(child)


async def gets_in(child: Child, transport: str) -> bool:
    """Whether one more session is served. Over TLS the server can refuse only after the client's handshake."""
    try:
        async with client(child, transport) as session:
            closed, answered = asyncio.create_task(session.is_closed()), asyncio.create_task(session.ask())
            done, _ = await asyncio.wait((closed, answered), return_when=asyncio.FIRST_COMPLETED)
            closed.cancel()
            answered.cancel()
            return answered in done
    except (asyncssh.Error, OSError):
        return False


@over_both
@pytest.mark.parametrize("limit", ["max_sessions", "max_sessions_per_user"])
async def test_sessions_are_counted_over_both(serve: Callable[..., Child], transport: str, limit: str) -> None:
    child = serve(**{limit: 3})
    async with client(child, "ssh") as one, client(child, "tls") as two, client(child, transport) as three:
        for refused in PORTS:
            assert not await gets_in(child, refused)
        for session in (one, two, three):
            assert tags(await session.ask()) == []
    await is_served(child)


async def test_bad_messages_over_tls(serve: Callable[..., Child]) -> None:
    """What test_abuse does over SSH, once more over the other transport."""
    child = serve()
    async with honest_clients(child), client(child, "tls") as abuser:
        for abuse in ("20,000 levels", "a bomb of entities", "no UTF-8", "300,000 attributes"):
            message, tag = REFUSED[abuse]
            abuser.send(message)
            assert tags(await abuser.reply()) == [tag], abuse
    for abuse, data in FATAL.items():
        async with client(child, "tls") as abuser:
            await abuser.ask()
            abuser.send(data)
            assert await abuser.is_closed(), abuse
    await is_served(child)


async def test_whoever_never_reads_over_tls_is_not_answered_for_ever(serve: Callable[..., Child]) -> None:
    child = serve()
    before_mib = child.resident_mib
    async with honest_clients(child), client(child, "tls") as abuser:
        abuser.transport.pause_reading()
        abuser.send(rpc(edit(f"<qkdn_location_id>{'x' * 2**20}</qkdn_location_id>")))
        for _ in range(500):
            abuser.send(rpc("<get-config><source><candidate/></source></get-config>"))
    assert child.resident_mib - before_mib < 100


async def test_only_netconf_is_served(serve: Callable[..., Child]) -> None:
    """No shell, no command, no file transfer, no forwarding, on an agent as it is."""
    child = serve()
    connection = await asyncssh.connect(
        "127.0.0.1", child.said["port"], username="noc", client_keys=[str(child.key_file)], known_hosts=None,
        config=None, agent_path=None,
    )  # fmt: skip
    for wish in ({"command": "id"}, {}, {"subsystem": "sftp"}, {"subsystem": "netconf2"}):
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.create_session(asyncssh.SSHClientSession, **wish)
    with pytest.raises(asyncssh.ChannelOpenError):
        await connection.open_connection("127.0.0.1", child.said["tls-port"])
    with pytest.raises(asyncssh.ChannelListenError):
        await connection.forward_remote_port("", 0, "127.0.0.1", 1)
    connection.abort()
    await connection.wait_closed()
    await is_served(child)
