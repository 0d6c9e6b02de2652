"""A NETCONF client that does as little as can be, so that the server is what is measured.

Bytes go out as they were prepared; of an answer only its end is looked for. Base 1.1 over SSH (asyncssh, its
callbacks, no streams).
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

_HELLO = (
    b'<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities>'
    b"<capability>urn:ietf:params:netconf:base:1.1</capability></capabilities></hello>]]>]]>"
)
_END_OF_HELLO = b"]]>]]>"
# Enough to find the end: no answer to what is asked here holds this text.
_END = b"\n##\n"
_MSG_IGNORE = 2


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server listens, and how to log in. `pid` is the process whose memory counts."""

    name: str
    port: int
    username: str
    key_file: Path
    pid: int


class RawSession(asyncssh.SSHClientSession[bytes]):
    """One session. Answers come in the order of the calls."""

    def __init__(self) -> None:
        self._channel: Any = None
        self._received: list[bytes] = []
        self._tail = b""
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._greeted = asyncio.get_running_loop().create_future()
        self._gone = asyncio.get_running_loop().create_future()
        self._calls = 0

    def connection_made(self, chan: Any) -> None:
        self._channel = chan

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if not self._greeted.done():
            self._tail += data
            if _END_OF_HELLO in self._tail:
                self._tail = b""
                self._greeted.set_result(None)
            return
        self._received.append(data)
        joined = self._tail + data
        self._tail = joined[-len(_END) + 1 :]
        if joined.count(_END) == 0:
            return
        *answers, rest = b"".join(self._received).split(_END)
        self._received = [rest] if rest else []
        for answer in answers:
            self._waiting.popleft().set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        lost = ConnectionError(f"the server ended the session: {exc}")
        for future in (*self._waiting, self._greeted):
            if not future.done():
                future.set_exception(lost)
        if not self._gone.done():
            self._gone.set_result(None)

    async def greet(self) -> None:
        """Exchange hellos."""
        self._channel.write(_HELLO)
        await self._greeted

    def call(self, operation: bytes) -> asyncio.Future[bytes]:
        """Send a call; the future gives the answer as it came."""
        self._calls += 1
        message = (
            b'<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="%d">%b</rpc>'
            % (self._calls, operation)
        )  # fmt: skip
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        self._channel.write(b"\n#%d\n%b\n##\n" % (len(message), message))
        return answer

    async def ask(self, operation: bytes) -> bytes:
        """Call and wait; a refusal ends the benchmark."""
        answer = await self.call(operation)
        if b"rpc-error" in answer[:2000]:
            raise RuntimeError(f"refused: {operation[:300]!r}\n{answer[:2000]!r}")
        return answer

    async def gone(self) -> None:
        """Wait until the server has closed the session."""
        await self._gone


def quiet(connection: Any) -> None:
    """Let asyncssh send no empty MSG_IGNORE before each packet, since no other client does (OpenSSH, libssh …)."""
    send_packet = connection.send_packet

    def send(kind: int, *arguments: Any, **named: Any) -> None:
        if kind != _MSG_IGNORE:
            send_packet(kind, *arguments, **named)

    connection.send_packet = send


class Client:
    """One connection with one session."""

    def __init__(self, connection: asyncssh.SSHClientConnection, session: RawSession) -> None:
        self._connection = connection
        self.session = session

    @classmethod
    async def open(cls, at: Endpoint) -> Client:
        """Connect, log in, exchange hellos."""
        connection = await asyncssh.connect(
            "127.0.0.1", at.port, username=at.username, client_keys=[str(at.key_file)], known_hosts=None,
            config=[], agent_path=None, x509_trusted_certs=None, gss_host=None,
            encryption_algs=["aes128-gcm@openssh.com"], kex_algs=["curve25519-sha256"], compression_algs=None,
        )  # fmt: skip
        quiet(connection)
        session = RawSession()
        await connection.create_session(lambda: session, subsystem="netconf", encoding=None)
        await session.greet()
        return cls(connection, session)

    async def close(self) -> None:
        """End in good order: <close-session/>, then what the server does upon it."""
        await self.session.ask(b"<close-session/>")
        await self.session.gone()
        self._connection.close()
        await self._connection.wait_closed()
