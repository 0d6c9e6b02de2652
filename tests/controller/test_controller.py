from __future__ import annotations

import pytest
from tests.controller.emulated import Emulated

from sdqkd.controller.controller import Controller
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.journal_sqlite import SqliteJournal
from sdqkd.controller.plan import Plan
from sdqkd.errors import ApplyError


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
