"""Where light gets to at present: the topology with its switches as they are set and its fibres as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from sdqkd.coexistence.faults import Faults
from sdqkd.devices.fibre_switch import CrossConnection, SwitchSettings
from sdqkd.network.model import Port
from sdqkd.network.topology import Crossing, LightPath, Switching, Topology, as_configured


@dataclass(frozen=True)
class Light:
    """How light runs. `broken` gives for a port of a switch what ends the light there."""

    topology: Topology
    switching: Switching
    broken: Mapping[Port, str]
    attenuation_db: Mapping[Port, float]
    faults: Faults

    def ways(self, start: Port, frequency_hz: int) -> tuple[LightPath, ...]:
        """All ways of light from a port, also those that end before a device, with the reason in `stopped`."""
        return tuple(self.topology.ways(start, frequency_hz, self.switching, self.faults.cut))

    def loss_db(self, path: LightPath) -> float:
        """Loss of a way, with what attenuators and faults add."""
        added_db = sum(self.faults.added_loss_db.get(fibre, 0.0) for fibre in path.fibres)
        attenuation_db = sum(self.attenuation_db.get(port, 0.0) for port in path.ports)
        return path.loss_db + added_db + attenuation_db

    def why_dark(self, ways: tuple[LightPath, ...]) -> str:
        """Where light ends that does not arrive where it should: of several ways, the one that gets farthest."""
        if not ways:
            return "its light runs in a circle"
        farthest = max(ways, key=lambda way: (len(way.ports), bool(way.stopped)))
        if not farthest.stopped:
            return f"its light arrives at {farthest.end}"
        return self.broken.get(farthest.end, farthest.stopped)


def light_of(topology: Topology, switches: Mapping[str, SwitchSettings], faults: Faults) -> Light:
    """How light runs with these cross-connections and faults. A failed port of a switch joins nothing."""
    crossings = []
    broken: dict[Port, str] = {}
    for device, crossing in _crossings(switches):
        ends = Port(device, crossing.a_port), Port(device, crossing.b_port)
        failed = [end for end in ends if tuple(end) in faults.failed]
        if failed:
            broken |= dict.fromkeys(ends, f"{failed[0]} has failed")
        else:
            crossings.append(Crossing(device, crossing.a_port, crossing.b_port))
    attenuation_db = {
        Port(device, port): attenuation_db
        for device, settings in switches.items()
        for port, attenuation_db in settings.attenuation_db.items()
    }
    return Light(topology, as_configured(crossings), broken, attenuation_db, faults)


class Span(NamedTuple):
    """A fibre on a way: the port through which the light enters it, and the losses before, in and after it."""

    fibre: str
    entry: Port
    before_db: float
    loss_db: float
    after_db: float


def spans(light: Light, path: LightPath) -> tuple[Span, ...]:
    """The fibres of a way, with what attenuators and faults add."""
    # Cords and ways through elements take turns, a cord first.
    gains = light.topology.amplifies(path.ports[0])
    steps = [_step(light, i % 2 == 0, gains, *joined) for i, joined in enumerate(pairwise(path.ports))]
    total_db = sum(step.total_db for step in steps)
    found, before_db = [], 0.0
    for entry, step in zip(path.ports, steps, strict=False):
        if step.fibre is not None:
            enters_db = before_db - step.boost_db
            after_db = max(0.0, total_db - enters_db - step.loss_db)
            found.append(Span(step.fibre, entry, enters_db, step.loss_db, after_db))
        before_db += step.total_db
    return tuple(found)


class _Step(NamedTuple):
    """From one port of a way to the next: the fibre between them, None if it is none, loss, and amplifiers."""

    fibre: str | None
    loss_db: float
    boost_db: float = 0.0
    lift_db: float = 0.0

    @property
    def total_db(self) -> float:
        return self.loss_db - self.boost_db - self.lift_db


def _step(light: Light, is_cord: bool, gains: bool, here: Port, there: Port) -> _Step:
    attenuation_db = light.attenuation_db.get(there, 0.0)
    if not is_cord:
        return _Step(None, light.topology.inside_loss_db(here, there) + attenuation_db)
    cord = light.topology.cords[here]
    added_db = light.faults.added_loss_db.get(cord.fibre, 0.0) if cord.fibre is not None else 0.0
    loss_db = cord.loss_db + added_db + attenuation_db
    return _Step(cord.fibre, loss_db, cord.boost_db, cord.lift_db) if gains else _Step(cord.fibre, loss_db)


def _crossings(switches: Mapping[str, SwitchSettings]) -> Iterator[tuple[str, CrossConnection]]:
    for device, settings in switches.items():
        for crossing in settings.cross_connections.values():
            yield device, crossing
