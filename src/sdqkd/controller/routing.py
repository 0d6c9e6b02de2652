"""Light paths for the links of a network, and so the cross-connections that its switches need.

What is routed are beams: a link of two parties is one, and each emitter of a hub sends one.

A port of a switch serves one link at a time. The links are taken in the order of the file, each by its best way
(fewest crossings, then least loss); where two want one port, the next best combination is tried. So the answer is
always the same, and one is found if there is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sdqkd.network.model import Network, Port, QkdLink
from sdqkd.network.topology import Crossing, LightPath, Topology, any_port_of

MAX_COMBINATIONS = 20_000  # tried before giving up: a search over all would not end in a badly tangled network


@dataclass(frozen=True, slots=True)
class Collision:
    """Two links that want the same port of a switch, whichever way they take."""

    link: QkdLink
    other: QkdLink
    port: Port


@dataclass(frozen=True, slots=True)
class Routes:
    """Light paths by name of the link; the links that have none; those that stand in each other's way."""

    paths: Mapping[str, LightPath]
    dark: tuple[QkdLink, ...] = ()
    collisions: tuple[Collision, ...] = ()


def routes(network: Network, topology: Topology) -> Routes:
    """Light paths of all active beams, none of them sharing a port of a switch.

    A link that cannot have one is left out of `paths` and named in `dark` or `collisions`.
    """
    ways = {link.name: candidates(network, topology, link) for link in _active(network)}
    possible = [link for link in _active(network) if ways[link.name]]
    dark = tuple(link for link in _active(network) if not ways[link.name])
    chosen = next(_combinations([ways[link.name] for link in possible]), None)
    if chosen is not None:
        return Routes({link.name: path for link, path in zip(possible, chosen, strict=True)}, dark)
    paths, collisions = _as_far_as_possible(possible, ways)
    return Routes(paths, dark, tuple(collisions))


def candidates(network: Network, topology: Topology, link: QkdLink) -> tuple[LightPath, ...]:
    """All ways from a link's transmitter along its fibres to its receiver, best first, whatever others need."""
    start, goal = ends_of(network, link)
    found = topology.paths(start, link.frequency_hz, any_port_of(topology), link.fibres)
    return tuple(sorted((path for path in found if path.end == goal), key=_rank))


def ends_of(network: Network, link: QkdLink) -> tuple[Port, Port]:
    """The ports of the transmitting and the receiving module."""
    return network.module(link.transmitter).port, network.module(link.receiver).port


def switch_ports(path: LightPath) -> frozenset[Port]:
    """The ports that a light path takes up in switches."""
    return frozenset(port for crossing in path.crossings for port in _ports_of(crossing))


def _active(network: Network) -> Iterator[QkdLink]:
    return (beam for beam in network.beams.values() if beam.active)


def _rank(path: LightPath) -> tuple[int, float, tuple[Port, ...]]:
    return len(path.crossings), path.loss_db, path.ports


def _ports_of(crossing: Crossing) -> tuple[Port, Port]:
    return Port(crossing.device, crossing.a_port), Port(crossing.device, crossing.b_port)


def _combinations(ways: Sequence[Sequence[LightPath]]) -> Iterator[tuple[LightPath, ...]]:
    """One way for each link without a shared port, best first; nothing after MAX_COMBINATIONS steps."""
    taken: list[tuple[LightPath, frozenset[Port]]] = []
    ports_taken: set[Port] = set()
    todo = [iter(ways[0])] if ways else []
    if not ways:
        yield ()
    for _ in range(MAX_COMBINATIONS):
        if not todo:
            return
        path = next(todo[-1], None)
        if path is None:
            todo.pop()
            if taken:
                ports_taken -= taken.pop()[1]
            continue
        ports = switch_ports(path)
        if ports & ports_taken:
            continue
        if len(todo) == len(ways):
            yield (*(way for way, _ in taken), path)
            continue
        taken.append((path, ports))
        ports_taken |= ports
        todo.append(iter(ways[len(todo)]))


def _as_far_as_possible(
    links: Sequence[QkdLink], ways: Mapping[str, Sequence[LightPath]]
) -> tuple[dict[str, LightPath], list[Collision]]:
    """Give each link its best way that is still free; name the first port that a link without one lacks."""
    owner: dict[Port, QkdLink] = {}
    paths: dict[str, LightPath] = {}
    collisions = []
    for link in links:
        free = next((path for path in ways[link.name] if not switch_ports(path) & owner.keys()), None)
        if free is None:
            port = min(switch_ports(ways[link.name][0]) & owner.keys())
            collisions.append(Collision(link, owner[port], port))
            continue
        paths[link.name] = free
        owner.update(dict.fromkeys(switch_ports(free), link))
    return paths, collisions
