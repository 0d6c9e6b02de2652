"""What the cases in tests/agent/cases cannot show: what is written when, and what is left when something fails."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.datastore.memory_store import MemoryStore
from tests.datastore.small_node import SmallNode
from tests.datastore.small_requests import config, place, place_of

from sdqkd.datastore.datastores import Datastores
from sdqkd.errors import RpcError, SdqkdError
from sdqkd.schema.tree import Container

ME, OTHER = 1, 2
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_a_commit_is_saved_and_applied(datastores: Datastores, node: SmallNode, store: MemoryStore) -> None:
    datastores.edit_config(ME, "candidate", place("rack 2"))
    assert len(store.saved) == len(node.applied) == 1  # the start
    datastores.commit(ME)
    assert [place_of(tree) for tree in store.saved] == ["rack 1", "rack 2"]
    assert [place_of(tree) for tree in node.applied] == ["rack 1", "rack 2"]
    assert datastores.get_config("candidate") is datastores.get_config("running")


def test_a_commit_without_a_change_writes_nothing(
    datastores: Datastores, node: SmallNode, store: MemoryStore
) -> None:
    datastores.commit(ME)
    datastores.edit_config(ME, "candidate", place("rack 1"))
    datastores.commit(ME)
    datastores.edit_config(ME, "running", place("rack 1"))
    datastores.copy_config(ME, "candidate", "running")
    datastores.copy_config(ME, node.factory(), "running")
    assert len(store.saved) == len(node.applied) == 1


def test_an_edit_of_candidate_shares_what_it_does_not_change(datastores: Datastores) -> None:
    before = datastores.get_config("running")
    datastores.edit_config(ME, "candidate", place("rack 2"))
    after = datastores.get_config("candidate")
    interfaces = [_child(_child(tree, "etsi-qkd-sdn-node:qkd_node"), "qkd_interfaces") for tree in (before, after)]
    assert interfaces[0] is interfaces[1]


def _child(tree: Container, name: str) -> Container:
    child = tree.children[name]
    assert isinstance(child, Container)
    return child


@pytest.mark.parametrize("target", ["running", "candidate"])
def test_a_full_disk_refuses_the_change_and_leaves_all_as_it_was(
    datastores: Datastores, node: SmallNode, store: MemoryStore, target: str
) -> None:
    store.full = True
    with pytest.raises(RpcError, match="No space left on device") as refused:
        _change(datastores, target)
    assert refused.value.tag == "resource-denied"
    assert place_of(datastores.get_config("running")) == "rack 1"
    assert len(node.applied) == 1
    store.full = False
    _change(datastores, target)
    assert place_of(datastores.get_config("running")) == "rack 2"


def _change(datastores: Datastores, target: str) -> None:
    if target == "running":
        datastores.edit_config(ME, "running", place("rack 2"))
    else:
        datastores.edit_config(ME, "candidate", place("rack 2"))
        datastores.commit(ME)


def test_a_device_that_fails_goes_back_to_what_it_did(
    datastores: Datastores, node: SmallNode, store: MemoryStore
) -> None:
    datastores.edit_config(ME, "candidate", place("broken shelf"))
    with pytest.raises(RpcError, match="as before: the shelf gave way") as refused:
        datastores.commit(ME)
    assert refused.value.tag == "operation-failed"
    assert [place_of(tree) for tree in node.applied] == ["rack 1", "rack 1"]
    assert [place_of(tree) for tree in store.saved] == ["rack 1", "broken shelf", "rack 1"]
    assert place_of(datastores.get_config("running")) == "rack 1"
    # The candidate is the client's, to mend or to discard.
    assert place_of(datastores.get_config("candidate")) == "broken shelf"


def test_what_an_unforeseen_failure_says_stays_inside(datastores: Datastores, node: SmallNode) -> None:
    def fail(running: Container) -> None:
        node.applied.append(running)
        if place_of(running) != "rack 1":
            raise ValueError("the password is swordfish")

    node.apply = fail  # type: ignore[method-assign]
    with pytest.raises(RpcError, match="as before: ValueError") as refused:
        datastores.edit_config(ME, "running", place("rack 2"))
    assert "swordfish" not in str(refused.value)


def test_a_device_that_takes_nothing_back_is_said(
    datastores: Datastores, node: SmallNode, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(running: Container) -> None:
        store.full = True
        raise SdqkdError(f"no power at {place_of(running)}")

    node.apply = fail  # type: ignore[method-assign]
    with pytest.raises(
        RpcError, match=r"took neither .* nor the old one again: no power at rack 1; after a restart"
    ):
        datastores.edit_config(ME, "running", place("rack 2"))
    assert "after a restart the refused configuration would come back" in caplog.text
    assert place_of(datastores.get_config("running")) == "rack 1"


def test_what_the_hardware_refuses_is_refused_at_validate_too(datastores: Datastores) -> None:
    link = "<qkd_links><qkd_link><qkdl_id>00000000-0000-4000-8000-000000000001</qkdl_id>"
    link += "<qkdl_local><qkdi_id>3</qkdi_id></qkdl_local></qkd_link></qkd_links>"
    datastores.edit_config(ME, "candidate", config(link))
    for judge in (lambda: datastores.validate("candidate"), lambda: datastores.commit(ME)):
        with pytest.raises(RpcError, match="no module 3"):
            judge()


def test_state_is_laid_over_running_not_over_candidate(datastores: Datastores, node: SmallNode) -> None:
    link = "<qkd_links><qkd_link><qkdl_id>00000000-0000-4000-8000-000000000001</qkdl_id></qkd_link></qkd_links>"
    datastores.edit_config(ME, "candidate", config(link))
    datastores.edit_config(ME, "candidate", place("rack 2"))
    node_tree = _child(datastores.get(), "etsi-qkd-sdn-node:qkd_node")
    assert node_tree.children["qkdn_status"] == "etsi-qkd-node-types:OPERATING"
    assert node_tree.children["qkdn_location_id"] == "rack 1"
    assert "qkd_links" not in node_tree.children


def test_a_direct_edit_of_running_leaves_a_candidate_with_changes_alone(datastores: Datastores) -> None:
    datastores.edit_config(ME, "candidate", place("rack 2"))
    datastores.edit_config(OTHER, "running", place("rack 3"))
    assert place_of(datastores.get_config("candidate")) == "rack 2"
    datastores.discard_changes(ME)
    assert place_of(datastores.get_config("candidate")) == "rack 3"


def test_ending_a_session_without_locks_changes_nothing(datastores: Datastores) -> None:
    datastores.lock(ME, "candidate", NOW)
    datastores.edit_config(ME, "candidate", place("rack 2"))
    datastores.end_session(OTHER)
    assert place_of(datastores.get_config("candidate")) == "rack 2"
    datastores.end_session(ME)
    assert place_of(datastores.get_config("candidate")) == "rack 1"
