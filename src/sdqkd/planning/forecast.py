"""What two modules would do on a light path: loss, key rate, and what is in the way.

It is worked out by `coexistence`, as what the emulation reports. Classical light is taken as the network file
wants it. Quantum channels do not disturb each other unless they share a frequency: their light is too weak.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from sdqkd.coexistence.exposure import Exposure, Guests, exposure, guests_as_wanted
from sdqkd.coexistence.faults import Faults
from sdqkd.coexistence.installation import install
from sdqkd.coexistence.light import light_of
from sdqkd.coexistence.performance import Performance, performance
from sdqkd.network.model import ModuleEnd, Network, Port
from sdqkd.network.topology import LightPath
from sdqkd.physics.grid import channel_to_hz, etsi_range_admits, nm_to_hz
from sdqkd.profiles.equipment import MdiHub
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
        """The light that the file wants now, which need not be that beside which its links were measured."""
        return guests_as_wanted(self.network, self.topology, self._light)

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
        loss_db, does = self._does(transmitter, receiver, path, frequency_hz, met)
        most_db = self.most_db(transmitter, receiver)
        obstacle = does.why_no_key
        if loss_db > most_db:
            obstacle = f"a loss of {loss_db:.2f} dB is more than the {most_db:g} dB that the modules bear"
        rate_bps = 0 if obstacle else does.rate_bps
        return Option(transmitter, receiver, frequency_hz, path, loss_db, rate_bps, obstacle)

    def rate_regardless(self, option: Option, met: Exposure) -> int:
        """The key rate in bit/s that the laws give to an option, whatever its modules are specified for."""
        way = (option.transmitter, option.receiver, option.path, option.frequency_hz)
        return self._does(*way, met)[1].rate_bps

    def _does(
        self, transmitter: ModuleEnd, receiver: ModuleEnd, path: LightPath, frequency_hz: int, met: Exposure
    ) -> tuple[float, Performance]:
        measurement = self.installation.measured(transmitter, receiver, path)
        excess_db = measurement.excess_db if measurement else 0.0
        loss_db = round(max(0.0, path.loss_db + excess_db), 3)
        return loss_db, performance(self.profile_of(receiver), loss_db, frequency_hz, met, measurement)

    def frequencies(self, transmitter: ModuleEnd, receiver: ModuleEnd) -> tuple[int, ...]:
        """Channels, or whole nanometres, that both modules tune to and some filter passes, in Hz."""
        admitted = self.network.module(receiver).wavelength_range
        both = (
            hz
            for hz in _range(self.network.module(transmitter).wavelength_range)
            if etsi_range_admits(admitted, hz)
        )
        filters = self._filters
        return tuple(hz for hz in both if filters is None or any(low <= hz <= high for low, high in filters))

    @cached_property
    def _filters(self) -> frozenset[tuple[int, int]] | None:
        """The passbands of all filters; None if light of any frequency gets through somewhere."""
        multiplexers = self.network.multiplexers.values()
        ports = [port for each in multiplexers for port in each.ports.values() if port.name != each.line_port]
        if not all(port.passbands for port in ports) or not ports:
            return None
        return frozenset((band.lower_hz, band.upper_hz) for port in ports for band in port.passbands)

    def profile_of(self, end: ModuleEnd) -> Profile:
        """The equipment profile of a module."""
        return self.installation.profiles[self.network.module(end).profile]

    def hub_of(self, end: ModuleEnd) -> MdiHub | None:
        """The profile of a hub, if the module is an input of one."""
        return self.installation.hubs.get(self.network.module(end).profile)

    def most_db(self, transmitter: ModuleEnd, receiver: ModuleEnd) -> float:
        """The largest loss that both modules are specified for."""
        ends = self.network.module(transmitter), self.network.module(receiver)
        return min(end.max_absorption_db for end in ends)


def _range(wavelength_range: str) -> Iterator[int]:
    for part in wavelength_range.split(","):
        lower, _, upper = part.partition("-")
        for number in range(int(lower), int(upper or lower) + 1):
            yield channel_to_hz(number) if int(upper or lower) < 1000 else nm_to_hz(number)
