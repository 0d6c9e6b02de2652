"""A logged-in client that sends whatever bytes a test wants, over real SSH."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncssh
from lxml import etree
from tests.agent.child import Child

from sdqkd.netconf.framing import Framer, frame_chunks, frame_eom
from sdqkd.netconf.hello import BASE_1_0, BASE_1_1, Hello, build_hello
from sdqkd.netconf.messages import build_rpc
from sdqkd.netconf.xml import BASE

HELLO = frame_eom(build_hello(Hello((BASE_1_0, BASE_1_1))))
GET = f'<get-config xmlns="{BASE}"><source><running/></source></get-config>'.encode()


class RawSsh(asyncssh.SSHClientSession[bytes]):
    """One channel with the netconf subsystem."""

    def __init__(self) -> None:
        self.connection: asyncssh.SSHClientConnection
        self.channel: asyncssh.SSHClientChannel[bytes]
        self.messages: asyncio.Queue[etree._Element] = asyncio.Queue()
        self.closed = asyncio.Event()
        self._framer = Framer(2**28)
        self._greeted = False

    def data_received(self, data: bytes, datatype: Any) -> None:
        self._framer.receive_data(data)
        while (message := self._framer.next_message()) is not None:
            if self._greeted:
                self.messages.put_nowait(etree.fromstring(message, etree.XMLParser(huge_tree=True)))
            else:
                self._greeted = True
                self._framer.use_chunks()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()

    def send(self, data: bytes) -> None:
        self.channel.write(data)

    async def reply(self, timeout_s: float = 20.0) -> etree._Element:
        async with asyncio.timeout(timeout_s):
            return await self.messages.get()

    async def ask(self, operation: bytes = GET, timeout_s: float = 20.0) -> etree._Element:
        self.send(frame_chunks(build_rpc("1", operation)))
        return await self.reply(timeout_s)

    async def is_closed(self, timeout_s: float = 20.0) -> bool:
        async with asyncio.timeout(timeout_s):
            return await self.closed.wait()


async def connect(child: Child, *, greet: bool = True) -> RawSsh:
    """Log in, and greet unless told otherwise."""
    connection = await asyncssh.connect(
        "127.0.0.1",
        child.said["port"],
        username="noc",
        client_keys=[str(child.key_file)],
        known_hosts=None,
        config=None,
        agent_path=None,
    )
    channel, session = await connection.create_session(RawSsh, subsystem="netconf", encoding=None)
    session.connection, session.channel = connection, channel
    if greet:
        session.send(HELLO)
    return session
