"""Why light does not come from one port to another: a sentence for whoever wrote the network file."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from sdqkd.network.model import Port
from sdqkd.network.topology import LightPath, Topology, any_port_of
from sdqkd.physics.grid import hz_to_channel, hz_to_thz

_SHOWN = 3


class _Weight(IntEnum):
    """How much an end of the way explains, most first. A switch has many free ports, which explain least."""

    FILTER = 0
    NO_CORD = 1
    ELSEWHERE = 2
    FREE_PORT = 3


def why_dark(topology: Topology, start: Port, goal: Port, frequency_hz: int, fibres: Sequence[str]) -> str:
    """Where light of this frequency stops on its way along `fibres`; "" if it arrives.

    Of all places where it can end those count that lie behind most of the fibres.
    """
    if goal not in topology.cords:
        return f"nothing is plugged into {goal}"
    ways = list(topology.ways(start, frequency_hz, any_port_of(topology), fibres=fibres))
    if any(way.end == goal and not way.stopped for way in ways):
        return ""
    furthest = max((len(way.fibres) for way in ways), default=0)
    stops = [(_weight(topology, way), _text(way, goal)) for way in ways if len(way.fibres) == furthest]
    most = min((weight for weight, _ in stops), default=None)
    texts = list(dict.fromkeys(text for weight, text in stops if weight is most))
    more = f" (and {len(texts) - _SHOWN} more)" if len(texts) > _SHOWN else ""
    return "; ".join(texts[:_SHOWN]) + more if texts else "the cords form a circle"


def _weight(topology: Topology, way: LightPath) -> _Weight:
    if not way.stopped:
        return _Weight.ELSEWHERE
    came_by_cord = len(way.ports) > 1 and way.ports[-2].element != way.end.element
    if came_by_cord:
        return _Weight.FILTER if way.end.element in topology.multiplexers else _Weight.ELSEWHERE
    if way.end in topology.cords:
        return _Weight.ELSEWHERE
    return _Weight.FREE_PORT if way.end.element in topology.switch_ports else _Weight.NO_CORD


def _text(way: LightPath, goal: Port) -> str:
    return way.stopped or f"it arrives at {way.end} and not at {goal}"


def light(frequency_hz: int) -> str:
    """A frequency as people name it: `channel 34` or `228.849205 THz`."""
    channel = hz_to_channel(frequency_hz)
    return f"channel {channel}" if channel is not None else f"{hz_to_thz(frequency_hz)} THz"
