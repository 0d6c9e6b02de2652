"""What is said of all mixtures of two states, against each of them as the emulated network would report it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from random import Random

import pytest

from sdqkd.coexistence.faults import Faults
from sdqkd.coexistence.installation import Installation, install
from sdqkd.devices.fibre_switch import CrossConnection, SwitchSettings
from sdqkd.devices.qkd_backend import LinkSettings
from sdqkd.devices.transponder import ChannelSettings
from sdqkd.network.model import (
    Calibration,
    Device,
    Endpoint,
    Fibre,
    Interface,
    Kind,
    ModuleEnd,
    Multiplexer,
    MultiplexerPort,
    Network,
    OpticalChannel,
    Patch,
    Port,
    QkdLink,
)
from sdqkd.physics.grid import channel_to_hz
from sdqkd.planning.mixture import Mixture, State
from sdqkd.plant.evaluate import evaluate
from sdqkd.plant.values import Settings
from sdqkd.profiles.profile import load_profiles

PROFILES = {"DV-QKD": "idquantique-c-band", "CV-QKD": "huawei-cv-qkd"}
BRANCHES = 2  # ports of a multiplexer without a filter: light of either goes out at both on the far side


class Drawn:
    """A network of two or three sites in which everything passes a switch, and two states of its devices."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.sites = ["a", "b", "c"][: self.random.choice((2, 2, 3))]
        self.patches: list[Patch] = []
        self.multiplexers: dict[str, Multiplexer] = {}
        self.fibres = {one.name: one for one in self._fibres()}
        self.modules: dict[ModuleEnd, Interface] = {}
        self.ports: dict[str, tuple[list[str], list[str]]] = {site: ([], []) for site in self.sites}
        self._devices: dict[str, Device] = {}
        self._plug_in()
        self.network = self._network()

    def _fibres(self):
        pairs = [(one, other) for one in self.sites for other in self.sites if one < other]
        for one, other in pairs:
            for n in range(self.random.choice((1, 2)) if len(pairs) == 1 else 1):
                name, km = f"{one}{other}{n}", self.random.uniform(2, 25)
                scheme = self.random.choice(("duplex", "duplex", "bidi", "circulator"))
                ends = [Port(f"{name}-{site}", "line") for site in (one, other)]
                yield Fibre(name, *ends, km, round(0.2 * km + self.random.uniform(0, 1), 2), scheme)

    def _plug_in(self) -> None:
        for fibre in self.fibres.values():
            for end in (fibre.a, fibre.b):
                ports = {str(n): MultiplexerPort(str(n), 0.5, ()) for n in range(BRANCHES)}
                line = {"line": MultiplexerPort("line", 0.0, ())}
                self.multiplexers[end.element] = Multiplexer(end.element, end.element[-1], "line", line | ports)
                for port in ports:
                    self._patch(end.element[-1], Port(end.element, port), outward=True)
        for site in self.sites:
            for number, technology in enumerate(("DV-QKD", "CV-QKD"), 1):
                port = Port(f"{site}-qkd", str(number))
                interface = Interface(
                    number, "", "", PROFILES[technology], technology, "TRANSCEIVER", "13-61", 25.0, port
                )
                self.modules[ModuleEnd(port.element, number)] = interface
                self._patch(site, port, outward=False)
            self._patch(site, Port(f"{site}-transponder", "1"), outward=False)

    def _patch(self, site: str, port: Port, *, outward: bool) -> None:
        name = f"{port.element}-{port.name}"
        self.ports[site][outward].append(name)
        self.patches.append(Patch(port, Port(f"{site}-switch", name), 0.1))

    def _network(self) -> Network:
        for site in self.sites:
            own = {end.interface: one for end, one in self.modules.items() if end.device == f"{site}-qkd"}
            self._devices[f"{site}-qkd"] = self._device(site, "qkd-node", own, ())
            joined = (*self.ports[site][0], *self.ports[site][1])
            self._devices[f"{site}-switch"] = self._device(site, "fibre-switch", {}, joined)
            self._devices[f"{site}-transponder"] = self._device(site, "transponder", {}, ("1",))
        fibre = self.random.choice([*self.fibres])
        third = OpticalChannel("theirs", "", "", fibre, channel_to_hz(25), -20.0, -20.0, True, None, None)
        links = {link.name: link for link in self._links()}
        return Network(
            "drawn", "", {}, self._devices, self.multiplexers, self.fibres, tuple(self.patches), links,
            {"theirs": third}, {}, {},
        )  # fmt: skip

    @staticmethod
    def _device(site: str, kind: Kind, interfaces, ports) -> Device:
        name = f"{site}-{kind.removeprefix('fibre-').removesuffix('-node')}"
        return Device(name, "", site, kind, kind, name, "", "", Endpoint(), interfaces, ports, {}, None, 0.5)

    def _links(self):
        for number, technology in enumerate(("DV-QKD", "CV-QKD"), 1):
            one, other = self.random.sample(self.sites, 2)
            ends = ModuleEnd(f"{one}-qkd", number), ModuleEnd(f"{other}-qkd", number)
            known = Calibration(self.random.uniform(4, 9), self.random.choice((1000, 3000)))
            fibres = (self.random.choice([*self.fibres]),)
            yield QkdLink(
                technology, "", f"id-{number}", (), True, *ends, channel_to_hz(34), fibres, None,
                self.random.choice((None, known)),
            )  # fmt: skip

    def state(self, before: State | None = None) -> State:
        """A state of all devices; after another one, many of them stay as they are."""
        drawn = State(self._told(), {f"{s}-switch": self._joined(s) for s in self.sites}, self._channels())
        if before is None:
            return drawn
        keep = {name for name in self._devices if self.random.random() < 0.4}
        links = {name: before.links[name] if "links" in keep else own for name, own in drawn.links.items()}
        switches = {name: before.switches[name] if name in keep else own for name, own in drawn.switches.items()}
        channels = {name: before.channels[name] if name in keep else own for name, own in drawn.channels.items()}
        return State(before.links if self.random.random() < 0.5 else links, switches, channels)

    def _told(self):
        told = {f"{site}-qkd": {} for site in self.sites}
        for link in self.network.qkd_links.values():
            hz = channel_to_hz(self.random.choice((34, 34, 37)))
            ends = (link.transmitter, link.receiver)
            for role, end, peer in zip(("TRANSMITTER", "RECEIVER"), ends, ends[::-1], strict=True):
                told[end.device][link.link_id] = LinkSettings(
                    link.link_id, True, True, "ACTIVE", end.interface, peer.device, peer.interface, role, hz
                )
        return told

    def _joined(self, site: str) -> SwitchSettings:
        inward, outward = self.ports[site]
        shuffled = self.random.sample(outward, len(outward))
        joined = [CrossConnection(f"x{n}", *ports) for n, ports in enumerate(zip(inward, shuffled, strict=False))]
        return SwitchSettings({one.name: one for one in joined})

    def _channels(self):
        found = {}
        for site in self.sites:
            dbm, number = self.random.uniform(-25, 3), self.random.choice((21, 28, 33, 36, 45))
            channel = ChannelSettings("c", "1", "", channel_to_hz(number), dbm, self.random.random() < 0.8)
            found[f"{site}-transponder"] = {"c": channel} if self.random.random() < 0.9 else {}
        return found


def reported(installation: Installation, state: State) -> dict[str, int | None]:
    """Key rates as the nodes would report them; None where light does not join the ends or one is not ready."""
    settings = Settings(state.links, state.switches, state.channels, {})
    nodes = evaluate(installation, settings, Faults()).nodes
    rates = {}
    for link in installation.network.qkd_links.values():
        report = nodes[link.receiver.device].links[link.link_id]
        rates[link.link_id] = None if report.loss_db is None else report.rate_bps
    return rates


def mixtures(old: State, new: State):
    """Every device old or new: links, switches and channels of each."""
    devices = [*old.links, *old.switches, *old.channels]
    changed = [
        name
        for name in devices
        if any(
            getattr(old, part).get(name) != getattr(new, part).get(name)
            for part in ("links", "switches", "channels")
        )
    ]
    for choice in product((old, new), repeat=len(changed)):
        chosen = dict(zip(changed, choice, strict=True))
        yield State(
            *(
                {name: getattr(chosen.get(name, old), part)[name] for name in getattr(old, part)}
                for part in ("links", "switches", "channels")
            )
        )


def test_no_mixture_does_worse_than_is_said_of_all():
    with_key = tight = 0
    for seed in range(100):
        drawn = Drawn(seed)
        installation = install(drawn.network, load_profiles())
        old = drawn.state()
        new = drawn.state(old)
        bound = Mixture(installation, old, new)
        least = {link.link_id: bound.least_bps(link.link_id) for link in drawn.network.qkd_links.values()}
        seen: dict[str, list[int]] = {link_id: [] for link_id in least}
        every = list(mixtures(old, new))
        for mixture in drawn.random.sample(every, min(64, len(every))):
            for link_id, rate_bps in reported(installation, mixture).items():
                if rate_bps is not None:
                    assert least[link_id] is not None, (seed, link_id)
                    assert least[link_id] <= rate_bps, (seed, link_id)
                    seen[link_id].append(rate_bps)
                    with_key += rate_bps > 0
        tight += sum(bool(rates) and min(rates) == least[link_id] > 0 for link_id, rates in seen.items())
    assert with_key > 600
    assert tight > 20


@pytest.mark.parametrize("seed", range(40))
def test_of_one_state_it_is_what_the_nodes_report(seed):
    drawn = Drawn(seed)
    installation = install(drawn.network, load_profiles())
    state = drawn.state()
    alone = Mixture(installation, state)
    assert {one: alone.least_bps(one) for one in ("id-1", "id-2")} == reported(installation, state)


def test_what_is_dark_in_one_state_counts_if_it_is_lit_in_the_other():
    drawn = Drawn(0)
    installation = install(drawn.network, load_profiles())
    lit = drawn.state()
    dark = replace(lit, channels={name: {} for name in lit.channels})
    both = Mixture(installation, dark, lit)
    for link_id in ("id-1", "id-2"):
        assert both.least_bps(link_id) == Mixture(installation, lit).least_bps(link_id)
