"""The least that could do what the controller does: asyncssh, bytes that were prepared, no look at what comes.

It has the same 32 devices under way at once as the controller. It reads the key once, checks no host key, reads no
XML, keeps no journal, and waits for no other device.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import asyncssh

from sdqkd.controller.connect import Connector
from sdqkd.controller.fleet import LIMIT
from sdqkd.netconf.framing import Framer
from sdqkd.network.model import Device
from sdqkd.transport.links import Link, Receiver

from .raw_client import Client, Endpoint, RawSession, quiet

T = TypeVar("T")

_OPERATION = re.compile(rb"<rpc [^>]*>(.*)</rpc>", re.DOTALL)
_MAX_BYTES = 2**24


async def each(items: Iterable[T], work: Callable[[T], Awaitable[object]]) -> None:
    """Do something with each, `LIMIT` at once."""
    slots = asyncio.Semaphore(LIMIT)

    async def one(item: T) -> None:
        async with slots:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for item in items:
            group.create_task(one(item))


async def connect(agents: Sequence[Endpoint]) -> dict[int, Client]:
    """Open a session with each, by port."""
    key = asyncssh.read_private_key(str(agents[0].key_file))
    clients: dict[int, Client] = {}

    async def one(at: Endpoint) -> None:
        connection = await asyncssh.connect(
            "127.0.0.1", at.port, username=at.username, client_keys=[key], known_hosts=None, config=None,
            agent_path=None, x509_trusted_certs=None, gss_host=None, preferred_auth=["publickey"],
            encryption_algs=["aes128-gcm@openssh.com"], kex_algs=["curve25519-sha256"], compression_algs=None,
        )  # fmt: skip
        quiet(connection)
        session = RawSession()
        await connection.create_session(lambda: session, subsystem="netconf", encoding=None)
        await session.greet()
        clients[at.port] = Client(connection, session)

    await each(agents, one)
    return clients


async def play(clients: Mapping[int, Client], calls: Mapping[int, Sequence[bytes]]) -> None:
    """Make the calls of each device, one after the other."""

    async def one(port: int) -> None:
        for operation in calls[port]:
            await clients[port].session.ask(operation)

    await each(calls, one)


class Recorder:
    """A Connector that keeps what is called on each link, by port."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._links: dict[int, _RecordedLink] = {}

    async def open(self, device: Device, receiver: Receiver) -> Link:
        """Open a link and listen in."""
        tap = _Tap(receiver)
        await self._connector.open(device, tap)
        assert tap.link is not None
        self._links[device.management.port] = tap.link
        return tap.link

    def start(self) -> None:
        """Forget what was called."""
        for link in self._links.values():
            link.calls = []

    def calls(self) -> dict[int, list[bytes]]:
        """The operations that were called, in their order, of the links that had any."""
        return {port: [*link.calls] for port, link in self._links.items() if link.calls}


class _RecordedLink:
    def __init__(self, link: Link) -> None:
        self._link = link
        self._framer = Framer(_MAX_BYTES)
        self._greeted = False
        self.username, self.peer, self.protocol = link.username, link.peer, link.protocol
        self.pause_reading, self.resume_reading = link.pause_reading, link.resume_reading
        self.calls: list[bytes] = []

    def write(self, data: bytes) -> None:
        self._framer.receive_data(data)
        while (message := self._framer.next_message()) is not None:
            if not self._greeted:
                self._greeted = True
                self._framer.use_chunks()
            elif (found := _OPERATION.search(message)) is not None:
                self.calls.append(found[1])
        self._link.write(data)

    def close(self) -> None:
        self._link.close()


class _Tap:
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self.link: _RecordedLink | None = None

    def link_made(self, link: Link) -> None:
        self.link = _RecordedLink(link)
        self._receiver.link_made(self.link)

    def data_received(self, data: bytes) -> None:
        self._receiver.data_received(data)

    def link_lost(self, error: Exception | None) -> None:
        self._receiver.link_lost(error)
