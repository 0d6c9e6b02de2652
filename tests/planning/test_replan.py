"""After a cut nothing moves that need not, and the rules hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tools.bench.networks import random_network

from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.network.model import FibreSharing
from sdqkd.planning.assignment import assign, problem_of
from sdqkd.planning.forecast import Forecast, Option
from sdqkd.planning.packing import packing_of
from sdqkd.planning.relaxing import remedies
from sdqkd.planning.replan import replan
from sdqkd.planning.spectrum import UNRULED, Rules


@pytest.mark.parametrize("seed", range(4))
def test_only_links_on_the_fibre_move(seed: int) -> None:
    forecast = Forecast(random_network(12, 20, 14, seed, modules=2))
    problem = problem_of(forecast, Rules(), paths=3)
    before = assign(problem).chosen
    links = {name: problem.demands[name] for name in before}
    for fibre in list(forecast.network.fibres)[:5]:
        after = replan(forecast, links, before, Rules(), [fibre], paths=3)
        hit = {name for name, one in before.items() if fibre in one.path.fibres}
        assert {*after.broken} == {*after.moved, *after.lost} == hit
        assert {*after.chosen} == {*before} - {*after.lost}
        assert all(one == before[name] for name, one in after.chosen.items() if name not in hit)
        assert all(fibre not in one.path.fibres for one in after.chosen.values())
        options = list(after.chosen.values())
        assert packing_of(options, list(after.chosen), Rules()).allows(range(len(options)))


def test_madqci_after_the_cut_of_a_ring(forecast: Forecast) -> None:
    problem = problem_of(forecast, Rules())
    before = assign(problem).chosen
    after = replan(forecast, problem.demands, before, Rules(), ["distrito-norte"])
    assert after.moved == ("Norte-Distrito-CV",)
    assert after.broken["Norte-Distrito-CV"] == "distrito-norte is cut"
    assert after.chosen["Norte-Distrito-CV"].path.fibres == ("concepcion-norte", "distrito-concepcion")
    assert after.lost == ("Distrito-Norte-IDQ", "Distrito-Concepcion-CV")


def test_a_link_without_an_option_before_is_given_one(forecast: Forecast) -> None:
    problem = problem_of(forecast, Rules())
    before = dict(assign(problem).chosen)
    del before["Quevedo-Norte-CV"]
    after = replan(forecast, problem.demands, before, Rules())
    assert (after.moved, after.lost) == (("Quevedo-Norte-CV",), ())


@pytest.mark.parametrize("seed", range(4))
def test_a_mended_fibre_is_named_if_that_would_do(seed: int) -> None:
    """Whatever else is in the way: where it was before nobody else has moved."""
    forecast = Forecast(random_network(12, 20, 14, seed, modules=2))
    problem = problem_of(forecast, Rules(), paths=3)
    before = assign(problem).chosen
    links = {name: problem.demands[name] for name in before}
    for fibre in list(forecast.network.fibres)[:5]:
        after = replan(forecast, links, before, Rules(), [fibre], paths=3)
        for name in after.lost if not after.moved else ():
            (cut,) = (
                one for one in remedies(forecast, after.problem, after.chosen, name) if one.constraint == "cut"
            )
            assert cut.text == f"light in fibre {fibre} again"


def test_light_that_came_too_close_moves_one_link(madqci: LoadedNetwork) -> None:
    """Somebody else lights a channel beside that of a link, where the file demands 200 GHz."""
    network = replace(madqci.network, sharing=FibreSharing(guard_hz=200_000_000_000))
    before = assign(problem_of(Forecast(network), Rules.of(network))).chosen
    name = "Quevedo-Norte-CV"
    # As dark as can be: only the rule is in the way.
    near_hz, least_dbm = before[name].frequency_hz + 100_000_000_000, -60.0
    guest = replace(
        network.optical_channels["quevedo-norte-c21"], name="guest", frequency_hz=near_hz, third_party=True,
        launch_power_dbm=least_dbm, calibration_power_dbm=least_dbm, a=None, b=None,
    )  # fmt: skip
    lit = replace(network, optical_channels={**network.optical_channels, "guest": guest})
    links = {name: link for name, link in lit.qkd_links.items() if link.active}
    rules, held = Rules.of(lit), Rules.of(lit, unsaid=UNRULED)
    after = replan(Forecast(lit), links, before, rules, held=held)
    assert [*after.broken] == [name]
    assert "channel guest" in after.broken[name]
    assert all(abs(one.frequency_hz - near_hz) >= 2e11 for one in after.chosen.values() if _by(one, guest.fibre))


def test_what_runs_closer_than_our_defaults_stays(forecast: Forecast) -> None:
    """And nothing new comes as close: the rest is chosen by the rules, beside what breaks them."""
    problem = problem_of(forecast, Rules())
    before = assign(problem).chosen
    strict = Rules(per_fibre=1)
    assert replan(forecast, problem.demands, before, strict).broken == {}
    after = replan(forecast, problem.demands, before, strict, ["distrito-norte"])
    assert after.lost == ("Distrito-Norte-IDQ", "Norte-Distrito-CV", "Distrito-Concepcion-CV")
    ways = remedies(forecast, after.problem, after.chosen, "Norte-Distrito-CV")
    assert {one.constraint: one.amount for one in ways}["channels-per-fibre"] == 1


def _by(option: Option, fibre: str) -> bool:
    return fibre in option.path.fibres
