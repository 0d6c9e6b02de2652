"""What is known of a device before it counts as confirmed or led back. What is done is shown by the matrix too."""

from __future__ import annotations

from datetime import datetime

import pytest
from tests.controller.bench import TIMEOUTS, Bench, operation_in, rewritten
from tests.controller.test_guarantee import HELLOS
from tests.controller.test_recovery import ALFA, BRAVO, begun, recovered

from sdqkd.controller.journal import Committing, Decision, Locking
from sdqkd.controller.recovery import Recovered
from sdqkd.controller.session import DeviceSession, open_session
from sdqkd.datastore.locks import Target

BOTH = [Committing("t", name, "t.1", None) for name in (ALFA, BRAVO)]


async def opened(bench: Bench) -> DeviceSession:
    return await open_session(bench.network.devices[ALFA], bench.emulated, TIMEOUTS)


async def test_each_confirmation_finds_the_decision_in_the_journal(two: Bench) -> None:
    """Who dies between two of them would otherwise leave devices that differ, and no word of what was meant."""
    decided: list[bool] = []

    def hear(device: str, data: bytes) -> bool:
        if operation_in(data) == "commit" and b"<confirmed/>" not in data:
            record = two.record()
            decided.append(record is not None and record.verdict == "CONFIRM")
        return True

    two.emulated.tap = hear
    await two.apply()
    assert decided == [True, True]


async def test_a_dead_session_that_ends_just_before_it_is_killed_leaves_nothing_in_doubt(two: Bench) -> None:
    dead = await opened(two)
    row = await dead.own_row()
    assert row is not None
    await dead.lock("running")
    begun(two, Locking("t", ALFA, row.session_id, row.login_time), *BOTH)

    def too_late(device: str, data: bytes) -> bool:
        if operation_in(data) == "kill-session":
            dead.abandon("it has ended")
        return True

    two.emulated.tap = too_late
    assert await recovered(two) == Recovered("t", "ABORT", "rolled back", {})
    assert two.emulated.running() == two.old
    assert two.emulated.nobody_locks()


async def test_what_a_session_that_lives_on_holds_provisionally_does_not_count_as_confirmed(two: Bench) -> None:
    """Without tokens a device goes back when that session ends, and some do not list it, so it is not killed."""
    two.emulated.hellos[ALFA] = {b"confirmed-commit:1.1": b"confirmed-commit:1.0"}
    dead = await opened(two)
    await dead.edit_config(two.plan.devices[ALFA].changes)
    await dead.commit(timeout_s=60)
    without_token = Committing("t", ALFA, None, "2000-01-01T00:00:00Z")
    begun(two, without_token, BOTH[1], Decision("t", "CONFIRM", ""))
    found = await recovered(two)
    assert found.doubts.keys() == {ALFA}
    assert "may go back" in found.doubts[ALFA].holds
    dead.abandon("it has ended")
    assert two.emulated.running()[ALFA] == two.old[ALFA]
    assert (await recovered(two)).outcome == "done"
    assert two.emulated.running() == two.new
    assert two.emulated.nobody_locks()


async def test_edits_that_a_device_lets_us_lock_over_are_not_confirmed_with_ours(two: Bench) -> None:
    """A server should refuse the lock of a candidate with edits (RFC 6241 section 7.5), but not all do."""
    alfa = two.emulated.agents[ALFA].datastores
    dead = await opened(two)
    await dead.edit_config(two.plan.devices[ALFA].changes)
    await dead.commit(timeout_s=60, persist="t.1")
    foreign = rewritten(two.new[ALFA])
    lock = alfa.lock

    def careless(session: int, target: Target, now: datetime) -> None:
        kept, alfa._candidate = alfa._candidate, None
        lock(session, target, now)
        alfa._candidate = kept

    alfa.lock = careless  # type: ignore[method-assign]
    alfa._candidate = foreign
    begun(two, *BOTH, Decision("t", "CONFIRM", ""))
    found = await recovered(two)
    assert found.doubts.keys() == {ALFA}
    assert "its candidate holds changes of somebody else" in found.doubts[ALFA].holds
    assert two.emulated.running() == two.new


@pytest.mark.parametrize("guarantee", ["candidate", "running"])
async def test_what_a_session_that_lives_on_may_still_commit_does_not_count_as_taken_back(
    two: Bench, guarantee: str
) -> None:
    two.emulated.hellos[ALFA] = HELLOS[guarantee]
    dead = await opened(two)
    await dead.lock("running")
    begun(two, Committing("t", ALFA, None, None))
    found = await recovered(two)
    assert found.doubts.keys() == {ALFA}
    assert found.doubts[ALFA].holds.startswith("the old configuration, but a session that we lost may still write")
    dead.abandon("it has ended")
    assert await recovered(two) == Recovered("t", "ABORT", "rolled back", {})
    assert two.emulated.nobody_locks()
