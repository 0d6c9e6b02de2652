"""MadQCI's switched domain: what could be set up between its ten modules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sdqkd.controller.inventory import LoadedNetwork, load_network
from sdqkd.network.model import FibreSharing, ModuleEnd, Network, Patch, Port
from sdqkd.physics.grid import channel_to_hz, hz_to_channel
from sdqkd.planning.forecast import Forecast
from sdqkd.planning.routes import routing_combinations, switched_modules
from sdqkd.planning.schedule import sharing_of
from sdqkd.planning.spectrum import Rules

SWITCHED = Path(__file__).parents[2] / "examples" / "switched" / "network.yaml"


@pytest.fixture(scope="module")
def choosing() -> Network:
    return load_network(SWITCHED.read_text("utf-8"), "network.yaml").network


def test_ten_modules_are_switched(forecast: Forecast) -> None:
    modules = switched_modules(forecast)
    assert len(modules) == 10
    assert {forecast.network.module(end).vendor for end in modules} == {"Huawei"}


def test_at_least_the_combinations_that_madqci_tested(forecast: Forecast) -> None:
    found = routing_combinations(forecast, Rules())
    assert len(found.feasible) == 49  # MadQCI tested 34; where its modules stand is inferred
    assert found.paths == 17
    assert {hz_to_channel(one.frequency_hz) for one in found.feasible} == {34, 37, 38}
    assert all(one.loss_db <= 22 and one.rate_bps > 0 for one in found.feasible)


def test_the_measured_links_are_among_them(forecast: Forecast) -> None:
    found = {
        (one.transmitter, one.receiver, one.path.fibres, one.frequency_hz): one
        for one in routing_combinations(forecast, Rules()).feasible
    }
    measured = [link for link in forecast.network.qkd_links.values() if link.name.endswith("-CV")]
    assert len(measured) == 7
    for link in measured:
        option = found[link.transmitter, link.receiver, link.fibres, link.frequency_hz]
        assert link.calibration is not None
        assert (option.loss_db, option.rate_bps) == (link.calibration.loss_db, link.calibration.key_rate_bps)


def test_a_channel_that_somebody_else_holds_is_not_free(madqci: LoadedNetwork) -> None:
    network = madqci.network
    channel = network.optical_channels["quijote-quiron-c21"]
    held = replace(channel, frequency_hz=channel_to_hz(37), third_party=True, a=None, b=None)
    forecast = Forecast(replace(network, optical_channels={**network.optical_channels, channel.name: held}))
    refused = [
        one
        for one in routing_combinations(forecast, Rules()).refused
        if "quijote-quiron" in one.path.fibres and one.frequency_hz == channel_to_hz(37)
    ]
    assert ModuleEnd("quijote-qkd", 3) in {one.transmitter for one in refused}
    assert all("quijote-quiron" in one.obstacle and one.rate_bps == 0 for one in refused)


def test_combinations_and_turns_keep_the_guard_band_of_the_file(madqci: LoadedNetwork) -> None:
    """Channel 24 is the highest beside Quijote-Quiron: 34 is 1,000 GHz above it, 37 is 1,300."""
    fibre = madqci.network.fibres["quijote-quiron"]
    for guard_hz, channels in ((1_000_000_000_000, {34, 37, 38}), (1_000_000_000_001, {37, 38})):
        guarded = replace(fibre, sharing=FibreSharing(guard_hz=guard_hz))
        network = replace(madqci.network, fibres={**madqci.network.fibres, fibre.name: guarded})
        forecast, rules = Forecast(network), Rules.of(network)
        for options in (routing_combinations(forecast, rules).feasible, sharing_of(forecast, rules).options):
            there = {hz_to_channel(one.frequency_hz) for one in options if fibre.name in one.path.fibres}
            elsewhere = {hz_to_channel(one.frequency_hz) for one in options if fibre.name not in one.path.fibres}
            assert (there, elsewhere) == (channels, {34, 37, 38})


def test_a_cut_leaves_the_ways_around(forecast: Forecast) -> None:
    around = routing_combinations(forecast, Rules(), ["distrito-norte"]).feasible
    assert around
    assert all("distrito-norte" not in one.path.fibres for one in around)


def test_a_channel_chooses_the_receiver_behind_fixed_filters(choosing: Network) -> None:
    """FOADM style beside ROADM style: one laser, a switch to one receiver, filters to the other two."""
    assert _choices(choosing) == {("bravo-qkd", 37), ("charlie-qkd", 38), ("delta-qkd", 34), ("delta-qkd", 37)}


def test_a_laser_chooses_without_any_switch(choosing: Network) -> None:
    laser, filters = Port("alfa-qkd", "cv-tx"), Port("alfa-to-bravo", "c37-c38")
    direct = _without_switches(choosing, Patch(laser, filters, 0.0))
    assert _choices(direct) == {("bravo-qkd", 37), ("charlie-qkd", 38)}


def test_modules_with_one_partner_and_one_way_are_not_switched(choosing: Network) -> None:
    laser, filters = Port("alfa-qkd", "cv-tx"), Port("alfa-to-bravo", "c37-c38")
    direct = _without_switches(choosing, Patch(laser, filters, 0.0))
    charlie_only = replace(direct, devices={k: v for k, v in direct.devices.items() if k != "charlie-qkd"})
    patches = tuple(p for p in direct.patches if "charlie-qkd" not in {p.a.element, p.b.element})
    links = {"Alfa-Bravo": direct.qkd_links["Alfa-Bravo"]}
    assert switched_modules(Forecast(replace(charlie_only, patches=patches, qkd_links=links))) == ()


def test_a_choice_between_a_receiver_and_a_switch_is_one_for_both(choosing: Network) -> None:
    cord = next(one for one in choosing.patches if one.b == Port("charlie-to-bravo", "c38"))
    further = Patch(Port("delta-switch", "alfa-c34"), cord.b, 0.0)
    laser = Patch(Port("alfa-qkd", "cv-tx"), Port("alfa-to-bravo", "c37-c38"), 0.0)
    ends = {cord.a, further.a, laser.a, laser.b}
    patches = (*(one for one in choosing.patches if not ends & {one.a, one.b}), further, laser)
    modules = {one.device for one in switched_modules(Forecast(replace(choosing, patches=patches, qkd_links={})))}
    assert modules == {"alfa-qkd", "bravo-qkd", "delta-qkd"}


def _choices(network: Network) -> set[tuple[str, int | None]]:
    found = routing_combinations(Forecast(network), Rules()).feasible
    return {(one.receiver.device, hz_to_channel(one.frequency_hz)) for one in found}


def _without_switches(network: Network, instead: Patch) -> Network:
    """The network without its switches and what hung on them, with one patch cord instead."""
    gone = {"alfa-switch", "delta-switch", "delta-qkd"}
    kept = tuple(one for one in network.patches if not gone & {one.a.element, one.b.element})
    return replace(
        network,
        devices={name: one for name, one in network.devices.items() if name not in gone},
        patches=(*kept, instead),
        qkd_links={name: one for name, one in network.qkd_links.items() if name != "Alfa-Delta"},
    )
