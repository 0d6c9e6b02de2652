"""What is taken in the spectrum of each fibre, and how far channels must keep from each other.

A quantum channel keeps `Rules.guard_hz` from classical channels on its strand and `spacing_hz` from quantum
channels. On a `bidi` pair the quantum channels have a strand of their own, so only each other in their way.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from sdqkd.network.model import FibreSharing, ModuleEnd, Network, Port
from sdqkd.network.topology import any_port_of, topology_of
from sdqkd.physics.grid import hz_to_channel, hz_to_thz
from sdqkd.planning.forecast import Option

NOTHING = FibreSharing()


@dataclass(frozen=True, slots=True)
class Rules:
    """How channels share fibres: least distances of centres in Hz, and the most quantum channels of one
    fibre. `fibres` are those that differ."""

    guard_hz: int = 200_000_000_000
    spacing_hz: int = 100_000_000_000
    per_fibre: int = 4
    fibres: Mapping[str, Rules] = field(default_factory=dict)

    @classmethod
    def of(cls, network: Network, asked: FibreSharing = NOTHING, unsaid: Rules | None = None) -> Rules:
        """What is `asked` for, else what the network file says, else what holds `unsaid`: the defaults."""
        base = (unsaid or cls()).with_(network.sharing).with_(asked)
        special = {name: base.with_(fibre.sharing).with_(asked) for name, fibre in network.fibres.items()}
        return replace(base, fibres={name: rules for name, rules in special.items() if rules != base})

    def with_(self, said: FibreSharing) -> Rules:
        """These rules, but what is said."""
        return Rules(
            self.guard_hz if said.guard_hz is None else said.guard_hz,
            self.spacing_hz if said.spacing_hz is None else said.spacing_hz,
            self.per_fibre if said.per_fibre is None else said.per_fibre,
        )

    def in_(self, fibre: str) -> Rules:
        """The rules of one fibre."""
        return self.fibres.get(fibre, self)

    def eased(self, guard_hz: int = 0, channels: int = 0) -> Rules:
        """Everywhere narrower guard bands, and room for more channels."""
        return Rules(
            max(0, self.guard_hz - guard_hz),
            self.spacing_hz,
            self.per_fibre + channels,
            {name: rules.eased(guard_hz, channels) for name, rules in self.fibres.items()},
        )


UNRULED = Rules(guard_hz=1, spacing_hz=1, per_fibre=1_000_000)  # nothing but: not two on one frequency


@dataclass(frozen=True, slots=True)
class Taken:
    """Who holds which frequency in Hz of a fibre, beyond our choice. `classical` counts as the guard band
    wide. `ports` of switches are those that light of emitters passes on its way to a hub."""

    classical: Mapping[str, Mapping[int, str]]
    quantum: Mapping[str, Mapping[int, str]]
    rules: Rules
    ports: Mapping[Port, str] = field(default_factory=dict)

    @property
    def channels(self) -> Mapping[str, int]:
        """How many quantum channels each fibre has."""
        return {fibre: len(held) for fibre, held in self.quantum.items()}

    @classmethod
    def by_what_is_fixed(cls, network: Network, movable: Collection[ModuleEnd], rules: Rules) -> Taken:
        """Classical channels, and the active beams none of whose modules is movable."""
        classical: dict[str, dict[int, str]] = {}
        quantum: dict[str, dict[int, str]] = {}
        for channel in network.optical_channels.values():
            if network.fibres[channel.fibre].scheme != "bidi":
                classical.setdefault(channel.fibre, {})[channel.frequency_hz] = f"channel {channel.name}"
        for link in network.beams.values():
            if link.active and not {link.transmitter, link.receiver} & set(movable):
                for fibre in link.fibres:
                    quantum.setdefault(fibre, {})[link.frequency_hz] = f"link {link.name}"
        return cls(classical, quantum, rules, _ports_held(network))

    def judged(self, option: Option) -> Option:
        """The option, with an obstacle if its channel is not free on some fibre."""
        held = (
            f"{port} serves the light of {self.ports[port]}" for port in sorted(option.ports & self.ports.keys())
        )
        near = (self._holder(fibre, option.frequency_hz) for fibre in option.path.fibres)
        who = next(filter(None, (*held, *near)), "")
        return replace(option, obstacle=who, rate_bps=0) if who and not option.obstacle else option

    def _holder(self, fibre: str, frequency_hz: int) -> str:
        rules = self.rules.in_(fibre)
        for held, least_hz in (
            (self.classical.get(fibre, {}), rules.guard_hz),
            (self.quantum.get(fibre, {}), rules.spacing_hz),
        ):
            for other_hz, who in held.items():
                if abs(other_hz - frequency_hz) < least_hz:
                    near = f"is too close in fibre {fibre}: under {least_hz / 1e9:g} GHz"
                    return f"{who} on {_channel(other_hz)} {near}"
        return ""


def _ports_held(network: Network) -> dict[Port, str]:
    """Ports of switches on the ways of emitters to their hubs, each with whose light that is."""
    if not network.hubs:
        return {}
    topology, held = topology_of(network), dict[Port, str]()
    for name, beam in network.beams.items():
        if beam.active and name not in network.qkd_links:
            start, goal = (network.module(end).port for end in beam.ends)
            ways = topology.paths(start, beam.frequency_hz, any_port_of(topology), beam.fibres)
            found = (way for way in ways if way.end == goal)
            best = min(found, key=lambda way: (len(way.crossings), way.loss_db), default=None)
            for one in best.crossings if best else ():
                held |= {Port(one.device, port): name for port in (one.a_port, one.b_port)}
    return held


def _channel(frequency_hz: int) -> str:
    number = hz_to_channel(frequency_hz)
    return f"{hz_to_thz(frequency_hz)} THz" if number is None else f"channel {number}"
