"""How light can run: ports joined by patch cords, fibres, filters and switches, and the paths through them.

Outside an element a port is joined with at most one other port, by a patch cord or a fibre. Inside, a multiplexer
joins its line port with every other port whose filter passes the light, and a switch joins what it is told to. A
light path leaves a port to the outside, enters an element, leaves it again, and ends where nothing goes on inside.

A cord may have amplifiers: light of transponders gains there, all other light counts as quantum and ends there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sdqkd.network.cords import Cord, amplify
from sdqkd.network.hiss import Hiss, hiss_of
from sdqkd.network.model import Multiplexer, Network, OpticalChannel, Port
from sdqkd.physics.grid import hz_to_thz

Switching = Callable[[Port], Collection[Port]]  # the ports that a switch joins, or may join, with this one


@dataclass(frozen=True, slots=True)
class Crossing:
    """Two ports of one switch, joined. The ports are in the order of their names, so equal means the same."""

    device: str
    a_port: str
    b_port: str


@dataclass(frozen=True, slots=True)
class LightPath:
    """A way of light from its first port to its last, both ends of every cord listed.

    `stopped` says why the light goes no further where it ends inside the network, "" where it arrived.
    """

    ports: tuple[Port, ...]
    fibres: tuple[str, ...]
    crossings: tuple[Crossing, ...]
    loss_db: float
    stopped: str = ""

    @property
    def end(self) -> Port:
        """Where the light arrives."""
        return self.ports[-1]


@dataclass(frozen=True)
class Topology:
    """The fixed part of the network. `switch_loss_db` is the loss of one crossing by device.

    `hiss` is the noise of amplifiers where it enters fibres: by fibre and the port through which it enters.
    """

    cords: Mapping[Port, Cord]
    multiplexers: Mapping[str, Multiplexer]
    switch_ports: Mapping[str, tuple[str, ...]]
    switch_loss_db: Mapping[str, float]
    transponders: frozenset[str] = frozenset()
    hiss: Mapping[tuple[str, Port], tuple[Hiss, ...]] = field(default_factory=dict)

    def paths(
        self,
        start: Port,
        frequency_hz: int,
        switching: Switching,
        fibres: Sequence[str] | None = None,
        dark: Collection[str] = (),
    ) -> Iterator[LightPath]:
        """All ways of light of this frequency from `start` that arrive, depth first, in the order of the file.

        `fibres`, if given, is the exact sequence of fibres to take. `dark` names fibres that are cut.
        """
        ways = self._outside(LightPath((start,), (), (), 0.0), frequency_hz, switching, fibres, dark)
        return (way for way in ways if not way.stopped)

    def ways(
        self,
        start: Port,
        frequency_hz: int,
        switching: Switching,
        dark: Collection[str] = (),
        fibres: Sequence[str] | None = None,
    ) -> Iterator[LightPath]:
        """As `paths`, and also the ways that end on the way, each with `stopped`."""
        return self._outside(LightPath((start,), (), (), 0.0), frequency_hz, switching, fibres, dark)

    def amplifies(self, start: Port) -> bool:
        """Whether light from this port gains in amplifiers, as that of transponders does."""
        return start.element in self.transponders

    def inside_loss_db(self, a: Port, b: Port) -> float:
        """Loss between two ports of one multiplexer or switch that are joined inside it."""
        if a.element in self.switch_ports:
            return self.switch_loss_db[a.element]
        ports = self.multiplexers[a.element].ports
        return ports[a.name].insertion_loss_db + ports[b.name].insertion_loss_db

    def _outside(
        self,
        so_far: LightPath,
        frequency_hz: int,
        switching: Switching,
        fibres: Sequence[str] | None,
        dark: Collection[str],
    ) -> Iterator[LightPath]:
        cord = self.cords.get(so_far.end)
        if cord is None:
            yield replace(so_far, stopped=f"nothing is plugged into {so_far.end}")
            return
        if cord.far in so_far.ports:
            return
        if cord.fibre in dark:
            yield replace(so_far, stopped=f"fibre {cord.fibre} is cut")
            return
        taken = so_far.fibres
        if cord.fibre is not None:
            if fibres is not None and (len(taken) >= len(fibres) or fibres[len(taken)] != cord.fibre):
                text = f"{so_far.end} leads into fibre {cord.fibre}, which is not the next on the way"
                yield replace(so_far, stopped=text)
                return
            taken = (*taken, cord.fibre)
        amplified = self.amplifies(so_far.ports[0])
        if cord.amplifier and not amplified:
            yield replace(so_far, stopped=cord.why_barred)
            return
        gain_db = cord.boost_db + cord.lift_db if amplified else 0.0
        loss_db = so_far.loss_db + cord.loss_db - gain_db
        arrived = LightPath((*so_far.ports, cord.far), taken, so_far.crossings, loss_db)
        if self._ends(cord.far):
            if fibres is None or len(taken) == len(fibres):
                yield arrived
            else:
                yield replace(arrived, stopped=f"{cord.far} is reached before all fibres are passed")
            return
        beyond = None
        for beyond in self._inside(arrived, frequency_hz, switching):
            yield from self._outside(beyond, frequency_hz, switching, fibres, dark)
        if beyond is None:
            yield replace(arrived, stopped=self._why_dark(cord.far, frequency_hz))

    def _why_dark(self, port: Port, frequency_hz: int) -> str:
        if port.element in self.switch_ports:
            return f"{port} is not cross-connected"
        return f"{port} does not pass {hz_to_thz(frequency_hz)} THz"

    def _ends(self, port: Port) -> bool:
        return port.element not in self.multiplexers and port.element not in self.switch_ports

    def _inside(self, so_far: LightPath, frequency_hz: int, switching: Switching) -> Iterator[LightPath]:
        port = so_far.end
        if port.element in self.switch_ports:
            for far in switching(port):
                if far not in so_far.ports:
                    a_port, b_port = sorted((port.name, far.name))
                    crossing = Crossing(port.element, a_port, b_port)
                    loss_db = so_far.loss_db + self.switch_loss_db[port.element]
                    crossings = (*so_far.crossings, crossing)
                    yield LightPath((*so_far.ports, far), so_far.fibres, crossings, loss_db)
            return
        for far, loss_db in _filtered(self.multiplexers[port.element], port, frequency_hz):
            if far not in so_far.ports:
                ports = (*so_far.ports, far)
                yield LightPath(ports, so_far.fibres, so_far.crossings, so_far.loss_db + loss_db)


def _filtered(multiplexer: Multiplexer, port: Port, frequency_hz: int) -> Iterator[tuple[Port, float]]:
    """The ports of a multiplexer that light of this frequency reaches from `port`, with the loss in dB."""
    line = multiplexer.ports[multiplexer.line_port]
    leaving = [p for p in multiplexer.ports.values() if p is not line]
    here = multiplexer.ports[port.name]
    if here is not line:
        leaving = [line] if here.passes(frequency_hz) else []
    for far in leaving:
        if far.passes(frequency_hz):
            yield Port(multiplexer.name, far.name), here.insertion_loss_db + far.insertion_loss_db


def topology_of(network: Network) -> Topology:
    """The fixed part of a network. Two cords at one port are a fault of the file: `controller.checks`."""
    cords: dict[Port, Cord] = {}
    for patch in network.patches:
        _join(cords, patch.a, patch.b, patch.loss_db, None)
    for fibre in network.fibres.values():
        _join(cords, fibre.a, fibre.b, fibre.loss_db, fibre.name)
    for amplifier in network.amplifiers.values():
        amplify(network, cords, amplifier)
    switches = network.of_kind("fibre-switch")
    return Topology(
        cords=cords,
        transponders=frozenset(device.name for device in network.of_kind("transponder")),
        hiss=hiss_of(network, cords),
        multiplexers=network.multiplexers,
        switch_ports={device.name: device.ports for device in switches},
        switch_loss_db={device.name: device.insertion_loss_db for device in switches},
    )


def _join(cords: dict[Port, Cord], a: Port, b: Port, loss_db: float, fibre: str | None) -> None:
    cords.setdefault(a, Cord(b, loss_db, fibre))
    cords.setdefault(b, Cord(a, loss_db, fibre))


def any_port_of(topology: Topology) -> Switching:
    """A switching that joins every port of a switch with every other: what could be, not what is."""
    return lambda port: [Port(port.element, name) for name in topology.switch_ports[port.element]]


def arrival_losses_db(topology: Topology, channel: OpticalChannel) -> dict[Port, float]:
    """What a classical channel loses until it arrives at each of its ends that light reaches.

    The two directions differ where amplifiers stand. Nothing is known of somebody else's channels.
    """
    losses_db: dict[Port, float] = {}
    if channel.a is None or channel.b is None:
        return losses_db
    for start, end in ((channel.b, channel.a), (channel.a, channel.b)):
        ways = topology.paths(start, channel.frequency_hz, any_port_of(topology), [channel.fibre])
        loss_db = min((way.loss_db for way in ways if way.end == end), default=None)
        if loss_db is not None:
            losses_db[end] = loss_db
    return losses_db


def as_configured(crossings: Collection[Crossing]) -> Switching:
    """A switching that joins just the ports of these crossings."""
    far: dict[Port, list[Port]] = {}
    for crossing in crossings:
        a, b = Port(crossing.device, crossing.a_port), Port(crossing.device, crossing.b_port)
        far.setdefault(a, []).append(b)
        far.setdefault(b, []).append(a)
    return lambda port: far.get(port, [])
