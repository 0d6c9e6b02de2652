"""Datastores for a small node, with a store that keeps everything in memory."""

from __future__ import annotations

import pytest
from tests.datastore.memory_store import MemoryStore
from tests.datastore.small_node import SmallNode

from sdqkd.datastore.boot import boot
from sdqkd.datastore.datastores import Datastores
from sdqkd.schema.validate import Validator


@pytest.fixture
def node() -> SmallNode:
    return SmallNode()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def datastores(node: SmallNode, store: MemoryStore) -> Datastores:
    return boot(node.schema, Validator(node.schema), node, store)
