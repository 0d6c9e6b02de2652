"""What answered ok is there after any death of the process; and what cannot be read back is not replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ncclient.operations import RPCError
from tests.agent.child import Child
from tests.agent.ssh_client import PLACE, place_in

from sdqkd.transport.keys import make_key_pair


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Child]]:
    (tmp_path / "client.pub").write_text(make_key_pair(tmp_path / "client"))
    children: list[Child] = []

    def start() -> Child:
        children.append(Child(tmp_path))
        return children[-1]

    yield start
    for child in children:
        child.kill()


def test_what_answered_ok_survives_a_kill(start: Callable[[], Child]) -> None:
    child = start()
    for place in ("rack 2", "rack 3"):
        session = child.log_in()
        session.edit_config(PLACE.format(place), target="candidate")
        session.commit()
        child.kill()
        child = start()
        with child.log_in() as session:
            assert place_in(session, "running") == place
            assert place_in(session, "candidate") == place


def test_a_candidate_and_locks_are_gone_after_a_kill(start: Callable[[], Child]) -> None:
    child = start()
    session = child.log_in()
    session.lock("candidate")
    session.edit_config(PLACE.format("rack 2"), target="candidate")
    child.kill()
    with start().log_in() as session:
        assert place_in(session, "candidate") == "rack 1"
        session.lock("candidate")


def test_a_kill_in_the_middle_leaves_the_old_or_the_new(start: Callable[[], Child]) -> None:
    child = start()
    before = "rack 1"
    for attempt in range(3):
        session = child.log_in()
        session.async_mode = True
        places = [f"rack {attempt}.{number}" for number in range(20)]
        calls = [session.edit_config(PLACE.format(place), target="running") for place in places]
        calls[attempt * 5].event.wait(20)
        child.kill()
        answered = [place for place, call in zip(places, calls, strict=True) if call.reply is not None]
        assert answered
        child = start()
        with child.log_in() as session:
            found = place_in(session, "running")
        assert found in [before, *places][len(answered) :]
        before = found


@pytest.mark.parametrize("damage", ['{"format": 1, "model-se', "", '{"format": 1, "model-set": "transponder"}'])
def test_a_damaged_store_is_never_replaced_by_the_factory(
    start: Callable[[], Child], tmp_path: Path, damage: str
) -> None:
    start().kill()
    file = tmp_path / "running.json"
    file.write_text(damage)
    complaint = start().complaint
    assert complaint.startswith(f"error: {file}: ")
    assert "bring back a copy of it" in complaint
    assert "Traceback" not in complaint
    assert file.read_text() == damage


def test_two_processes_cannot_serve_one_store(start: Callable[[], Child]) -> None:
    start()
    assert "another agent uses this store" in start().complaint


def test_a_pending_confirmed_commit_is_undone_by_a_kill(start: Callable[[], Child]) -> None:
    child = start()
    session = child.log_in()
    session.edit_config(PLACE.format("rack 2"), target="candidate")
    session.commit(confirmed=True, timeout="600", persist="t1")
    assert place_in(session, "running") == "rack 2"
    child.kill()
    with start().log_in() as session:
        assert place_in(session, "running") == place_in(session, "candidate") == "rack 1"
        with pytest.raises(RPCError) as refused:
            session.commit(persist_id="t1")
        assert refused.value.tag == "invalid-value"
        session.lock("running")


def test_a_kill_while_commits_are_confirmed_leaves_what_was_confirmed_last(start: Callable[[], Child]) -> None:
    child = start()
    before = "rack 1"
    for attempt in range(3):
        session = child.log_in()
        session.async_mode = True
        confirmations = []
        for number in range(8):
            session.edit_config(PLACE.format(f"rack {attempt}.{number}"), target="candidate")
            session.commit(confirmed=True, timeout="600", persist=f"t{number}")
            confirmations.append(session.commit(persist_id=f"t{number}"))
        confirmations[1 + 2 * attempt].event.wait(20)
        child.kill()
        answered = [confirmation for confirmation in confirmations if confirmation.reply is not None]
        child = start()
        with child.log_in() as session:
            found = place_in(session, "running")
        assert found in [before, *(f"rack {attempt}.{number}" for number in range(8))][len(answered) :]
        before = found
