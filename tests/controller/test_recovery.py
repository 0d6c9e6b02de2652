"""What is concluded from a journal, and what recovery leaves alone. What it does is shown by the matrix."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.controller.bench import TERMS, TIMEOUTS, Bench, operation_in, rewritten

from sdqkd.controller.clock import SystemClock
from sdqkd.controller.fleet import Fleet
from sdqkd.controller.footprint import footprint_of
from sdqkd.controller.journal import Begin, Committing, Decision, Editing, Entry, Locking, Record
from sdqkd.controller.journal_state import fold, open_transactions
from sdqkd.controller.recovery import Recovered, outcome_of, recover, verdict_of
from sdqkd.controller.session import open_session
from sdqkd.errors import JournalError

ALFA, BRAVO = "alfa-transponder", "bravo-transponder"


@given(st.lists(st.sampled_from(["CONFIRM", "ABORT"]), max_size=3), st.booleans())
def test_without_a_decision_it_is_an_abort(verdicts: list, committing: bool) -> None:
    steps: list[Record] = [Committing("t", "a", "t.1", None)] if committing else []
    records = [Begin("t", "n", "noc", {}, {"a": []}, {}, {}), *steps, *(Decision("t", v, "") for v in verdicts)]
    transaction = fold(Entry(at, "", 1, record, "") for at, record in enumerate(records, 1))["t"]
    assert verdict_of(transaction) == (verdicts[-1] if verdicts else "ABORT")
    aborted = "rolled back" if committing else "refused"
    assert outcome_of(transaction) == ("done" if verdicts[-1:] == ["CONFIRM"] else aborted)


def begun(bench: Bench, *records: Record) -> None:
    """A controller began a transaction, wrote these records and died."""
    changed = {name: [] for name in bench.plan.changed}
    footprint = footprint_of(bench.plan, bench.network).to_json()
    begin = Begin("t", bench.network.name, "noc", bench.plan.to_json(), changed, footprint, {})
    lease = bench.journal.take("dead")
    lease.append(begin, *records)
    lease.release()


async def recovered(bench: Bench) -> Recovered:
    lease = bench.journal.take("recoverer")
    (transaction,) = open_transactions(bench.journal.entries())
    found = await recover(transaction, bench.fleet, lease, SystemClock(), TERMS)
    lease.release()
    return found


async def test_what_never_committed_is_refused_and_touches_no_device(two: Bench) -> None:
    begun(two, Editing("t", ALFA))
    heard: set[str] = set()
    two.emulated.tap = lambda device, data: heard.add(operation_in(data)) is None
    assert await recovered(two) == Recovered("t", "ABORT", "refused", {})
    assert heard == set()


async def test_a_session_of_ours_that_lives_on_over_there_loses_its_locks(two: Bench) -> None:
    dead = await open_session(two.network.devices[ALFA], two.emulated, TIMEOUTS)
    row = await dead.own_row()
    assert row is not None
    await dead.lock("running")
    begun(two, Locking("t", ALFA, row.session_id, row.login_time))
    assert (await recovered(two)).outcome == "refused"
    assert not dead.alive
    assert two.emulated.nobody_locks()


@pytest.mark.parametrize("other", ["number", "login time", "user", "unknown login time"])
async def test_a_session_that_is_not_that_one_is_left_alone(two: Bench, other: str) -> None:
    session = await open_session(two.network.devices[ALFA], two.emulated, TIMEOUTS)
    row = await session.own_row()
    assert row is not None
    number = row.session_id + (other == "number") * 7
    login_time = {"login time": "2001-01-01T00:00:00Z", "unknown login time": None}.get(other, row.login_time)
    if other == "user":
        next(iter(two.emulated.agents[ALFA].sessions)).username = "somebody"
    begun(two, Locking("t", ALFA, number, login_time))
    assert (await recovered(two)).outcome == "refused"
    assert session.alive


async def test_a_decided_change_is_made_again_where_a_device_went_back(two: Bench) -> None:
    begun(two, *(Committing("t", name, "t.1", None) for name in (ALFA, BRAVO)), Decision("t", "CONFIRM", ""))
    assert await recovered(two) == Recovered("t", "CONFIRM", "done", {})
    assert two.emulated.running() == two.new
    assert two.emulated.nobody_locks()


async def test_what_somebody_has_made_of_a_device_since_is_left_alone(two: Bench) -> None:
    begun(two, *(Committing("t", name, "t.1", None) for name in (ALFA, BRAVO)), Decision("t", "CONFIRM", ""))
    foreign = rewritten(two.new[BRAVO])
    two.emulated.agents[BRAVO].datastores._running = foreign
    found = await recovered(two)
    assert found.outcome is None
    assert {name: doubt.holds for name, doubt in found.doubts.items()} == {
        BRAVO: "neither the old nor the new configuration; it was left alone"
    }
    assert two.emulated.running() == {ALFA: two.new[ALFA], BRAVO: foreign}
    # And it stays to be finished.
    two.emulated.agents[BRAVO].datastores._running = two.old[BRAVO]
    assert (await recovered(two)).outcome == "done"
    assert two.emulated.running() == two.new


async def test_somebodys_edits_are_not_confirmed_with_ours(two: Bench) -> None:
    begun(two, *(Committing("t", name, "t.1", None) for name in (ALFA, BRAVO)), Decision("t", "CONFIRM", ""))
    two.emulated.agents[BRAVO].datastores._candidate = rewritten(two.new[BRAVO])
    found = await recovered(two)
    assert found.doubts.keys() == {BRAVO}
    assert "candidate has changes" in found.doubts[BRAVO].holds
    assert two.emulated.running() == {ALFA: two.new[ALFA], BRAVO: two.old[BRAVO]}


async def test_a_device_that_the_network_no_longer_has_is_in_doubt(two: Bench) -> None:
    begun(two, *(Committing("t", name, "t.1", None) for name in (ALFA, BRAVO)))
    only = {ALFA: two.network.devices[ALFA]}
    two.fleet = Fleet(only, two.emulated, timeouts=TIMEOUTS)
    found = await recovered(two)
    assert found.doubts[BRAVO].holds == "not known, it is not in the network file"
    assert found.doubts.keys() == {BRAVO}


async def test_a_journal_whose_plan_cannot_be_read_is_refused(two: Bench) -> None:
    two.plan = dataclasses.replace(two.plan)
    lease = two.journal.take("dead")
    lease.append(Begin("t", two.network.name, "noc", {"format": 99}, {ALFA: []}, {}, {}))
    lease.release()
    with pytest.raises(JournalError, match="the transaction t cannot be read: this is no plan"):
        await recovered(two)
