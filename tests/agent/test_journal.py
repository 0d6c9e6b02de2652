"""The journal: what was saved is there after a crash at any byte, and never a part of it or something else."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.datastore.small_node import NODE, SmallNode
from tests.schema.random_trees import SCHEMA, changed, children

from sdqkd.agent import journal as journal_module
from sdqkd.agent.journal import JournalStore
from sdqkd.errors import StoreError
from sdqkd.schema.diff import same
from sdqkd.schema.tree import Container, put

Open = Callable[[], JournalStore]


@pytest.fixture
def open_store(node: SmallNode, store_file: Path) -> Iterator[Open]:
    opened: list[JournalStore] = []

    def reopen() -> JournalStore:
        for store in opened:
            store.close()
        opened.append(JournalStore(store_file, node.schema))
        return opened[-1]

    yield reopen
    for store in opened:
        store.close()


@pytest.fixture
def journal(store_file: Path) -> Path:
    return store_file.with_name("running.json.journal")


def states(node: SmallNode, count: int) -> list[Container]:
    """The factory configuration, then the node on one shelf after the other."""
    path = (NODE, "qkdn_location_id")
    return [node.factory(), *(put(node.schema, node.factory(), path, f"shelf {at}") for at in range(1, count))]


def save_all(store: JournalStore, trees: Sequence[Container]) -> None:
    for tree in trees:
        store.save(tree)


def test_what_was_saved_last_is_read_back(node: SmallNode, open_store: Open, store_file: Path) -> None:
    save_all(open_store(), states(node, 4))
    first = store_file.read_bytes()
    store = open_store()
    assert store.load() == states(node, 4)[-1]
    store.save(states(node, 5)[-1])
    assert open_store().load() == states(node, 5)[-1]
    assert store_file.read_bytes() == first


def test_a_commit_writes_what_it_changes(node: SmallNode, open_store: Open, journal: Path) -> None:
    save_all(open_store(), states(node, 2))
    assert b"shelf 1</qkdn_location_id>" in journal.read_bytes()
    assert len(journal.read_bytes()) < 400


def test_only_the_owner_can_read_it(node: SmallNode, open_store: Open, journal: Path) -> None:
    save_all(open_store(), states(node, 2))
    assert journal.stat().st_mode & 0o777 == 0o600


def test_a_crash_at_any_byte_leaves_a_whole_save(
    node: SmallNode, open_store: Open, store_file: Path, journal: Path
) -> None:
    trees = states(node, 4)
    store, ends = open_store(), []
    for tree in trees:
        store.save(tree)
        ends.append(journal.stat().st_size)
    whole, text = store_file.read_bytes(), journal.read_bytes()
    for length in range(len(text)):
        for rest in (b"", b"\0" * 40):
            store_file.write_bytes(whole)
            journal.write_bytes(text[:length] + rest)
            kept = [tree for tree, end in zip(trees, ends, strict=True) if end <= length] or trees[:1]
            store = open_store()
            assert store.load() == kept[-1], length
        if length % 20 == 0:
            store.save(trees[-1])
            assert open_store().load() == trees[-1]


def test_a_save_after_a_torn_one_is_found(node: SmallNode, open_store: Open, journal: Path) -> None:
    save_all(open_store(), states(node, 3))
    journal.write_bytes(journal.read_bytes()[:-5])
    store = open_store()
    store.load()
    store.save(states(node, 9)[-1])
    assert open_store().load() == states(node, 9)[-1]


def test_damage_before_other_changes_is_said(node: SmallNode, open_store: Open, journal: Path) -> None:
    save_all(open_store(), states(node, 4))
    journal.write_bytes(journal.read_bytes().replace(b"shelf 2", b"shelf 7"))
    damaged = journal.read_bytes()
    with pytest.raises(StoreError, match=r"running\.json\.journal: damaged, .*; bring back a copy"):
        open_store().load()
    assert journal.read_bytes() == damaged


def test_a_change_that_fits_no_model_is_said(node: SmallNode, open_store: Open, journal: Path) -> None:
    save_all(open_store(), states(node, 2))
    with journal.open("ab") as stream:
        stream.write(journal_module._record(b'<nobody xmlns="urn:nobody"/>'))
    with pytest.raises(StoreError, match="does not fit the model set 'qkd-node'"):
        open_store().load()


def test_a_copy_that_is_brought_back_counts_alone(node: SmallNode, open_store: Open, store_file: Path) -> None:
    save_all(open_store(), states(node, 1))
    copy = store_file.read_bytes()
    store = open_store()
    store.load()
    store.save(None)
    save_all(store, states(node, 3)[1:])
    store_file.write_bytes(copy)
    assert open_store().load() == node.factory()


def test_a_crash_between_file_and_journal_loses_nothing(
    node: SmallNode, open_store: Open, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "LEAST_BYTES", 2000)
    trees = states(node, 100)
    store = open_store()
    for tree in trees:
        before = journal.read_bytes() if journal.exists() else b""
        store.save(tree)
        after = journal.read_bytes()
        if len(after) < len(before):  # folded: the journal from before may still be there
            journal.write_bytes(before)
            store = open_store()
            assert store.load() == tree
            journal.write_bytes(after)
            store = open_store()
            assert store.load() == tree
    assert store.load() == trees[-1]


def test_the_file_is_written_anew_in_a_quiet_moment(
    node: SmallNode, store_file: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "LEAST_BYTES", 2000)
    waiting: list[Callable[[], None]] = []
    store = JournalStore(store_file, node.schema, waiting.append)
    save_all(store, states(node, 15))
    assert len(waiting) == 1
    grown = journal.stat().st_size
    waiting.pop()()
    assert journal.stat().st_size < 100 < grown
    store.save(states(node, 16)[-1])
    store.close()
    store = JournalStore(store_file, node.schema, waiting.append)
    assert store.load() == states(node, 16)[-1]
    store.close()


def test_a_quiet_moment_that_never_comes_is_not_waited_for(
    node: SmallNode, store_file: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "LEAST_BYTES", 2000)
    store = JournalStore(store_file, node.schema, lambda fold: None)
    save_all(store, states(node, 100))
    assert journal.stat().st_size <= 8000
    assert store.load() == states(node, 100)[-1]
    store.close()


def test_nothing_can_be_kept_too(node: SmallNode, open_store: Open, journal: Path) -> None:
    store = open_store()
    save_all(store, [*states(node, 3), None])
    assert open_store().load() is None
    assert not journal.exists()
    store = open_store()
    store.load()
    store.save(node.factory())
    assert open_store().load() == node.factory()


def test_a_full_disk_refuses_and_leaves_what_was(node: SmallNode, open_store: Open, journal: Path) -> None:
    trees = states(node, 3)
    store = open_store()
    save_all(store, trees[:2])
    size = journal.stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Python ignores the signal, so a write beyond the limit fails as on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, limits[1]))
    try:
        with pytest.raises(StoreError, match=r"running\.json\.journal: cannot be written: File too large"):
            store.save(trees[2])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert journal.stat().st_size == size
    store.save(trees[2])
    assert open_store().load() == trees[2]


def test_what_cannot_be_flushed_is_taken_back(
    node: SmallNode, open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees = states(node, 3)
    store = open_store()
    save_all(store, trees[:2])
    flush, left = os.fdatasync, [1, 2]

    def fail(handle: int) -> None:
        if left:
            left.pop()
            raise OSError(5, os.strerror(5))
        flush(handle)

    monkeypatch.setattr(os, "fdatasync", fail)
    with pytest.raises(StoreError, match="Input/output error"):
        store.save(trees[2])
    assert open_store().load() == trees[1]


def test_a_closed_store_saves_nothing(node: SmallNode, open_store: Open) -> None:
    store = open_store()
    save_all(store, states(node, 2))
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.save(states(node, 3)[-1])


def test_two_agents_cannot_share_it(node: SmallNode, open_store: Open, store_file: Path) -> None:
    open_store()
    with pytest.raises(StoreError, match="another agent uses this store"):
        JournalStore(store_file, node.schema)


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_of_configurations_is_read_back(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    file = tmp_path / str(seed) / "running.json"
    store = JournalStore(file, SCHEMA)
    tree = children(SCHEMA.data, rng)
    for _ in range(5):
        store.save(tree)
        last, tree = tree, changed(tree, rng) if rng.random() < 0.5 else children(SCHEMA.data, rng)
    store.close()
    store = JournalStore(file, SCHEMA)
    found = store.load()
    assert found is not None
    assert same(SCHEMA, found, last)
    store.close()
