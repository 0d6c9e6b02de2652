"""Which links and channels a change can affect, and which of them it makes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sdqkd.controller.footprint import Footprint
from sdqkd.controller.health import Watched
from sdqkd.controller.plan import Plan
from sdqkd.devices import measured_pair
from sdqkd.network.model import Network, QkdLink
from sdqkd.profiles.equipment import MdiHub, of_three_parties
from sdqkd.profiles.profile import Profile
from sdqkd.schema.diff import Change
from sdqkd.schema.tree import Container, Node

_QUIET = ("phys_channel_att",)  # leafs of a link that can change while key comes
_NUMBERED = re.compile(r"-\d+$")


Links = Mapping[str, tuple[QkdLink, Watched]]


def affected_links(plan: Plan, footprint: Footprint, network: Network, profiles: Mapping[str, Profile]) -> Links:
    """The QKD links in the footprint that shall have key after the change, by name."""
    touched = _Touched(plan)
    found: dict[str, tuple[QkdLink, Watched]] = {}
    for link in (network.qkd_links[name] for name in footprint.links):
        if link.health.watched and link.link_id not in touched.ended:
            acquisition_s = link.health.acquisition_s
            itself = link.link_id in touched.links or bool(_served(network, link) & touched.crossed)
            shares = not touched.hubs.isdisjoint(arm.input.device for arm in link.arms)
            watched = Watched(
                f"QKD link {link.name}",
                (link.transmitter.device, link.receiver.device),
                itself or shares,
                link.health,
                link.demand_bps,
                _acquisition_s(network, link, profiles) if acquisition_s is None else acquisition_s,
                only_shares=shares and not itself,
            )
            found[link.name] = link, watched
    return found


def _served(network: Network, link: QkdLink) -> set[str]:
    """The names of what serves a link: its own, or those of its two beams."""
    if not link.arms:
        return {link.name}
    of_arms = {(arm.emitter, arm.input) for arm in link.arms}
    return {name for name, beam in network.beams.items() if beam.ends in of_arms}


def _acquisition_s(network: Network, link: QkdLink, profiles: Mapping[str, Profile]) -> float:
    if link.arms:
        hub = of_three_parties(network.module(link.arms[0].input).profile)
        return hub.acquisition_s if isinstance(hub, MdiHub) else 0.0
    return profiles[network.module(link.receiver).profile].acquisition_s


def affected_channels(plan: Plan, footprint: Footprint, network: Network) -> Mapping[str, Watched]:
    """The classical channels of ours on the fibres in the footprint that shall be up after the change, by name."""
    touched = _Touched(plan)
    found = {}
    for channel in network.optical_channels.values():
        ours = channel.fibre in footprint.fibres and network.health.watched
        if ours and channel.a is not None and channel.b is not None and channel.name not in touched.dark:
            found[channel.name] = Watched(
                f"optical channel {channel.name}",
                (channel.a.element, channel.b.element),
                channel.name in touched.channels,
                network.health,
                acquisition_s=network.health.acquisition_s or 0.0,
            )
    return found


class _Touched:
    """What a plan writes. `links` and `ended` are link ids: made (anew), and no longer wanted at one end at least.

    `crossed` are purposes and names of cross-connections that change. `channels` are made or made anew, `dark` no
    longer wanted. `hubs` measure other pairs than before, so each of theirs gets another share of the time; what
    they are told of a pair makes that one anew.
    """

    def __init__(self, plan: Plan) -> None:
        self.links: set[str] = set()
        self.ended: set[str] = set()
        self.crossed: set[str] = set()
        self.channels: set[str] = set()
        self.dark: set[str] = set()
        self.hubs: set[str] = set()
        for name in plan.changed:
            for change in plan.devices[name].changes:
                self._note(change)
                for step in change.path:
                    if isinstance(step, tuple) and step[0] == measured_pair.LIST:
                        self.hubs.add(name)
                        self.links.add(step[1][0])

    def _note(self, change: Change) -> None:
        for at, step in enumerate(change.path):
            if not isinstance(step, tuple):
                continue
            inside = change.path[at + 1 :]
            match step[0]:
                case "qkd_link":
                    self._note_link(step[1][0], change, inside[0] if inside else None)
                case "cross-connection":
                    self.crossed |= {*_purposes(change)} or {step[1][0], _NUMBERED.sub("", step[1][0])}
                case "optical-channel":
                    self._note_channel(step[1][0], change, inside[0] if inside else None)
            return

    def _note_link(self, link_id: str, change: Change, leaf: object) -> None:
        if leaf is None:
            ended = not _is_on(change.new)
        else:
            switched_off = leaf == "qkdl_status" and not _text(change.new).endswith(":ACTIVE")
            ended = switched_off or (leaf == "qkdl_enable" and change.new == "false")
        if ended:
            self.ended.add(link_id)
        elif leaf not in _QUIET:
            self.links.add(link_id)

    def _note_channel(self, name: str, change: Change, leaf: object) -> None:
        if (leaf is None and change.op == "remove") or (leaf == "enabled" and change.new == "false"):
            self.dark.add(name)
        elif leaf != "launch-power-dbm":
            self.channels.add(name)


def _purposes(change: Change) -> Iterator[str]:
    for node in (change.old, change.new):
        if isinstance(node, Container) and (purpose := _text(node.children.get("purpose"))):
            yield purpose


def _is_on(node: Node | None) -> bool:
    if not isinstance(node, Container):
        return False
    on = _text(node.children.get("qkdl_status")).endswith(":ACTIVE")
    return on and node.children.get("qkdl_enable", "true") == "true"


def _text(node: Node | None) -> str:
    return node if isinstance(node, str) else ""
