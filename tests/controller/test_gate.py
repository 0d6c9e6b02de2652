"""What happens while a change is on trial: gates, and devices that must be asked for more time."""

from __future__ import annotations

import asyncio

import pytest
from tests.controller.bench import Bench, Refusing, operation_in, refuse

from sdqkd.controller.gate import GateRefusedError, OpenGate, Trial
from sdqkd.controller.part import Terms
from sdqkd.errors import InterruptedApplyError, RolledBackError
from sdqkd.schema.tree import get

BRAVO = "bravo-transponder"
POWER = ("sdqkd-optical-device:optical-device", ("optical-channel", ("alfa-bravo-c21",)), "launch-power-dbm")


class Looking(OpenGate):
    """Looks at a device before and during the trial; with `until`, for as long as that takes."""

    def __init__(self, until: asyncio.Event | None = None) -> None:
        self.seen: list[object] = []
        self.until = until
        self.on_trial = asyncio.Event()

    async def baseline(self, trial: Trial) -> None:
        self.seen.append(get(await (await trial.session(BRAVO)).get_config(), POWER))

    async def judge(self, trial: Trial) -> None:
        self.seen.append(get(await (await trial.session(BRAVO)).get_config(), POWER))
        self.on_trial.set()
        if self.until is not None:
            await self.until.wait()


async def test_a_gate_sees_the_network_before_the_change_and_on_trial(two: Bench) -> None:
    two.gate = gate = Looking()
    await two.apply()
    assert gate.seen == [None, "-3.0"]


async def test_what_a_gate_refuses_is_taken_back_with_its_reason(two: Bench) -> None:
    two.gate = Refusing()
    error = await two.refused()
    assert isinstance(error, RolledBackError)
    assert error.message == "the light is bad; every device is as it was"
    two.check_untouched(error)
    record = two.record()
    assert record is not None
    assert record.reason.startswith("the light is bad")


async def test_a_gate_that_refuses_beforehand_lets_nothing_be_written(two: Bench) -> None:
    class Closed(OpenGate):
        async def baseline(self, trial: Trial) -> None:
            raise GateRefusedError("it is bad already")

    two.gate = Closed()
    heard: set[str] = set()
    two.emulated.tap = lambda device, data: heard.add(operation_in(data)) is None
    two.check_untouched(await two.refused())
    assert heard.isdisjoint({"edit-config", "commit"})


async def test_devices_get_more_time_for_as_long_as_a_gate_looks(two: Bench) -> None:
    """Three times the timeout."""
    two.terms = Terms(timeout_s=1, patience_s=0.2)
    enough, commits = asyncio.Event(), []

    def hear(device: str, data: bytes) -> bool:
        commits.extend([device] * (operation_in(data) == "commit"))
        if commits.count(BRAVO) > 9:
            enough.set()
        return True

    two.emulated.tap = hear
    two.gate = Looking(enough)
    await two.apply()
    assert two.check_all_or_none(None) == "new"


@pytest.mark.parametrize("fault", ["gone", "forgets"])
async def test_a_device_that_does_not_wait_any_longer_ends_the_trial(two: Bench, fault: str) -> None:
    two.terms = Terms(timeout_s=1, patience_s=2.0)
    datastores = two.emulated.agents[BRAVO].datastores

    def interfere(device: str, data: bytes) -> bool:
        if device == BRAVO and operation_in(data) == "commit" and two.gate.seen[1:]:
            two.emulated.tap = lambda device, data: True
            if fault == "gone":
                two.emulated.hang_up(device)
                return False
            datastores._roll_back(datastores._pending)
        return True

    two.emulated.tap = interfere
    two.gate = Looking(asyncio.Event())
    error = await two.refused()
    assert isinstance(error, RolledBackError)
    assert error.message.startswith("1 of 2 devices failed at the step 'refresh'")
    assert list(error.failures) == [BRAVO]
    two.check_untouched(error)


async def test_nothing_is_confirmed_if_a_device_does_not_answer_the_last_question(two: Bench) -> None:
    commits: list[str] = []
    commit = two.emulated.agents[BRAVO].datastores.commit

    def count(*args: object, **named: object) -> object:
        commits.append("commit")
        return (refuse if len(commits) == 2 else commit)(*args, **named)

    two.emulated.agents[BRAVO].datastores.commit = count
    error = await two.refused()
    assert "failed at the step 'refresh'" in error.message
    two.check_untouched(error)


async def test_nothing_is_confirmed_if_the_devices_are_too_slow(two: Bench) -> None:
    two.terms = Slow(timeout_s=1, patience_s=0.2)
    error = await two.refused()
    assert error.message.startswith("the devices answer too slowly to confirm within 1 s")
    two.check_untouched(error)


class Slow(Terms):
    """More would have to be left than there ever is."""

    @property
    def margin_s(self) -> float:
        return 2.0


async def test_who_interrupts_a_trial_gets_everything_back(two: Bench) -> None:
    two.gate = gate = Looking(asyncio.Event())
    task = asyncio.ensure_future(two.apply())
    await gate.on_trial.wait()
    assert two.emulated.running() == two.new
    task.cancel()
    with pytest.raises(InterruptedApplyError) as interrupted:
        await task
    two.check_untouched(interrupted.value)
