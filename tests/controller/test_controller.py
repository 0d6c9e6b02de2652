from __future__ import annotations

import asyncio
import dataclasses
import itertools

import pytest
from tests.controller.emulated import Emulated, journal_of

from sdqkd.controller.controller import Controller
from sdqkd.controller.footprint import footprint_of, overlap
from sdqkd.controller.gate import OpenGate, Trial
from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.journal import Begin
from sdqkd.controller.journal_sqlite import SqliteJournal
from sdqkd.controller.plan import Plan, make_plan
from sdqkd.errors import ApplyError, LeaseError


@pytest.fixture
def emulated(three_sites: LoadedNetwork) -> Emulated:
    return Emulated(three_sites.network)


async def test_a_plan_is_applied_by_another_controller(
    three_sites: LoadedNetwork, emulated: Emulated, journal: SqliteJournal
) -> None:
    async with Controller(three_sites, emulated, journal=journal) as first:
        await first.read()
        plan = first.plan()
    async with Controller(three_sites, emulated, journal=journal) as second:
        await second.apply(plan)
        await second.read()
        assert second.plan().is_empty


async def test_nothing_is_planned_while_a_device_cannot_be_read(
    three_sites: LoadedNetwork, emulated: Emulated, journal: SqliteJournal
) -> None:
    emulated.gone |= {"bravo-l1", "charlie-qkd"}
    async with Controller(three_sites, emulated, journal=journal) as controller:
        with pytest.raises(ApplyError, match="2 of 12 devices cannot be read; nothing was changed") as refused:
            await controller.read()
        assert list(refused.value.failures) == ["charlie-qkd", "bravo-l1"]
        with pytest.raises(RuntimeError):
            controller.plan()
        status = await controller.status()
        assert status.devices_in_desired_state == 0
        assert [row.status for row in status.links] == ["missing", "unknown", "unknown"]


async def test_a_plan_for_another_network_is_refused(
    three_sites: LoadedNetwork, emulated: Emulated, journal: SqliteJournal
) -> None:
    async with Controller(three_sites, emulated, journal=journal) as controller:
        with pytest.raises(ApplyError, match="for the network elsewhere, not for three-sites"):
            await controller.apply(Plan("elsewhere", {}))


async def test_after_an_apply_what_was_read_before_is_not_planned_from(
    three_sites: LoadedNetwork, emulated: Emulated, journal: SqliteJournal
) -> None:
    async with Controller(three_sites, emulated, journal=journal) as controller:
        await controller.read()
        await controller.apply(controller.plan())
        with pytest.raises(RuntimeError, match="nothing was read"):
            controller.plan()


async def test_progress_is_told_and_all_sessions_end(
    three_sites: LoadedNetwork, emulated: Emulated, journal: SqliteJournal
) -> None:
    told: list[str] = []

    def tell(what: str, done: int, of: int) -> None:
        told.append(what)

    async with Controller(three_sites, emulated, tell, journal=journal) as controller:
        await controller.read()
        await controller.apply(controller.plan())
        await controller.status()
    steps = ["read", "connect", "lock", "compare", "edit", "validate", "commit", "read back", "confirm"]
    steps += ["unlock", "read state"]
    assert list(dict.fromkeys(told)) == steps
    assert all(len(agent.sessions) == 0 for agent in emulated.agents.values())


async def changed(controller: Controller, **powers_dbm: float) -> Plan:
    """A plan that changes the power of some channels."""
    channels = dict(controller.network.optical_channels)
    for name, power_dbm in powers_dbm.items():
        known = name.replace("_", "-")
        channels[known] = dataclasses.replace(channels[known], launch_power_dbm=power_dbm)
    network = dataclasses.replace(controller.network, optical_channels=channels)
    return make_plan(network.name, desired(network), await controller.read())


class Waiting(OpenGate):
    """Keeps a change on trial until it is told."""

    def __init__(self) -> None:
        self.on_trial, self.enough = asyncio.Event(), asyncio.Event()

    async def judge(self, trial: Trial) -> None:
        self.on_trial.set()
        await self.enough.wait()


async def test_changes_that_do_not_meet_run_side_by_side_and_others_wait_or_are_refused(
    madqci: LoadedNetwork,
) -> None:
    network = madqci.network
    emulated = Emulated(network)
    with journal_of(network) as journal:
        async with Controller(madqci, emulated, journal=journal) as controller:
            await controller.read()
            await controller.apply(controller.plan(), gate=OpenGate())
            one, other = await two_apart(controller)
            gates = [Waiting(), Waiting()]
            tasks = [
                asyncio.ensure_future(controller.apply(plan, gate=gate))
                for plan, gate in zip((one, other), gates, strict=True)
            ]
            for gate in gates:
                await gate.on_trial.wait()
            with pytest.raises(ApplyError, match=r"another change is under way: .* \(device "):
                await controller.apply(one, gate=OpenGate())
            waiting = asyncio.ensure_future(controller.apply(one.reverse(), gate=OpenGate(), wait=True))
            for gate in gates:
                gate.enough.set()
            txids = [await task for task in tasks]
            assert len({await waiting, *txids}) == 3
            outcomes = [transaction.outcome for transaction in controller.history().values()]
            assert outcomes == ["done"] * 4
            assert controller.left_undone() == ()


async def two_apart(controller: Controller) -> tuple[Plan, Plan]:
    """Two changes of channels that do not meet."""
    plans = []
    for name, channel in controller.network.optical_channels.items():
        if channel.a is not None:
            powers = {name.replace("-", "_"): channel.launch_power_dbm - 1.0}
            plans.append(await changed(controller, **powers))
    network = controller.network
    return next(
        (one, other)
        for one, other in itertools.combinations(plans, 2)
        if not overlap(footprint_of(one, network), footprint_of(other, network))
    )


async def test_what_was_left_undone_is_finished_or_closed_before_what_it_meets(
    three_sites: LoadedNetwork, emulated: Emulated, journal: SqliteJournal
) -> None:
    async with Controller(three_sites, emulated, journal=journal) as controller:
        await controller.read()
        plan = controller.plan()
        footprint = footprint_of(plan, three_sites.network).to_json()
        lease = journal.take("dead")
        for txid in ("t1", "t2"):
            lease.append(
                Begin(txid, three_sites.network.name, "noc", plan.to_json(), {"alfa-qkd": []}, footprint, {})
            )
        with pytest.raises(LeaseError, match="dead is changing this network"):
            await controller.recover()
        lease.release()
        assert [transaction.txid for transaction in controller.left_undone()] == ["t1", "t2"]
        with pytest.raises(ApplyError, match=r"t1 was left undone, and this change meets it .*sdqkd recover"):
            await controller.apply(plan)
        with pytest.raises(ApplyError, match="there is no transaction t9"):
            await controller.close_transaction("t9")
        assert await controller.close_transaction("t1", author="noc", reason="replaced") == {}
        assert [(one.txid, one.outcome) for one in await controller.recover()] == [("t2", "refused")]
        assert await controller.recover() == ()
        history = controller.history()
        assert (history["t1"].outcome, history["t1"].reason) == ("closed", "noc: replaced")
        await controller.apply(plan, gate=OpenGate())
        assert [transaction.outcome for transaction in history.values()] == ["closed", "refused"]


async def test_without_a_journal_nothing_is_changed(three_sites: LoadedNetwork, emulated: Emulated) -> None:
    async with Controller(three_sites, emulated) as controller:
        await controller.read()
        with pytest.raises(RuntimeError, match="without a journal changes nothing"):
            await controller.apply(controller.plan())
