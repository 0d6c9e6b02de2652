"""The switched domain: every combination of transmitter, receiver, path and channel that can be set up by
itself.

Switched are the modules that have a choice: a fibre switch chooses the way of their light (ROADM style), or their
laser does, where fixed filters lead one channel here and another there (FOADM style); and all modules to which
such a choice leads. A combination is feasible if both modules are of one profile and tune to the channel, light
comes through at a loss that they bear, on every fibre of the way it keeps the spacing from links that are fixed
and the guard band from classical channels, and key would come.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from sdqkd.network.model import Interface, ModuleEnd, Network, Port
from sdqkd.network.topology import Topology
from sdqkd.physics.grid import etsi_range_admits
from sdqkd.planning.forecast import Forecast, Option
from sdqkd.planning.spectrum import Rules, Taken
from sdqkd.planning.ways import Ways
from sdqkd.profiles.equipment import of_three_parties


@dataclass(frozen=True, slots=True)
class Routes:
    """Combinations with key, and those that light could take but that make none, each with its obstacle."""

    feasible: tuple[Option, ...]
    refused: tuple[Option, ...]

    @property
    def paths(self) -> int:
        """How many combinations of transmitter, receiver and path there are, whatever the channel."""
        return len({(one.transmitter, one.receiver, one.path.fibres) for one in self.feasible})


def routing_combinations(
    forecast: Forecast,
    rules: Rules,
    dark: Collection[str] = (),
    wanted: Callable[[ModuleEnd, ModuleEnd], bool] = lambda transmitter, receiver: True,
) -> Routes:
    """All combinations of the switched domain, or those of wanted modules. `dark` names fibres that are cut."""
    network = forecast.network
    modules = switched_modules(forecast)
    taken = Taken.by_what_is_fixed(network, {*modules}, rules)
    search = Search(forecast, taken, dark)
    found = [
        option
        for transmitter in modules
        for receiver in modules
        if can_join(network, transmitter, receiver) and wanted(transmitter, receiver)
        for option in search.options(transmitter, receiver)
    ]
    feasible = tuple(option for option in found if not option.obstacle)
    return Routes(feasible, tuple(option for option in found if option.obstacle))


def switched_modules(forecast: Forecast) -> tuple[ModuleEnd, ...]:
    """The QKD modules with a choice of partner or way, and those to which one leads, in the order of the file.

    An emitter has no choice but its hub, and whom that measures it with is no question of light.
    """
    network, topology = forecast.network, forecast.topology
    ends = {
        interface.port: ModuleEnd(device.name, interface.id)
        for device in network.of_kind("qkd-node")
        for interface in device.interfaces.values()
        if of_three_parties(interface.profile) is None
    }
    fixed = {port: _straight_to(forecast, ends, port) for port in ends if not _joins_switch(topology, port)}
    chosen = {port for port, met in fixed.items() if len(met) > 1 or any(_of_switch(topology, one) for one in met)}
    reached = {far for port in chosen for far in fixed[port]}
    return tuple(end for port, end in ends.items() if port not in fixed or port in chosen | reached)


def _joins_switch(topology: Topology, port: Port) -> bool:
    cord = topology.cords.get(port)
    return cord is not None and _of_switch(topology, cord.far)


def _of_switch(topology: Topology, port: Port) -> bool:
    return port.element in topology.switch_ports


def _straight_to(forecast: Forecast, ends: Mapping[Port, ModuleEnd], start: Port) -> set[Port]:
    """The ports of switches, and of modules that this one can join, that light reaches without a switch before."""
    return {
        way.end
        for frequency_hz in forecast.frequencies(ends[start], ends[start])
        for way in forecast.topology.ways(start, frequency_hz, lambda _: ())
        if _of_switch(forecast.topology, way.end)
        or (way.end in ends and _joinable(forecast, ends[start], ends[way.end], frequency_hz))
    }


def _joinable(forecast: Forecast, one: ModuleEnd, other: ModuleEnd, frequency_hz: int) -> bool:
    network = forecast.network
    admits = etsi_range_admits(network.module(other).wavelength_range, frequency_hz)
    return admits and (can_join(network, one, other) or can_join(network, other, one))


def can_join(network: Network, transmitter: ModuleEnd, receiver: ModuleEnd) -> bool:
    """Whether a link could run from one module to the other, light aside."""
    sender, detector = network.module(transmitter), network.module(receiver)
    return (
        transmitter.device != receiver.device
        and sender.profile == detector.profile
        and _can(sender, "TRANSMITTER")
        and _can(detector, "RECEIVER")
    )


def _can(interface: Interface, role: str) -> bool:
    return interface.role in {role, "TRANSCEIVER"}


class Search:
    """Looks for the options of pairs of modules; paths of one frequency are searched with one memory."""

    def __init__(self, forecast: Forecast, taken: Taken, dark: Collection[str] = ()) -> None:
        self.forecast = forecast
        self.taken = taken
        self._dark = dark
        self._ways: dict[int, Ways] = {}

    def options(
        self, transmitter: ModuleEnd, receiver: ModuleEnd, most: int | None = None, extra_db: float = 0.0
    ) -> Iterator[Option]:
        """Options by channel, then loss; at most so many a channel. Occupied ones have an obstacle.

        The budget is what the modules bear, and `extra_db`.
        """
        network = self.forecast.network
        start, goal = network.module(transmitter), network.module(receiver)
        budget_db = self.forecast.most_db(transmitter, receiver) + extra_db
        for frequency_hz in self.forecast.frequencies(transmitter, receiver):
            paths = self.ways(frequency_hz).between(start.port, goal.port, budget_db)
            for path in islice(paths, most):
                yield self.taken.judged(self.forecast.option(transmitter, receiver, path, frequency_hz))

    def ways(self, frequency_hz: int) -> Ways:
        """The ways of one frequency."""
        if frequency_hz not in self._ways:
            self._ways[frequency_hz] = Ways(self.forecast.topology, frequency_hz, self._dark)
        return self._ways[frequency_hz]
