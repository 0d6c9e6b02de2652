"""A link of three parties in the configurations of its two emitters and of its hub: whether they fit. Pure.

Part of `both_ends`, which gives its findings their paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sdqkd.devices.measured_pair import LIST, pair_settings
from sdqkd.devices.qkd_backend import PairSettings
from sdqkd.devices.qkd_link import FREQUENCY, HUB, TOP
from sdqkd.physics.grid import hz_to_thz
from sdqkd.schema.reader import Reader
from sdqkd.schema.tree import Container, Path


class HubFault(NamedTuple):
    """What does not fit, and where."""

    device: str
    path: Path
    message: str


_Wanted = Mapping[tuple[str, str], Reader]  # links that are switched on, by node and id


def hub_faults(nodes: Mapping[str, str], wanted: _Wanted, trees: Mapping[str, Container]) -> Iterator[HubFault]:
    """All that does not fit. `nodes` gives the node id of each SD-QKD node, `wanted` its physical links."""
    pairs = {name: pair_settings(trees[name]) for name in nodes}
    of_id = {node_id: name for name, node_id in nodes.items()}
    for (device, link_id), entry in wanted.items():
        for leaf, message in _at_end(nodes[device], link_id, entry, of_id, wanted, pairs):
            yield HubFault(device, (TOP, "qkd_links", ("qkd_link", (link_id,)), *leaf), message)
    for hub, measured in pairs.items():
        for pair in measured.values():
            for node_id, message in _at_hub(nodes[hub], pair, of_id, wanted):
                yield HubFault(hub, (TOP, (LIST, (pair.link_id,)), ("emitter", (node_id,))), message)


def _at_end(
    own_id: str,
    link_id: str,
    entry: Reader,
    of_id: Mapping[str, str],
    wanted: _Wanted,
    pairs: Mapping[str, Mapping[str, PairSettings]],
) -> Iterator[tuple[tuple[str, ...], str]]:
    """What is wrong with a link at one end: leaf and message."""
    peer_id = entry.inside("qkdl_remote").text("qkdn_id")
    peer = wanted.get((of_id.get(peer_id, ""), link_id))
    if not entry.has(HUB):
        if peer is not None and peer.has(HUB):
            yield ("qkdl_type",), f"{of_id[peer_id]} names a hub, and this end does not"
        return
    hub_id, number = entry.inside(HUB).text("node-id"), int(entry.inside(HUB).text("interface"))
    if entry.local("phys_qkd_role") != "TRANSMITTER":
        yield ("phys_qkd_role",), "both ends of a link with a hub are TRANSMITTER"
    hub = of_id.get(hub_id)
    pair = pairs[hub].get(link_id) if hub is not None else None
    if hub is None:
        yield (HUB, "node-id"), f"no node of this network is {hub_id}"
    elif pair is None or not pair.enabled:
        how = "does not measure this link" if pair is None else "has this link switched off"
        yield (HUB, "node-id"), f"the hub {hub} {how}"
    elif pair.inputs.keys() != {own_id, peer_id}:
        yield (HUB, "node-id"), f"the hub {hub} measures other emitters for this link"
    elif pair.inputs[own_id] != number:
        yield (HUB, "interface"), f"interface {number} is named, and {hub} expects it at {pair.inputs[own_id]}"
    elif hz_to_thz(pair.frequency_hz) != entry.text(FREQUENCY):
        here, there = entry.text(FREQUENCY) or "nothing", hz_to_thz(pair.frequency_hz)
        yield (FREQUENCY,), f"{here} here and {there} at the hub {hub}"
    if peer is not None and peer.inside(HUB).text("node-id") not in ("", hub_id):
        yield (HUB, "node-id"), f"{of_id[peer_id]} names another hub"


def _at_hub(
    own_id: str, pair: PairSettings, of_id: Mapping[str, str], wanted: _Wanted
) -> Iterator[tuple[str, str]]:
    """Emitters that a hub shall measure and that do not send to it: node id and message."""
    for node_id in pair.inputs if pair.enabled else ():
        node = of_id.get(node_id)
        entry = wanted.get((node or "", pair.link_id))
        if node is None:
            yield node_id, f"no node of this network is {node_id}"
        elif entry is None:
            yield node_id, f"{node} does not run this link"
        elif entry.inside(HUB).text("node-id") != own_id:
            yield node_id, f"{node} does not send to this hub"
