"""Devices that offer less than a confirmed commit with a token take part in a transaction all the same."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from tests.controller.bench import TIMEOUTS, Bench, Refusing, losing, messages_of_an_apply, operation_in, rewritten
from tests.controller.conftest import Benches
from tests.controller.emulated import Emulated

from sdqkd.controller.fleet import Fleet
from sdqkd.errors import InDoubtError, RolledBackError

ALFA, BRAVO = "alfa-transponder", "bravo-transponder"
HELLOS = {
    "session": {b"confirmed-commit:1.1": b"confirmed-commit:1.0"},
    "candidate": {b"confirmed-commit:1.1": b"confirmed-commit:9.9"},
    "running": {b"capability:candidate:1.0": b"capability:candidate:9.9"},
}
LESS = pytest.mark.parametrize("guarantee", list(HELLOS))


@pytest.fixture
def less(two: Bench, guarantee: str) -> Bench:
    """One of the two devices offers less."""
    two.emulated.hellos[BRAVO] = HELLOS[guarantee]
    return two


@LESS
async def test_it_takes_the_change_with_the_others(less: Bench, guarantee: str) -> None:
    await less.apply()
    assert less.check_all_or_none(None) == "new"
    record = less.record()
    assert record is not None
    assert record.begin.guarantees == {ALFA: "confirmed", BRAVO: guarantee}
    assert record.devices[BRAVO].persists == ()


@LESS
async def test_it_commits_after_those_that_can_go_back_by_themselves(less: Bench, guarantee: str) -> None:
    heard: list[tuple[str, str]] = []

    def hear(device: str, data: bytes) -> bool:
        heard.append((device, operation_in(data)))
        return True

    less.emulated.tap = hear
    await less.apply()
    change = "edit-config" if guarantee == "running" else "commit"
    assert heard.index((ALFA, "commit")) < heard.index((BRAVO, change))


@LESS
async def test_what_it_took_is_written_back_if_another_does_not_bear_it(less: Bench, guarantee: str) -> None:
    less.gate = Refusing()
    error = await less.refused()
    assert isinstance(error, RolledBackError)
    assert error.message.startswith("the light is bad; every device is as it was")
    less.check_untouched(error)


@LESS
async def test_what_it_makes_of_the_change_is_written_back_while_it_is_locked(less: Bench, guarantee: str) -> None:
    agent, told = less.emulated.agents[BRAVO], []

    def rewrite(device: str, data: bytes) -> bool:
        operation = operation_in(data)
        if device == BRAVO and told[-1:] == ["edit-config" if guarantee == "running" else "commit"]:
            agent.datastores._running = rewritten(agent.datastores._running)
        if device == BRAVO and operation:
            told.append(operation if told.count(operation) == 0 else "again")
        return True

    less.emulated.tap = rewrite
    error = await less.refused()
    assert "after the commit it holds something else than it was given" in str(error)
    less.check_untouched(error)


@LESS
async def test_whatever_message_is_lost_with_its_session_all_devices_are_old_or_all_new(
    less: Bench, benches: Benches, guarantee: str
) -> None:
    """As long as the controller lives. For these devices it is the controller that undoes, or does again."""
    count = await messages_of_an_apply(less)
    outcomes = []
    for at in range(count):
        for obeyed in (False, True):
            bench = benches(less.network)
            bench.emulated.hellos[BRAVO] = HELLOS[guarantee]
            bench.emulated.tap = losing(bench.emulated, at, obeyed=obeyed)
            (outcome,) = await asyncio.gather(bench.apply(), return_exceptions=True)
            assert not isinstance(outcome, InDoubtError)
            outcomes.append(bench.check_all_or_none(outcome))
    assert set(outcomes) == {"old", "new"}


def with_startup(bench: Bench) -> None:
    bench.emulated = Emulated(bench.network, startup=True)
    bench.fleet = Fleet(bench.network.devices, bench.emulated, timeouts=TIMEOUTS)


async def test_a_startup_datastore_gets_the_new_configuration_too(two: Bench) -> None:
    with_startup(two)
    await two.apply()
    held = {name: agent.datastores.get_config("startup") for name, agent in two.emulated.agents.items()}
    assert held == two.emulated.running() == two.new
    record = two.record()
    assert record is not None
    assert all(device.saved for device in record.devices.values())


async def test_a_startup_datastore_that_is_not_written_leaves_the_device_in_doubt(two: Bench) -> None:
    with_startup(two)
    two.emulated.agents[BRAVO].datastores.lock(999, "startup", datetime.now(UTC))
    error = await two.refused()
    assert isinstance(error, InDoubtError)
    assert error.left.keys() == {BRAVO}
    assert error.left[BRAVO].startswith("the new configuration, but not over a restart: ")
    assert two.emulated.running() == two.new
