"""Rules across devices: what one is told must fit what the others are told. Pure.

A device's model sees that device alone. These rules look at the configurations of all devices as a plan leaves
them, whoever made the plan: one that was saved, or leads back, need not be what the network file wants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sdqkd.controller.hub_ends import hub_faults
from sdqkd.controller.plan import Plan
from sdqkd.controller.routing import candidates
from sdqkd.devices.qkd_link import HUB
from sdqkd.errors import ApplyError, SdqkdError
from sdqkd.network.model import Network, QkdLink
from sdqkd.network.topology import topology_of
from sdqkd.schema.diff import apply
from sdqkd.schema.path import format_path
from sdqkd.schema.reader import Reader
from sdqkd.schema.table import load
from sdqkd.schema.tree import Container, Path

Trees = Mapping[str, Container]  # configurations by device

_NODE = "etsi-qkd-sdn-node:qkd_node"
_OPTICAL = "sdqkd-optical-device:optical-device"
_ENCRYPTOR = "sdqkd-encryptor:encryptor"
_FREQUENCY = "sdqkd-qkd-node:frequency-thz"
_OPPOSITE = {"TRANSMITTER": "RECEIVER", "RECEIVER": "TRANSMITTER"}


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule, one of RULES, that a device breaks at a place of its configuration."""

    rule: str
    device: str
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.message} (at {self.path})"


@dataclass(frozen=True, slots=True)
class _End:
    """A link at one node."""

    device: str
    entry: Reader

    @property
    def id(self) -> str:
        return self.entry.text("qkdl_id")

    @property
    def wanted(self) -> bool:
        return self.entry.flag("qkdl_enable", "true") and self.entry.local("qkdl_status") == "ACTIVE"

    def at(self, side: str) -> tuple[str, str]:
        """The node and interface that it names as `qkdl_local` or `qkdl_remote`."""
        end = self.entry.inside(side)
        return end.text("qkdn_id"), end.text("qkdi_id")


class _Configured:
    """The configurations of a network, and what stands in them."""

    def __init__(self, network: Network, trees: Trees) -> None:
        self.network = network
        self.trees = trees
        self.nodes = {device.device_id: device.name for device in network.of_kind("qkd-node")}
        self.links: dict[tuple[str, str], _End] = {}  # by device and link id
        for device in network.of_kind("qkd-node"):
            for entry in self.entries(device.name, _NODE, "qkd_links", "qkd_link"):
                self.links[device.name, entry.text("qkdl_id")] = _End(device.name, entry)

    def entries(self, device: str, *names: str) -> Iterator[Reader]:
        """The entries of a list of a device."""
        reader = Reader(self.trees[device])
        for name in names[:-1]:
            reader = reader.inside(name)
        return reader.entries(names[-1])

    def wanted(self, kind: str) -> Iterator[_End]:
        """The links of a kind, PHYS or VIRT, that are switched on, at each node."""
        return (end for end in self.links.values() if end.wanted and end.entry.local("qkdl_type") == kind)

    def link_fault(self, rule: str, end: _End, leaf: str, message: str) -> Fault:
        """A fault of a link at a leaf of it."""
        return self.fault(
            rule, end.device, (_NODE, "qkd_links", ("qkd_link", (end.id,)), *leaf.split("/")), message
        )

    def fault(self, rule: str, device: str, path: Path, message: str) -> Fault:
        """A fault at a path."""
        schema = load(self.network.devices[device].model_set)
        return Fault(rule, device, format_path(path, schema), message)


def both_ends_faults(network: Network, trees: Trees) -> tuple[Fault, ...]:
    """All that does not fit in these configurations; `trees` has every device of the network."""
    configured = _Configured(network, trees)
    return tuple(fault for rule in RULES.values() for fault in rule(configured))


def new_faults(network: Network, plan: Plan, running: Trees) -> tuple[Fault, ...]:
    """What a plan breaks that fitted before. Raises RpcError if it was made for something else than `running`."""
    if plan.is_empty:
        return ()
    after = {name: apply(device.schema, running[name], device.changes) for name, device in plan.devices.items()}
    before = set(both_ends_faults(network, running))
    return tuple(fault for fault in both_ends_faults(network, {**running, **after}) if fault not in before)


def demand_both_ends(network: Network, plan: Plan, running: Trees) -> None:
    """Raise ApplyError, with the faults of each device, if a plan breaks what fitted before."""
    failures: dict[str, list[str]] = {}
    for fault in new_faults(network, plan, running):
        failures.setdefault(fault.device, []).append(str(fault))
    if failures:
        errors = {device: SdqkdError("; ".join(said)) for device, said in failures.items()}
        raise ApplyError("the plan leaves devices that do not fit each other; nothing was changed", errors)


def _peer_exists(configured: _Configured) -> Iterator[Fault]:
    for end in configured.wanted("PHYS"):
        peer = configured.nodes.get(end.at("qkdl_remote")[0])
        if peer is None or peer == end.device:
            message = f"no other node of this network is {end.at('qkdl_remote')[0] or 'named'}"
            yield configured.link_fault("peer-exists", end, "qkdl_remote/qkdn_id", message)


def _pairs(configured: _Configured) -> Iterator[tuple[_End, _End]]:
    """Each physical link from both sides, as far as the peer has it."""
    for end in configured.wanted("PHYS"):
        peer = configured.links.get((configured.nodes.get(end.at("qkdl_remote")[0], ""), end.id))
        if peer is not None and peer.device != end.device:
            yield end, peer


def _peer_has_link(configured: _Configured) -> Iterator[Fault]:
    paired = {(end.device, end.id): peer for end, peer in _pairs(configured)}
    for end in configured.wanted("PHYS"):
        node = configured.nodes.get(end.at("qkdl_remote")[0])
        peer = paired.get((end.device, end.id))
        if node not in (None, end.device) and (peer is None or not peer.wanted):
            message = f"{node} does not have this link" if peer is None else f"the link is switched off at {node}"
            yield configured.link_fault("peer-has-link", end, "qkdl_remote/qkdn_id", message)


def _peers_agree(configured: _Configured) -> Iterator[Fault]:
    for end, peer in _pairs(configured):
        if end.at("qkdl_remote") != peer.at("qkdl_local"):
            message = (
                f"interface {end.at('qkdl_remote')[1]} is named, {peer.device} uses {peer.at('qkdl_local')[1]}"
            )
            yield configured.link_fault("peers-agree", end, "qkdl_remote/qkdi_id", message)


def _roles_opposite(configured: _Configured) -> Iterator[Fault]:
    for end, peer in _pairs(configured):
        if end.entry.has(HUB) or peer.entry.has(HUB):
            continue
        role, other = end.entry.local("phys_qkd_role"), peer.entry.local("phys_qkd_role")
        if _OPPOSITE.get(role) != other:
            message = f"it is {role or 'nothing'} here and {other or 'nothing'} at {peer.device}"
            yield configured.link_fault("roles-opposite", end, "phys_qkd_role", message)


def _hubs_measure(configured: _Configured) -> Iterator[Fault]:
    """The two ends of a link of three parties and their hub know each other, and say the same of each other."""
    nodes = {device.name: device.device_id for device in configured.network.of_kind("qkd-node")}
    wanted = {(end.device, end.id): end.entry for end in configured.wanted("PHYS")}
    for found in hub_faults(nodes, wanted, configured.trees):
        yield configured.fault("hubs-measure", found.device, found.path, found.message)


def _channels_agree(configured: _Configured) -> Iterator[Fault]:
    for end, peer in _pairs(configured):
        for leaf in ("phys_wavelength", _FREQUENCY):
            here, there = end.entry.text(leaf), peer.entry.text(leaf)
            if here != there:
                message = f"{here or 'nothing'} here and {there or 'nothing'} at {peer.device}"
                yield configured.link_fault("channels-agree", end, leaf, message)


def _hops_exist(configured: _Configured) -> Iterator[Fault]:
    """A virtual link is relayed from node to node: each hop is one, has the link, and is joined with key."""
    joined = {(end.device, peer.device) for end, peer in _pairs(configured)}
    for end in configured.wanted("VIRT"):
        hops = [("virt_next_hop", hop) for hop in end.entry.values("virt_next_hop")]
        if end.entry.has("virt_prev_hop"):
            hops.append(("virt_prev_hop", end.entry.text("virt_prev_hop")))
        for leaf, hop in hops:
            node = configured.nodes.get(hop)
            if node is None:
                message = f"no node of this network is {hop}"
            elif (node, end.id) not in configured.links:
                message = f"the hop {node} does not have this link"
            elif (end.device, node) not in joined:
                message = f"no physical link joins {end.device} and {node}"
            else:
                continue
            yield configured.link_fault("hops-exist", end, leaf, message)


def _crossings_serve(configured: _Configured) -> Iterator[Fault]:
    """A cross-connection that serves no channel is left over, and its light may meet another's."""
    network = configured.network
    topology = topology_of(network)
    ways: dict[str, set[tuple[str, frozenset[str]]]] = {}
    for link in network.beams.values():
        if _is_configured(configured, link):
            ways[link.name] = {
                (crossing.device, frozenset((crossing.a_port, crossing.b_port)))
                for path in candidates(network, topology, link)
                for crossing in path.crossings
            }
    for device in network.of_kind("fibre-switch"):
        for entry in configured.entries(device.name, _OPTICAL, "cross-connection"):
            purpose = entry.text("purpose")
            path: Path = (_OPTICAL, ("cross-connection", (entry.text("name"),)))
            place = device.name, frozenset((entry.text("a-port"), entry.text("b-port")))
            if purpose not in ways:
                message = f"it is for {purpose or 'nothing'}, and no node has such a link"
                yield configured.fault("crossings-serve", device.name, path, message)
            elif place not in ways[purpose]:
                message = f"the light of {purpose} does not pass these ports"
                yield configured.fault("crossings-serve", device.name, path, message)


def _is_configured(configured: _Configured, beam: QkdLink) -> bool:
    """Whether a node has the link that the light is for; an emitter's light is for all links of its hub."""
    if beam.link_id:
        return any((end.device, beam.link_id) in configured.links for end in beam.ends)
    hub = configured.network.devices[beam.receiver.device].device_id
    return any(
        device == beam.transmitter.device and end.entry.inside(HUB).text("node-id") == hub
        for (device, _), end in configured.links.items()
    )


def _channel_ends(configured: _Configured) -> Iterator[Fault]:
    """The two transponders of a classical channel are tuned alike."""
    for channel in configured.network.optical_channels.values():
        if channel.a is None or channel.b is None:
            continue
        for here, there in ((channel.a.element, channel.b.element), (channel.b.element, channel.a.element)):
            own, other = (
                _named(configured, device, _OPTICAL, "optical-channel", channel.name) for device in (here, there)
            )
            if own is not None and (other is None or own.text("frequency-thz") != other.text("frequency-thz")):
                frequency = "no such channel" if other is None else f"{other.text('frequency-thz')} THz"
                path: Path = (_OPTICAL, ("optical-channel", (channel.name,)), "frequency-thz")
                message = f"{own.text('frequency-thz')} THz here and {frequency} at {there}"
                yield configured.fault("channel-ends-agree", here, path, message)


def _connection_ends(configured: _Configured) -> Iterator[Fault]:
    """The two encryptors of a connection name each other, by device and SAE ID, and use one VLAN."""
    known = {device.name for device in configured.network.of_kind("encryptor")}
    for device in sorted(known):
        for own in configured.entries(device, _ENCRYPTOR, "connection"):
            name, peer = own.text("name"), own.text("peer")
            other = _named(configured, peer, _ENCRYPTOR, "connection", name) if peer in known else None
            source = own.inside("key-source")
            if other is None:
                leaf, message = "peer", f"{peer or 'nobody'} has no such connection"
            elif other.text("peer") != device:
                leaf, message = "peer", f"{peer} has it with {other.text('peer')}"
            elif source.text("peer-sae-id") != other.inside("key-source").text("local-sae-id"):
                leaf, message = (
                    "key-source/peer-sae-id",
                    f"{peer} is {other.inside('key-source').text('local-sae-id')}",
                )
            elif own.text("vlan") != other.text("vlan"):
                leaf, message = "vlan", f"{peer} has {other.text('vlan') or 'none'}"
            else:
                continue
            path: Path = (_ENCRYPTOR, ("connection", (name,)), *leaf.split("/"))
            yield configured.fault("connection-ends-agree", device, path, message)


def _named(configured: _Configured, device: str, top: str, name: str, key: str) -> Reader | None:
    return next((entry for entry in configured.entries(device, top, name) if entry.text("name") == key), None)


RULES: Mapping[str, Callable[[_Configured], Iterator[Fault]]] = {
    "peer-exists": _peer_exists,
    "peer-has-link": _peer_has_link,
    "peers-agree": _peers_agree,
    "roles-opposite": _roles_opposite,
    "hubs-measure": _hubs_measure,
    "channels-agree": _channels_agree,
    "hops-exist": _hops_exist,
    "crossings-serve": _crossings_serve,
    "channel-ends-agree": _channel_ends,
    "connection-ends-agree": _connection_ends,
}
