"""What does not change while the plant runs: the network as installed, with what was measured on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sdqkd.errors import InputError
from sdqkd.network.model import Interface, ModuleEnd, Network, QkdLink
from sdqkd.network.topology import LightPath, Topology, any_port_of, topology_of
from sdqkd.plant.curves import Anchor
from sdqkd.profiles.profile import Profile, profile_named


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured between two modules. `excess_db`: by how much the loss exceeds that of the parts."""

    fibres: tuple[str, ...]
    excess_db: float
    anchor: Anchor


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


def install(network: Network, profiles: Mapping[str, Profile]) -> Installation:
    """Look at the network once. Raises InputError for a profile that is unknown or of another technology."""
    used = _profiles_used(network, profiles)
    topology = topology_of(network)
    measurements: dict[tuple[ModuleEnd, ModuleEnd], tuple[Measurement, ...]] = {}
    for link in network.qkd_links.values():
        if link.calibration is not None:
            ends = (link.transmitter, link.receiver)
            anchor = Anchor(link.calibration.loss_db, link.calibration.key_rate_bps)
            designed_db = _designed_loss_db(network, topology, link)
            excess_db = 0.0 if designed_db is None else anchor.loss_db - designed_db
            measurements[ends] = (*measurements.get(ends, ()), Measurement(link.fibres, excess_db, anchor))
    nodes = {device.device_id: device.name for device in network.of_kind("qkd-node")}
    return Installation(network, topology, used, measurements, nodes)


def _designed_loss_db(network: Network, topology: Topology, link: QkdLink) -> float | None:
    """Loss of the parts on the way that the file describes: fewest crossings, then least loss."""
    start, goal = network.module(link.transmitter).port, network.module(link.receiver).port
    ways = topology.paths(start, link.frequency_hz, any_port_of(topology), link.fibres)
    found = [(len(way.crossings), way.loss_db) for way in ways if way.end == goal]
    return min(found)[1] if found else None


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
