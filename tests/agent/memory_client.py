"""Clients joined to an agent in memory: a call returns when its answer is there. And a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from lxml import etree

from sdqkd.agent.server import Agent
from sdqkd.netconf.events import NEED_DATA, HelloReceived, NotificationReceived, ReplyReceived
from sdqkd.netconf.framing import Framer
from sdqkd.netconf.hello import BASE_1_0, BASE_1_1, Hello
from sdqkd.netconf.messages import Notification, Reply
from sdqkd.netconf.session import ClientSession
from sdqkd.netconf.xml import BASE
from sdqkd.transport import memory
from sdqkd.transport.links import Link


class Client:
    """One session with an agent, which keeps to the protocol."""

    def __init__(self, modules: dict[str, str], bases: tuple[str, ...]) -> None:
        self.modules = modules
        self.hello: Hello | None = None
        self.closed = False
        self.heard: list[Notification] = []
        self._protocol = ClientSession(bases, modules)
        self._replies: list[Reply] = []
        self._link: Link | None = None

    # What the transport calls

    def link_made(self, link: Link) -> None:
        self._link = link
        link.write(self._protocol.start())

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        while (event := self._protocol.next_event()) is not NEED_DATA:
            if isinstance(event, HelloReceived):
                self.hello = event.hello
            elif isinstance(event, ReplyReceived):
                self._replies.append(event.reply)
            elif isinstance(event, NotificationReceived):
                self.heard.append(event.notification)

    def link_lost(self, error: Exception | None) -> None:
        self.closed = True

    # What tests call

    @property
    def session_id(self) -> int:
        assert self.hello is not None
        assert self.hello.session_id is not None
        return self.hello.session_id

    def call(self, operation: str | etree._Element) -> Reply:
        """Do one operation; a text without a namespace is in NETCONF's."""
        assert self._link is not None
        self._link.write(self._protocol.call(_payload(operation))[1])
        return self._replies.pop()

    def ask(self, operation: str) -> Reply:
        """Do one operation that must succeed."""
        reply = self.call(operation)
        assert reply.ok, reply.errors
        return reply

    def leave(self) -> None:
        """Drop the link without a word."""
        assert self._link is not None
        self._link.close()


class RawClient:
    """A peer that sends whatever bytes a test wants; `messages` is what came back."""

    def __init__(self, chunked: bool = True) -> None:
        self.messages: list[etree._Element] = []
        self.closed = False
        self._framer = Framer(2**24)
        self._chunked = chunked
        self._link: Link | None = None

    # What the transport calls

    def link_made(self, link: Link) -> None:
        self._link = link

    def data_received(self, data: bytes) -> None:
        self._framer.receive_data(data)
        while (message := self._framer.next_message()) is not None:
            self.messages.append(etree.fromstring(message))
            if self._chunked:
                self._framer.use_chunks()

    def link_lost(self, error: Exception | None) -> None:
        self.closed = True

    # What tests call

    def send(self, *frames: bytes) -> list[etree._Element]:
        """Send bytes and give the messages that came back at once."""
        assert self._link is not None
        before = len(self.messages)
        self._link.write(b"".join(frames))
        return self.messages[before:]


def _payload(operation: str | etree._Element) -> bytes:
    if isinstance(operation, str):
        operation = etree.fromstring(f'<x xmlns="{BASE}">{operation}</x>')[0]
    return etree.tostring(operation, with_tail=False)


def join(agent: Agent, *, username: str = "noc", bases: tuple[str, ...] = (BASE_1_0, BASE_1_1)) -> Client:
    """Give a client with an open session."""
    schema = agent.datastores.schema
    client = Client({module.namespace: module.name for module in schema.modules}, bases)
    memory.pair(agent.make_session(), client, username)
    return client


def join_raw(agent: Agent, *, chunked: bool = True) -> RawClient:
    """Give a peer that has a link and has not sent anything."""
    client = RawClient(chunked)
    memory.pair(agent.make_session(), client)
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
        self._now_s = 0.0
        self.timers: list[Timer] = []

    def now_s(self) -> float:
        return self._now_s

    def wall(self) -> datetime:
        return datetime(2026, 3, 1, 12, 0, tzinfo=UTC) + timedelta(seconds=self._now_s)

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self._now_s + delay_s, callback))
        return self.timers[-1]

    def advance(self, seconds: float) -> None:
        """Let time pass; what is due is called at its own time, also what others set meanwhile."""
        end_s = self._now_s + seconds
        while due := [timer for timer in self.timers if timer.due_s <= end_s]:
            first = min(due, key=lambda timer: timer.due_s)
            self.timers.remove(first)
            self._now_s = max(self._now_s, first.due_s)
            if not first.cancelled:
                first.callback()
        self._now_s = end_s
