"""A client joined to an agent in memory: calls return when the answer is there. And a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from sdqkd.agent.server import Agent
from sdqkd.netconf.events import NEED_DATA, Ended, HelloReceived, ReplyReceived
from sdqkd.netconf.hello import BASE_1_0, BASE_1_1, Hello
from sdqkd.netconf.messages import Reply
from sdqkd.netconf.session import ClientSession
from sdqkd.netconf.xml import BASE
from sdqkd.transport import memory
from sdqkd.transport.links import Link


class Client:
    """One session with an agent; `replies` are the answers in the order of their arrival."""

    def __init__(
        self, modules: dict[str, str], greet: bool = True, bases: tuple[str, ...] = (BASE_1_0, BASE_1_1)
    ) -> None:
        self.modules = modules
        self.protocol = ClientSession(bases, modules)
        self.hello: Hello | None = None
        self.replies: list[tuple[str, Reply]] = []
        self.closed = False
        self._greet = greet
        self._link: Link | None = None

    # What the transport calls

    def link_made(self, link: Link) -> None:
        self._link = link
        greeting = self.protocol.start()
        if self._greet:
            link.write(greeting)

    def data_received(self, data: bytes) -> None:
        self.protocol.receive_data(data)
        while (event := self.protocol.next_event()) is not NEED_DATA:
            if isinstance(event, HelloReceived):
                self.hello = event.hello
            elif isinstance(event, ReplyReceived):
                self.replies.append((event.message_id, event.reply))
            else:
                assert isinstance(event, Ended)

    def link_lost(self, error: Exception | None) -> None:
        self.closed = True

    # What tests call

    @property
    def session_id(self) -> int:
        assert self.hello is not None
        assert self.hello.session_id is not None
        return self.hello.session_id

    def call(self, operation: str | bytes | etree._Element) -> Reply:
        """Do one operation; a text without a namespace is in NETCONF's."""
        before = len(self.replies)
        self.write(self.protocol.call(_payload(operation))[1])
        assert len(self.replies) == before + 1
        return self.replies[-1][1]

    def ask(self, operation: str) -> Reply:
        """Do one operation that must succeed."""
        reply = self.call(operation)
        assert reply.ok, reply.errors
        return reply

    def write(self, data: bytes) -> None:
        """Send raw bytes."""
        assert self._link is not None
        self._link.write(data)

    def leave(self) -> None:
        """Drop the link without a word."""
        assert self._link is not None
        self._link.close()


def _payload(operation: str | bytes | etree._Element) -> bytes:
    if isinstance(operation, etree._Element):
        return etree.tostring(operation, with_tail=False)
    data = operation.encode() if isinstance(operation, str) else operation
    root = etree.fromstring(b'<x xmlns="%b">%b</x>' % (BASE.encode(), data))
    return etree.tostring(root[0], with_tail=False)


def join(
    agent: Agent, *, username: str = "noc", greet: bool = True, bases: tuple[str, ...] = (BASE_1_0, BASE_1_1)
) -> Client:
    """Give a client with an open session."""
    schema = agent.datastores.schema
    client = Client({module.namespace: module.name for module in schema.modules}, greet, bases)
    memory.pair(agent.make_session(), client, username)
    return client


class Timer:
    """A call that is still to come."""

    def __init__(self, due_s: float, callback: Callable[[], None]) -> None:
        self.due_s, self.callback, self.cancelled = due_s, callback, False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.timers: list[Timer] = []

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.now_s + delay_s, callback))
        return self.timers[-1]

    def advance(self, seconds: float) -> None:
        self.now_s += seconds
        due = [timer for timer in self.timers if timer.due_s <= self.now_s]
        self.timers = [timer for timer in self.timers if timer not in due]
        for timer in due:
            if not timer.cancelled:
                timer.callback()
