"""A client with a certificate that sends whatever bytes a test wants, over real TLS: what raw_ssh is over SSH."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

from lxml import etree
from tests.agent.child import Child
from tests.agent.raw_ssh import GET, HELLO

from sdqkd.netconf.framing import Framer, frame_chunks
from sdqkd.netconf.messages import build_rpc


class RawTls(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[etree._Element] = asyncio.Queue()
        self.closed = asyncio.Event()
        self.transport: asyncio.Transport
        self._framer = Framer(2**28)
        self._greeted = False

    def data_received(self, data: bytes) -> None:
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
        self.transport.write(data)

    async def reply(self, timeout_s: float = 20.0) -> etree._Element:
        async with asyncio.timeout(timeout_s):
            return await self.messages.get()

    async def ask(self, operation: bytes = GET, timeout_s: float = 20.0) -> etree._Element:
        self.send(frame_chunks(build_rpc("1", operation)))
        return await self.reply(timeout_s)

    async def is_closed(self, timeout_s: float = 20.0) -> bool:
        async with asyncio.timeout(timeout_s):
            return await self.closed.wait()


def client_context(folder: Path) -> ssl.SSLContext:
    """Show `noc.crt` of a folder; expect `device.crt`."""
    context = ssl.create_default_context(cafile=str(folder / "device.crt"))
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_cert_chain(folder / "noc.crt", folder / "noc.key")
    return context


async def connect(child: Child, *, greet: bool = True) -> RawTls:
    """Log in, and greet unless told otherwise."""
    transport, client = await asyncio.get_running_loop().create_connection(
        RawTls, "127.0.0.1", child.said["tls-port"], ssl=client_context(child.key_file.parent)
    )
    client.transport = transport
    if greet:
        client.send(HELLO)
    return client
