"""QKD links: key comes when both ends are ready, light joins them, and loss and neighbours leave it alive.

The statuses: OFF is switched off here; PENDING, this end is ready and the other is not (or this one is not told
everything yet); PASSIVE, both are ready and no key comes; ACTIVE, it comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sdqkd.coexistence.exposure import Guests, exposure
from sdqkd.coexistence.installation import Installation
from sdqkd.coexistence.light import Light
from sdqkd.devices.qkd_backend import InterfaceStatus, LinkReport, LinkSettings, NodeReport
from sdqkd.network.model import ModuleEnd, Port
from sdqkd.network.topology import LightPath
from sdqkd.physics.grid import hz_to_thz
from sdqkd.plant import three_parties
from sdqkd.plant.readiness import End, Links, own_obstacle, peer_obstacle, peer_of, too_much
from sdqkd.plant.three_parties import Pairs


@dataclass(frozen=True, slots=True)
class Emission:
    """The light of one transmitter, and every way that it takes."""

    module: ModuleEnd
    frequency_hz: int
    ways: tuple[LightPath, ...]


@dataclass(frozen=True, slots=True)
class Quantum:
    """All that the reports of the links follow from. `guests` is the classical light in the fibres.

    `emissions` are by transmitting node and link id; `occupied` gives those that pass a port, by frequency in Hz.
    `pairs` is what hubs are told.
    """

    installation: Installation
    links: Links
    light: Light
    guests: Guests
    emissions: Mapping[tuple[str, str], Emission]
    occupied: Mapping[tuple[int, Port], list[Emission]]
    pairs: Pairs = field(default_factory=dict)

    def report(self, end: End) -> LinkReport:
        """Report of a link at one end."""
        own = own_obstacle(self.installation, self.light.faults, end)
        report = own or self._with_peer(end)
        lit = _lit(self.installation, self.light, end)
        return replace(report, laser_hz=end.link.frequency_hz) if lit else report

    def _with_peer(self, end: End) -> LinkReport:
        peer = peer_of(self.installation, self.links, end)
        if isinstance(peer, str):
            return LinkReport("PENDING", peer)
        obstacle = peer_obstacle(self.installation, self.light.faults, end, peer)
        if obstacle is not None:
            return obstacle
        if end.link.hub is not None:
            return _without_raw_key(three_parties.emitter_report(self, end, peer), end, peer)
        ends = (end, peer) if end.link.role == "TRANSMITTER" else (peer, end)
        return self._joined(*ends)

    def _joined(self, transmitter: End, receiver: End) -> LinkReport:
        """Report of a link whose ends are ready, the same at both."""
        emission = self.emissions[transmitter.node, transmitter.link.id]
        detector = ModuleEnd(receiver.node, receiver.link.interface or 0)
        goal = self.installation.network.module(detector).port
        arriving = [way for way in emission.ways if way.end == goal and not way.stopped]
        if not arriving:
            return LinkReport("PASSIVE", f"no light from {transmitter.node}: {self.light.why_dark(emission.ways)}")
        path = min(arriving, key=self.light.loss_db)
        report = self._measured(emission, detector, path, self.collision(emission))
        return _without_raw_key(report, transmitter, receiver)

    def _measured(self, emission: Emission, receiver: ModuleEnd, path: LightPath, collision: str) -> LinkReport:
        """Report of a link with light: its loss, and key unless something is in the way."""
        sender, detector = map(self.installation.network.module, (emission.module, receiver))
        if sender.profile != detector.profile:
            return LinkReport("PASSIVE", f"{sender.profile} and {detector.profile} do not understand each other")
        measurement = self.installation.measured(emission.module, receiver, path)
        excess_db = measurement.excess_db if measurement else 0.0
        # What the transmitter's laser lacks is lost as well, as far as the receiver can tell.
        lacking_db = -self.light.faults.drift_db.get((sender.port.element, str(sender.id)), 0.0)
        loss_db = round(max(0.0, self.light.loss_db(path) + excess_db + lacking_db), 3)
        if collision:
            return LinkReport("PASSIVE", collision, loss_db)
        # NumPy costs time to import, and a device that is served alone never has light.
        from sdqkd.coexistence.performance import performance

        met = exposure(self.installation.network, self.light, path, self.guests)
        profile = self.installation.profiles[sender.profile]
        modules = ((module.port.element, str(module.id)) for module in (sender, detector))
        misalignment = sum(self.light.faults.misalignment.get(module, 0.0) for module in modules)
        does = performance(profile, loss_db, emission.frequency_hz, met, measurement, misalignment)
        quality = LinkReport("ACTIVE", "", loss_db, does.rate_bps, does.qber, does.snr_db)
        reason = too_much(loss_db, sender, detector) or does.why_no_key
        return replace(quality, status="PASSIVE", reason=reason, rate_bps=0) if reason else quality

    def collision(self, emission: Emission) -> str:
        """Whose light of the same frequency meets this one on its way, and where; "" if none does."""
        for port in _ports(emission):
            for other in self.occupied[emission.frequency_hz, port]:
                if other is not emission:
                    return (
                        f"the light of interface {other.module.interface} of {other.module.device} is on the same"
                        f" frequency ({hz_to_thz(emission.frequency_hz)} THz) in"
                        f" {_common_fibre(emission, other) or port}"
                    )
        return ""


def node_reports(
    installation: Installation, links: Links, light: Light, guests: Guests, pairs: Pairs
) -> dict[str, NodeReport]:
    """Report of every SD-QKD node in `links`, by name."""
    emissions = _emissions(installation, links, light)
    quantum = Quantum(installation, links, light, guests, emissions, _occupied(emissions.values()), pairs)
    return {node: _node_report(quantum, node, own) for node, own in links.items()}


def keyed_sites(
    installation: Installation, links: Links, reports: Mapping[str, NodeReport]
) -> Iterator[tuple[str, str]]:
    """Pairs of sites that a link with key joins."""
    site = {device.name: device.site for device in installation.network.of_kind("qkd-node")}
    for node, report in reports.items():
        for link_id, link in report.links.items():
            if link.status == "ACTIVE":
                peer = installation.nodes[links[node][link_id].remote_node or ""]
                yield site[node], site[peer]


def _node_report(quantum: Quantum, node: str, links: Mapping[str, LinkSettings]) -> NodeReport:
    failed, pulled = quantum.light.faults.failed, quantum.light.faults.pulled
    interfaces: dict[int, InterfaceStatus] = {
        number: "FAILED" if (node, str(number)) in failed else "ENABLED"
        for number in quantum.installation.network.devices[node].interfaces
        if (node, str(number)) not in pulled
    }
    broken = bool(interfaces) and set(interfaces.values()) == {"FAILED"}
    reports = {link.id: quantum.report(End(node, link)) for link in links.values()}
    pairs = three_parties.pair_reports(quantum, node)
    return NodeReport("FAILURE" if broken else "OPERATING", interfaces, reports, pairs)


def _emissions(installation: Installation, links: Links, light: Light) -> dict[tuple[str, str], Emission]:
    """The light of all transmitters that are switched on, whether anybody listens or not.

    An emitter sends one light to its hub, whoever it makes key with, so its links have one emission.
    """
    found: dict[tuple[str, str], Emission] = {}
    sent: dict[tuple[ModuleEnd, int], Emission] = {}
    for node, own in links.items():
        for link in own.values():
            end = End(node, link)
            if link.role == "TRANSMITTER" and link.frequency_hz is not None and _lit(installation, light, end):
                module = ModuleEnd(node, link.interface or 0)
                start, source = installation.network.module(module).port, (module, link.frequency_hz)
                if source not in sent:
                    sent[source] = Emission(module, link.frequency_hz, light.ways(start, link.frequency_hz))
                found[node, link.id] = sent[source]
    return found


def _occupied(emissions: Iterable[Emission]) -> dict[tuple[int, Port], list[Emission]]:
    found: dict[tuple[int, Port], list[Emission]] = {}
    for emission in {id(one): one for one in emissions}.values():
        for port in _ports(emission):
            found.setdefault((emission.frequency_hz, port), []).append(emission)
    return found


def _ports(emission: Emission) -> Iterable[Port]:
    """The ports that its light passes, each once, from the transmitter on."""
    return dict.fromkeys(port for way in emission.ways for port in way.ports)


def _lit(installation: Installation, light: Light, end: End) -> bool:
    """Whether the laser of this end is on: the module works and is told to run, on a frequency."""
    link = end.link
    if not link.wanted or not link.physical or link.frequency_hz is None:
        return False
    working = (end.node, str(link.interface)) not in light.faults.failed
    return working and installation.interface(end.node, link.interface) is not None


def _without_raw_key(report: LinkReport, *ends: End) -> LinkReport:
    """The report of a link with light: raw key is no secret key, and one end alone cannot make one."""
    raw = next((end.node for end in ends if end.link.raw_key), None)
    if raw is None or report.status != "ACTIVE":
        return report
    return replace(report, status="PASSIVE", reason=f"{raw} hands out raw key, no secret key", rate_bps=0)


def _common_fibre(one: Emission, other: Emission) -> str:
    fibres = [fibre for way in one.ways for fibre in way.fibres]
    others = {fibre for way in other.ways for fibre in way.fibres}
    return next((f"fibre {fibre}" for fibre in fibres if fibre in others), "")
