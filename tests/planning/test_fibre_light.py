"""Which light is in which strand, as the published figures of the illustrated links say, and how strong it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdqkd.controller.inventory import load_network
from sdqkd.network.model import Network
from sdqkd.physics.grid import band_of, channel_to_hz, hz_to_channel
from sdqkd.planning.fibre_light import LEAST_DBM, FibreLight, View, fibre_light, fibres_of, quantum_power_dbm
from sdqkd.planning.forecast import Forecast
from sdqkd.profiles.profile import load_profiles

EXAMPLES = Path(__file__).parents[2] / "examples"
NETWORKS = {
    name: load_network((EXAMPLES / name / "network.yaml").read_text("utf-8"), name).network
    for name in ("quijote-quevedo", "quintin-quijote", "one-strand", "madqci")
}


def light_in(name: str, fibre: str, site: str | None = None) -> FibreLight:
    return fibre_light(Forecast(NETWORKS[name]), fibre, site)


def channels(view: View, *roles: str) -> list[int | None]:
    return [hz_to_channel(line.frequency_hz) for line in view.lines if line.role in roles]


def test_figure_8_two_quantum_channels_beside_classical_ones_in_both_directions() -> None:
    """Scheme a: an O band channel and channel 37 or 38, one encrypted channel of five, on a strand each way."""
    light = light_in("quijote-quevedo", "quijote-quevedo", "Quijote")
    outgoing, ingoing = light.views
    assert (light.scheme, outgoing.outgoing, ingoing.outgoing) == ("duplex", True, False)
    assert (outgoing.near, outgoing.far) == ("Quijote", "Quevedo")
    (idq,), (cv,) = ([line for line in view.lines if line.role == "quantum"] for view in light.views)
    assert (band_of(idq.frequency_hz), hz_to_channel(cv.frequency_hz)) == ("O", 37)
    for view in light.views:
        assert len([line for line in view.lines if line.role != "quantum"]) == 5
        assert len(channels(view, "encrypted-data")) == 1
        assert not view.elsewhere
    assert {"o-band", "c37", "c38", "c21", "c25"} <= {port for port, _ in light.passbands}


def test_figure_9_quantum_channels_have_a_strand_to_themselves() -> None:
    """Scheme b: channels 34 and 37 or 38 on one strand; six classical ones, two encrypted, on the other."""
    light = light_in("quintin-quijote", "quintin-quijote", "Quijote")
    outgoing, ingoing, quantum = light.views
    for view in (outgoing, ingoing):
        assert (view.strand, len(view.lines)) == ("classical strand", 6)
        assert len(channels(view, "encrypted-data")) == 2
        assert sum(line.third_party for line in view.lines) == 1
        assert [hz_to_channel(line.frequency_hz) for line in view.elsewhere] == [34, 37]
    assert (outgoing.near, outgoing.far) == ("Quijote", "Quintin")
    assert (quantum.strand, channels(quantum, "quantum"), quantum.outgoing) == ("quantum strand", [34, 37], False)
    assert [line.noise_dbm for line in quantum.lines] == [None, None]
    assert list(quantum.noise_dbm([channel_to_hz(34)])) == [LEAST_DBM]


def test_levels_fall_by_the_loss_of_the_fibre_and_an_ingoing_view_shows_what_is_left() -> None:
    network = NETWORKS["quijote-quevedo"]
    light = light_in("quijote-quevedo", "quijote-quevedo")
    for view in light.views:
        for line in view.lines:
            assert line.enters_dbm - line.leaves_dbm == pytest.approx(network.fibres["quijote-quevedo"].loss_db)
            assert view.level_dbm(line) == (line.enters_dbm if view.outgoing else line.leaves_dbm)
    channel = network.optical_channels["quijote-quevedo-c21"]
    entered = next(line for line in light.views[0].lines if line.name == channel.name)
    # The two multiplexers in cascade take 1.0 dB and 0.6 dB before the fibre.
    assert entered.enters_dbm == pytest.approx(channel.launch_power_dbm - 1.6)


def test_one_strand_has_light_from_both_ends_and_more_noise() -> None:
    outgoing, ingoing = light_in("one-strand", "alfa-bravo").views
    assert {line.name for line in outgoing.against} == {line.name for line in ingoing.lines}
    (quantum,) = (line for line in outgoing.lines if line.role == "quantum")
    both = float(outgoing.noise_dbm([quantum.frequency_hz])[0])
    alone = View(*(getattr(outgoing, name) if name != "against" else () for name in View.__slots__))
    assert both > float(alone.noise_dbm([quantum.frequency_hz])[0]) + 1
    # What the receiver gets has passed its filter too; four-wave mixing may add to Raman scattering.
    assert quantum.noise_dbm == pytest.approx(both - 0.6, abs=0.5)
    assert "bravo-transponder" in quantum.most_from


def test_noise_beside_the_o_band_is_far_less() -> None:
    view = light_in("quijote-quevedo", "quijote-quevedo").views[0]
    c_band, o_band = view.noise_dbm([channel_to_hz(37), 228_849_205_000_000])
    assert c_band > o_band + 30


def test_a_link_that_is_off_is_shown_as_such_and_a_link_may_take_several_fibres() -> None:
    network: Network = NETWORKS["madqci"]
    off = [line for view in light_in("madqci", "quijote-quevedo").views for line in view.lines if not line.active]
    assert [line.name for line in off] == ["Quevedo-Quijote-CV"]
    assert fibres_of(network, "Distrito-Concepcion-CV") == ("distrito-norte", "concepcion-norte")
    assert fibres_of(network, "quijote-quevedo-c21") == ("quijote-quevedo",)
    assert fibres_of(network, "nothing") == ()


def test_the_light_of_a_transmitter_is_some_photons_a_pulse() -> None:
    toshiba = load_profiles()["toshiba"]  # 0.4 photons of 1.28e-19 J at 1 GHz
    assert quantum_power_dbm(toshiba, channel_to_hz(34)) == pytest.approx(-72.9, abs=0.1)
    huawei = load_profiles()["huawei-cv-qkd"]  # variance 4 is 2 photons, at 50 MBd
    assert quantum_power_dbm(huawei, channel_to_hz(37)) == pytest.approx(-78.9, abs=0.1)
