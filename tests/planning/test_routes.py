"""MadQCI's switched domain: what could be set up between its ten modules."""

from __future__ import annotations

from dataclasses import replace

from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.network.model import ModuleEnd
from sdqkd.physics.grid import channel_to_hz, hz_to_channel
from sdqkd.planning.forecast import Forecast
from sdqkd.planning.routes import routing_combinations, switched_modules


def test_ten_modules_are_switched(forecast: Forecast) -> None:
    modules = switched_modules(forecast.network, forecast.topology)
    assert len(modules) == 10
    assert {forecast.network.module(end).vendor for end in modules} == {"Huawei"}


def test_at_least_the_combinations_that_madqci_tested(forecast: Forecast) -> None:
    found = routing_combinations(forecast)
    assert len(found.feasible) == 49  # MadQCI tested 34; where its modules stand is inferred
    assert found.paths == 17
    assert {hz_to_channel(one.frequency_hz) for one in found.feasible} == {34, 37, 38}
    assert all(one.loss_db <= 22 and one.rate_bps > 0 for one in found.feasible)


def test_the_measured_links_are_among_them(forecast: Forecast) -> None:
    found = {
        (one.transmitter, one.receiver, one.path.fibres, one.frequency_hz): one
        for one in routing_combinations(forecast).feasible
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
        for one in routing_combinations(forecast).refused
        if "quijote-quiron" in one.path.fibres and one.frequency_hz == channel_to_hz(37)
    ]
    assert ModuleEnd("quijote-qkd", 3) in {one.transmitter for one in refused}
    assert all("quijote-quiron" in one.obstacle and one.rate_bps == 0 for one in refused)


def test_a_cut_leaves_the_ways_around(forecast: Forecast) -> None:
    around = routing_combinations(forecast, ["distrito-norte"]).feasible
    assert around
    assert all("distrito-norte" not in one.path.fibres for one in around)
