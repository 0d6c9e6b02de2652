"""Light paths in order of their loss, also in networks where all of them would be too many to look at.

The network is seen as hops: from a port of a switch (or of a module) through cords, filters and fibres to the
next switch or device. What a port could yet lose on its way is known from the other end (Dijkstra), so the
search for the next best path (A*) looks at little else. A path that passes one switch twice is left out: a
shorter one exists.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import count

from sdqkd.network.model import Port
from sdqkd.network.topology import Crossing, LightPath, Topology


@dataclass(frozen=True, slots=True)
class _Head:
    """A path that may go on: its light has arrived at the last port of `path`, and has passed these switches."""

    path: LightPath
    passed: frozenset[str]


class Ways:
    """The light paths of one frequency. `dark` names fibres that are cut. Ask one object often: it remembers."""

    def __init__(self, topology: Topology, frequency_hz: int, dark: Collection[str] = ()) -> None:
        self._topology = topology
        self._frequency_hz = frequency_hz
        self._dark = frozenset(dark)
        self._hops: dict[Port, tuple[LightPath, ...]] = {}
        self._near: dict[str, dict[str, float]] = {}
        self._left: dict[tuple[Port, float], dict[str, float]] = {}

    def between(self, start: Port, goal: Port, budget_db: float) -> Iterator[LightPath]:
        """Every light path that loses no more than the budget, that of the least loss first."""
        left_db = self._left_db(goal, budget_db)
        order = count()
        heap: list[tuple[float, int, _Head]] = []

        def push(so_far: LightPath, passed: frozenset[str], hop: LightPath) -> None:
            switch = hop.end.element
            ahead_db = 0.0 if hop.end == goal else left_db.get(switch)
            if ahead_db is None or (hop.end != goal and switch in passed):
                return
            path = _longer(so_far, hop)
            if path.loss_db + ahead_db <= budget_db + 1e-9:
                heapq.heappush(heap, (path.loss_db + ahead_db, next(order), _Head(path, passed)))

        for hop in self._hops_of(start):
            push(LightPath((), (), (), 0.0), frozenset(), hop)
        while heap:
            head = heapq.heappop(heap)[2]
            if head.path.end == goal:
                yield head.path
                continue
            passed = head.passed | {head.path.end.element}
            for crossed, port in self._crossed(head.path):
                for hop in self._hops_of(port):
                    push(crossed, passed, hop)

    def _crossed(self, path: LightPath) -> Iterator[tuple[LightPath, Port]]:
        """The path on through its last switch, in every way, with the port where it leaves."""
        entry = path.end
        loss_db = path.loss_db + self._topology.switch_loss_db[entry.element]
        for name in self._topology.switch_ports[entry.element]:
            if name != entry.name:
                crossing = Crossing(entry.element, *sorted((entry.name, name)))
                yield (
                    LightPath(path.ports, path.fibres, (*path.crossings, crossing), loss_db),
                    Port(entry.element, name),
                )

    def _hops_of(self, port: Port) -> tuple[LightPath, ...]:
        if port not in self._hops:
            ways = self._topology.ways(port, self._frequency_hz, lambda _: (), self._dark)
            arriving = (way for way in ways if not way.stopped or way.end.element in self._topology.switch_ports)
            self._hops[port] = tuple(way for way in arriving if len(way.ports) > 1)
        return self._hops[port]

    def _neighbours(self, switch: str) -> dict[str, float]:
        """The switches one hop away, with the least loss of such a hop."""
        if switch not in self._near:
            near: dict[str, float] = {}
            for name in self._topology.switch_ports[switch]:
                for hop in self._hops_of(Port(switch, name)):
                    if hop.end.element in self._topology.switch_ports:
                        near[hop.end.element] = min(hop.loss_db, near.get(hop.end.element, hop.loss_db))
            self._near[switch] = near
        return self._near[switch]

    def _left_db(self, goal: Port, budget_db: float) -> dict[str, float]:
        """By switch, the least that light loses from its entry to the goal. Light loses the same both ways."""
        if (goal, budget_db) in self._left:
            return self._left[goal, budget_db]
        least: dict[str, float] = {}
        heap = [(hop.loss_db, hop.end.element) for hop in self._hops_of(goal)]
        heapq.heapify(heap)
        while heap:
            so_far_db, switch = heapq.heappop(heap)
            if switch in least or switch not in self._topology.switch_ports:
                continue
            least[switch] = so_far_db + self._topology.switch_loss_db[switch]
            for other, hop_db in self._neighbours(switch).items() if least[switch] <= budget_db else ():
                if other not in least:
                    heapq.heappush(heap, (least[switch] + hop_db, other))
        self._left[goal, budget_db] = least
        return least


def _longer(path: LightPath, hop: LightPath) -> LightPath:
    """A path and the hop that follows it; `hop` begins at the port where the last switch was left."""
    return LightPath(
        (*path.ports, *hop.ports), (*path.fibres, *hop.fibres), path.crossings, path.loss_db + hop.loss_db
    )
