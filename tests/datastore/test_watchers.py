"""What is told of a change: which datastore, whose doing, before and after; and only what really happened."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.datastore.memory_store import MemoryStore
from tests.datastore.small_node import SmallNode
from tests.datastore.small_requests import place, place_of

from sdqkd.datastore.boot import boot
from sdqkd.datastore.confirmed import Confirmation
from sdqkd.datastore.datastores import Datastores
from sdqkd.datastore.ports import Changed
from sdqkd.errors import RpcError
from sdqkd.schema.validate import Validator

ME, OTHER = 1, 2
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def datastores(node: SmallNode, store: MemoryStore) -> Datastores:
    return boot(node.schema, Validator(node.schema), node, store, startup=True)


@pytest.fixture
def told(datastores: Datastores) -> list[tuple[object, ...]]:
    told: list[tuple[object, ...]] = []

    def watch(change: Changed) -> None:
        assert datastores.get_config(change.target) is change.after
        told.append((change.target, change.session, place_of(change.before), place_of(change.after)))

    datastores.watchers.append(watch)
    return told


def test_edits_and_commits(datastores: Datastores, told: list[tuple[object, ...]]) -> None:
    datastores.edit_config(ME, "candidate", place("rack 2"))
    datastores.commit(OTHER)
    datastores.edit_config(ME, "running", place("rack 3"))
    datastores.copy_config(ME, "running", "startup")
    datastores.delete_config(OTHER, "startup")
    assert told == [
        ("candidate", ME, "rack 1", "rack 2"),
        ("running", OTHER, "rack 1", "rack 2"),
        ("running", ME, "rack 2", "rack 3"),
        ("startup", ME, "rack 1", "rack 3"),
        ("startup", OTHER, "rack 3", None),
    ]


def test_a_confirmed_commit_and_its_end(datastores: Datastores, told: list[tuple[object, ...]]) -> None:
    datastores.edit_config(ME, "candidate", place("rack 2"))
    told.clear()
    datastores.commit(ME, confirm=Confirmation(5, "t1"))
    datastores.cancel_commit(OTHER, "t1")
    datastores.edit_config(ME, "candidate", place("rack 3"))
    datastores.commit(ME, confirm=Confirmation(5))
    datastores.expire(5)
    assert [change for change in told if change[0] == "running"] == [
        ("running", ME, "rack 1", "rack 2"),
        ("running", OTHER, "rack 2", "rack 1"),
        ("running", ME, "rack 1", "rack 3"),
        ("running", None, "rack 3", "rack 1"),
    ]


def test_nothing_is_told_of_what_did_not_happen(
    datastores: Datastores, store: MemoryStore, told: list[tuple[object, ...]]
) -> None:
    datastores.commit(ME)
    datastores.edit_config(ME, "running", place("rack 1"))
    datastores.edit_config(ME, "candidate", place("rack 2"), test_option="test-only")
    datastores.edit_config(ME, "candidate", place("broken shelf"))
    told.clear()
    with pytest.raises(RpcError, match="the shelf gave way"):
        datastores.commit(ME)
    store.full = True
    with pytest.raises(RpcError, match="No space left"):
        datastores.copy_config(ME, "candidate", "startup")
    assert told == []


def test_a_watcher_that_fails_undoes_nothing(
    datastores: Datastores, told: list[tuple[object, ...]], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(change: Changed) -> None:
        raise ValueError("swordfish")

    datastores.watchers.insert(0, fail)
    datastores.edit_config(ME, "running", place("rack 2"))
    assert place_of(datastores.get_config("running")) == "rack 2"
    assert told == [("running", ME, "rack 1", "rack 2")]
    assert "a change of running was not told to all: ValueError" in caplog.text
    assert "swordfish" not in caplog.text
