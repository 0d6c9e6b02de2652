"""Beside which classical light the links of a network were measured.

A measured key rate holds beside the light of that day. Of each channel the network file may say how it was then:
`calibration-power-dbm` and `calibration-frequency-thz`. Where it does not, the devices are asked: a channel was
as they hold it now, before anything is changed, and dark if they do not hold it. So a channel that a plan adds,
moves or raises never counts as having been there. Without devices (an emulation that begins, a forecast from the
file alone, a network whose devices hold nothing yet) the file itself is what was measured.

Somebody else's channels are in no device of ours, so they are as the file says; but one that our devices hold
became somebody else's only now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sdqkd.coexistence.exposure import (
    Found,
    Guest,
    Guests,
    Launch,
    enter,
    enter_as_designed,
    launches,
    launches_of,
    with_third_parties,
)
from sdqkd.coexistence.faults import Faults
from sdqkd.coexistence.light import Light, light_of
from sdqkd.devices.fibre_switch import SwitchSettings
from sdqkd.devices.transponder import MIN_DBM, ChannelSettings
from sdqkd.network.model import Network, OpticalChannel, Port
from sdqkd.network.topology import Topology


@dataclass(frozen=True, slots=True)
class Held:
    """What devices hold before a change: channels by transponder and name, switches, and QKD links by their id."""

    channels: Mapping[str, Mapping[str, ChannelSettings]]
    switches: Mapping[str, SwitchSettings]
    links_hz: Mapping[str, int] = field(default_factory=dict)


class _Sent(NamedTuple):
    """Light that a device holds, and the channel of the file that it is, None if the file has none."""

    launch: Launch
    channel: OpticalChannel | None


def says_all(channel: OpticalChannel) -> bool:
    """Whether the file alone says how a channel was when the links beside it were measured."""
    dark = channel.calibration_power_dbm is not None and channel.calibration_power_dbm <= MIN_DBM
    return dark or None not in (channel.calibration_power_dbm, channel.calibration_frequency_hz)


def guests_as_measured(network: Network, topology: Topology, dark: Light, held: Held | None = None) -> Guests:
    """Classical light in every fibre when the links of the network file were measured.

    `topology` has what stood then, and `dark` is its light with no switch set. `held` is what devices hold now;
    None if nothing is known of devices.
    """
    found: Found = {}
    sent: tuple[_Sent, ...] = ()
    if held is not None:
        sent, then = _sent(network, held), light_of(topology, held.switches, Faults())
        for launch, channel in sent:
            _enter_held(found, topology, then, dark, launch, channel)
    ports: dict[str, set[Port | None]] = {}
    for launch, channel in sent:
        ports.setdefault("" if channel is None else channel.name, set()).add(launch.port)
    for channel in network.optical_channels.values():
        if held is None or says_all(channel):
            for launch in _as_said(channel):
                # What devices hold elsewhere has moved here since.
                if ports.get(channel.name, set()) <= {channel.a, channel.b} - {launch.port}:
                    enter_as_designed(found, topology, dark, launch, channel)
    known = {name for own in held.channels.values() for name in own} if held is not None else set()

    def lit(theirs: OpticalChannel) -> Guest | None:
        return _as_measured(theirs) if says_all(theirs) or theirs.name not in known else None

    return with_third_parties(network, found, lit)


def _enter_held(
    found: Found, topology: Topology, then: Light, dark: Light, held: Launch, channel: OpticalChannel | None
) -> None:
    launch = held if channel is None else _corrected(held, channel)
    if channel is not None and says_all(channel) and held.port in (channel.a, channel.b):
        enter_as_designed(found, topology, dark, launch, channel)
        return
    for way in then.ways(launch.port, launch.frequency_hz):
        enter(found, then, launch, way)


def _sent(network: Network, held: Held) -> tuple[_Sent, ...]:
    """What devices hold and is lit. A channel with another name at the same port is the same channel."""
    ours = {name: one for name, one in network.optical_channels.items() if not one.third_party}
    said = {name for name, one in network.optical_channels.items() if one.third_party and says_all(one)}
    at_port: dict[Port | None, OpticalChannel] = {}
    for channel in ours.values():
        at_port |= {channel.a: channel, channel.b: channel}
    return tuple(
        _Sent(launch, ours.get(name) or at_port.get(launch.port))
        for device, own in held.channels.items()
        for name, settings in own.items()
        if name not in said
        for launch in launches({device: {name: settings}}, Faults())
    )


def _corrected(held: Launch, channel: OpticalChannel) -> Launch:
    """Light that is held, as the file says that it was."""
    power_dbm = held.power_dbm if channel.calibration_power_dbm is None else channel.calibration_power_dbm
    return Launch(held.port, channel.calibration_frequency_hz or held.frequency_hz, power_dbm)


def _as_said(channel: OpticalChannel) -> tuple[Launch, ...]:
    guest = _as_measured(channel)
    return tuple(launches_of(channel, guest.frequency_hz, guest.power_dbm))


def _as_measured(channel: OpticalChannel) -> Guest:
    said_dbm = channel.calibration_power_dbm
    return Guest(
        channel.name,
        channel.calibration_frequency_hz or channel.frequency_hz,
        channel.launch_power_dbm if said_dbm is None else said_dbm,
    )
