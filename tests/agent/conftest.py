"""An agent for a small node, with a real store on disk, and clients joined to it in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.agent.memory_client import Client, Clock, join
from tests.agent.power import Power
from tests.datastore.small_node import SmallNode

from sdqkd.agent.server import Agent
from sdqkd.agent.store import FileStore


@pytest.fixture
def node() -> SmallNode:
    return SmallNode()


@pytest.fixture
def store_file(tmp_path: Path) -> Path:
    return tmp_path / "node" / "running.json"


@pytest.fixture
def store(store_file: Path, node: SmallNode) -> Iterator[FileStore]:
    store = FileStore(store_file, node.schema)
    yield store
    store.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def power(node: SmallNode, store_file: Path, clock: Clock) -> Iterator[Power]:
    power = Power(node, store_file, clock)
    yield power
    power.off()


@pytest.fixture
def agent(node: SmallNode, store: FileStore, clock: Clock) -> Agent:
    return Agent(node, store, clock=clock)


@pytest.fixture
def connect(agent: Agent) -> Callable[..., Client]:
    return lambda **options: join(agent, **options)


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    return connect()
