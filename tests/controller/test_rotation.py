"""Turns of a schedule: what each wants of the network, and what happens at its time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sdqkd.controller.checks import check
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.rotation import network_of, rotate
from sdqkd.errors import ApplyError, InDoubtError
from sdqkd.network.model import Network
from sdqkd.planning.forecast import Forecast
from sdqkd.planning.schedule import Schedule, schedule, sharing_of
from sdqkd.planning.spectrum import Rules


class Bent:
    """A clock that stands still but for sleep."""

    def __init__(self) -> None:
        self.now = 0.0

    def now_s(self) -> float:
        return self.now

    def wall(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(scope="module")
def forecast(madqci: LoadedNetwork) -> Forecast:
    return Forecast(madqci.network)


@pytest.fixture(scope="module")
def shared(forecast: Forecast) -> Schedule:
    return schedule(sharing_of(forecast, Rules(), dead_s=10.0))


def test_each_turn_is_a_network_that_is_right(forecast: Forecast, shared: Schedule) -> None:
    assert len(shared.turns) >= 2
    for turn in shared.turns:
        network = network_of(forecast, turn)
        assert check(network) == ()
        switched = [one for one in network.qkd_links.values() if one.active and one.domains == ("CO-LOCATED",)]
        ways = {(one.transmitter, one.receiver, one.fibres, one.frequency_hz) for one in switched}
        assert ways == {(one.transmitter, one.receiver, one.path.fibres, one.frequency_hz) for one in turn.options}
        fixed = [one.active for one in network.qkd_links.values() if one.domains != ("CO-LOCATED",)]
        assert all(fixed)


async def test_turns_come_at_their_times(forecast: Forecast, shared: Schedule) -> None:
    clock, began, missed = Bent(), [], []

    async def set_up(number: int, network: Network) -> None:
        began.append((number, clock.now_s()))
        clock.now += 7.0  # what the transaction takes is part of the turn
        if number == 2:
            raise ApplyError("no key")

    turns = [*shared.turns, *shared.turns]
    lengths = [turn.dead_s + turn.key_s for turn in turns]
    counts = await rotate(
        forecast, turns, clock, set_up, lambda number, error: missed.append((number, str(error)))
    )
    assert counts == (len(turns) - 1, 1)
    assert missed == [(2, "no key")]
    assert began == [(at + 1, pytest.approx(sum(lengths[:at]))) for at in range(len(turns))]
    assert clock.now_s() == pytest.approx(sum(lengths))


async def test_doubt_ends_it(forecast: Forecast, shared: Schedule) -> None:
    async def set_up(number: int, network: Network) -> None:
        raise InDoubtError("who knows")

    with pytest.raises(InDoubtError):
        await rotate(forecast, shared.turns, Bent(), set_up, lambda number, error: None)
