"""The start of an agent: factory once, then what was kept, and never the factory instead of it."""

from __future__ import annotations

from functools import partial

import pytest
from tests.datastore.memory_store import MemoryStore
from tests.datastore.small_node import NODE, SmallNode
from tests.datastore.small_requests import place_of

from sdqkd.datastore.boot import boot
from sdqkd.datastore.nacm_rules import NACM
from sdqkd.errors import RpcError, StoreError
from sdqkd.schema.tree import EMPTY, Container, merge, remove
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


def test_what_no_hardware_brings_along_is_added_where_there_is_none(node: SmallNode, store: MemoryStore) -> None:
    start = partial(boot, node.schema, Validator(node.schema), node, store)
    first, second = (Container({NACM: Container({"write-default": action})}) for action in ("permit", "deny"))
    running = start(besides=first).get_config("running")
    assert running == merge(node.schema, node.factory(), first)
    assert start(besides=second).get_config("running") == running
    assert store.saved == [running]
    store.save(node.factory())
    running = start(besides=second).get_config("running")
    assert running == merge(node.schema, node.factory(), second)
    assert store.saved[-1] == node.applied[-1] == running
