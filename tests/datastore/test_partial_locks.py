"""RFC 5717: parts of running have holders; what others do elsewhere, and what changes nothing, is free."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.datastore.small_node import INTERFACES, NODE
from tests.datastore.small_requests import place
from tests.schema.random_trees import SCHEMA, children

from sdqkd.datastore.confirmed import Confirmation
from sdqkd.datastore.datastores import Datastores
from sdqkd.datastore.partial_locks import MAX_LOCKED_NODES, PartialLock, PartialLocks
from sdqkd.errors import RpcError
from sdqkd.schema.diff import same
from sdqkd.schema.pick import pick
from sdqkd.schema.tree import Container, Path, merge, remove, walk

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PLACE: Path = (NODE, "qkdn_location_id")
FIRST: Path = (*INTERFACES[:-1], ("qkd_interface", ("1",)))
SECOND: Path = (*INTERFACES[:-1], ("qkd_interface", ("2",)))


def lock(session: int, *nodes: Path) -> PartialLock:
    return PartialLock(session, NOW, ("//x",), nodes)


@pytest.fixture
def locks() -> PartialLocks:
    return PartialLocks(SCHEMA)


def test_every_lock_has_a_number_of_its_own(locks: PartialLocks) -> None:
    assert [locks.take(lock(7, PLACE)), locks.take(lock(7, PLACE)), locks.take(lock(8, FIRST))] == [1, 2, 3]
    locks.give_back(3, 8)
    assert locks.take(lock(8, FIRST)) == 4
    assert {number: held.session for number, held in locks.held.items()} == {1: 7, 2: 7, 4: 8}


@pytest.mark.parametrize(
    ("held", "asked", "denied"),
    [
        (FIRST, FIRST, True),
        (FIRST, SECOND, False),
        (FIRST, (*FIRST, "qkdi_model"), True),
        (FIRST, INTERFACES[:-1], True),
        (FIRST, (NODE,), True),
        (PLACE, FIRST, False),
    ],
)
def test_nodes_that_share_anything_have_one_holder(
    locks: PartialLocks, held: Path, asked: Path, denied: bool
) -> None:
    locks.take(lock(7, held))
    locks.take(lock(7, asked))
    locks.give_back(2, 7)
    if not denied:
        locks.take(lock(8, asked))
        return
    with pytest.raises(RpcError) as refused:
        locks.take(lock(8, asked))
    assert (refused.value.tag, refused.value.info) == ("lock-denied", {"session-id": "7"})
    assert list(locks.held) == [1]


def test_a_session_that_ends_leaves_no_lock(locks: PartialLocks) -> None:
    for session in (7, 8, 7):
        locks.take(lock(session, (("x", (str(len(locks.held)),)),)))
    locks.release(7)
    assert [held.session for held in locks.held.values()] == [8]
    locks.release(8)
    locks.demand_none()


def test_there_are_not_more_locked_nodes_than_can_be_watched(locks: PartialLocks) -> None:
    nodes: list[Path] = [(NODE, ("row", (str(number),))) for number in range(MAX_LOCKED_NODES)]
    locks.take(lock(7, *nodes))
    with pytest.raises(RpcError) as refused:
        locks.take(lock(7, PLACE))
    assert refused.value.tag == "resource-denied"


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=100)
def test_a_change_is_refused_if_and_only_if_it_is_about_a_locked_node(seed: int) -> None:
    rng = Random(seed)
    before = children(SCHEMA.data, rng, 0.7)
    paths = [path for path, _ in walk(before) if not _is_key(path)]
    if not paths:
        return
    after = _changed(before, paths, rng)
    locked = rng.choice(paths)
    locks = PartialLocks(SCHEMA)
    locks.take(lock(7, locked))
    locks.demand_change(7, before, after)
    if same(SCHEMA, pick(SCHEMA, before, [locked]), pick(SCHEMA, after, [locked])):
        locks.demand_change(8, before, after)
    else:
        with pytest.raises(RpcError) as refused:
            locks.demand_change(8, before, after)
        assert (refused.value.tag, refused.value.app_tag) == ("in-use", "locked")


def _is_key(path: Path) -> bool:
    node = SCHEMA.node(path)
    return node.parent is not None and node.member in node.parent.keys


def _changed(tree: Container, paths: list[Path], rng: Random) -> Container:
    if rng.random() < 0.5:
        return remove(tree, rng.choice(paths), SCHEMA)
    return merge(SCHEMA, tree, children(SCHEMA.data, rng, 0.2))


def test_what_time_undoes_is_undone_in_spite_of_a_lock(datastores: Datastores) -> None:
    datastores.edit_config(7, "candidate", place("rack 2"))
    datastores.commit(7, confirm=Confirmation(60), now_s=0.0)
    datastores.lock_parts(7, ("//x",), (PLACE,), NOW)
    assert datastores.expire(60.0) == "timeout"
    assert list(datastores.partial_locks) == [1]
    with pytest.raises(RpcError, match="session 7"):
        datastores.edit_config(8, "running", place("rack 3"))
