"""Launch-power ceilings: at them every link has its demand, beyond them one has not."""

from __future__ import annotations

from dataclasses import replace

from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.network.equipment import transponder_of
from sdqkd.network.model import Network
from sdqkd.planning.assignment import Assignment, assign, least_bps, problem_of
from sdqkd.planning.ceilings import SENSITIVITY_DBM, Ceiling, ceilings
from sdqkd.planning.forecast import Forecast
from sdqkd.planning.spectrum import Rules


def _at(network: Network, limits: tuple[Ceiling, ...], more_db: float) -> Forecast:
    most = {one.channel: one.most_dbm for one in limits if one.most_dbm is not None}
    channels = {
        name: replace(channel, launch_power_dbm=most[name] + more_db) if name in most else channel
        for name, channel in network.optical_channels.items()
    }
    return Forecast(replace(network, optical_channels=channels))


def _served(forecast: Forecast, chosen: Assignment) -> list[str]:
    return [
        name
        for name, one in chosen.chosen.items()
        if forecast.option(one.transmitter, one.receiver, one.path, one.frequency_hz).rate_bps
        >= least_bps(forecast.network.qkd_links[name])
    ]


def test_all_ceilings_hold_together(madqci: LoadedNetwork) -> None:
    demanding = {
        name: replace(link, demand_bps=link.calibration.key_rate_bps // 2) if link.calibration else link
        for name, link in madqci.network.qkd_links.items()
    }
    network = replace(madqci.network, qkd_links=demanding)
    forecast = Forecast(network)
    found = assign(problem_of(forecast, Rules()))
    limits = ceilings(forecast, found.chosen)
    ours = [channel for channel in network.optical_channels.values() if not channel.third_party]
    assert [one.channel for one in limits] == [channel.name for channel in ours]
    assert len(_served(_at(network, limits, 0.0), found)) == len(found.chosen)
    # A channel may meet two links and be held down by one: so the other may bear more, but one does not.
    assert len(_served(_at(network, limits, 0.2), found)) < len(found.chosen)
    assert all(one.least_dbm is not None and not one.contradicts for one in limits)


def _bare(network: Network) -> Forecast:
    """The network without a word on what its transponders are."""
    return Forecast(replace(network, devices={k: replace(v, profile=None) for k, v in network.devices.items()}))


def test_no_link_minds_what_runs_on_another_strand(forecast: Forecast) -> None:
    found = assign(problem_of(forecast, Rules()))
    links = forecast.network.qkd_links
    free = [one for one in ceilings(_bare(forecast.network), found.chosen) if one.most_dbm is None]
    set_by_links = [one for one in ceilings(forecast, found.chosen) if one.set_by in links]
    assert set_by_links
    assert not any(one.channel.startswith("quintin-quijote") for one in set_by_links)
    assert {one.channel[:-4] for one in free} == {"quintin-quijote"}  # its pair is bidi


def test_limits_that_contradict_each_other(forecast: Forecast) -> None:
    found = assign(problem_of(forecast, Rules()))
    deaf = ceilings(forecast, found.chosen, sensitivity_dbm=0.0)
    assert any(one.contradicts for one in deaf)
    assert not any(one.contradicts for one in ceilings(forecast, found.chosen))


def test_transponders_and_the_file_limit_launch_powers_too(forecast: Forecast) -> None:
    network, name = forecast.network, "concepcion-norte-c26"
    channel = network.optical_channels[name]
    assert channel.a is not None
    limits = {one.channel: one for one in ceilings(forecast, {})}
    laser = transponder_of(network, channel.a)
    assert laser is not None
    assert limits[name].most_dbm == laser.most_launch_dbm
    bare = {one.channel: one for one in ceilings(_bare(network), {})}
    assert bare[name].most_dbm is None
    assert bare[name].least_dbm is not None
    loss_db = bare[name].least_dbm - SENSITIVITY_DBM
    assert limits[name].least_dbm == max(laser.sensitivity_dbm + loss_db, laser.least_launch_dbm)
    narrow = replace(channel, least_power_dbm=-4.0, most_power_dbm=-3.5)
    told = Forecast(replace(network, optical_channels=network.optical_channels | {name: narrow}))
    found = {one.channel: one for one in ceilings(told, {})}[name]
    assert (found.least_dbm, found.most_dbm, found.set_by) == (-4.0, -3.5, "the file")
