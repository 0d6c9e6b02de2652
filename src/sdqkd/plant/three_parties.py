"""Links of three parties: two emitters have key while a hub measures them and the light of both gets there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sdqkd.coexistence.exposure import exposure
from sdqkd.coexistence.installation import PairMeasurement
from sdqkd.devices.qkd_backend import LinkReport, PairReport, PairSettings
from sdqkd.network.model import Interface, ModuleEnd
from sdqkd.network.topology import LightPath
from sdqkd.physics.grid import hz_to_thz
from sdqkd.plant.readiness import End, too_much

if TYPE_CHECKING:
    from sdqkd.coexistence.three_parties import ArmConditions, PairAnchor, PairPerformance
    from sdqkd.plant.quantum import Quantum

Pairs = Mapping[str, Mapping[str, PairSettings]]  # what hubs are told, by node and link id


@dataclass(frozen=True, slots=True)
class _Arm:
    """The light of one emitter that arrives at the hub: from which module to which, and its loss as measured."""

    emitter: ModuleEnd
    input: ModuleEnd
    path: LightPath
    loss_db: float


@dataclass(frozen=True, slots=True)
class _Seen:
    """A pair with the light of both: what is in the way of key ("" if nothing is), and what the hub sees."""

    obstacle: str
    does: PairPerformance


def emitter_report(quantum: Quantum, end: End, peer: End) -> LinkReport:
    """Report of a link with a hub at one of its ends, both of which are ready."""
    report = _measured(quantum, end, peer)
    return report if isinstance(report, LinkReport) else _as_link(*report)


def pair_reports(quantum: Quantum, node: str) -> dict[str, PairReport]:
    """What a hub reports of the pairs that it was told of."""
    share = _time_share(quantum.pairs.get(node, {}))
    return {name: _pair_report(quantum, node, pair, share) for name, pair in quantum.pairs.get(node, {}).items()}


def _pair_report(quantum: Quantum, node: str, pair: PairSettings, share: float) -> PairReport:
    if not pair.enabled:
        return PairReport("OFF", "enabled is false")
    ends = []
    for node_id in pair.inputs:
        emitter = quantum.installation.nodes.get(node_id)
        link = quantum.links.get(emitter or "", {}).get(pair.link_id)
        if emitter is None or link is None:
            reason = f"{emitter} does not know this link" if emitter else f"no node has the id {node_id}"
            return PairReport("PENDING", reason, share)
        ends.append(End(emitter, link))
    first, second = ends
    told = quantum.report(first)
    here = first.link.hub is not None and quantum.installation.nodes.get(first.link.hub.node) == node
    if not here:
        return PairReport("PENDING", f"{first.node} does not send to this hub", share)
    if told.loss_db is None:
        # Not ACTIVE, so there is a reason; where no light runs, there is nothing to see either.
        return PairReport(told.status, told.reason, share)
    found = _measured(quantum, first, second)
    if isinstance(found, LinkReport):
        return PairReport(found.status, found.reason, share)
    does = found[1].does
    return PairReport(told.status, told.reason, share, does.coincidences_per_s, does.visibility)


def _time_share(pairs: Mapping[str, PairSettings]) -> float:
    """One pair is measured at a time, so those that are enabled take turns."""
    return 1.0 / max(1, sum(pair.enabled for pair in pairs.values()))


def _as_link(loss_db: float, seen: _Seen) -> LinkReport:
    report = LinkReport("ACTIVE", "", loss_db, seen.does.rate_bps, seen.does.qber)
    reason = seen.obstacle or seen.does.why_no_key
    return replace(report, status="PASSIVE", reason=reason, rate_bps=0) if reason else report


def _measured(quantum: Quantum, end: End, peer: End) -> LinkReport | tuple[float, _Seen]:
    """The loss from the first of two ready ends, and what the hub sees; a report if it sees nothing."""
    hub = end.link.hub
    assert hub is not None, "readiness has seen to it that both ends name one hub"
    node = quantum.installation.nodes.get(hub.node)
    if obstacle := _hub_obstacle(quantum, node, end, peer):
        return LinkReport("PENDING", obstacle)
    assert node is not None, "else there is an obstacle"
    arms = []
    for one in (end, peer):
        arm = _arm(quantum, node, one)
        if isinstance(arm, str):
            return LinkReport("PASSIVE", arm)
        arms.append(arm)
    share = _time_share(quantum.pairs[node])
    seen = _seen(quantum, end, (arms[0], arms[1]), share)
    if isinstance(seen, str):
        return LinkReport("PASSIVE", seen, arms[0].loss_db)
    return arms[0].loss_db, seen


def _hub_obstacle(quantum: Quantum, node: str | None, end: End, peer: End) -> str:
    """Why the hub is not ready to measure this pair, "" if it is."""
    if node is None:
        return f"no node of this network has the id {end.link.hub.node if end.link.hub else ''}"
    pair = quantum.pairs.get(node, {}).get(end.link.id)
    if pair is None:
        return f"the hub {node} does not measure this pair"
    if not pair.enabled:
        return f"the hub {node} has this pair switched off"
    network = quantum.installation.network
    for one in (end, peer):
        told = one.link.hub
        expected = pair.inputs.get(network.devices[one.node].device_id)
        if told is None or told.interface != expected:
            return f"the hub {node} expects {one.node} at its interface {expected or 'none'}"
    if pair.frequency_hz != end.link.frequency_hz:
        return f"the hub {node} is set to {hz_to_thz(pair.frequency_hz)} THz"
    return _too_many(quantum, node, pair)


def _too_many(quantum: Quantum, node: str, pair: PairSettings) -> str:
    """Why a hub measures no pair at all: it is none, or more emitters are plugged in than it takes."""
    installation = quantum.installation
    for number in pair.inputs.values():
        module = installation.interface(node, number)
        if module is None or module.profile not in installation.hubs:
            return f"interface {number} of {node} is no input of a hub"
        most = installation.hubs[module.profile].emitters
        inputs = {one for each in quantum.pairs[node].values() if each.enabled for one in each.inputs.values()}
        if len(inputs) > most:
            return f"the hub {node} takes {most:g} emitters, and shall measure {len(inputs)}"
    return ""


def _arm(quantum: Quantum, node: str, end: End) -> _Arm | str:
    """The light of an emitter at its input of the hub, or why there is none."""
    assert end.link.hub is not None, "readiness has seen to it that both ends name one hub"
    detector, faults = ModuleEnd(node, end.link.hub.interface), quantum.light.faults
    if (node, str(detector.interface)) in faults.failed:
        return f"interface {detector.interface} of {node} has failed"
    emission = quantum.emissions[end.node, end.link.id]
    network = quantum.installation.network
    goal = network.module(detector).port
    arriving = [way for way in emission.ways if way.end == goal and not way.stopped]
    if not arriving:
        return f"no light from {end.node} at {node}: {quantum.light.why_dark(emission.ways)}"
    path = min(arriving, key=quantum.light.loss_db)
    measured = _measurement(quantum, end)
    arm = measured.arms.get(emission.module) if measured else None
    lacking_db = -faults.drift_db.get((end.node, str(end.link.interface)), 0.0)
    loss_db = quantum.light.loss_db(path) + (arm.excess_db if arm else 0.0) + lacking_db
    return _Arm(emission.module, detector, path, round(max(0.0, loss_db), 3))


def _measurement(quantum: Quantum, end: End) -> PairMeasurement | None:
    peer = quantum.installation.nodes.get(end.link.remote_node or "", "")
    ends = ModuleEnd(end.node, end.link.interface or 0), ModuleEnd(peer, end.link.remote_interface or 0)
    return quantum.installation.pairs.get(frozenset(ends))


def _seen(quantum: Quantum, end: End, arms: tuple[_Arm, _Arm], share: float) -> _Seen | str:
    """What the hub makes of light from both; why it can make nothing of it."""
    # NumPy costs time to import, and a device that is served alone never has light.
    from sdqkd.coexistence.three_parties import PairConditions, pair_performance

    installation = quantum.installation
    senders = [installation.network.module(arm.emitter) for arm in arms]
    hub = installation.hubs[installation.network.module(arms[0].input).profile]
    emitter = installation.emitters.get(senders[0].profile)
    if emitter is None or senders[0].profile != senders[1].profile:
        return f"{senders[0].profile} and {senders[1].profile} are no two emitters alike"
    faults = quantum.light.faults
    misalignment = sum(
        faults.misalignment.get((arm.emitter.device, str(arm.emitter.interface)), 0.0) for arm in arms
    )
    first, second = (_conditions(quantum, arm) for arm in arms)
    now = PairConditions(first, second, end.link.frequency_hz or 0, misalignment)
    anchor = _anchor(quantum, end, arms)
    does = pair_performance(hub, emitter, now, anchor, share)
    return _Seen(next(filter(None, _obstacles(quantum, end, arms)), ""), does)


def _conditions(quantum: Quantum, arm: _Arm) -> ArmConditions:
    from sdqkd.coexistence.three_parties import ArmConditions

    met = exposure(quantum.installation.network, quantum.light, arm.path, quantum.guests)
    return ArmConditions(arm.loss_db, met)


def _anchor(quantum: Quantum, end: End, arms: tuple[_Arm, _Arm]) -> PairAnchor | None:
    from sdqkd.coexistence.three_parties import anchor_of

    measured = _measurement(quantum, end)
    return None if measured is None else anchor_of(measured, arms[0].emitter, arms[1].emitter)


def _obstacles(quantum: Quantum, end: End, arms: tuple[_Arm, _Arm]) -> Iterator[str]:
    """What keeps the pair from key although the hub gets light from both."""
    for arm in arms:
        emission = quantum.emissions[arm.emitter.device, end.link.id]
        yield quantum.collision(emission)
        modules: tuple[Interface, ...] = tuple(map(quantum.installation.network.module, (arm.emitter, arm.input)))
        yield too_much(arm.loss_db, *modules)
