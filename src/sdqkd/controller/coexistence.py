"""What a plan does to the key of QKD links that share fibre with classical channels, before it is applied. Pure.

Key rates are forecasts, by the laws by which the emulated network runs (`coexistence`), from what the devices hold
and what they shall hold; somebody else's channels are in them as the network file describes them, and in no plan.
A plan harms a link if it takes it below its demand, or leaves it without key though it had some.

As devices commit in no fixed order, and roll back one by one, a link must live in every mixture of old and new
devices (`planning.mixture`). A plan that would harm a link only on the way is split into `stages`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sdqkd.coexistence.baseline import Held
from sdqkd.coexistence.installation import Installation, install
from sdqkd.controller.brighter import ChannelEffect, Side, brighter, rerouted
from sdqkd.controller.plan import Plan
from sdqkd.controller.stages import Stage, split
from sdqkd.devices import qkd_link
from sdqkd.devices.fibre_switch import switch_settings
from sdqkd.devices.measured_pair import pair_settings
from sdqkd.devices.qkd_backend import LinkSettings
from sdqkd.devices.transponder import channel_settings
from sdqkd.errors import ApplyError
from sdqkd.network.model import Network, QkdLink
from sdqkd.planning.mixture import Mixture, State
from sdqkd.profiles.profile import load_profiles
from sdqkd.schema.diff import apply
from sdqkd.schema.reader import Reader
from sdqkd.schema.tree import Container

Trees = Mapping[str, Container]  # configurations by device
UNSAID = (
    "links get less key than was measured, and the file does not say beside which light that was: write how these"
    " optical channels were then; now, and no longer afterwards, devices hold them so"
)


@dataclass(frozen=True, slots=True)
class LinkEffect:
    """Forecast key rates of a link in bit/s: before, after, least on the way. None: no light joins its ends.

    `least_bps` bounds every mixture of old and new devices; it counts where the plan leaves the link's own light
    as it is (`held`). `wanted`: both ends shall make key after the plan. `measured`: the rates are scaled from one
    that was measured.
    """

    link: str
    before_bps: int | None
    after_bps: int | None
    least_bps: int | None
    held: bool
    wanted: bool
    demand_bps: int | None
    measured: bool = False

    @property
    def falls(self) -> bool:
        """Whether it has less key after the plan."""
        return (self.after_bps or 0) < (self.before_bps or 0)

    @property
    def margin_bps(self) -> int:
        """By how much the rate after the plan exceeds the demand; negative if it falls short."""
        return (self.after_bps or 0) - (self.demand_bps or 0)

    @property
    def floor_bps(self) -> int:
        """What the link must keep: its demand if it meets that now, else any key, if it has any; 0 if none."""
        before_bps = self.before_bps or 0
        demanded_bps = max(1, self.demand_bps or 0)
        return demanded_bps if before_bps >= demanded_bps else min(1, before_bps)

    @property
    def harmed(self) -> bool:
        """Whether it has not what it must keep when all is done."""
        return self.wanted and (self.after_bps or 0) < self.floor_bps

    @property
    def harmed_on_the_way(self) -> bool:
        """Whether it might not have, in between."""
        return self.held and not self.harmed and self.wanted and (self.least_bps or 0) < self.floor_bps

    @property
    def starved(self) -> bool:
        """Whether it shall run and has not what it needs afterwards, whoever's doing that is."""
        return self.wanted and (self.after_bps or 0) < max(1, self.demand_bps or 0)

    @property
    def harm(self) -> str:
        """What the plan does to the link, for people, if it harms it."""
        worst_bps = (self.after_bps if self.harmed else self.least_bps) or 0
        when = "" if self.harmed else " while devices change"
        falls = f"{self.link} falls from {self.before_bps or 0:,} to {worst_bps:,} bit/s{when}"
        return f"{falls}, and {self.demand_bps:,} are demanded" if self.demand_bps else falls

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "link": self.link,
            "before-bps": self.before_bps,
            "after-bps": self.after_bps,
            "least-on-the-way-bps": self.least_bps if self.held else None,
            "demand-bps": self.demand_bps,
            "margin-bps": self.margin_bps,
            "harmed": self.harmed,
        }


@dataclass(frozen=True, slots=True)
class Coexistence:
    """Effects of a plan. `links` are all links of the network that change, that a channel of `channels` meets, or
    that have too little key afterwards: somebody else's light may be the reason, which no plan changes.

    `stages` are what the plan is applied as: itself alone unless a link would be harmed on the way. `trapped` are
    links that would be harmed on the way all the same.
    """

    channels: tuple[ChannelEffect, ...]
    links: Mapping[str, LinkEffect]
    stages: tuple[Stage, ...]
    trapped: tuple[str, ...] = ()

    @property
    def harmed(self) -> tuple[str, ...]:
        """The links for whose sake the plan is refused."""
        return tuple(name for name, link in self.links.items() if link.harmed or name in self.trapped)

    def unsaid(self, forced: Sequence[str] = ()) -> dict[str, str]:
        """By channel, what the file must say first: how it was when links were measured that have less key now.

        Only the devices know that, and after the plan nobody: the next one would take what it left for what was
        measured.
        """
        return {one.channel: one.unsaid for one in self.channels if one.unsaid and self._falling(one, forced)}

    def unexplained(self, forced: Sequence[str] = ()) -> tuple[str, ...]:
        """The links for whose sake the file must say that."""
        found = (name for one in self.channels if one.unsaid for name in self._falling(one, forced))
        return tuple(dict.fromkeys(found))

    def _falling(self, channel: ChannelEffect, forced: Sequence[str]) -> tuple[str, ...]:
        there = ((name, self.links[name]) for name in channel.links if name not in forced)
        return tuple(name for name, link in there if link.measured and link.falls)

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "channels": [channel.to_json() for channel in self.channels],
            "links": [link.to_json() for link in self.links.values()],
            "harmed": [*self.harmed],
            "unsaid": self.unsaid(),
            "stages": [{"stage": one.name, "devices": [*one.plan.changed]} for one in self.stages],
        }


def coexistence(network: Network, plan: Plan, running: Trees, forced: Sequence[str] = ()) -> Coexistence:
    """What a plan does to links. `running` is what all devices hold; `forced` are links that may be harmed.

    Raises RpcError if the plan was made for something else than `running`, InputError as `install`.
    """
    after = {
        name: apply(plan.devices[name].schema, running[name], plan.devices[name].changes) for name in plan.changed
    }
    if not plan.is_empty and all(network.devices[name].kind == "encryptor" for name in plan.changed):
        return Coexistence((), {}, (Stage("", plan),))
    old, new = state_of(network, running), state_of(network, {**running, **after})
    held = _held(old)
    installation = install(network, load_profiles(), held)
    before, then = Side(old, Mixture(installation, old)), Side(new, Mixture(installation, new))
    on_the_way = Mixture(installation, old, new)
    every = {link.name: _link_effect(link, before, then, on_the_way) for link in network.qkd_links.values()}
    channels = brighter(network, before, then, begun=held is not None)
    met = {name for channel in channels for name in channel.links}
    shown = {
        name: link
        for name, link in every.items()
        if name in met or link.before_bps != link.after_bps or link.starved or link.harmed_on_the_way
    }
    if not any(link.harmed_on_the_way and name not in forced for name, link in shown.items()):
        return Coexistence(channels, shown, (Stage("", plan),))
    stages = split(plan, network, running, rerouted(before, then))
    trapped = tuple(_trapped(installation, running, stages, every))
    return Coexistence(channels, shown, stages, tuple(name for name in trapped if name not in forced))


def demand_coexistence(effects: Coexistence, forced: Sequence[str] = ()) -> None:
    """Raise ApplyError, with the figures, if a link is harmed that was not forced by its name.

    Also if one has less key, and the file does not say beside what it was measured.
    """
    harmed = [effects.links[name] for name in effects.harmed if name not in forced]
    if harmed:
        figures = "; ".join(link.harm for link in harmed)
        names = " ".join(f"--force {link.link}" for link in harmed)
        message = f"the plan harms QKD links: {figures}; nothing was changed (it is forced by name: {names})"
        raise ApplyError(message, findings=[link.to_json() for link in harmed])
    if unsaid := effects.unsaid(forced):
        leafs = "; ".join(f"{channel}: {said}" for channel, said in unsaid.items())
        names = " ".join(f"--force {name}" for name in effects.unexplained(forced))
        message = f"{UNSAID}: {leafs}; nothing was changed (it is forced by name: {names})"
        raise ApplyError(message)


def without_watch(network: Network, forced: Sequence[str]) -> Network:
    """The network for the health gate: links that may be harmed by name are not watched, all others are."""
    links = {
        name: replace(link, health=replace(link.health, watched=False)) if name in forced else link
        for name, link in network.qkd_links.items()
    }
    return replace(network, qkd_links=links)


def state_of(network: Network, trees: Trees) -> State:
    """What configurations tell the devices of a network."""
    nodes = network.of_kind("qkd-node")
    return State(
        links={device.name: _links(trees[device.name]) for device in nodes},
        switches={device.name: switch_settings(trees[device.name]) for device in network.of_kind("fibre-switch")},
        channels={device.name: channel_settings(trees[device.name]) for device in network.of_kind("transponder")},
        pairs={device.name: pair_settings(trees[device.name]) for device in nodes},
    )


def _held(old: State) -> Held | None:
    """Beside what links were measured, as far as the file does not say it; None if devices hold nothing yet."""
    begun = any(old.links.values()) or any(old.channels.values())
    links_hz = {
        link_id: told.frequency_hz
        for own in old.links.values()
        for link_id, told in own.items()
        if told.frequency_hz is not None
    }
    return Held(old.channels, old.switches, links_hz) if begun else None


def _links(tree: Container) -> dict[str, LinkSettings]:
    entries = Reader(tree).inside(qkd_link.TOP).inside("qkd_links").entries("qkd_link")
    return {told.id: told for told in map(qkd_link.link_settings, entries)}


def _link_effect(link: QkdLink, before: Side, then: Side, on_the_way: Mixture) -> LinkEffect:
    told = [then.state.links[end.device].get(link.link_id) for end in (link.transmitter, link.receiver)]
    return LinkEffect(
        link.name,
        before.light.least_bps(link.link_id),
        then.light.least_bps(link.link_id),
        on_the_way.least_bps(link.link_id),
        held=before.light.courses(link.link_id) == then.light.courses(link.link_id),
        wanted=all(one is not None and one.wanted for one in told),
        demand_bps=link.demand_bps,
        measured=link.calibration is not None,
    )


def _trapped(
    installation: Installation, running: Trees, stages: Sequence[Stage], links: Mapping[str, LinkEffect]
) -> Iterator[str]:
    """The links that would be harmed on the way in one of the stages."""
    network, trees = installation.network, dict(running)
    worst: dict[str, int] = {}
    for stage in stages:
        changed = {
            name: apply(stage.plan.devices[name].schema, trees[name], stage.plan.devices[name].changes)
            for name in stage.plan.changed
        }
        mixture = Mixture(installation, state_of(network, trees), state_of(network, {**trees, **changed}))
        for link in network.qkd_links.values():
            least_bps = mixture.least_bps(link.link_id) or 0
            worst[link.name] = min(least_bps, worst.get(link.name, least_bps))
        trees.update(changed)
    yield from (name for name, link in links.items() if link.harmed_on_the_way and worst[name] < link.floor_bps)
