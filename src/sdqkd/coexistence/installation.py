"""What does not change while the plant runs: the network as installed, with what was measured on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sdqkd.coexistence.baseline import Held, guests_as_measured
from sdqkd.coexistence.exposure import Exposure, Guests, exposure
from sdqkd.coexistence.faults import Faults
from sdqkd.coexistence.light import Light, light_of
from sdqkd.errors import InputError
from sdqkd.network.model import Calibration, Interface, ModuleEnd, Network, QkdLink
from sdqkd.network.topology import LightPath, Topology, any_port_of, topology_of
from sdqkd.profiles.profile import Profile, profile_named


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured between two modules, beside the classical light of that day (`exposure`, see `baseline`).

    `excess_db`: by how much the loss exceeds that of the parts.
    """

    fibres: tuple[str, ...]
    frequency_hz: int
    loss_db: float
    rate_bps: float
    excess_db: float
    exposure: Exposure


@dataclass(frozen=True, slots=True)
class Installation:
    """The network, how light can run, whose figures hold, and the measurements by transmitter and receiver.

    `nodes` gives the SD-QKD node of each `qkdn_id`.
    """

    network: Network
    topology: Topology
    profiles: Mapping[str, Profile]
    measurements: Mapping[tuple[ModuleEnd, ModuleEnd], tuple[Measurement, ...]]
    nodes: Mapping[str, str]

    def interface(self, node: str, number: int | None) -> Interface | None:
        """The QKD module behind an interface, None if there is none."""
        return None if number is None else self.network.devices[node].interfaces.get(number)

    def measured(self, transmitter: ModuleEnd, receiver: ModuleEnd, path: LightPath) -> Measurement | None:
        """The measurement between two modules, that over the same fibres if there are several."""
        known = self.measurements.get((transmitter, receiver), ())
        same = (one for one in known if one.fibres == path.fibres)
        return next(same, known[0] if known else None)


def install(network: Network, profiles: Mapping[str, Profile], held: Held | None = None) -> Installation:
    """Look at the network once. Raises InputError for a profile that is unknown or of another technology.

    `held` is what devices hold now, if there are devices that hold anything: the classical light beside which
    links were measured, as far as the network file does not say it.
    """
    used = _profiles_used(network, profiles)
    topology = topology_of(network)
    then = light_of(topology_of(_as_measured(network)), {}, Faults())
    guests = guests_as_measured(network, then.topology, then, held)
    measurements: dict[tuple[ModuleEnd, ModuleEnd], tuple[Measurement, ...]] = {}
    for link in network.qkd_links.values():
        if link.calibration is not None:
            ends = (link.transmitter, link.receiver)
            measurement = _measurement(network, then, guests, link, link.calibration)
            measurements[ends] = (*measurements.get(ends, ()), measurement)
    nodes = {device.device_id: device.name for device in network.of_kind("qkd-node")}
    return Installation(network, topology, used, measurements, nodes)


def _as_measured(network: Network) -> Network:
    """Without the amplifiers that were put in after the links were measured."""
    amplifiers = {name: one for name, one in network.amplifiers.items() if not one.after_calibration}
    return replace(network, amplifiers=amplifiers)


def _measurement(
    network: Network, light: Light, guests: Guests, link: QkdLink, measured: Calibration
) -> Measurement:
    way = _designed_way(network, light.topology, link)
    return Measurement(
        fibres=link.fibres,
        frequency_hz=link.frequency_hz,
        loss_db=measured.loss_db,
        rate_bps=measured.key_rate_bps,
        excess_db=0.0 if way is None else measured.loss_db - way.loss_db,
        exposure=() if way is None else exposure(network, light, way, guests),
    )


def _designed_way(network: Network, topology: Topology, link: QkdLink) -> LightPath | None:
    """The way that the file describes: fewest crossings, then least loss."""
    start, goal = network.module(link.transmitter).port, network.module(link.receiver).port
    ways = topology.paths(start, link.frequency_hz, any_port_of(topology), link.fibres)
    found = (way for way in ways if way.end == goal)
    return min(found, key=lambda way: (len(way.crossings), way.loss_db), default=None)


def _profiles_used(network: Network, profiles: Mapping[str, Profile]) -> dict[str, Profile]:
    used = {}
    for device in network.of_kind("qkd-node"):
        for interface in device.interfaces.values():
            path = f"{device.path}/interface[id='{interface.id}']/profile"
            profile = profile_named(profiles, interface.profile, path)
            if not interface.technology.startswith(f"{profile.technology}-"):
                message = (
                    f"the profile '{profile.name}' is of {profile.technology} modules, not {interface.technology}"
                )
                raise InputError(message, path=path)
            used[profile.name] = profile
    return used
