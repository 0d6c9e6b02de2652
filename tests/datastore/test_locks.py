"""RFC 6241 sections 7.5, 7.6: one holder, who is named; nobody else unlocks or works."""

from datetime import UTC, datetime

import pytest

from sdqkd.datastore.locks import Locks
from sdqkd.errors import RpcError

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def locks() -> Locks:
    return Locks()


def test_a_lock_has_one_holder(locks: Locks) -> None:
    locks.take("running", 7, NOW)
    assert locks.holder("running") == 7
    assert locks.holder("candidate") is None
    assert [(target, lock.session, lock.since) for target, lock in locks.held.items()] == [("running", 7, NOW)]


@pytest.mark.parametrize("asker", [7, 8])
def test_a_held_lock_is_denied_and_its_holder_named(locks: Locks, asker: int) -> None:
    locks.take("running", 7, NOW)
    with pytest.raises(RpcError) as refused:
        locks.take("running", asker, NOW)
    assert (refused.value.tag, refused.value.info) == ("lock-denied", {"session-id": "7"})


def test_only_the_holder_unlocks(locks: Locks) -> None:
    locks.take("candidate", 7, NOW)
    with pytest.raises(RpcError, match="session 7") as refused:
        locks.give_back("candidate", 8)
    assert refused.value.tag == "operation-failed"
    locks.give_back("candidate", 7)
    assert locks.holder("candidate") is None


def test_what_is_free_cannot_be_unlocked(locks: Locks) -> None:
    with pytest.raises(RpcError, match="not locked"):
        locks.give_back("running", 7)


def test_others_are_kept_out_and_the_holder_is_not(locks: Locks) -> None:
    locks.take("running", 7, NOW)
    locks.demand(7, "running", "candidate")
    locks.demand(8, "candidate")
    with pytest.raises(RpcError) as refused:
        locks.demand(8, "candidate", "running")
    assert refused.value.tag == "in-use"


def test_an_ended_session_holds_nothing(locks: Locks) -> None:
    locks.take("running", 7, NOW)
    locks.take("candidate", 8, NOW)
    assert locks.release(7) == {"running"}
    assert locks.holder("running") is None
    assert locks.holder("candidate") == 8
    assert locks.release(7) == frozenset()
