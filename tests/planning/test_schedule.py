"""Sharing time: column generation against every configuration there is."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, combinations

import pytest
from tools.bench.networks import random_network

from sdqkd.planning.forecast import Forecast
from sdqkd.planning.schedule import Configuration, Sharing, chosen_times, generate, schedule, sharing_of
from sdqkd.planning.schedule import _master as master
from sdqkd.planning.schedule import _worst as worst_of
from sdqkd.planning.spectrum import Rules


def _small(seed: int, dead_s: float = 0.0) -> Sharing:
    """Few enough options that all sets of them can be looked at."""
    sharing = sharing_of(Forecast(random_network(6, 7, 5, seed)), Rules(per_fibre=2), dead_s=dead_s)
    some = [index for index in range(len(sharing.options)) if index % 3 == seed % 3][:12]
    return Sharing(
        {sharing.pairs[index]: sharing.demands[sharing.pairs[index]] for index in some},
        tuple(sharing.options[index] for index in some),
        tuple(sharing.pairs[index] for index in some),
        sharing.rules,
        dead_s,
    )


def _every_configuration(sharing: Sharing) -> list[Configuration]:
    packing, count = sharing.packing(), len(sharing.options)
    sets = chain.from_iterable(combinations(range(count), size) for size in range(1, count + 1))
    return [one for one in sets if packing.allows(one)]


@pytest.mark.parametrize("seed", range(6))
def test_as_good_as_all_configurations(seed: int) -> None:
    sharing = _small(seed)
    columns, bound = generate(sharing, sharing.demands)
    best = master(sharing, sharing.demands, _every_configuration(sharing))[0]
    assert master(sharing, sharing.demands, columns)[0] == pytest.approx(best)
    assert bound == pytest.approx(best)
    assert schedule(sharing).worst == pytest.approx(best, rel=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_with_dead_time_the_truth_lies_in_the_gap(seed: int) -> None:
    sharing = _small(seed, dead_s=120.0)
    every = _every_configuration(sharing)
    best = worst_of(sharing, sharing.demands, chosen_times(sharing, sharing.demands, every))
    found = schedule(sharing)
    assert found.worst <= best + 1e-6
    assert best <= found.bound * (1 + 1e-6)


def test_turns_keep_the_rules_and_the_period() -> None:
    sharing = sharing_of(Forecast(random_network(10, 14, 9, 4)), Rules())
    found = schedule(sharing)
    packing = sharing.packing()
    assert sum(turn.dead_s + turn.key_s for turn in found.turns) <= sharing.period_s * (1 + 1e-6)
    for turn in found.turns:
        assert packing.allows([sharing.options.index(option) for option in turn.options])
    assert found.worst == pytest.approx(
        min(found.rates_bps[pair] / sharing.demands[pair] for pair in found.rates_bps)
    )
    assert 0 <= found.gap < 0.25


def test_madqci_serves_seven_pairs_with_ten_modules(forecast: Forecast) -> None:
    sharing = sharing_of(forecast, Rules())
    assert (len(sharing.demands), sharing.dead_s) == (7, 120.0)
    found = schedule(sharing)
    assert found.hopeless == ()
    assert len(found.turns) >= 2
    assert all(rate_bps >= 0.1 * 1000 for rate_bps in found.rates_bps.values())
    assert found.gap < 1e-6


def test_a_pair_has_several_links_at_once_where_it_has_the_modules(forecast: Forecast) -> None:
    """Distrito and Norte have a transmitter and a receiver each: a link each way, on two channels of one fibre."""
    fixed = {name: link for name, link in forecast.network.qkd_links.items() if not name.endswith("-CV")}
    alone = fixed | {"Norte-Distrito-CV": forecast.network.qkd_links["Norte-Distrito-CV"]}
    sharing = sharing_of(Forecast(replace(forecast.network, qkd_links=alone)), Rules())
    best = max(
        one.rate_bps + other.rate_bps
        for one, other in combinations(sharing.options, 2)
        if {one.transmitter, one.receiver}.isdisjoint({other.transmitter, other.receiver})
        and not one.ports & other.ports
        and one.frequency_hz != other.frequency_hz
    )
    found = schedule(sharing)
    assert found.rates_bps == {"Distrito - Norte": best}
    assert found.bound == pytest.approx(best / 1000)
    (turn,) = found.turns
    assert {one.transmitter.device for one in turn.links["Distrito - Norte"]} == {"distrito-qkd", "norte-qkd"}


def test_what_fixed_links_have_filled_holds_nobody_back(forecast: Forecast) -> None:
    """All fibres but one carry a fixed link."""
    found = schedule(sharing_of(forecast, Rules(per_fibre=1)))
    assert {*found.rates_bps} == {"Quijote - Quiron"}
    assert len(found.hopeless) == 6
    assert found.worst == found.bound > 3


def test_pairs_without_light_are_named(forecast: Forecast) -> None:
    sharing = sharing_of(forecast, Rules())
    found = schedule(
        Sharing({**sharing.demands, "here - there": 1.0}, sharing.options, sharing.pairs, sharing.rules)
    )
    assert found.hopeless == ("here - there",)
    assert schedule(Sharing({"here - there": 1.0}, (), (), Rules())).turns == ()
