"""Peers that are no NETCONF."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


@contextlib.asynccontextmanager
async def tcp_server(first_words: bytes, hang_up: bool, heard: bytearray | None = None) -> AsyncIterator[int]:
    """Serve something that is no NETCONF: say some words, listen, perhaps hang up."""

    writers: list[asyncio.StreamWriter] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(first_words)
        with contextlib.suppress(ConnectionError):
            while not hang_up and (data := await reader.read(4096)):
                if heard is not None:
                    heard.extend(data)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for writer in writers:
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
