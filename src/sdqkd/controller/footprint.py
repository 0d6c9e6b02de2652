"""What a change touches, and what must hold still meanwhile: two that do not meet can run side by side.

Devices alone would not do: two changes on different devices can share a fibre, where the light of one disturbs
the other, or a link that checks and gates read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sdqkd.controller.plan import Plan
from sdqkd.controller.routing import candidates
from sdqkd.errors import some_of
from sdqkd.network.model import Network
from sdqkd.network.topology import topology_of


@dataclass(frozen=True, slots=True)
class Footprint:
    """By name: devices that are written, devices that are only read, fibres and QKD links. Each in order."""

    written: tuple[str, ...]
    read: tuple[str, ...]
    fibres: tuple[str, ...]
    links: tuple[str, ...]

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices that must be as the plan found them."""
        return tuple(sorted((*self.written, *self.read)))

    def to_json(self) -> dict[str, list[str]]:
        """As a JSON object."""
        return {"written": [*self.written], "read": [*self.read], "fibres": [*self.fibres], "links": [*self.links]}

    @classmethod
    def from_json(cls, document: Mapping[str, Sequence[str]]) -> Footprint:
        """Read what `to_json` gave."""
        return cls(*(tuple(document[name]) for name in ("written", "read", "fibres", "links")))


def overlap(one: Footprint, other: Footprint) -> str:
    """Why two changes cannot run side by side, for people; "" if they can. What both only read does no harm."""
    ours, theirs = set(one.written), set(other.written)
    shared = {
        "device": (ours & {*theirs, *other.read}) | (theirs & set(one.read)),
        "fibre": set(one.fibres) & set(other.fibres),
        "link": set(one.links) & set(other.links),
    }
    return "; ".join(f"{kind} {some_of(sorted(names))}" for kind, names in shared.items() if names)


def footprint_of(plan: Plan, network: Network) -> Footprint:
    """What a plan touches in a network, by its file.

    Written are the devices that change. Read and held still are all that their light meets: the fibres of every
    link and channel that passes a changed device, the QKD links on these fibres, and the devices at their ends.
    Where something is removed, the file no longer says which fibres it had: then they are all that end at that
    device's site.
    """
    written = set(plan.changed)
    fibres = {fibre for fibre, devices in _passed(network) if devices & written} | _fibres_left(plan, network)
    links = {
        link.name for link in network.qkd_links.values() if fibres & set(link.fibres) or written & link.devices
    }
    ends = {device for name in links for device in network.qkd_links[name].devices}
    read = (ends & plan.devices.keys()) - written
    return Footprint(tuple(sorted(written)), tuple(sorted(read)), tuple(sorted(fibres)), tuple(sorted(links)))


def _passed(network: Network) -> Iterator[tuple[str, set[str]]]:
    """Each fibre with the devices that the light of one link or channel on it passes."""
    topology = topology_of(network)
    for link in network.beams.values():
        devices = {link.transmitter.device, link.receiver.device}
        for path in candidates(network, topology, link):
            devices |= {crossing.device for crossing in path.crossings}
        yield from ((fibre, devices) for fibre in link.fibres)
    for channel in network.optical_channels.values():
        yield channel.fibre, {port.element for port in (channel.a, channel.b) if port is not None}


def _fibres_left(plan: Plan, network: Network) -> set[str]:
    losing = {
        network.devices[name].site
        for name in plan.changed
        if any(change.op == "remove" for change in plan.devices[name].changes)
    }
    place = {name: device.site for name, device in network.devices.items()}
    place |= {name: multiplexer.site for name, multiplexer in network.multiplexers.items()}
    return {
        fibre.name
        for fibre in network.fibres.values()
        if {place[fibre.a.element], place[fibre.b.element]} & losing
    }
