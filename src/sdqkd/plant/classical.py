"""Classical channels: a channel is up while the light of a peer on the same frequency arrives."""

from __future__ import annotations

from collections.abc import Mapping

from sdqkd.coexistence.exposure import Launch
from sdqkd.coexistence.light import Light
from sdqkd.devices.transponder import ChannelReport, ChannelSettings
from sdqkd.network.model import Port
from sdqkd.network.topology import LightPath

Ways = Mapping[Launch, tuple[LightPath, ...]]  # every way of the light of each channel that is sent
Arrivals = Mapping[tuple[Port, int], float]  # the strongest light in dBm by port and frequency in Hz


def channel_reports(
    channels: Mapping[str, Mapping[str, ChannelSettings]], light: Light, ways: Ways
) -> dict[str, dict[str, ChannelReport]]:
    """Report of every channel of every transponder, by device and name."""
    arrivals = _arrivals(ways, light)
    return {
        device: {name: _report(device, channel, light, arrivals) for name, channel in own.items()}
        for device, own in channels.items()
    }


def _arrivals(ways: Ways, light: Light) -> Arrivals:
    arrivals: dict[tuple[Port, int], float] = {}
    for launch, taken in ways.items():
        for way in taken:
            if not way.stopped:
                place = way.end, launch.frequency_hz
                power_dbm = launch.power_dbm - light.loss_db(way)
                arrivals[place] = max(power_dbm, arrivals.get(place, power_dbm))
    return arrivals


def _report(device: str, channel: ChannelSettings, light: Light, arrivals: Arrivals) -> ChannelReport:
    if not channel.enabled:
        return ChannelReport("disabled")
    power_dbm = arrivals.get((Port(device, channel.port), channel.frequency_hz))
    if power_dbm is None or _failed(device, channel, light):
        return ChannelReport("down")
    return ChannelReport("up", power_dbm)


def _failed(device: str, channel: ChannelSettings, light: Light) -> bool:
    return (device, channel.port) in light.faults.failed
