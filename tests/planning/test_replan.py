"""After a cut nothing moves that need not, and the rules hold."""

from __future__ import annotations

import pytest
from tools.bench.networks import random_network

from sdqkd.planning.assignment import assign, problem_of
from sdqkd.planning.forecast import Forecast
from sdqkd.planning.packing import packing_of
from sdqkd.planning.replan import replan
from sdqkd.planning.spectrum import Rules


@pytest.mark.parametrize("seed", range(4))
def test_only_links_on_the_fibre_move(seed: int) -> None:
    forecast = Forecast(random_network(12, 20, 14, seed, modules=2))
    problem = problem_of(forecast, Rules(), paths=3)
    before = assign(problem)
    for fibre in list(forecast.network.fibres)[:5]:
        after = replan(forecast, problem, before, [fibre], 3)
        hit = {name for name, one in before.chosen.items() if fibre in one.path.fibres}
        assert {*after.moved, *after.lost} == hit
        assert {*after.chosen} == {*before.chosen} - {*after.lost}
        assert all(one == before.chosen[name] for name, one in after.chosen.items() if name not in hit)
        assert all(fibre not in one.path.fibres for one in after.chosen.values())
        options = list(after.chosen.values())
        assert packing_of(options, list(after.chosen), Rules()).allows(range(len(options)))


def test_madqci_after_the_cut_of_a_ring(forecast: Forecast) -> None:
    problem = problem_of(forecast, Rules())
    after = replan(forecast, problem, assign(problem), ["distrito-norte"])
    assert after.moved == ("Norte-Distrito-CV",)
    assert after.chosen["Norte-Distrito-CV"].path.fibres == ("concepcion-norte", "distrito-concepcion")
    assert after.lost == ("Distrito-Norte-IDQ", "Distrito-Concepcion-CV")
