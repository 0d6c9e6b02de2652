"""Why light does not come from one end to the other, for whoever wrote the network file."""

from __future__ import annotations

from collections.abc import Iterator

from sdqkd.network.model import Network, OpticalChannel, Port, QkdLink
from sdqkd.network.topology import Topology, any_port_of
from sdqkd.physics.grid import hz_to_channel, hz_to_thz


def why_dark(network: Network, topology: Topology, link: QkdLink) -> str:
    """The first thing on the way along the link's fibres that keeps the light from its receiver.

    The link has no light path; see `routing.candidates`.
    """
    start, goal = (network.module(end).port for end in (link.transmitter, link.receiver))
    for port in (start, goal):
        if port not in topology.cords:
            return f"nothing is plugged into {port}"
    if wrong := _wrong_turn(network, link):
        return wrong
    ways = (*topology.ways(start, link.frequency_hz, any_port_of(topology), fibres=link.fibres),)
    passed = max((len(way.fibres) for way in ways), default=0)
    for way in ways:
        cord = topology.cords.get(way.end)
        if cord and cord.amplifier and len(way.fibres) == passed and way.stopped == cord.why_barred:
            return way.stopped
    stretches = list(_stretches(network, link))
    # Where the light came into the site that it does not leave, and where it should have left it.
    entry = stretches[passed - 1][1] if passed else start
    leave = stretches[passed][0] if passed < len(stretches) else goal
    shut = _shut(topology, entry, link.frequency_hz) or _shut(topology, leave, link.frequency_hz)
    return shut or f"no cords and switches lead from {entry} to {leave}"


def why_unreached(topology: Topology, channel: OpticalChannel, end: Port) -> str:
    """What keeps the light of a classical channel, that its other end sends over its fibre, from this end."""
    start = channel.b if end == channel.a else channel.a
    assert start is not None  # whoever asks has a channel of ours
    ways = (*topology.ways(start, channel.frequency_hz, any_port_of(topology), fibres=[channel.fibre]),)
    if not ways:
        return "its light runs in a circle"
    farthest = max(ways, key=lambda way: (len(way.fibres), len(way.ports), bool(way.stopped)))
    return farthest.stopped or f"it arrives at {farthest.end}"


def light(frequency_hz: int) -> str:
    """A frequency as people name it: `channel 34` or `228.849205 THz`."""
    channel = hz_to_channel(frequency_hz)
    return f"channel {channel}" if channel is not None else f"{hz_to_thz(frequency_hz)} THz"


def _wrong_turn(network: Network, link: QkdLink) -> str:
    """Fibres that do not lead from site to site; "" if they do."""
    site = _site_of(network, link.transmitter.device)
    for near, far in _stretches(network, link):
        if _site_of(network, near.element) != site:
            name = next(name for name in link.fibres if near in (network.fibres[name].a, network.fibres[name].b))
            return f"the way has come to {site}, where fibre {name} does not begin"
        site = _site_of(network, far.element)
    goal = _site_of(network, link.receiver.device)
    return "" if site == goal else f"its fibres end at {site}, and the receiver is at {goal}"


def _stretches(network: Network, link: QkdLink) -> Iterator[tuple[Port, Port]]:
    """The ends of each fibre, in the direction in which the link takes it as far as that can be told."""
    site = _site_of(network, link.transmitter.device)
    for fibre in (network.fibres[name] for name in link.fibres):
        forth = _site_of(network, fibre.b.element) != site
        near, far = (fibre.a, fibre.b) if forth else (fibre.b, fibre.a)
        yield near, far
        site = _site_of(network, far.element)


def _site_of(network: Network, element: str) -> str:
    return (network.devices.get(element) or network.multiplexers[element]).site


def _shut(topology: Topology, line: Port, frequency_hz: int) -> str:
    """Why a multiplexer lets no such light through between its line and a cord; "" if it does, or is none."""
    multiplexer = topology.multiplexers.get(line.element)
    if multiplexer is None:
        return ""
    others = [port for port in multiplexer.ports.values() if port.name != multiplexer.line_port]
    passing = [Port(multiplexer.name, port.name) for port in others if port.passes(frequency_hz)]
    if not passing or not multiplexer.ports[multiplexer.line_port].passes(frequency_hz):
        return f"no port of {multiplexer.name} passes {light(frequency_hz)}"
    if any(port in topology.cords for port in passing):
        return ""
    return f"nothing is plugged into {' or '.join(map(str, passing))}"
