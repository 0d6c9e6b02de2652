"""A QKD node that knows all about notifications, moments, and a session that writes down what it gets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from sdqkd.schema import table
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NS = "{urn:ietf:params:xml:ns:netconf:notification:1.0}"


@pytest.fixture(scope="session")
def schema() -> Schema:
    return table.load("notifications")


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
