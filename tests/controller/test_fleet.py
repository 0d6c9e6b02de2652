from __future__ import annotations

import asyncio

import pytest
from tests.controller.emulated import Emulated

from sdqkd.controller.fleet import Fleet
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.errors import SessionLostError, UnreachableError


@pytest.fixture
def emulated(three_sites: LoadedNetwork) -> Emulated:
    return Emulated(three_sites.network)


async def test_one_device_that_fails_does_not_stop_the_others(emulated: Emulated) -> None:
    emulated.gone.add("bravo-switch")
    fleet = Fleet(emulated.network.devices, emulated)
    outcome = await fleet.each("open", fleet.devices, fleet.session)
    assert list(outcome.results) == [name for name in fleet.devices if name != "bravo-switch"]
    assert {name: type(error) for name, error in outcome.failures.items()} == {"bravo-switch": UnreachableError}
    await fleet.close()
    assert all(len(agent.sessions) == 0 for agent in emulated.agents.values())


async def test_no_more_devices_than_allowed_are_worked_with_at_once(emulated: Emulated) -> None:
    fleet = Fleet(emulated.network.devices, emulated, limit=3)
    busy, most = 0, 0

    async def work(name: str) -> None:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        for _ in range(5):
            await asyncio.sleep(0)
        busy -= 1

    await fleet.each("work", fleet.devices, work)
    assert most == 3


async def test_progress_counts_every_device(emulated: Emulated) -> None:
    told: list[tuple[str, int, int]] = []
    emulated.gone.add("alfa-l1")
    fleet = Fleet(emulated.network.devices, emulated, lambda *step: told.append(step))
    await fleet.each("open", fleet.devices, fleet.session)
    assert told == [("open", done, 12) for done in range(1, 13)]


async def test_results_come_in_the_order_asked(emulated: Emulated) -> None:
    fleet = Fleet(emulated.network.devices, emulated)
    turns = {name: turn for turn, name in enumerate(reversed(fleet.devices))}

    async def slow_first(name: str) -> int:
        for _ in range(turns[name]):
            await asyncio.sleep(0)
        return turns[name]

    outcome = await fleet.each("work", fleet.devices, slow_first)
    assert list(outcome.results) == list(fleet.devices)


async def test_a_session_is_used_again_until_it_is_lost(emulated: Emulated) -> None:
    fleet = Fleet(emulated.network.devices, emulated)
    session = await fleet.session("alfa-qkd")
    assert await fleet.session("alfa-qkd") is session
    emulated.hang_up("alfa-qkd")
    with pytest.raises(SessionLostError):
        await session.get()
    assert await fleet.session("alfa-qkd") is not session


async def test_a_device_that_went_out_of_the_file_is_an_error_of_that_device_alone(emulated: Emulated) -> None:
    fleet = Fleet(emulated.network.devices, emulated)
    kept = await fleet.session("alfa-qkd")
    fleet.take({name: one for name, one in fleet.devices.items() if name != "alfa-qkd"})
    outcome = await fleet.each("open", ["alfa-qkd", "bravo-qkd"], fleet.session)
    assert [*outcome.results] == ["bravo-qkd"]
    assert str(outcome.failures["alfa-qkd"]) == "alfa-qkd: it is not in the network file any more"
    assert kept.alive
    await fleet.close()


async def test_of_two_who_ask_at_once_both_get_the_same_session(emulated: Emulated) -> None:
    fleet = Fleet(emulated.network.devices, emulated)
    one, other = await asyncio.gather(fleet.session("alfa-qkd"), fleet.session("alfa-qkd"))
    assert one is other
    assert len(emulated.agents["alfa-qkd"].sessions) == 1


async def test_what_is_no_error_of_the_network_is_not_hidden(emulated: Emulated) -> None:
    fleet = Fleet(emulated.network.devices, emulated)

    async def broken(name: str) -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        await fleet.each("work", fleet.devices, broken)
