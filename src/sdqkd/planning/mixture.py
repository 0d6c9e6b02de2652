"""What each QKD link does while devices go from one state to another, in whatever order: the least of it. Pure.

Every device is in one of several states (the old one or the new one), and any device in any of them: that is a
mixture. What is given for a link is never more than its key rate in any mixture in which its two ends are ready
and light joins them. It is found without looking at the mixtures one by one: light may take every cross-
connection of any state, every laser that is lit in some state is lit with the largest of its powers, and of all
ways that the light of a link might take, the worst one counts. Noise never falls when light is added, and key
never rises with noise or loss: so nothing is worse. Of a single state it is no bound but what the emulated
network would report.

Fibres are taken to be whole and lasers to send what they are told. Attenuators are not ours, and so are the same
in all states.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

from sdqkd.coexistence.exposure import Guests, Launch, exposure, guests_now, launches
from sdqkd.coexistence.faults import Faults
from sdqkd.coexistence.installation import Installation
from sdqkd.coexistence.light import Light, light_of
from sdqkd.devices.fibre_switch import CrossConnection, SwitchSettings
from sdqkd.devices.qkd_backend import LinkSettings, PairSettings
from sdqkd.devices.transponder import ChannelSettings
from sdqkd.network.model import ModuleEnd, Port
from sdqkd.network.topology import LightPath


@dataclass(frozen=True, slots=True)
class State:
    """What devices are told, by device: links by id, cross-connections, channels by name, pairs by link id."""

    links: Mapping[str, Mapping[str, LinkSettings]]
    switches: Mapping[str, SwitchSettings]
    channels: Mapping[str, Mapping[str, ChannelSettings]]
    pairs: Mapping[str, Mapping[str, PairSettings]] = field(default_factory=dict)


class Course(NamedTuple):
    """From which module to which module a link goes, on which frequency, and one way that its light takes."""

    transmitter: ModuleEnd
    receiver: ModuleEnd
    frequency_hz: int
    way: LightPath


class _Emission(NamedTuple):
    link_id: str
    module: ModuleEnd
    frequency_hz: int


class Mixture:
    """All mixtures of some states, at once."""

    def __init__(self, installation: Installation, *states: State) -> None:
        self._installation = installation
        self._states = states
        self._light: Light = light_of(installation.topology, _any_crossing(states), Faults())

    def courses(self, link_id: str) -> tuple[Course, ...]:
        """Every course that a link might take; in a single state the one that it takes, or none."""
        receivers = self._receivers(link_id)
        goals = {self._installation.network.module(end).port: end for end in sorted(receivers, key=str)}
        found = tuple(
            Course(emission.module, goals[way.end], emission.frequency_hz, way)
            for emission in self._sent.get(link_id, ())
            for way in self._emissions[emission]
            if not way.stopped and way.end in goals
        )
        if len(self._states) == 1 and found:
            return tuple(self._shortest(found, link_id))
        return found

    def _shortest(self, found: Sequence[Course], link_id: str) -> Iterator[Course]:
        """The course that a link takes; of links of three parties, one from each emitter."""
        of_sender: dict[ModuleEnd | None, list[Course]] = {}
        for course in found:
            of_sender.setdefault(course.transmitter if self._inputs(link_id) else None, []).append(course)
        for courses in of_sender.values():
            yield min(courses, key=lambda course: self._light.loss_db(course.way))

    def _receivers(self, link_id: str) -> set[ModuleEnd]:
        ends = [ModuleEnd(node, told.interface or 0) for node, told in self._ends(link_id, "RECEIVER")]
        known = self._installation.interface
        return {end for end in (*ends, *self._inputs(link_id)) if known(end.device, end.interface) is not None}

    def _names_hub(self, link_id: str) -> bool:
        return any(told.hub is not None for _, told in self._told.get(link_id, ()))

    def _inputs(self, link_id: str) -> set[ModuleEnd]:
        """Where a link of three parties is measured, as hubs are told in any state; nothing for other links."""
        return {
            ModuleEnd(node, number)
            for state in self._states
            for node, own in state.pairs.items()
            if link_id in own and own[link_id].enabled
            for number in own[link_id].inputs.values()
        }

    def least_bps(self, link_id: str) -> int | None:
        """The least key rate of a link in bit/s; None if light joins its ends in no mixture."""
        courses = self.courses(link_id)
        if self._inputs(link_id):
            return self._least_of_pair_bps(link_id, courses)
        return min((self._rate_bps(link_id, course) for course in courses), default=None)

    def _least_of_pair_bps(self, link_id: str, courses: Sequence[Course]) -> int | None:
        """The least that two emitters make, whichever way the light of either takes; both must have one."""
        together = (
            (one, other)
            for one, other in combinations(courses, 2)
            if one.transmitter != other.transmitter and one.receiver.device == other.receiver.device
        )
        return min((self._pair_rate_bps(link_id, *both) for both in together), default=None)

    def ways_of(self, launch: Launch) -> tuple[LightPath, ...]:
        """Every way that the light of a classical channel might take, were it lit."""
        return self._light.ways(launch.port, launch.frequency_hz)

    @cached_property
    def _launched(self) -> dict[Launch, tuple[LightPath, ...]]:
        lit = _loudest(one for state in self._states for one in launches(state.channels, Faults()))
        return {one: self._light.ways(one.port, one.frequency_hz) for one in lit}

    @cached_property
    def _guests(self) -> Guests:
        return guests_now(self._installation.network, self._light, self._launched)

    @cached_property
    def _emissions(self) -> dict[_Emission, tuple[LightPath, ...]]:
        """The light of every transmitter that is lit in some state."""
        found: dict[_Emission, tuple[LightPath, ...]] = {}
        for link_id in self._told:
            for node, told in self._ends(link_id, "TRANSMITTER"):
                interface = self._installation.interface(node, told.interface)
                if interface is not None and told.frequency_hz is not None:
                    emission = _Emission(link_id, ModuleEnd(node, interface.id), told.frequency_hz)
                    found[emission] = self._light.ways(interface.port, told.frequency_hz)
        return found

    @cached_property
    def _sent(self) -> dict[str, list[_Emission]]:
        found: dict[str, list[_Emission]] = {}
        for emission in self._emissions:
            found.setdefault(emission.link_id, []).append(emission)
        return found

    @cached_property
    def _occupied(self) -> dict[tuple[int, Port], set[tuple[str, str]]]:
        """By frequency and port: the node and link id of each transmitter whose light might pass."""
        found: dict[tuple[int, Port], set[tuple[str, str]]] = {}
        for emission, ways in self._emissions.items():
            for port in {port for way in ways for port in way.ports}:
                whose = emission.module.device, emission.link_id
                found.setdefault((emission.frequency_hz, port), set()).add(whose)
        return found

    @cached_property
    def _told(self) -> dict[str, list[tuple[str, LinkSettings]]]:
        """What nodes are told of each link in any state, as far as they shall run it."""
        found: dict[str, list[tuple[str, LinkSettings]]] = {}
        for state in self._states:
            for node, own in state.links.items():
                for link_id, told in own.items():
                    if told.wanted and told.physical:
                        found.setdefault(link_id, []).append((node, told))
        return found

    def _ends(self, link_id: str, role: str) -> Iterator[tuple[str, LinkSettings]]:
        return ((node, told) for node, told in self._told.get(link_id, ()) if told.role == role)

    def _rate_bps(self, link_id: str, course: Course) -> int:
        """What a link does on a course, by the laws of the emulated network."""
        installation = self._installation
        ends = [installation.network.module(end) for end in (course.transmitter, course.receiver)]
        measurement = installation.measured(course.transmitter, course.receiver, course.way)
        excess_db = measurement.excess_db if measurement else 0.0
        loss_db = round(max(0.0, self._light.loss_db(course.way) + excess_db), 3)
        alike = ends[0].profile == ends[1].profile
        if not alike or loss_db > min(end.max_absorption_db for end in ends) or self._collides(link_id, course):
            return 0
        if any(told.raw_key for role in ("TRANSMITTER", "RECEIVER") for _, told in self._ends(link_id, role)):
            return 0
        # NumPy costs time to import; who has nothing to check does without.
        from sdqkd.coexistence.performance import performance

        met = exposure(installation.network, self._light, course.way, self._guests)
        profile = installation.profiles[ends[0].profile]
        return performance(profile, loss_db, course.frequency_hz, met, measurement).rate_bps

    def _pair_rate_bps(self, link_id: str, *courses: Course) -> int:
        """What a hub makes of two courses, by the laws of the emulated network."""
        installation = self._installation
        hub = installation.hubs.get(installation.network.module(courses[0].receiver).profile)
        senders = {installation.network.module(course.transmitter).profile for course in courses}
        emitter = installation.emitters.get(next(iter(senders)))
        raw_key = any(told.raw_key for _, told in self._ends(link_id, "TRANSMITTER"))
        if hub is None or emitter is None or len(senders) > 1 or raw_key:
            return 0
        from sdqkd.coexistence.three_parties import ArmConditions, PairConditions, anchor_of, pair_performance

        measured = installation.pairs.get(frozenset(course.transmitter for course in courses))
        arms = []
        for course in courses:
            excess_db = measured.arms[course.transmitter].excess_db if measured else 0.0
            loss_db = round(max(0.0, self._light.loss_db(course.way) + excess_db), 3)
            ends = [installation.network.module(end) for end in (course.transmitter, course.receiver)]
            if loss_db > min(end.max_absorption_db for end in ends) or self._collides(link_id, course):
                return 0
            met = exposure(installation.network, self._light, course.way, self._guests)
            arms.append(ArmConditions(loss_db, met))
        first, second = (course.transmitter for course in courses)
        anchor = None if measured is None else anchor_of(measured, first, second)
        now = PairConditions(arms[0], arms[1], courses[0].frequency_hz)
        share = self._time_share(courses[0].receiver.device)
        return pair_performance(hub, emitter, now, anchor, share).rate_bps

    def _time_share(self, hub: str) -> float:
        """The least share of its time that a hub gives to a pair."""
        counts = (sum(one.enabled for one in state.pairs.get(hub, {}).values()) for state in self._states)
        return 1 / max(1, *counts)

    def _collides(self, link_id: str, course: Course) -> bool:
        """Whether other quantum light of its frequency might be where its light is."""
        own = _Emission(link_id, course.transmitter, course.frequency_hz)
        ports = {port for way in self._emissions[own] for port in way.ports}
        me = {(course.transmitter.device, link_id)}
        if self._names_hub(link_id):
            # An emitter sends one light to its hub, whoever it makes key with.
            same = (one for one in self._emissions if one[1:] == own[1:])
            me |= {(one.module.device, one.link_id) for one in same if self._names_hub(one.link_id)}
        return any(self._occupied[course.frequency_hz, port] - me for port in ports)


def _any_crossing(states: Sequence[State]) -> dict[str, SwitchSettings]:
    """Switches that join what they join in any state."""
    merged: dict[str, SwitchSettings] = {}
    for device in dict.fromkeys(device for state in states for device in state.switches):
        told = [state.switches[device] for state in states if device in state.switches]
        joined = {
            tuple(sorted((one.a_port, one.b_port))): one
            for settings in told
            for one in settings.cross_connections.values()
        }
        crossings = {str(n): CrossConnection(str(n), *ports) for n, ports in enumerate(joined)}
        merged[device] = SwitchSettings(crossings, told[-1].attenuation_db)
    return merged


def _loudest(found: Iterable[Launch]) -> Iterator[Launch]:
    """Each laser on each of its frequencies once, with the largest power."""
    power_dbm: dict[tuple[Port, int], float] = {}
    for one in found:
        place = one.port, one.frequency_hz
        power_dbm[place] = max(one.power_dbm, power_dbm.get(place, one.power_dbm))
    return (Launch(port, frequency_hz, most_dbm) for (port, frequency_hz), most_dbm in power_dbm.items())
