"""What does not change while the plant runs: the network as installed, with what was measured on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sdqkd.coexistence.baseline import Held, guests_as_measured
from sdqkd.coexistence.exposure import Exposure, Guests, exposure
from sdqkd.coexistence.faults import Faults
from sdqkd.coexistence.light import Light, light_of
from sdqkd.errors import InputError
from sdqkd.network.model import Calibration, Interface, ModuleEnd, Network, QkdLink
from sdqkd.network.topology import LightPath, Topology, any_port_of, topology_of
from sdqkd.profiles.equipment import MdiEmitter, MdiHub
from sdqkd.profiles.profile import ModuleProfile, Profile, module_profile


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
class PairMeasurement:
    """What was measured between two emitters of a hub that measured no other pair: by emitter, on its arm.

    The rates of the arms say nothing.
    """

    frequency_hz: int
    rate_bps: float
    arms: Mapping[ModuleEnd, Measurement]


@dataclass(frozen=True, slots=True)
class Installation:
    """The network, how light can run, whose figures hold, and the measurements by transmitter and receiver.

    `nodes` gives the SD-QKD node of each `qkdn_id`. Of links of three parties: `hubs` and `emitters` are the
    profiles of their modules, `pairs` what was measured between two emitters.
    """

    network: Network
    topology: Topology
    profiles: Mapping[str, Profile]
    measurements: Mapping[tuple[ModuleEnd, ModuleEnd], tuple[Measurement, ...]]
    nodes: Mapping[str, str]
    hubs: Mapping[str, MdiHub] = field(default_factory=dict)
    emitters: Mapping[str, MdiEmitter] = field(default_factory=dict)
    pairs: Mapping[frozenset[ModuleEnd], PairMeasurement] = field(default_factory=dict)

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
        if link.calibration is not None and not link.arms:
            ends = link.ends
            as_it_lay = _as_it_lay(network, then.topology, link, link.calibration, held)
            measurement = _measurement(network, then, guests, as_it_lay, link.calibration)
            measurements[ends] = (*measurements.get(ends, ()), measurement)
    nodes = {device.device_id: device.name for device in network.of_kind("qkd-node")}
    return Installation(
        network,
        topology,
        {name: one for name, one in used.items() if isinstance(one, Profile)},
        measurements,
        nodes,
        hubs={name: one for name, one in used.items() if isinstance(one, MdiHub)},
        emitters={name: one for name, one in used.items() if isinstance(one, MdiEmitter)},
        pairs=_pairs(network, then, guests, held),
    )


def _as_it_lay(
    network: Network, topology: Topology, link: QkdLink, measured: Calibration, held: Held | None
) -> QkdLink:
    """The link on the frequency on which it was measured, if its light could run there as it is drawn now."""
    then_hz = _then_hz(link, measured, held)
    if then_hz == link.frequency_hz:
        return link
    moved = replace(link, frequency_hz=then_hz)
    return link if _designed_way(network, topology, moved) is None else moved


def _then_hz(link: QkdLink, measured: Calibration, held: Held | None) -> int:
    """The frequency on which a link was measured: as the file says, as devices hold it, or as it lies now."""
    held_hz = None if held is None else held.links_hz.get(link.link_id)
    return measured.frequency_hz or held_hz or link.frequency_hz


def _pairs(
    network: Network, light: Light, guests: Guests, held: Held | None
) -> dict[frozenset[ModuleEnd], PairMeasurement]:
    found = {}
    for link in network.qkd_links.values():
        if link.arms and link.calibration is not None:
            beams = _beams_as_they_lay(network, light.topology, link, link.calibration, held)
            arms = {
                arm.emitter: _measurement(network, light, guests, beam, Calibration(arm.loss_db or 0.0, 0))
                for arm, beam in zip(link.arms, beams, strict=True)
            }
            rate_bps = link.calibration.key_rate_bps
            found[frozenset(link.ends)] = PairMeasurement(beams[0].frequency_hz, rate_bps, arms)
    return found


def _beams_as_they_lay(
    network: Network, topology: Topology, link: QkdLink, measured: Calibration, held: Held | None
) -> list[QkdLink]:
    """The light of both emitters on the frequency on which the pair was measured; both move, or none."""
    now = [
        next(one for one in network.beams.values() if one.ends == (arm.emitter, arm.input)) for arm in link.arms
    ]
    then_hz = _then_hz(link, measured, held)
    if then_hz == link.frequency_hz:
        return now
    moved = [replace(beam, frequency_hz=then_hz) for beam in now]
    return now if any(_designed_way(network, topology, beam) is None for beam in moved) else moved


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


def _profiles_used(network: Network, profiles: Mapping[str, Profile]) -> dict[str, ModuleProfile]:
    used: dict[str, ModuleProfile] = {}
    for device in network.of_kind("qkd-node"):
        for interface in device.interfaces.values():
            path = f"{device.path}/interface[id='{interface.id}']/profile"
            profile = module_profile(profiles, interface.profile, path)
            technology = profile.technology if isinstance(profile, Profile) else "DV"
            if not interface.technology.startswith(f"{technology}-"):
                message = f"the profile '{profile.name}' is of {technology} modules, not {interface.technology}"
                raise InputError(message, path=path)
            used[profile.name] = profile
    return used
