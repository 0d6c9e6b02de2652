"""The start of an agent: factory once, then what was kept, and never the factory instead of it."""

from __future__ import annotations

import pytest
from tests.datastore.memory_store import MemoryStore
from tests.datastore.small_node import NODE, SmallNode
from tests.datastore.small_requests import place_of

from sdqkd.datastore.boot import boot
from sdqkd.errors import RpcError, StoreError
from sdqkd.schema.tree import EMPTY, remove
from sdqkd.schema.validate import Validator


def test_the_first_start_saves_and_applies_the_factory_configuration(node: SmallNode, store: MemoryStore) -> None:
    datastores = boot(node.schema, Validator(node.schema), node, store)
    assert store.saved == node.applied == [node.factory()]
    assert datastores.get_config("running") == node.factory()


def test_a_restart_applies_what_was_kept_and_saves_nothing(node: SmallNode, store: MemoryStore) -> None:
    kept = remove(node.factory(), (NODE, "qkdn_location_id"))
    store.save(kept)
    datastores = boot(node.schema, Validator(node.schema), node, store)
    assert store.saved == node.applied == [kept]
    assert place_of(datastores.get_config("running")) is None


def test_what_was_kept_must_fit_the_model(node: SmallNode, store: MemoryStore) -> None:
    store.save(EMPTY)
    with pytest.raises(StoreError, match=r"does not fit the model: .*qkdn_id"):
        boot(node.schema, Validator(node.schema), node, store)
    assert node.applied == []


def test_a_wrong_factory_configuration_is_not_started(node: SmallNode, store: MemoryStore) -> None:
    node.factory = lambda: EMPTY  # type: ignore[method-assign]
    with pytest.raises(RpcError, match="qkdn_id"):
        boot(node.schema, Validator(node.schema), node, store)
    assert store.saved == node.applied == []
