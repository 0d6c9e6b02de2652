"""Which classical light a quantum channel meets, fibre by fibre: who, how strong, and in which direction.

On a fibre pair that is `duplex`, each direction has a strand of its own and shares it with the classical channels
of that direction. On a `bidi` pair the quantum channels have a strand to themselves. Behind a `circulator`
everything runs on one strand, so a quantum channel also meets the light that comes towards it.

Somebody else's channels are always lit, in both directions, as the network file says. What was lit while links
were measured is told by `baseline`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sdqkd.coexistence.faults import Booster, Faults
from sdqkd.coexistence.light import Light, spans
from sdqkd.devices.transponder import ChannelSettings
from sdqkd.network.hiss import Hiss
from sdqkd.network.model import Fibre, Network, OpticalChannel, Port
from sdqkd.network.topology import LightPath, Topology, any_port_of


class Guest(NamedTuple):
    """Classical light as it enters a fibre. `name` says to people whose it is."""

    name: str
    frequency_hz: int
    power_dbm: float


Guests = Mapping[tuple[str, Port], tuple[Guest, ...]]  # by fibre and the port through which they enter it
Found = dict[tuple[str, Port], dict[tuple[str, int], Guest]]  # the same by name and frequency of the guest


@dataclass(frozen=True, slots=True)
class Stretch:
    """One fibre that a quantum channel passes, and whom it meets there. `after_db` is the loss to the receiver.

    `hiss` is noise of amplifiers that enters the fibre with the quantum channel, `back_hiss` at its other end.
    """

    fibre: str
    length_m: float
    loss_db: float
    after_db: float
    ahead: tuple[Guest, ...]
    against: tuple[Guest, ...] = ()
    booster: Booster | None = None
    hiss: tuple[Hiss, ...] = ()
    back_hiss: tuple[Hiss, ...] = ()


Exposure = tuple[Stretch, ...]


def exposure(network: Network, light: Light, path: LightPath, guests: Guests) -> Exposure:
    """Whom the light on a path meets."""
    stretches = []
    for span in spans(light, path):
        fibre = network.fibres[span.fibre]
        near, far = (fibre.a, fibre.b) if span.entry == fibre.a else (fibre.b, fibre.a)
        meets = fibre.scheme != "bidi"
        hiss = light.topology.hiss
        stretches.append(
            Stretch(
                fibre=fibre.name,
                length_m=fibre.length_km * 1000,
                loss_db=span.loss_db,
                after_db=span.after_db,
                ahead=guests.get((fibre.name, near), ()) if meets else (),
                against=guests.get((fibre.name, far), ()) if fibre.scheme == "circulator" else (),
                booster=light.faults.boosters.get(fibre.name) if meets else None,
                hiss=hiss.get((fibre.name, near), ()) if meets else (),
                back_hiss=hiss.get((fibre.name, far), ()) if fibre.scheme == "circulator" else (),
            )
        )
    return tuple(stretches)


def guests_now(network: Network, light: Light, ways: Mapping[Launch, tuple[LightPath, ...]]) -> Guests:
    """Classical light in every fibre as the transponders send it at present."""
    found: Found = {}
    for launch, taken in ways.items():
        for way in taken:
            enter(found, light, launch, way)
    return with_third_parties(network, found, _as_wanted)


class Launch(NamedTuple):
    """A classical channel that a transponder sends: with what power, drift of its laser included."""

    port: Port
    frequency_hz: int
    power_dbm: float


def launches(channels: Mapping[str, Mapping[str, ChannelSettings]], faults: Faults) -> Iterable[Launch]:
    """What the transponders send: every enabled channel of a port that works."""
    for device, own in channels.items():
        for channel in own.values():
            port = Port(device, channel.port)
            if channel.enabled and tuple(port) not in faults.failed:
                power_dbm = channel.launch_power_dbm + faults.drift_db.get((device, channel.port), 0.0)
                yield Launch(port, channel.frequency_hz, power_dbm)


def guests_as_wanted(network: Network, topology: Topology, dark: Light) -> Guests:
    """Classical light in every fibre as the network file wants it."""
    found: Found = {}
    for channel in network.optical_channels.values():
        for launch in launches_of(channel, channel.frequency_hz, channel.launch_power_dbm):
            enter_as_designed(found, topology, dark, launch, channel)
    return with_third_parties(network, found, _as_wanted)


def launches_of(channel: OpticalChannel, frequency_hz: int, power_dbm: float) -> Iterator[Launch]:
    """What the two ends of a channel send; nothing if it is somebody else's."""
    return (Launch(port, frequency_hz, power_dbm) for port in (channel.a, channel.b) if port is not None)


def enter_as_designed(
    found: Found, topology: Topology, dark: Light, launch: Launch, channel: OpticalChannel
) -> None:
    """Note the light that one end of a channel sends to the other, over the fibre that the file gives it."""
    peer = channel.b if launch.port == channel.a else channel.a
    ways = topology.paths(launch.port, launch.frequency_hz, any_port_of(topology), [channel.fibre])
    way = min((way for way in ways if way.end == peer), key=lambda way: way.loss_db, default=None)
    if way is not None:
        enter(found, dark, launch, way)


def enter(found: Found, light: Light, launch: Launch, way: LightPath) -> None:
    """Note light in every fibre of its way; once where several ways share a fibre, as strong as it gets."""
    for span in spans(light, way):
        guest = Guest(str(launch.port), launch.frequency_hz, launch.power_dbm - span.before_db)
        there = found.setdefault((span.fibre, span.entry), {})
        whose = guest.name, guest.frequency_hz
        known = there.get(whose)
        if known is None or known.power_dbm < guest.power_dbm:
            there[whose] = guest


def with_third_parties(network: Network, found: Found, lit: Callable[[OpticalChannel], Guest | None]) -> Guests:
    """What was found, and somebody else's channels in both directions. `lit` says how they are, None if dark."""
    guests = {place: tuple(there.values()) for place, there in found.items()}
    for channel in network.optical_channels.values():
        if channel.third_party and (guest := lit(channel)) is not None:
            for place in _both_ends(network.fibres[channel.fibre]):
                guests[place] = (*guests.get(place, ()), guest)
    # In one order, whatever the order of the settings: equal light shall be an equal value.
    return {place: tuple(sorted(there)) for place, there in guests.items()}


def _as_wanted(channel: OpticalChannel) -> Guest:
    return Guest(channel.name, channel.frequency_hz, channel.launch_power_dbm)


def _both_ends(fibre: Fibre) -> tuple[tuple[str, Port], tuple[str, Port]]:
    return (fibre.name, fibre.a), (fibre.name, fibre.b)
