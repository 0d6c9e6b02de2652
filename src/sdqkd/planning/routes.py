"""The switched domain: every combination of transmitter, receiver, path and channel that can be set up by
itself.

Switched are the modules whose light goes into a fibre switch. A combination is feasible if both modules are of
one profile and tune to the channel, light comes through at a loss that they bear, no link that is fixed and no
classical channel has that channel on a fibre of the way, and key would come.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import islice

from sdqkd.network.model import Interface, ModuleEnd, Network
from sdqkd.network.topology import Topology
from sdqkd.planning.forecast import Forecast, Option
from sdqkd.planning.spectrum import Taken
from sdqkd.planning.ways import Ways


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
    dark: Collection[str] = (),
    wanted: Callable[[ModuleEnd, ModuleEnd], bool] = lambda transmitter, receiver: True,
) -> Routes:
    """All combinations of the switched domain, or those of wanted modules. `dark` names fibres that are cut."""
    network = forecast.network
    modules = switched_modules(network, forecast.topology)
    taken = Taken.by_what_is_fixed(network, {*modules})
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


def switched_modules(network: Network, topology: Topology) -> tuple[ModuleEnd, ...]:
    """The QKD modules whose port is joined with a fibre switch, in the order of the file."""
    return tuple(
        ModuleEnd(device.name, interface.id)
        for device in network.of_kind("qkd-node")
        for interface in device.interfaces.values()
        if (cord := topology.cords.get(interface.port)) is not None and cord.far.element in topology.switch_ports
    )


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
