"""Channel assignment: against brute force on small networks, by rule on larger ones, and words where it fails."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import pytest
from tools.bench.networks import random_network

from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.network.model import FibreSharing, ModuleEnd, Network, QkdLink
from sdqkd.network.topology import LightPath
from sdqkd.planning.assignment import Assignment, Problem, assign, problem_of, worth
from sdqkd.planning.forecast import Forecast, Option
from sdqkd.planning.relaxing import remedies
from sdqkd.planning.spectrum import Rules

RULES = Rules(per_fibre=2)


def _legal(options: list[Option], rules: Rules) -> bool:
    for one, other in combinations(options, 2):
        together = set(one.path.fibres) & set(other.path.fibres)
        close = abs(one.frequency_hz - other.frequency_hz) < rules.spacing_hz
        if one.ports & other.ports or (together and close):
            return False
    fibres = [fibre for option in options for fibre in option.path.fibres]
    return all(fibres.count(fibre) <= rules.per_fibre for fibre in fibres)


def _brute_force(problem: Problem) -> float:
    by_link: dict[str, list[Option | None]] = {name: [None] for name in problem.demands}
    for name, option in zip(problem.links, problem.options, strict=True):
        by_link[name].append(option)
    best = 0.0
    for choice in product(*by_link.values()):
        taken = [option for option in choice if option is not None]
        value = sum(worth(option.rate_bps) for option in taken)
        if value > best and _legal(taken, problem.rules):
            best = value
    return best


def _check(problem: Problem, assignment: Assignment) -> None:
    assert _legal([*assignment.chosen.values()], problem.rules)
    assert {*assignment.chosen, *assignment.unserved} == {*problem.demands}
    assert assignment.value <= assignment.bound + 1e-6


@pytest.mark.parametrize("seed", range(8))
def test_exact_is_as_good_as_brute_force(seed: int) -> None:
    problem = problem_of(Forecast(random_network(5, 5, 5, seed, modules=2)), RULES, paths=2)
    best = _brute_force(problem)
    exact = assign(problem)
    _check(problem, exact)
    assert exact.value == pytest.approx(best)
    for method in ("fast", "first-fit"):
        other = assign(problem, method)  # type: ignore[arg-type]
        _check(problem, other)
        assert other.value <= best + 1e-6 <= other.bound + 2e-6


def test_the_bound_holds_for_paths_that_were_not_looked_at() -> None:
    forecast = Forecast(random_network(12, 20, 30, 3, modules=3))
    everything = assign(problem_of(forecast, RULES))
    some = assign(problem_of(forecast, RULES, paths=1))
    assert some.value <= everything.value <= some.bound + 1e-6


def test_larger_networks_keep_the_rules() -> None:
    problem = problem_of(Forecast(random_network(40, 90, 120, 1, modules=3)), RULES, paths=3)
    for method in ("exact", "fast"):
        _check(problem, assign(problem, method))  # type: ignore[arg-type]


def test_madqci_has_a_channel_for_every_link(forecast: Forecast) -> None:
    problem = problem_of(forecast, Rules())
    found = assign(problem)
    _check(problem, found)
    assert found.unserved == ()
    assert (found.links_more, round(found.rate_factor, 6)) == (0, 1.0)


def _with_link(network: Network, name: str, **changes: object) -> Forecast:
    link: QkdLink = replace(network.qkd_links[name], **changes)  # type: ignore[arg-type]
    return Forecast(replace(network, qkd_links={**network.qkd_links, name: link}))


def _remedies(forecast: Forecast, rules: Rules, name: str) -> dict[str, float]:
    problem = problem_of(forecast, rules)
    found = assign(problem)
    assert name in found.unserved
    return {one.constraint: one.amount for one in remedies(forecast, problem, found.chosen, name)}


def test_a_demand_beyond_what_the_light_bears(madqci: LoadedNetwork) -> None:
    forecast = _with_link(madqci.network, "Norte-Distrito-CV", demand_bps=9000)
    best = max(one.rate_bps for one in problem_of(Forecast(madqci.network), Rules()).options
               if one.transmitter.device == "norte-qkd")  # fmt: skip
    found = _remedies(forecast, Rules(), "Norte-Distrito-CV")
    assert found["demand"] == 9000 - best


def test_neighbours_that_are_too_strong(madqci: LoadedNetwork) -> None:
    link = madqci.network.qkd_links["Quijote-Quiron-CV"]
    forecast = _with_link(madqci.network, link.name, demand_bps=3400)
    found = _remedies(forecast, Rules(), link.name)
    assert 0 < found["launch-power"] < 10
    weaker = {
        name: replace(one, launch_power_dbm=one.launch_power_dbm - found["launch-power"] - 0.02)
        for name, one in forecast.network.optical_channels.items()
    }
    again = Forecast(replace(forecast.network, optical_channels=weaker))
    assert assign(problem_of(again, Rules())).unserved == ()


def test_a_guard_band_that_is_too_wide(forecast: Forecast) -> None:
    rules = Rules(guard_hz=1_000_000_000_000)
    assert _remedies(forecast, rules, "Quevedo-Quijano-Toshiba") == {"guard-band": 200.0}  # 33 and 25


def test_modules_that_bear_too_little(madqci: LoadedNetwork) -> None:
    node = madqci.network.devices["quiron-qkd"]
    weak = replace(node, interfaces={1: replace(node.interfaces[1], max_absorption_db=11.0)})
    forecast = Forecast(replace(madqci.network, devices={**madqci.network.devices, node.name: weak}))
    assert _remedies(forecast, Rules(), "Quijote-Quiron-CV") == {"loss": 1.1}


def test_a_fibre_that_is_full(forecast: Forecast) -> None:
    rules = Rules(per_fibre=1)
    found = assign(problem_of(forecast, rules))
    assert found.unserved
    for name in found.unserved:
        ways = _remedies(forecast, rules, name)
        assert set(ways) <= {"channels-per-fibre", "links"}
        assert ways["links"] >= 1


def _said(network: Network, fibre: str, said: FibreSharing) -> Network:
    changed = replace(network.fibres[fibre], sharing=said)
    return replace(network, fibres={**network.fibres, fibre: changed})


def test_the_file_says_how_full_and_how_close(madqci: LoadedNetwork) -> None:
    network = replace(madqci.network, sharing=FibreSharing(guard_hz=0, per_fibre=3))
    network = _said(network, "quintin-quijote", FibreSharing(per_fibre=1))
    rules = Rules.of(network)
    assert (rules.in_("quintin-quijote"), rules.in_("concepcion-norte")) == (
        Rules(0, rules.spacing_hz, 1), rules
    )  # fmt: skip
    forecast = Forecast(network)
    lacking = assign(problem_of(forecast, rules)).unserved
    assert len(lacking) == 1
    assert network.qkd_links[lacking[0]].fibres == ("quintin-quijote",)
    assert _remedies(forecast, rules, lacking[0]) == {"channels-per-fibre": 1, "links": 1}
    assert Rules.of(network, FibreSharing(per_fibre=4)).in_("quintin-quijote").per_fibre == 4


def test_a_wide_guard_band_in_one_fibre(madqci: LoadedNetwork) -> None:
    network = _said(madqci.network, "quevedo-quijano", FibreSharing(guard_hz=1_000_000_000_000))
    found = _remedies(Forecast(network), Rules.of(network), "Quevedo-Quijano-Toshiba")
    assert found == {"guard-band": 200.0}


def test_a_cut_fibre(forecast: Forecast) -> None:
    problem = problem_of(forecast, Rules(), dark=["distrito-norte"])
    found = assign(problem)
    assert found.unserved == ("Distrito-Norte-IDQ", "Distrito-Concepcion-CV")
    # The direct fibre loses more than the second pair was ever seen to make key at.
    for name in found.unserved:
        (remedy,) = remedies(forecast, problem, found.chosen, name)
        assert (remedy.constraint, remedy.amount, remedy.unit) == ("cut", 1, "fibres")
        assert remedy.text == "light in fibre distrito-norte again"


def test_what_is_in_the_way_is_found_without_a_look_at_thousands_of_paths() -> None:
    network = random_network(40, 100, 40, 1, modules=3)
    name, link = next(iter(network.qkd_links.items()))
    greedy = replace(link, demand_bps=10**9)
    forecast = _Counting(replace(network, qkd_links=network.qkd_links | {name: greedy}))
    problem = problem_of(forecast, RULES, paths=3)
    found = assign(problem, "fast")
    forecast.looked_at = 0
    assert [one.constraint for one in remedies(forecast, problem, found.chosen, name)] == ["demand"]
    assert forecast.looked_at < 300


class _Counting(Forecast):
    """Counts the options whose key rate it worked out."""

    looked_at = 0

    def option(self, transmitter: ModuleEnd, receiver: ModuleEnd, path: LightPath, frequency_hz: int) -> Option:
        self.looked_at += 1
        return super().option(transmitter, receiver, path, frequency_hz)


@pytest.mark.parametrize("seed", range(4))
def test_never_more_links_than_promised(seed: int) -> None:
    forecast = Forecast(random_network(5, 5, 5, seed, modules=2))
    everything = problem_of(forecast, RULES)
    most = assign(everything).most_links
    for method, paths in (("exact", None), ("fast", 1), ("first-fit", 1)):
        found = assign(problem_of(forecast, RULES, paths=paths), method)  # type: ignore[arg-type]
        assert len(found.chosen) <= most <= found.most_links
        assert found.links_more >= 0
