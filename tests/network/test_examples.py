"""The examples are right, and show every scheme in which quantum and classical light share fibres."""

from pathlib import Path

import pytest

from sdqkd.controller.inventory import load_network
from sdqkd.controller.routing import candidates
from sdqkd.network.model import Network
from sdqkd.planning.forecast import Forecast
from sdqkd.planning.three_parties import pair_forecast

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = ["one-strand", "quijote-quevedo", "quintin-quijote", "switched"]


def network_of(name: str) -> Network:
    file = EXAMPLES / name / "network.yaml"
    return load_network(file.read_text("utf-8"), str(file)).network


def test_all_examples_are_known():
    assert sorted(file.parent.name for file in EXAMPLES.glob("*/network.yaml")) == sorted(
        ["madqci", "mdi-hub", *SMALL]
    )


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("quijote-quevedo", "duplex"),
        ("quintin-quijote", "bidi"),
        ("one-strand", "circulator"),
        ("switched", "duplex"),
    ],
)
def test_every_scheme_has_an_example(name: str, scheme: str):
    network = network_of(name)
    assert {fibre.scheme for fibre in network.fibres.values()} == {scheme}
    assert bool(network.of_kind("fibre-switch")) == (name != "one-strand")


@pytest.mark.parametrize("name", SMALL)
def test_every_link_of_an_example_has_one_way_and_makes_key(name: str):
    network = network_of(name)
    forecast = Forecast(network)
    for link in network.qkd_links.values():
        (path,) = candidates(network, forecast.topology, link)
        option = forecast.option(link.transmitter, link.receiver, path, link.frequency_hz)
        assert option.rate_bps > 0, option.obstacle
        measured = link.calibration
        assert measured is None or (option.loss_db, option.rate_bps) == (measured.loss_db, measured.key_rate_bps)


def test_every_pair_of_emitters_of_a_hub_makes_the_key_that_is_asked_for():
    network = network_of("mdi-hub")
    forecast = Forecast(network)
    for link in network.qkd_links.values():
        assert pair_forecast(forecast, link).rate_bps >= (link.demand_bps or 1)
    assert len(network.beams) == 3
    assert all(candidates(network, forecast.topology, beam) for beam in network.beams.values())


def test_one_transmitter_reaches_three_receivers_by_switch_and_by_channel():
    """Roadm style: another crossing of the switch. Foadm style: the same crossing, another channel."""
    network = network_of("switched")
    topology = Forecast(network).topology
    paths = {name: candidates(network, topology, link)[0] for name, link in network.qkd_links.items()}
    at_alfa = {
        name: [one for one in path.crossings if one.device == "alfa-switch"] for name, path in paths.items()
    }
    assert at_alfa["Alfa-Bravo"] == at_alfa["Alfa-Charlie"] != at_alfa["Alfa-Delta"]
    frequencies = {name: link.frequency_hz for name, link in network.qkd_links.items()}
    assert frequencies["Alfa-Bravo"] != frequencies["Alfa-Charlie"]
    assert [paths[name].end.element for name in paths] == ["bravo-qkd", "charlie-qkd", "delta-qkd"]


def test_two_multiplexers_in_cascade_take_the_quantum_channels_out_first():
    network = network_of("quijote-quevedo")
    topology = Forecast(network).topology
    lost_db = {name: candidates(network, topology, link)[0].loss_db for name, link in network.qkd_links.items()}
    channel = network.optical_channels["quijote-quevedo-c21"]
    assert channel.a is not None
    (way,) = topology.paths(channel.a, channel.frequency_hz, lambda _: ())
    assert [port.element for port in way.ports[1:-1:2]] == [
        "quijote-inner",
        "quijote-outer",
        "quevedo-outer",
        "quevedo-inner",
    ]
    assert lost_db["Quijote-Quevedo-IDQ"] < way.loss_db
