"""What two modules would do on a light path: loss, key rate, and what is in the way. By the physics of `plant`.

Classical light is taken as the network file wants it. Quantum channels do not disturb each other unless they
share a frequency: their light is too weak.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from sdqkd.network.model import Interface, ModuleEnd, Network, Port
from sdqkd.network.topology import LightPath
from sdqkd.physics.grid import channel_to_hz, etsi_range_admits, nm_to_hz
from sdqkd.plant.exposure import Exposure, Guests, exposure, guests_as_designed
from sdqkd.plant.installation import install
from sdqkd.plant.light import light_of
from sdqkd.plant.performance import performance
from sdqkd.plant.values import Faults
from sdqkd.profiles.profile import Profile, load_profiles


@dataclass(frozen=True, slots=True)
class Option:
    """A light path and a channel for two modules, with what they would do there.

    `obstacle` says why no key would come, "" if it would.
    """

    transmitter: ModuleEnd
    receiver: ModuleEnd
    frequency_hz: int
    path: LightPath
    loss_db: float
    rate_bps: int
    obstacle: str = ""

    @property
    def ports(self) -> frozenset[Port]:
        """The ports of switches that it takes up."""
        crossings = self.path.crossings
        return frozenset(Port(one.device, name) for one in crossings for name in (one.a_port, one.b_port))


class Forecast:
    """What links of a network would do. Raises InputError as `plant.install`."""

    def __init__(self, network: Network, profiles: Mapping[str, Profile] | None = None) -> None:
        self.network = network
        self.installation = install(network, load_profiles() if profiles is None else profiles)
        self.topology = self.installation.topology
        self._light = light_of(self.topology, {}, Faults())

    @cached_property
    def _guests(self) -> Guests:
        return guests_as_designed(self.network, self.topology, self._light)

    def exposure(self, path: LightPath) -> Exposure:
        """The classical light that a quantum channel on this path meets."""
        return exposure(self.network, self._light, path, self._guests)

    def option(self, transmitter: ModuleEnd, receiver: ModuleEnd, path: LightPath, frequency_hz: int) -> Option:
        """What two modules of one profile would do on this path."""
        return self.beside(transmitter, receiver, path, frequency_hz, self.exposure(path))

    def beside(
        self, transmitter: ModuleEnd, receiver: ModuleEnd, path: LightPath, frequency_hz: int, met: Exposure
    ) -> Option:
        """The same beside other classical light than the file wants."""
        measurement = self.installation.measured(transmitter, receiver, path)
        excess_db = measurement.excess_db if measurement else 0.0
        loss_db = round(max(0.0, path.loss_db + excess_db), 3)
        does = performance(self.profile_of(receiver), loss_db, frequency_hz, met, measurement)
        most_db = self.most_db(transmitter, receiver)
        obstacle = does.why_no_key
        if loss_db > most_db:
            obstacle = f"a loss of {loss_db:.2f} dB is more than the {most_db:g} dB that the modules bear"
        return Option(
            transmitter, receiver, frequency_hz, path, loss_db, 0 if obstacle else does.rate_bps, obstacle
        )

    def profile_of(self, end: ModuleEnd) -> Profile:
        """The equipment profile of a module."""
        return self.installation.profiles[self.network.module(end).profile]

    def most_db(self, transmitter: ModuleEnd, receiver: ModuleEnd) -> float:
        """The largest loss that both modules are specified for."""
        ends = self.network.module(transmitter), self.network.module(receiver)
        return min(end.max_absorption_db for end in ends)


def frequencies(one: Interface, other: Interface, network: Network) -> tuple[int, ...]:
    """Channels, or whole nanometres, that both modules can be tuned to and that a filter of the network
    passes."""
    both = (hz for hz in _range(one.wavelength_range) if etsi_range_admits(other.wavelength_range, hz))
    filters = {
        port
        for each in network.multiplexers.values()
        for port in each.ports.values()
        if port.name != each.line_port
    }
    return tuple(hz for hz in both if not filters or any(port.passes(hz) for port in filters))


def _range(wavelength_range: str) -> Iterator[int]:
    for part in wavelength_range.split(","):
        lower, _, upper = part.partition("-")
        for number in range(int(lower), int(upper or lower) + 1):
            yield channel_to_hz(number) if int(upper or lower) < 1000 else nm_to_hz(number)
