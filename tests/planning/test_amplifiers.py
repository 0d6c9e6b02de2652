"""Amplifiers at the classical input of multiplexers: what they do to the light beside them, and whom they end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sdqkd.coexistence.noise import Filter, Noise, noise_at_receiver
from sdqkd.controller.checks import check
from sdqkd.controller.inventory import load_network
from sdqkd.controller.routing import candidates
from sdqkd.network.model import Amplifier, Network, Passband, Port
from sdqkd.physics.decibel import transmittance
from sdqkd.physics.leakage import amplifier_noise_w_per_hz
from sdqkd.planning.assignment import assign, problem_of
from sdqkd.planning.ceilings import ceilings
from sdqkd.planning.fibre_light import fibre_light
from sdqkd.planning.forecast import Forecast
from sdqkd.planning.relaxing import remedies
from sdqkd.planning.spectrum import Rules

FILE = Path(__file__).parents[2] / "examples" / "quijote-quevedo" / "network.yaml"
CV = "Quevedo-Quijote-CV"
INPUT = Port("quevedo-outer", "classical")
LOUD = Amplifier("boost", "", INPUT, arriving=True, gain_db=15.0, noise_figure_db=6.0)


@pytest.fixture(scope="module")
def network() -> Network:
    return load_network(FILE.read_text("utf-8"), "network.yaml").network


def _with(network: Network, *amplifiers: Amplifier) -> Forecast:
    return Forecast(replace(network, amplifiers={one.name: one for one in amplifiers}))


def _noise(forecast: Forecast) -> Noise:
    link = forecast.network.qkd_links[CV]
    (path,) = candidates(forecast.network, forecast.topology, link)
    return noise_at_receiver(forecast.exposure(path), link.frequency_hz, Filter(75.0, 100.0))


def _density(forecast: Forecast) -> float:
    """Of the amplifier alone: there is no classical light."""
    dark = Forecast(replace(forecast.network, optical_channels={}))
    return _noise(dark).w_per_hz


def _link_rate(forecast: Forecast) -> int:
    link = forecast.network.qkd_links[CV]
    (path,) = candidates(forecast.network, forecast.topology, link)
    return forecast.option(link.transmitter, link.receiver, path, link.frequency_hz).rate_bps


def test_its_noise_comes_through_the_isolation_of_the_multiplexer(network: Network) -> None:
    forecast = _with(network, LOUD)
    link = network.qkd_links[CV]
    (path,) = candidates(network, forecast.topology, link)
    (stretch,) = forecast.exposure(path)
    made = float(amplifier_noise_w_per_hz(link.frequency_hz, 15.0, 6.0))
    expected = made * float(transmittance(30.0 + stretch.loss_db + stretch.after_db))
    assert _density(forecast) == pytest.approx(expected)
    assert _density(_with(network)) == 0
    assert _density(_with(network, replace(LOUD, gain_db=20.0))) > expected


def test_its_noise_lies_where_it_amplifies(network: Network) -> None:
    c_band = Passband(191_500_000_000_000, 196_200_000_000_000)
    l_band = Passband(186_000_000_000_000, 191_000_000_000_000)
    assert _density(_with(network, replace(LOUD, passbands=(c_band,)))) == _density(_with(network, LOUD))
    assert _density(_with(network, replace(LOUD, passbands=(l_band,)))) == 0


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(LOUD, arriving=False),  # behind the multiplexer, before the receivers
        replace(LOUD, port=Port("quijote-outer", "classical")),  # on the other strand
    ],
)
def test_what_goes_the_other_way_does_not_disturb(network: Network, elsewhere: Amplifier) -> None:
    assert _density(_with(network, elsewhere)) == 0


def test_a_circulator_lets_meet_what_goes_the_other_way(network: Network) -> None:
    strand = {name: replace(one, scheme="circulator") for name, one in network.fibres.items()}
    there = replace(LOUD, port=Port("quijote-outer", "classical"))
    one_strand = replace(network, fibres=strand)
    assert 0 < _density(_with(one_strand, there)) < _density(_with(one_strand, LOUD))


def test_classical_light_is_stronger_behind_it(network: Network) -> None:
    def levels(forecast: Forecast) -> dict[tuple[str, bool], float]:
        views = fibre_light(forecast, "quijote-quevedo", "Quevedo").views
        return {(one.name, one.outgoing): one.enters_dbm for view in views for one in view.lines}

    plain, loud = levels(_with(network)), levels(_with(network, LOUD))
    for place, dbm in plain.items():
        lit = place[1] and place[0] in network.optical_channels
        assert loud[place] == pytest.approx(dbm + 15.0 if lit else dbm)


def test_a_receiver_behind_it_must_bear_its_light(network: Network) -> None:
    strong = replace(LOUD, gain_db=12.0)
    (*errors,) = check(replace(network, amplifiers={strong.name: strong}))
    assert [error.path for error in errors] == [
        f"{network.optical_channels[name].path}/launch-power-dbm"
        for name in ("quijote-quevedo-c21", "quijote-quevedo-c25")
    ]
    assert all("quijote-transponder port" in error.message for error in errors)  # not the other direction's


def test_ceilings_of_launch_powers_reckon_with_it(network: Network) -> None:
    plain, loud = ({one.channel: one for one in ceilings(_with(network, *there), {})} for there in ((), (LOUD,)))
    for name in ("quijote-quevedo-c21", "quijote-quevedo-c25"):
        most_dbm = plain[name].most_dbm
        assert most_dbm is not None
        assert loud[name].most_dbm == pytest.approx(most_dbm - 15.0)
        assert loud[name].least_dbm == plain[name].least_dbm  # the other direction needs what it needed


def test_what_was_measured_beside_it_stays_and_what_was_not_gets_worse(network: Network) -> None:
    measured = network.qkd_links[CV].calibration
    assert measured is not None
    assert _link_rate(_with(network, LOUD)) == measured.key_rate_bps
    later = _with(network, replace(LOUD, after_calibration=True))
    assert _link_rate(later) < measured.key_rate_bps
    assert _noise(later).w_per_hz > 2 * _noise(_with(network)).w_per_hz


def test_quantum_light_does_not_pass_it(network: Network) -> None:
    forecast = _with(network, replace(LOUD, port=Port("quevedo-outer", "line")))
    assert [candidates(network, forecast.topology, link) for link in network.qkd_links.values()] == [(), ()]
    channel = network.optical_channels["quijote-quevedo-c21"]
    assert channel.a is not None
    assert list(forecast.topology.paths(channel.a, channel.frequency_hz, lambda _: ()))
    problem = problem_of(forecast, Rules())
    found = assign(problem)
    assert found.unserved == tuple(network.qkd_links)
    for name in found.unserved:
        (one,) = remedies(forecast, problem, found.chosen, name)
        assert one.constraint == "amplifier"
        assert "boost: an amplifier is on the way" in one.text


def test_on_a_bidi_pair_it_stands_on_the_strand_of_the_classical_channels(network: Network) -> None:
    pairs = {name: replace(one, scheme="bidi") for name, one in network.fibres.items()}
    forecast = _with(replace(network, fibres=pairs), replace(LOUD, port=Port("quevedo-outer", "line")))
    assert all(candidates(network, forecast.topology, link) for link in network.qkd_links.values())
    assert _noise(forecast) == Noise()
    assert _link_rate(forecast) == 11000
