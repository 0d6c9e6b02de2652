"""A person has done with a transaction: not while a device would still go back by itself."""

from __future__ import annotations

import dataclasses

import pytest
from tests.controller.bench import TIMEOUTS, Bench, operation_in, refuse

from sdqkd.controller.closing import Look, look
from sdqkd.controller.controller import Controller
from sdqkd.controller.fleet import Fleet
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.journal import End, Lease
from sdqkd.controller.journal_state import open_transactions
from sdqkd.errors import ApplyError, InDoubtError

ALFA, BRAVO = "alfa-transponder", "bravo-transponder"


async def left(two: Bench) -> str:
    """An apply that one device does not let be confirmed; the identifier of its transaction."""
    datastores = two.emulated.agents[ALFA].datastores
    commit = datastores.commit
    datastores.commit = lambda *a, **n: (commit if n["confirm"] else refuse)(*a, **n)
    error = await two.refused()
    assert isinstance(error, InDoubtError)
    assert error.left.keys() == {ALFA}
    await two.fleet.close()
    record = two.record()
    assert record is not None
    return record.txid


def controller_of(two: Bench) -> Controller:
    loaded = LoadedNetwork("network.yaml", two.network, tree=None, lines={})  # type: ignore[arg-type]
    return Controller(loaded, two.emulated, timeouts=TIMEOUTS, journal=two.journal)


async def test_a_transaction_stays_open_while_a_provisional_commit_waits(two: Bench) -> None:
    txid = await left(two)
    heard: set[tuple[str, str]] = set()
    two.emulated.tap = lambda device, data: heard.add((device, operation_in(data))) is None
    async with controller_of(two) as controller:
        with pytest.raises(ApplyError, match="stays open: a provisional commit may still wait") as refused:
            await controller.close_transaction(txid)
    assert refused.value.failures.keys() == {ALFA}
    assert "a confirmed commit whose session has ended is pending" in str(refused.value)
    # The other was read back with what was decided. And nothing was confirmed or cancelled.
    assert {device for device, _ in heard} == {ALFA}
    assert not {operation for _, operation in heard} & {"commit", "cancel-commit", "edit-config"}
    record = two.record()
    assert record is not None
    assert record.is_open


async def test_a_way_back_that_was_refused_leaves_the_provisional_commit_waiting(two: Bench) -> None:
    """It is announced as a commit for good, and what waited before it waits still."""
    two.emulated.hardware[BRAVO].on_apply = lambda running: running == two.new[BRAVO]
    datastores = two.emulated.agents[ALFA].datastores
    datastores.cancel_commit = refuse  # type: ignore[method-assign]
    commit = datastores.commit
    datastores.commit = lambda *a, **n: (commit if n["confirm"] else refuse)(*a, **n)
    assert isinstance(await two.refused(), InDoubtError)
    await two.fleet.close()
    record = two.record()
    assert record is not None
    async with controller_of(two) as controller:
        with pytest.raises(ApplyError, match="stays open: a provisional commit may still wait") as refused:
            await controller.close_transaction(record.txid)
    assert refused.value.failures.keys() == {ALFA}


async def test_it_is_closed_once_nothing_waits_any_more(two: Bench) -> None:
    txid = await left(two)
    two.emulated.agents[ALFA].datastores.expire(float("inf"))
    async with controller_of(two) as controller:
        assert await controller.close_transaction(txid, author="noc") == {}
    record = two.record()
    assert record is not None
    assert record.outcome == "closed"
    assert two.emulated.running() == {ALFA: two.old[ALFA], BRAVO: two.new[BRAVO]}
    assert two.emulated.nobody_locks()


async def test_a_device_that_is_gone_for_good_is_named_and_does_not_keep_it_open(two: Bench) -> None:
    txid = await left(two)
    two.emulated.gone.add(ALFA)
    async with controller_of(two) as controller:
        unseen = await controller.close_transaction(txid, author="noc")
    assert {name: str(error) for name, error in unseen.items()} == {ALFA: f"{ALFA}: it is gone"}
    record = two.record()
    assert record is not None
    assert record.outcome == "closed"


async def test_a_device_that_the_network_no_longer_has_is_named(two: Bench) -> None:
    await left(two)
    (transaction,) = open_transactions(two.journal.entries())
    only = dataclasses.replace(two.network, devices={BRAVO: two.network.devices[BRAVO]})
    lease = two.journal.take("test")
    seen = await look(transaction, Fleet(only.devices, two.emulated, timeouts=TIMEOUTS), lease)
    lease.release()
    assert isinstance(seen, Look)
    assert seen.waiting == {}
    assert {name: str(error) for name, error in seen.unseen.items()} == {
        ALFA: f"{ALFA}: it is not in the network file"
    }


async def test_what_somebody_else_has_ended_meanwhile_is_not_closed(two: Bench) -> None:
    txid = await left(two)
    two.emulated.agents[ALFA].datastores.expire(float("inf"))
    take = two.journal.take

    def after_another(owner: str) -> Lease:
        two.journal.take = take  # type: ignore[method-assign]
        lease = take("another")
        lease.append(End(txid, "rolled back"))
        lease.release()
        return take(owner)

    async with controller_of(two) as controller:
        two.journal.take = after_another  # type: ignore[method-assign]
        with pytest.raises(ApplyError, match="there is no transaction"):
            await controller.close_transaction(txid)
    record = two.record()
    assert record is not None
    assert record.outcome == "rolled back"
