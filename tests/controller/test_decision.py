"""A decision that could not be flushed: nothing may be told that the journal can belie afterwards."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.controller.bench import TERMS, Bench

from sdqkd.controller.clock import SystemClock
from sdqkd.controller.journal import Decision, End, Lease, Record
from sdqkd.controller.journal_state import open_transactions
from sdqkd.controller.recovery import recover
from sdqkd.errors import ApplyError, InDoubtError, JournalError, RolledBackError


class BadDisk:
    """A lease whose writes fail from the one on that holds such a record; `kept`: the bytes of that one are there.

    So does a write that reached the file before its flush failed, and one of which only a part did. `mended`:
    writes that come after it are flushed.
    """

    def __init__(self, lease: Lease, bad: Callable[[Record], bool], *, kept: bool, mended: bool) -> None:
        self.epoch, self.demand, self.renew, self.release = lease.epoch, lease.demand, lease.renew, lease.release
        self._lease, self._bad, self._kept, self._mended = lease, bad, kept, mended
        self._struck = False

    def append(self, *records: Record) -> None:
        strikes = not self._struck and any(map(self._bad, records))
        if not strikes and (self._mended or not self._struck):
            self._lease.append(*records)
            return
        if strikes and self._kept:
            self._lease.append(*records)
        self._struck = True
        raise JournalError("the journal cannot be used: disk I/O error")


def is_confirm(record: Record) -> bool:
    return isinstance(record, Decision) and record.verdict == "CONFIRM"


async def applied(
    bench: Bench, *, kept: bool, mended: bool, bad: Callable[[Record], bool] = is_confirm
) -> ApplyError:
    lease = bench.journal.take("test")
    disk = BadDisk(lease, bad, kept=kept, mended=mended)
    try:
        with pytest.raises(ApplyError) as refused:
            await bench.transaction(disk, bench.fleet, bench.plan).run()
    finally:
        lease.release()
    return refused.value


async def recovered(bench: Bench) -> str | None:
    """What the next one makes of it, with a disk that is well."""
    lease = bench.journal.take("recoverer")
    (transaction,) = open_transactions(bench.journal.entries())
    found = await recover(transaction, bench.fleet, lease, SystemClock(), TERMS)
    lease.release()
    assert not found.doubts
    return found.outcome


@pytest.mark.parametrize("kept", [True, False], ids=["bytes kept", "bytes lost"])
async def test_devices_are_left_alone_and_in_doubt_while_nobody_knows_the_decision(two: Bench, kept: bool) -> None:
    error = await applied(two, kept=kept, mended=False)
    assert isinstance(error, InDoubtError)
    assert error.left.keys() == two.new.keys()
    assert "the decision to confirm could not be flushed" in error.message
    assert "it could not be taken back: 2 devices are in doubt" in error.message
    for holds in error.left.values():
        assert holds.startswith("the new configuration, and goes back by itself unless that is confirmed; run ")
    assert two.emulated.running() == two.new
    # Still provisional: neither confirmed nor cancelled.
    assert all(agent.datastores.due_s is not None for agent in two.emulated.agents.values())
    assert await recovered(two) == ("done" if kept else "rolled back")
    assert two.emulated.running() == (two.new if kept else two.old)
    assert two.emulated.nobody_locks()


@pytest.mark.parametrize("kept", [True, False], ids=["bytes kept", "bytes lost"])
async def test_an_abort_that_is_flushed_after_it_takes_the_decision_back(two: Bench, kept: bool) -> None:
    error = await applied(two, kept=kept, mended=True)
    assert isinstance(error, RolledBackError)
    two.check_untouched(error)
    record = two.record()
    assert record is not None
    assert (record.verdict, record.outcome) == ("ABORT", "rolled back")
    verdicts = [entry.record.verdict for entry in two.journal.entries() if isinstance(entry.record, Decision)]
    assert verdicts == (["CONFIRM", "ABORT"] if kept else ["ABORT"])


@pytest.mark.parametrize("kept", [True, False], ids=["bytes kept", "bytes lost"])
async def test_an_end_that_is_not_flushed_is_not_told_as_done(two: Bench, kept: bool) -> None:
    error = await applied(two, kept=kept, mended=False, bad=lambda record: isinstance(record, End))
    assert isinstance(error, InDoubtError)
    assert "every device holds the new configuration, but the journal could not be written" in error.message
    assert two.emulated.running() == two.new
    if not kept:
        assert await recovered(two) == "done"
