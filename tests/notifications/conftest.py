"""A QKD node that knows all about notifications, moments, and a session that writes down what it gets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from lxml import etree

from sdqkd.errors import DeviceError
from sdqkd.notifications.base_events import Client
from sdqkd.notifications.board import Limits
from sdqkd.notifications.hub import Hub
from sdqkd.schema import table
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import EMPTY, Container, Node, Path, merge, put, remove

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SPACES = (
    'xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"'
    ' xmlns:yp="urn:ietf:params:xml:ns:yang:ietf-yang-push"'
    ' xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores"'
)
NS = "{urn:ietf:params:xml:ns:netconf:notification:1.0}"


@pytest.fixture(scope="session")
def schema() -> Schema:
    return table.load("qkd-node")


@pytest.fixture(scope="session")
def at() -> Callable[[float], datetime]:
    """The moment so many seconds after the start of the test's world."""
    return lambda seconds: START + timedelta(seconds=seconds)


class Notebook:
    """A session that writes down what it gets. `takes` is how many messages it takes before it is full."""

    def __init__(self, number: int = 1, takes: int | None = None) -> None:
        self.id = number
        self.takes = takes
        self.got: list[bytes] = []
        self.ended: str | None = None
        self.hidden: set[str] = set()
        self.unreadable: set[str] = set()
        self.permits: Callable[[Container], Container] = lambda tree: tree
        self.on_notify: Callable[[], None] = lambda: None

    @property
    def ready(self) -> bool:
        return self.ended is None and (self.takes is None or self.takes > 0)

    def notify(self, message: bytes) -> None:
        assert self.ready
        self.got.append(message)
        if self.takes is not None:
            self.takes -= 1
        self.on_notify()

    def end(self, reason: str) -> None:
        self.ended = reason

    def may_receive(self, notification: str) -> bool:
        return notification not in self.hidden

    @property
    def reads_all(self) -> bool:
        return not self.unreadable

    def may_read(self, path: str) -> bool:
        return path not in self.unreadable

    def readable(self, tree: Container) -> Container:
        return self.permits(tree)

    def take(self) -> list[etree._Element]:
        """What came since the last time: the elements after eventTime."""
        got, self.got = self.got, []
        return [payload(message) for message in got]

    def names(self) -> list[str]:
        return [etree.QName(element).localname for element in self.take()]


def payload(message: bytes) -> etree._Element:
    root = etree.fromstring(message)
    assert root.tag == f"{NS}notification"
    time, content = root
    assert time.tag == f"{NS}eventTime"
    assert datetime.fromisoformat(time.text or "").tzinfo is not None
    return content


@pytest.fixture
def notebook() -> Callable[..., Notebook]:
    return Notebook


class World:
    """A hub with a datastore that the test changes, and sessions that speak to it."""

    def __init__(self, schema: Schema, **options: Any) -> None:
        options.setdefault("limits", Limits(poll=timedelta(seconds=1)))
        self.schema = schema
        self.running = EMPTY
        self.state = EMPTY
        self.now = START
        self.wakes: list[datetime | None] = []
        sources = {
            "ietf-datastores:running": lambda: self.running,
            "ietf-datastores:operational": self.operational,
        }
        self.reads = 0
        self.fails = False
        self.hub = Hub(schema, sources, START, wake=self.wakes.append, **options)
        self.sessions: dict[int, Notebook] = {}

    def operational(self) -> Container:
        if self.fails:
            raise DeviceError("the node", "does not answer")
        self.reads += 1
        return merge(self.schema, self.running, self.state)

    def session(self, number: int = 1, takes: int | None = None) -> Notebook:
        session = self.sessions[number] = Notebook(number, takes)
        return session

    def ask(self, session: Notebook, operation: str | etree._Element) -> str:
        """Perform, and flush as the agent does after the reply."""
        element = etree.fromstring(operation) if isinstance(operation, str) else operation
        before = len(session.got)
        content = self.hub.perform(session, element, self.now)
        assert len(session.got) == before, "a notification came before the reply"
        self.hub.flush(session.id, self.now)
        return content.decode()

    def establish(self, session: Notebook, inside: str) -> int:
        content = self.ask(session, f"<establish-subscription {SPACES}>{inside}</establish-subscription>")
        return int(etree.fromstring(f"<reply>{content}</reply>").findtext("{*}id") or 0)

    def configure(self, path: Path, value: Node | None, by: Client | None = None) -> None:
        old = self.running
        changed = remove(old, path, self.schema) if value is None else put(self.schema, old, path, value)
        self.running = changed
        self.hub.config_changed(old, changed, self.now, by)

    def wait(self, seconds: float) -> None:
        """Let time pass, with the ticks that the hub asks for."""
        until = self.now + timedelta(seconds=seconds)
        at_once = 0
        while (due := self.hub.due) is not None and due <= until:
            at_once = 0 if due > self.now else at_once + 1
            assert at_once < 100, "the hub never rests"
            self.now = max(self.now, due)
            self.hub.tick(self.now)
        self.now = until


@pytest.fixture
def world(schema: Schema) -> Callable[..., World]:
    return partial(World, schema)
