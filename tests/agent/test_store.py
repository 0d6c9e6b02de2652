"""The store on disk: whole or not at all, private, one process at a time, never a silent loss."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.datastore.small_node import NODE, SmallNode

from sdqkd.agent import store as store_module
from sdqkd.agent.store import FileStore
from sdqkd.errors import StoreError
from sdqkd.schema import table
from sdqkd.schema.tree import EMPTY, Container, put


@pytest.fixture
def factory(node: SmallNode) -> Container:
    return node.factory()


def moved(node: SmallNode, tree: Container, place: str) -> Container:
    return put(node.schema, tree, (NODE, "qkdn_location_id"), place)


def test_what_was_saved_last_is_read(
    node: SmallNode, store: FileStore, store_file: Path, factory: Container
) -> None:
    assert store.load() is None
    store.save(factory)
    store.save(moved(node, factory, "rack 2"))
    store.close()
    assert FileStore(store_file, node.schema).load() == moved(node, factory, "rack 2")


def test_an_empty_configuration_is_not_a_missing_one(store: FileStore) -> None:
    store.save(EMPTY)
    assert store.load() == EMPTY


def test_only_the_owner_can_read_it(store: FileStore, store_file: Path, factory: Container) -> None:
    store.save(factory)
    assert {stat.S_IMODE(file.stat().st_mode) for file in store_file.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(store_file.parent.stat().st_mode) == 0o700


def test_nothing_but_the_file_and_its_lock_is_left(store: FileStore, store_file: Path, factory: Container) -> None:
    store.save(factory)
    assert {file.name for file in store_file.parent.iterdir()} == {"running.json", "running.json.lock"}


def test_a_rest_of_an_interrupted_save_does_no_harm(
    store: FileStore, store_file: Path, factory: Container
) -> None:
    store.save(factory)
    store_file.with_name("running.json.new").write_text('{"format": 1, "mod')
    assert store.load() == factory
    store.save(factory)
    assert store.load() == factory


def test_two_agents_cannot_share_it(node: SmallNode, store: FileStore, store_file: Path) -> None:
    with pytest.raises(StoreError, match=r"running\.json\.lock: another agent uses this store"):
        FileStore(store_file, node.schema)
    store.close()
    FileStore(store_file, node.schema).close()


def test_a_closed_store_saves_nothing(store: FileStore, store_file: Path, factory: Container) -> None:
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.save(factory)
    assert not store_file.exists()


DAMAGES = {
    "empty": b"",
    "torn": b'{"format": 1, "model-set": "qkd-node", "configuration": {"etsi-qkd-sdn',
    "binary": bytes(range(256)),
    "deep": b"[" * 100_000,
    "foreign": b'["a", "b"]',
    "other version": b'{"format": 99, "model-set": "qkd-node", "configuration": {}}',
    "other model": b'{"format": 1, "model-set": "transponder", "configuration": {}}',
    "no configuration": b'{"format": 1, "model-set": "qkd-node"}',
    "unknown node": b'{"format": 1, "model-set": "qkd-node", "configuration": {"etsi-qkd-sdn-node:qkd_nod": {}}}',
    "wrong value": b'{"format": 1, "model-set": "qkd-node", "configuration": '
    b'{"etsi-qkd-sdn-node:qkd_node": {"qkdn_id": "nobody"}}}',
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_what_cannot_be_read_is_said_with_file_and_remedy(
    store: FileStore, store_file: Path, damage: bytes
) -> None:
    store_file.write_bytes(damage)
    with pytest.raises(StoreError) as refused:
        store.load()
    assert str(store_file) in str(refused.value)
    assert "bring back a copy" in str(refused.value)
    assert store_file.read_bytes() == damage


def test_a_folder_in_its_place_is_said(store: FileStore, store_file: Path, factory: Container) -> None:
    store_file.mkdir()
    with pytest.raises(StoreError, match=r"running\.json: cannot be read"):
        store.load()
    with pytest.raises(StoreError, match=r"running\.json: cannot be written"):
        store.save(factory)


def test_a_place_that_cannot_be_had_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        FileStore(tmp_path / "file" / "running.json", table.load("qkd-node"))


# The limit is on the size of files; Python ignores the signal, so a write beyond it fails as on a full disk.
_FILLS_THE_DISK = """
import resource, sys
from pathlib import Path
from sdqkd.agent.server import Agent
from sdqkd.agent.store import FileStore
from tests.agent.memory_client import Clock, join
from tests.datastore.small_node import SmallNode

node = SmallNode()
client = join(Agent(node, FileStore(Path(sys.argv[1]), node.schema), clock=Clock()))

def move(place):
    config = f'<config><qkd_node xmlns="urn:etsi:qkd:yang:etsi-qkd-node"><qkdn_location_id>{place}'
    config += "</qkdn_location_id></qkd_node></config>"
    return client.call(f"<edit-config><target><running/></target>{config}</edit-config>")

resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
print(*move("rack 2").errors)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert len(node.applied) == 1
if "again" in sys.argv:
    assert move("rack 3").ok
"""


@pytest.mark.parametrize(("arguments", "place"), [((), "rack 1"), (("again",), "rack 3")])
def test_a_full_disk_refuses_a_commit_cleanly(
    node: SmallNode, store_file: Path, factory: Container, arguments: tuple[str, ...], place: str
) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    told = subprocess.run(
        [sys.executable, "-c", _FILLS_THE_DISK, str(store_file), *arguments],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    wrong = f"the configuration cannot be kept: {store_file}: cannot be written: File too large [resource-denied]"
    assert told.stdout.strip() == wrong
    assert FileStore(store_file, node.schema).load() == moved(node, factory, place)
    assert not store_file.with_name("running.json.new").exists()


def break_flushing(monkeypatch: pytest.MonkeyPatch, times: int = 1) -> None:
    """Let the flush of a folder fail, which no file system does on demand."""
    left = [times]
    flush = store_module.flush_folder

    def fail(folder: Path) -> None:
        if left[0]:
            left[0] -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        flush(folder)

    monkeypatch.setattr(store_module, "flush_folder", fail)


def test_a_save_whose_last_step_fails_leaves_the_old_file(
    node: SmallNode, store: FileStore, store_file: Path, factory: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(factory)
    break_flushing(monkeypatch)
    with pytest.raises(StoreError, match=r"running\.json: cannot be written: Input/output error"):
        store.save(moved(node, factory, "rack 2"))
    assert store.load() == factory
    store.save(moved(node, factory, "rack 3"))
    assert store.load() == moved(node, factory, "rack 3")
    assert {file.name for file in store_file.parent.iterdir()} == {"running.json", "running.json.lock"}


def test_a_first_save_whose_last_step_fails_leaves_nothing(
    store: FileStore, store_file: Path, factory: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_flushing(monkeypatch)
    with pytest.raises(StoreError):
        store.save(factory)
    assert {file.name for file in store_file.parent.iterdir()} == {"running.json.lock"}


def test_where_files_have_one_name_only_the_old_one_is_copied(
    node: SmallNode, store: FileStore, factory: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: Path, target: Path) -> None:
        if not source.exists():
            raise FileNotFoundError
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    store.save(factory)
    break_flushing(monkeypatch)
    with pytest.raises(StoreError):
        store.save(moved(node, factory, "rack 2"))
    assert store.load() == factory


def test_nothing_can_be_kept_too(
    store: FileStore, store_file: Path, factory: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(None)
    store.save(factory)
    break_flushing(monkeypatch)
    with pytest.raises(StoreError):
        store.save(None)
    assert store.load() == factory
    store.save(None)
    assert store.load() is None
    assert {file.name for file in store_file.parent.iterdir()} == {"running.json.lock"}
