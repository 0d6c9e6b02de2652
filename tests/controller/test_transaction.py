from __future__ import annotations

import asyncio
import dataclasses
import itertools

import pytest
from tests.controller.bench import (
    TERMS,
    TIMEOUTS,
    Bench,
    losing,
    messages_of_an_apply,
    operation_in,
    refuse,
    rewritten,
)
from tests.controller.conftest import Benches

from sdqkd.controller.clock import SystemClock
from sdqkd.controller.fleet import Fleet
from sdqkd.controller.footprint import footprint_of
from sdqkd.controller.gate import OpenGate
from sdqkd.controller.intent import desired
from sdqkd.controller.plan import Plan, make_plan
from sdqkd.controller.session import open_session
from sdqkd.controller.transaction import Order, Transaction
from sdqkd.errors import ApplyError, InDoubtError, InterruptedApplyError, RolledBackError


async def test_after_an_apply_every_device_holds_what_is_wanted(bench: Bench) -> None:
    await bench.apply()
    held = bench.emulated.running()
    assert held == bench.new
    assert make_plan("n", desired(bench.network), held).is_empty
    assert bench.emulated.candidates() == held
    assert bench.emulated.nobody_locks()


async def test_what_is_not_wanted_any_more_is_removed(bench: Bench) -> None:
    await bench.apply()
    empty = dataclasses.replace(
        bench.network, qkd_links={}, optical_channels={}, protected_connections={}, services={}
    )
    await bench.apply(make_plan("n", desired(empty), bench.emulated.running()))
    assert bench.emulated.running() == bench.old


async def test_every_device_finishes_a_step_before_any_starts_the_next(bench: Bench) -> None:
    heard: list[str] = []
    bench.emulated.tap = lambda device, data: heard.append(operation_in(data)) is None
    await bench.apply()
    order = [name for name in heard if name in ("edit-config", "validate", "commit", "unlock")]
    # Committed, asked for more time, and confirmed.
    runs = [(name, len(list(run))) for name, run in itertools.groupby(order)]
    assert runs == [("edit-config", 12), ("validate", 12), ("commit", 36), ("unlock", 24)]
    assert heard.index("edit-config") > max(at for at, name in enumerate(heard) if name == "lock")


async def test_devices_whose_links_share_a_fibre_are_read_and_not_written(bench: Bench) -> None:
    await bench.apply()
    hotter = dataclasses.replace(bench.network.optical_channels["alfa-bravo-c21"], launch_power_dbm=-2.0)
    network = dataclasses.replace(bench.network, optical_channels={hotter.name: hotter})
    plan = make_plan("n", desired(network), bench.emulated.running())
    heard: dict[str, set[str]] = {}
    bench.emulated.tap = lambda device, data: heard.setdefault(device, set()).add(operation_in(data)) is None
    await bench.apply(plan)
    written = {device for device, operations in heard.items() if operations - {"get-config", ""}}
    assert written == {"alfa-transponder", "bravo-transponder"} == set(plan.changed)
    assert heard.keys() - written == {"alfa-qkd", "bravo-qkd", "charlie-qkd"}


async def test_a_device_that_does_not_validate_stops_all(bench: Bench) -> None:
    bench.emulated.hardware["bravo-switch"].on_check = lambda proposed: True
    error = await bench.refused()
    assert list(error.failures) == ["bravo-switch"]
    assert "1 of 12 devices failed at the step 'validate'" in str(error)
    assert "the hardware is stubborn" in str(error)
    bench.check_untouched(error)


async def test_every_device_that_objects_is_named(bench: Bench) -> None:
    for name in ("alfa-qkd", "charlie-switch"):
        bench.emulated.hardware[name].on_check = lambda proposed: True
    error = await bench.refused()
    assert list(error.failures) == ["alfa-qkd", "charlie-switch"]
    bench.check_untouched(error)


async def test_a_device_that_fails_to_commit_takes_the_others_back(bench: Bench) -> None:
    new = bench.new["charlie-l2"]
    bench.emulated.hardware["charlie-l2"].on_apply = lambda running: running == new
    committed: set[str] = set()
    bench.emulated.tap = lambda device, data: operation_in(data) != "commit" or committed.add(device) is None
    error = await bench.refused()
    assert len(committed) == 12
    assert list(error.failures) == ["charlie-l2"]
    assert "the hardware does not move" in str(error)
    bench.check_untouched(error)


async def test_a_device_that_does_not_cancel_gets_the_old_configuration_written(two: Bench) -> None:
    two.emulated.hardware["bravo-transponder"].on_apply = lambda running: running == two.new["bravo-transponder"]
    two.emulated.agents["alfa-transponder"].datastores.cancel_commit = refuse  # type: ignore[method-assign]
    error = await two.refused()
    assert isinstance(error, RolledBackError)
    two.check_untouched(error)


async def test_a_device_that_cannot_be_taken_back_is_named_with_what_it_holds(two: Bench) -> None:
    two.emulated.hardware["bravo-transponder"].on_apply = lambda running: running == two.new["bravo-transponder"]
    datastores = two.emulated.agents["alfa-transponder"].datastores
    datastores.cancel_commit = refuse  # type: ignore[method-assign]
    old = two.old["alfa-transponder"]
    commit = datastores.commit

    def forth_only(*args: object, **named: object) -> object:
        return (refuse if datastores.get_config("candidate") == old else commit)(*args, **named)

    datastores.commit = forth_only
    error = await two.refused()
    assert isinstance(error, InDoubtError)
    assert list(error.failures) == ["bravo-transponder"]
    assert list(error.left) == ["alfa-transponder"]
    assert error.left["alfa-transponder"].startswith(
        "the new configuration, which it does not give up (the device"
    )
    assert "1 devices are in doubt, every other is as it was" in str(error)
    held = two.emulated.running()
    assert held == two.old | {"alfa-transponder": two.new["alfa-transponder"]}
    assert two.emulated.candidates() == held
    record = two.record()
    assert record is not None
    assert record.is_open
    assert record.status == "in doubt"
    assert record.in_doubt.keys() == {"alfa-transponder"}
    assert record.devices["bravo-transponder"].read_back == "ABORT"


async def test_a_device_that_does_not_confirm_is_in_doubt_and_the_others_are_new(two: Bench) -> None:
    datastores = two.emulated.agents["alfa-transponder"].datastores
    commit = datastores.commit
    datastores.commit = lambda *a, **n: (commit if n["confirm"] else refuse)(*a, **n)
    error = await two.refused()
    assert isinstance(error, InDoubtError)
    assert error.left.keys() == {"alfa-transponder"}
    assert "the new configuration, but it does not confirm it and may go back" in error.left["alfa-transponder"]
    assert two.emulated.running() == two.new
    record = two.record()
    assert record is not None
    assert (record.verdict, record.is_open) == ("CONFIRM", True)


async def test_of_two_who_apply_at_once_one_wins_and_the_other_is_told_once_who(bench: Bench) -> None:
    """Each locks from its own end of the network, one device after the other, as far as it may."""
    one, other = (Fleet(bench.network.devices, bench.emulated, timeouts=TIMEOUTS, limit=1) for _ in range(2))
    backwards = Plan("n", dict(reversed(bench.plan.devices.items())))
    lease = bench.journal.take("test")
    runs = [
        bench.transaction(lease, one, bench.plan).run(),
        Transaction(
            Order("t2", backwards, footprint_of(backwards, bench.network), "noc"),
            other,
            lease,
            SystemClock(),
            TERMS,
            OpenGate(),
        ).run(),
    ]
    outcomes = await asyncio.gather(*runs, return_exceptions=True)
    assert bench.emulated.running() == bench.new
    (lost,) = (error for error in outcomes if error is not None)
    assert isinstance(lost, ApplyError)
    assert str(lost).startswith("1 of 12 devices failed at the step 'lock'; every device is as it was")
    assert str(lost).count("held by session") == 1
    assert bench.emulated.nobody_locks()


@pytest.mark.parametrize("target", ["candidate", "running"])
async def test_a_datastore_that_somebody_locks_is_left_to_them(bench: Bench, target: str) -> None:
    other = await open_session(bench.network.devices["bravo-l1"], bench.emulated, TIMEOUTS)
    await other.lock(target)
    error = await bench.refused()
    assert list(error.failures) == ["bravo-l1"]
    assert f"{target} is not free, held by session 1: " in str(error)
    await other.unlock(target)
    bench.check_untouched(error)


async def test_somebodys_edits_in_a_candidate_are_not_discarded(bench: Bench) -> None:
    other = await open_session(bench.network.devices["bravo-l1"], bench.emulated, TIMEOUTS)
    await other.edit_config(bench.plan.devices["bravo-l1"].changes)
    error = await bench.refused()
    assert list(error.failures) == ["bravo-l1"]
    assert "held by somebody without a NETCONF session: candidate has changes" in str(error)
    assert bench.emulated.running() == bench.old
    assert bench.emulated.candidates() == bench.old | {"bravo-l1": bench.new["bravo-l1"]}
    await other.discard_changes()
    bench.check_untouched(error)


async def test_edits_that_a_device_lets_us_lock_over_are_not_discarded_either(two: Bench) -> None:
    agent = two.emulated.agents["bravo-transponder"]

    def edit_after_the_locks(device: str, data: bytes) -> bool:
        if device == "bravo-transponder" and operation_in(data) == "get-config":
            agent.datastores._candidate = two.new[device]
        return True

    two.emulated.tap = edit_after_the_locks
    error = await two.refused()
    assert "its candidate holds changes of somebody else" in str(error)
    assert two.emulated.running() == two.old


async def test_a_plan_that_is_stale_is_refused_before_anything_is_written(bench: Bench) -> None:
    await bench.apply()
    error = await bench.refused()
    assert len(error.failures) == 12
    assert "its configuration has changed since the plan was made: plan again" in str(error)
    assert bench.emulated.running() == bench.new
    assert bench.emulated.nobody_locks()


async def test_a_device_without_changes_makes_a_plan_stale_too(bench: Bench) -> None:
    changed = {name: device for name, device in bench.plan.devices.items() if name != "alfa-qkd"}
    quiet = dataclasses.replace(bench.plan.devices["alfa-qkd"], base="0" * 64, result="0" * 64, changes=())
    error = await bench.refused(Plan("n", {"alfa-qkd": quiet, **changed}))
    assert list(error.failures) == ["alfa-qkd"]
    bench.check_untouched(error)


async def test_a_plan_that_contradicts_itself_is_refused(bench: Bench) -> None:
    device = dataclasses.replace(bench.plan.devices["alfa-qkd"], result="0" * 64)
    error = await bench.refused(Plan("n", bench.plan.devices | {"alfa-qkd": device}))
    assert "do not lead to what it promises" in str(error)
    bench.check_untouched(error)


async def test_a_device_that_cannot_be_reached_stops_all(bench: Bench) -> None:
    bench.emulated.gone.add("alfa-l1")
    error = await bench.refused()
    assert list(error.failures) == ["alfa-l1"]
    assert "it is gone" in str(error)
    bench.check_untouched(error)


async def test_a_device_that_rewrites_what_it_was_given_takes_all_back(two: Bench) -> None:
    name = "bravo-transponder"
    agent, hotter = two.emulated.agents[name], rewritten(two.new[name])
    committed: list[str] = []

    def rewrite_before_the_reading(device: str, data: bytes) -> bool:
        operation = operation_in(data)
        committed.extend([device] * (operation == "commit"))
        if operation == "get-config" and committed.count(name) == 1:
            committed.append(name)
            agent.datastores._running = hotter
        return True

    two.emulated.tap = rewrite_before_the_reading
    error = await two.refused()
    assert "after the commit it holds something else than it was given" in str(error)
    two.check_untouched(error)


async def test_a_device_that_is_lost_while_it_commits_is_named_if_it_stays_away(two: Bench) -> None:
    def lose(device: str, data: bytes) -> bool:
        if device == "bravo-transponder" and operation_in(data) == "commit":
            two.emulated.gone.add(device)
            two.emulated.hang_up(device)
            return False
        return True

    two.emulated.tap = lose
    error = await two.refused()
    assert list(error.failures) == list(error.left) == ["bravo-transponder"]
    assert error.left["bravo-transponder"].startswith("not known, it cannot be asked")
    assert two.emulated.running() == two.old
    assert two.emulated.nobody_locks()


async def test_what_somebody_else_writes_into_a_lost_device_is_left_alone(two: Bench) -> None:
    name = "bravo-transponder"

    def replace(device: str, data: bytes) -> bool:
        if device == name and operation_in(data) == "commit":
            two.emulated.hang_up(device)
            two.emulated.agents[name].datastores._running = rewritten(two.new[name])
            return False
        return True

    two.emulated.tap = replace
    error = await two.refused()
    assert list(error.left) == [name]
    assert error.left[name].startswith("neither the old nor the new configuration; it was left alone; see what it")
    assert two.emulated.running() == two.old | {name: rewritten(two.new[name])}


async def test_whatever_message_is_lost_with_its_session_all_devices_are_old_or_all_new(
    two: Bench, benches: Benches
) -> None:
    """The session of one device ends before a message, or after it was obeyed and before the answer."""
    outcomes = []
    for at in range(await messages_of_an_apply(benches(two.network))):
        for obeyed in (False, True):
            bench = benches(two.network)
            bench.emulated.tap = losing(bench.emulated, at, obeyed=obeyed)
            (outcome,) = await asyncio.gather(bench.apply(), return_exceptions=True)
            outcomes.append(bench.check_all_or_none(outcome))
    assert set(outcomes) == {"old", "new"}


async def test_whenever_it_is_interrupted_all_devices_are_old_or_all_new(two: Bench, benches: Benches) -> None:
    outcomes = []
    for at in range(await messages_of_an_apply(benches(two.network))):
        bench = benches(two.network)
        task = asyncio.ensure_future(bench.apply())
        bench.emulated.tap = interrupting(task, at)
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        assert outcome is None or isinstance(outcome, InterruptedApplyError)
        outcomes.append(bench.check_all_or_none(outcome))
    assert set(outcomes) == {"old", "new"}


def interrupting(task: asyncio.Task[None], at: int):
    count = -1

    def tap(device: str, data: bytes) -> bool:
        nonlocal count
        count += bool(operation_in(data))
        if count == at:
            task.cancel()
        return True

    return tap


async def test_who_interrupts_again_waits_no_longer_than_the_devices_take(two: Bench) -> None:
    """Nobody answers any more after the first interruption, and each message is met by another one."""
    told: list[str] = []
    two.fleet = Fleet(
        two.network.devices, two.emulated, lambda what, done, of: told.append(what), timeouts=TIMEOUTS
    )
    task = asyncio.ensure_future(two.apply())
    interrupted = False

    def interrupt(device: str, data: bytes) -> bool:
        nonlocal interrupted
        interrupted = interrupted or operation_in(data) == "commit"
        if interrupted:
            task.cancel()
        return not interrupted

    two.emulated.tap = interrupt
    async with asyncio.timeout(20 * TIMEOUTS.answer_s):
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(outcome, InDoubtError)
    assert outcome.message == "interrupted; 2 devices are in doubt, every other is as it was"
    assert outcome.left.keys() == two.network.devices.keys()
    assert "not known, it cannot be asked" in str(outcome)
    assert told.count("putting devices back") == 2


async def test_a_fault_of_our_own_leaves_no_device_half_way(two: Bench) -> None:
    def break_down(device: str, data: bytes) -> bool:
        if device == "bravo-transponder" and operation_in(data) == "commit":
            two.emulated.tap = lambda device, data: True
            raise ZeroDivisionError
        return True

    two.emulated.tap = break_down
    with pytest.raises(ExceptionGroup):
        await two.apply()
    assert two.emulated.running() == two.emulated.candidates() == two.old
    assert two.emulated.nobody_locks()


async def test_a_device_that_is_lost_while_it_is_led_back_is_named(two: Bench) -> None:
    two.emulated.hardware["bravo-transponder"].on_apply = lambda running: running == two.new["bravo-transponder"]

    def lose(device: str, data: bytes) -> bool:
        if device != "alfa-transponder" or operation_in(data) != "cancel-commit":
            return True
        two.emulated.gone.add(device)
        two.emulated.hang_up(device)
        return False

    two.emulated.tap = lose
    error = await two.refused()
    assert list(error.left) == ["alfa-transponder"]
    assert error.left["alfa-transponder"].startswith("not known, it cannot be asked")


async def test_a_silent_device_is_left_after_a_time_and_stops_all(two: Bench) -> None:
    def ignore(device: str, data: bytes) -> bool:
        return not (device == "alfa-transponder" and operation_in(data) == "validate")

    two.emulated.tap = ignore
    error = await two.refused()
    assert "no answer to <validate> within 0.05 s" in str(error)
    two.check_untouched(error)
