"""Keys, servers on loopback, and receivers that remember what they were told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from sdqkd.netconf.events import NEED_DATA, RpcReceived, RpcRefused
from sdqkd.netconf.hello import BASE_1_0, BASE_1_1
from sdqkd.netconf.messages import reply, reply_errors
from sdqkd.netconf.session import ServerSession
from sdqkd.transport.door import Listener
from sdqkd.transport.keys import make_key_pair
from sdqkd.transport.links import Link
from sdqkd.transport.ssh_client import connect
from sdqkd.transport.ssh_server import listen

PATIENCE_S = 20.0  # for what should happen at once; a test that waits so long fails


class Recorder:
    """A receiver that keeps all it is told, and lets a test wait for it."""

    def __init__(self, greeting: bytes = b"") -> None:
        self.greeting = greeting
        self.data = bytearray()
        self.calls: list[str] = []
        self.losses: list[Exception | None] = []
        self._changed = asyncio.Event()

    def link_made(self, link: Link) -> None:
        self.link = link
        self._note("made")
        if self.greeting:
            link.write(self.greeting)

    def data_received(self, data: bytes) -> None:
        assert data
        self.data += data
        self._note("data")

    def link_lost(self, error: Exception | None) -> None:
        self.losses.append(error)
        self._note("lost")

    def pause_writing(self) -> None:
        self._note("pause")

    def resume_writing(self) -> None:
        self._note("resume")

    def _note(self, call: str) -> None:
        self.calls.append(call)
        self._changed.set()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is true; it is looked at whenever the receiver is told something."""
        async with asyncio.timeout(PATIENCE_S):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def heard(self, data: bytes) -> None:
        await self.until(lambda: len(self.data) >= len(data))
        assert bytes(self.data) == data

    async def lost(self) -> Exception | None:
        await self.until(lambda: bool(self.losses))
        return self.losses[0]


class Echo(Recorder):
    """Sends back what it hears."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.link.write(data)


class MiniAgent(Recorder):
    """The least that a NETCONF client accepts: an almost empty configuration, and ok to everything else."""

    def __init__(self, size: int = 0) -> None:
        """A greeting and a configuration of so many bytes at least."""
        super().__init__()
        self.capabilities = [BASE_1_0, BASE_1_1, "urn:ietf:params:netconf:capability:candidate:1.0"]
        self.capabilities += [f"urn:x:{number:060}" for number in range(size // 80)]
        self.content = b'<x xmlns="urn:x">%s</x>' % (b"y" * size) if size else b""

    def link_made(self, link: Link) -> None:
        super().link_made(link)
        self.session = ServerSession(1, tuple(self.capabilities))
        link.write(self.session.start())

    def data_received(self, data: bytes) -> None:
        self.session.receive_data(data)
        while (event := self.session.next_event()) is not NEED_DATA:
            if isinstance(event, RpcRefused):
                self.link.write(self.session.send(reply_errors(event.rpc, [event.error], {})))
            elif isinstance(event, RpcReceived):
                asked = event.rpc.name.startswith("get")
                answer = b"<data>%b</data>" % self.content if asked else b"<ok/>"
                self.link.write(self.session.send(reply(event.rpc, answer)))
                if event.rpc.name == "close-session":
                    self.session.close()
                    self.link.close()


class Relay:
    """A line between client and server that can be cut, or fall silent while it stays open."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: list[asyncio.Task[Any] | None] = []
        self.flows = asyncio.Event()
        self.flows.set()

    async def __aenter__(self) -> "Relay":
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()
        self.flows.set()
        self._server.close()
        await asyncio.gather(*filter(None, self._tasks), return_exceptions=True)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.append(asyncio.current_task())
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers += [writer, far_writer]
        await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while await self.flows.wait() and (data := await reader.read(65536)):
                await self.flows.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


class Caller(asyncssh.SSHClientSession[bytes]):
    """A raw channel that keeps what it hears."""

    def __init__(self) -> None:
        self.data = b""
        self.deliveries = 0
        self.ended = asyncio.Event()
        self.heard = asyncio.Event()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        self.data += data
        self.deliveries += 1
        self.heard.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()


async def raw_login(listener: Listener | int, keys: "Keys", **changes: Any) -> asyncssh.SSHClientConnection:
    """Log in as `noc` with asyncssh alone, or with what a test sets instead."""
    settings = {
        "username": "noc",
        "client_keys": [str(keys.file("noc"))],
        "known_hosts": None,
        "config": None,
        "agent_path": None,
        "login_timeout": PATIENCE_S,
    }
    port = listener if isinstance(listener, int) else listener.port
    return await asyncssh.connect("127.0.0.1", port, **(settings | changes))


@dataclass(frozen=True)
class Keys:
    """Files of private keys, and their public halves."""

    folder: Path
    host: str
    noc: str
    other: str

    def file(self, name: str) -> Path:
        return self.folder / name


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("keys")
    return Keys(folder, *(make_key_pair(folder / name) for name in ("host", "noc", "other")))


@pytest.fixture
def recorder() -> type[Recorder]:
    return Recorder


@pytest.fixture
def echo() -> type[Echo]:
    return Echo


@pytest.fixture
def mini_agent() -> type[MiniAgent]:
    return MiniAgent


@pytest.fixture
def relay() -> Callable[[int], Relay]:
    return Relay


@pytest.fixture
def caller() -> type[Caller]:
    return Caller


@pytest.fixture
def raw() -> Callable[..., Awaitable[asyncssh.SSHClientConnection]]:
    return raw_login


Serve = Callable[..., Awaitable[Listener]]


@pytest.fixture
async def serve(keys: Keys) -> AsyncIterator[Serve]:
    """Start servers on loopback that know user `noc`; all are closed in the end."""
    listeners: list[Listener] = []

    async def start(make_receiver: Callable[[], Any], **options: Any) -> Listener:
        users = options.pop("users", {"noc": [keys.noc]})
        listener = await listen("127.0.0.1", 0, keys.file("host"), users, make_receiver, **options)
        listeners.append(listener)
        return listener

    yield start
    for listener in listeners:
        await listener.close()


@pytest.fixture
def dial(keys: Keys) -> Callable[..., Awaitable[Recorder]]:
    """Connect as `noc` with the right keys, or with what a test sets instead; give the client's receiver."""

    async def start(listener: Listener | int, receiver: Recorder | None = None, **changes: Any) -> Recorder:
        receiver = receiver or Recorder()
        settings: dict[str, Any] = {
            "username": "noc",
            "client_key_file": keys.file("noc"),
            "host_key": keys.host,
            "timeout_s": PATIENCE_S,
        }
        port = listener if isinstance(listener, int) else listener.port
        link = await connect("127.0.0.1", port, receiver=receiver, **(settings | changes))
        assert link is receiver.link
        return receiver

    return start
