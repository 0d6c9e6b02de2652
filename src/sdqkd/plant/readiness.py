"""Whether the two ends of a QKD link are ready for each other, and if not, what is missing and where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sdqkd.coexistence.faults import Faults
from sdqkd.coexistence.installation import Installation
from sdqkd.devices.qkd_backend import LinkReport, LinkSettings
from sdqkd.network.model import Interface
from sdqkd.physics.grid import hz_to_thz

Links = Mapping[str, Mapping[str, LinkSettings]]


class End(NamedTuple):
    """One end of a link: the node and what it was told."""

    node: str
    link: LinkSettings


def own_obstacle(installation: Installation, faults: Faults, end: End) -> LinkReport | None:
    """What keeps this end from being ready; None if it is."""
    link = end.link
    if not link.enabled:
        return LinkReport("OFF", "qkdl_enable is false")
    if link.status != "ACTIVE":
        return LinkReport("OFF", f"qkdl_status is {link.status or 'not set'}, not ACTIVE")
    if link.physical is False:
        return LinkReport("PASSIVE", "a virtual link, and this node does not relay keys")
    missing = _missing(link)
    if missing:
        return LinkReport("PENDING", f"{missing} is not set")
    if installation.interface(end.node, link.interface) is None:
        return LinkReport("PENDING", f"there is no interface {link.interface}")
    return _failed(faults, end)


def peer_of(installation: Installation, links: Links, end: End) -> End | str:
    """The other end of a link as this end names it, or why there is none."""
    node = installation.nodes.get(end.link.remote_node or "")
    if node is None:
        return f"no node of this network has the id {end.link.remote_node}"
    if node == end.node:
        return "the remote end is this node itself"
    link = links.get(node, {}).get(end.link.id)
    return f"{node} does not know this link" if link is None else End(node, link)


def peer_obstacle(installation: Installation, faults: Faults, end: End, peer: End) -> LinkReport | None:
    """What keeps the peer of a ready end from being ready for it; None if it is."""
    missing = _missing(peer.link)
    if not peer.link.wanted:
        reason = f"switched off at {peer.node}"
    elif peer.link.physical is False:
        reason = f"a virtual link at {peer.node}"
    elif missing:
        reason = f"{missing} is not set at {peer.node}"
    else:
        reason = _disagreement(installation, end, peer)
    return LinkReport("PENDING", reason) if reason else _failed(faults, peer)


def _disagreement(installation: Installation, end: End, peer: End) -> str:
    """In what two complete ends differ, "" if they match."""
    own, other = end.link, peer.link
    if other.interface != own.remote_interface:
        return f"{peer.node} uses its interface {other.interface}, not {own.remote_interface}"
    back = installation.nodes.get(other.remote_node or "")
    if (back, other.remote_interface) != (end.node, own.interface):
        return f"{peer.node} names another end: interface {other.remote_interface} of {back or other.remote_node}"
    if installation.interface(peer.node, other.interface) is None:
        return f"{peer.node} has no interface {other.interface}"
    if own.hub is not None or other.hub is not None:
        return _hub_disagreement(end, peer) or _channel_disagreement(end, peer)
    if {own.role, other.role} != {"TRANSMITTER", "RECEIVER"}:
        return f"both ends are {own.role}" if own.role == other.role else "no end is the transmitter"
    return _channel_disagreement(end, peer)


def _channel_disagreement(end: End, peer: End) -> str:
    own_hz, other_hz = end.link.frequency_hz, peer.link.frequency_hz
    if own_hz != other_hz:
        return f"{peer.node} is set to {_thz(other_hz)}, this end to {_thz(own_hz)}"
    return ""


def _hub_disagreement(end: End, peer: End) -> str:
    """In what two ends differ of which one at least names a hub, "" if they match."""
    hubs = [one.link.hub for one in (end, peer)]
    if hubs[0] is None or hubs[1] is None:
        nameless = (end if hubs[0] is None else peer).node
        return f"{nameless} names no hub, and the other end does"
    if hubs[0].node != hubs[1].node:
        return f"{peer.node} sends to another hub, {hubs[1].node}"
    if hubs[0].interface == hubs[1].interface:
        return f"both ends send to interface {hubs[0].interface} of the hub"
    receiver = next((one.node for one in (end, peer) if one.link.role != "TRANSMITTER"), None)
    return "" if receiver is None else f"{receiver} is no TRANSMITTER, and the hub measures what is sent"


def too_much(loss_db: float, *modules: Interface) -> str:
    """Which module is not specified for a loss, "" if all are."""
    for module in modules:
        if loss_db > module.max_absorption_db:
            return (
                f"a loss of {loss_db:.2f} dB is more than the {module.max_absorption_db:g} dB that"
                f" interface {module.id} of {module.port.element} bears"
            )
    return ""


def _missing(link: LinkSettings) -> str:
    """The first leaf that a physical link needs and does not have yet, "" if it is complete."""
    needed = (
        (link.physical, "qkdl_type"),
        (link.interface, "qkdl_local/qkdi_id"),
        (link.remote_node, "qkdl_remote/qkdn_id"),
        (link.remote_interface, "qkdl_remote/qkdi_id"),
        (link.role, "phys_qkd_role"),
        (link.frequency_hz, "phys_wavelength"),
    )
    return next((name for value, name in needed if value is None), "")


def _failed(faults: Faults, end: End) -> LinkReport | None:
    if (end.node, str(end.link.interface)) in faults.failed:
        return LinkReport("PASSIVE", f"interface {end.link.interface} of {end.node} has failed")
    return None


def _thz(frequency_hz: int | None) -> str:
    return "nothing" if frequency_hz is None else f"{hz_to_thz(frequency_hz)} THz"
