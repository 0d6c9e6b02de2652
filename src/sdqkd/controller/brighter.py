"""Which classical channels a plan adds, moves or raises, and which QKD links share fibre with them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sdqkd.coexistence.baseline import says_all
from sdqkd.coexistence.exposure import Launch, launches
from sdqkd.coexistence.faults import Faults
from sdqkd.devices.transponder import MIN_DBM, ChannelSettings
from sdqkd.network.model import Network
from sdqkd.physics.grid import hz_to_thz
from sdqkd.planning.mixture import Mixture, State

What = Literal["added", "moved", "raised"]


@dataclass(frozen=True, slots=True)
class Side:
    """What devices are told before the plan or after it, and how light runs then."""

    state: State
    light: Mixture


@dataclass(frozen=True, slots=True)
class ChannelEffect:
    """A channel that a plan adds, moves or raises, with its launch power in dBm, and the links beside it.

    `before_dbm` is None if it was dark. Of a channel whose two ends differ, the end that is louder after the plan.
    `unsaid` is what the file should say of it, and does not: how it was when the links beside it were measured.
    """

    channel: str
    what: What
    before_dbm: float | None
    after_dbm: float
    links: tuple[str, ...]
    unsaid: str = ""

    def __str__(self) -> str:
        was = f" from {self.before_dbm:.2f}" if self.what == "raised" and self.before_dbm is not None else ""
        return f"optical channel {self.channel} {self.what}{was} {'to' if was else 'at'} {self.after_dbm:.2f} dBm"

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        power = {"before-dbm": self.before_dbm, "after-dbm": self.after_dbm}
        return {"channel": self.channel, "what": self.what, **power, "links": [*self.links]}


def brighter(network: Network, before: Side, then: Side, *, begun: bool = True) -> tuple[ChannelEffect, ...]:
    """The channels that are added, moved or raised, by name.

    Unless the network has `begun`, the file alone says beside what links were measured, and nothing is unsaid.
    """
    found: dict[str, ChannelEffect] = {}
    for one in _at_each_end(network, before, then):
        effect = one if begun else replace(one, unsaid="")
        known = found.get(effect.channel, effect)
        links = {*known.links, *effect.links}
        louder = max(known, effect, key=lambda one: one.after_dbm)
        in_order = tuple(name for name in network.qkd_links if name in links)
        found[effect.channel] = replace(louder, links=in_order)
    return tuple(found.values())


def _at_each_end(network: Network, before: Side, then: Side) -> Iterator[ChannelEffect]:
    for device, own in then.state.channels.items():
        for name, channel in own.items():
            was = _launch(device, before.state.channels.get(device, {}).get(name))
            now = _launch(device, channel)
            what = None if now is None else _what(was, now, before.light, then.light)
            if now is not None and what is not None:
                before_dbm = None if was is None else was.power_dbm
                links = tuple(_sharing(network, then, now))
                unsaid = _unsaid(network, name, was, links)
                yield ChannelEffect(name, what, before_dbm, now.power_dbm, links, unsaid)


def _unsaid(network: Network, name: str, was: Launch | None, links: Sequence[str]) -> str:
    """The leafs that say what devices still know of a channel, if there is a measured link that it matters to."""
    channel = network.optical_channels.get(name)
    measured = any(network.qkd_links[link].calibration is not None for link in links)
    if channel is None or says_all(channel) or not measured:
        return ""
    if was is None:
        return f"calibration-power-dbm: {MIN_DBM:g}"
    position = f"calibration-frequency-thz: {hz_to_thz(was.frequency_hz)}"
    return f"calibration-power-dbm: {was.power_dbm:g}, {position}"


def _what(was: Launch | None, now: Launch, before: Mixture, then: Mixture) -> What | None:
    if was is None:
        return "added"
    if was[:2] != now[:2] or before.ways_of(was) != then.ways_of(now):
        return "moved"
    return "raised" if now.power_dbm > was.power_dbm else None


def _launch(device: str, channel: ChannelSettings | None) -> Launch | None:
    return None if channel is None else next(iter(launches({device: {"": channel}}, Faults())), None)


def _sharing(network: Network, then: Side, launch: Launch) -> Iterator[str]:
    """The links whose light passes a fibre that the light of a channel passes, on the same strand or not."""
    fibres = {fibre for way in then.light.ways_of(launch) for fibre in way.fibres}
    for link in network.qkd_links.values():
        if any(not fibres.isdisjoint(course.way.fibres) for course in then.light.courses(link.link_id)):
            yield link.name


def rerouted(before: Side, then: Side) -> frozenset[tuple[str, str]]:
    """Channels, by device and name, that are lit before and after, and whose light takes another way then."""
    return frozenset(
        (device, name)
        for device, own in before.state.channels.items()
        for name, channel in own.items()
        if (was := _launch(device, channel)) is not None
        and (now := _launch(device, then.state.channels[device].get(name))) is not None
        and before.light.ways_of(was) != then.light.ways_of(now)
    )
