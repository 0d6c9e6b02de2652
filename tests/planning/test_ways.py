"""The search for light paths finds what a walk through everything finds, in order of loss."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sdqkd.network.model import Port
from sdqkd.network.topology import LightPath, any_port_of
from sdqkd.physics.grid import channel_to_hz
from sdqkd.planning.forecast import Forecast
from sdqkd.planning.routes import switched_modules
from sdqkd.planning.ways import Ways


@pytest.mark.parametrize("budget_db", [8.0, 15.0, 22.0, 60.0])
@pytest.mark.parametrize("channel", [34, 37])
def test_finds_what_a_walk_through_all_finds(forecast: Forecast, channel: int, budget_db: float) -> None:
    ways = Ways(forecast.topology, channel_to_hz(channel))
    ports = [forecast.network.module(end).port for end in switched_modules(forecast)]
    for start in ports:
        walked = _walk(forecast, start, channel)
        for goal in (port for port in ports if port != start):
            found = list(ways.between(start, goal, budget_db))
            wanted = [path for path in walked if path.end == goal and path.loss_db <= budget_db]
            assert {path.ports for path in found} == {path.ports for path in wanted}
            assert all(one.loss_db <= other.loss_db + 1e-9 for one, other in pairwise(found))
            assert {(path.ports, path.fibres, path.crossings) for path in found} == {
                (path.ports, path.fibres, path.crossings) for path in wanted
            }


def test_takes_no_fibre_that_is_cut(forecast: Forecast) -> None:
    start, goal = Port("norte-qkd", "cv-tx"), Port("distrito-qkd", "cv-rx")
    ways = Ways(forecast.topology, channel_to_hz(37), ["distrito-norte"])
    assert [path.fibres for path in ways.between(start, goal, 22)] == [("concepcion-norte", "distrito-concepcion")]


def _walk(forecast: Forecast, start: Port, channel: int) -> list[LightPath]:
    paths = forecast.topology.paths(start, channel_to_hz(channel), any_port_of(forecast.topology))
    return [path for path in paths if len({one.device for one in path.crossings}) == len(path.crossings)]
