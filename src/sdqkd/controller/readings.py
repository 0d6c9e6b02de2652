"""What devices say of QKD links and classical channels: plain figures out of the tree of one device. Pure.

What a device does not report is None, or "" where it is a word.
"""

from __future__ import annotations

from dataclasses import dataclass

from sdqkd.schema.tree import Container, Entries, Node, get

_NODE = "etsi-qkd-sdn-node:qkd_node"
_OPTICAL = "sdqkd-optical-device:optical-device"
_SNR = "etsi-qkd-node-types:SNR"
_QBER = "etsi-qkd-node-types:QBER"


@dataclass(frozen=True, slots=True)
class LinkReading:
    """A QKD link as one end reports it. `status` and `module_status` are ETSI identities without their module."""

    status: str = ""
    reason: str = ""
    loss_db: float | None = None
    key_rate_bps: int | None = None
    qber_percent: float | None = None
    snr_db: float | None = None
    module_status: str = ""


@dataclass(frozen=True, slots=True)
class ChannelReading:
    """A classical channel as one transponder reports it, and the power with which that sends."""

    status: str = ""
    launch_power_dbm: float | None = None
    received_power_dbm: float | None = None


def link_reading(tree: Container, link_id: str, interface: int | None = None) -> LinkReading | None:
    """What a node reports of a link, with the status of its module if that is asked for; None: it has no such."""
    entry = get(tree, (_NODE, "qkd_links", ("qkd_link", (link_id,))))
    if not isinstance(entry, Container):
        return None
    rate = get(entry, ("qkdl_performance", "skr"))
    module = (_NODE, "qkd_interfaces", ("qkd_interface", (str(interface),)), "qkdi_status")
    return LinkReading(
        status=_identity(get(entry, ("sdqkd-qkd-node:oper-status",))),
        reason=_text(get(entry, ("sdqkd-qkd-node:oper-reason",))),
        loss_db=_number(get(entry, ("sdqkd-qkd-node:measured-loss-db",))),
        key_rate_bps=int(rate) if isinstance(rate, str) else None,
        qber_percent=_performance(entry, _QBER),
        snr_db=_performance(entry, _SNR),
        module_status=_identity(get(tree, module)),
    )


def channel_reading(tree: Container, name: str) -> ChannelReading | None:
    """What a transponder reports of a channel; None: it has no such."""
    entry = get(tree, (_OPTICAL, ("optical-channel", (name,))))
    if not isinstance(entry, Container):
        return None
    return ChannelReading(
        status=_identity(get(entry, ("oper-status",))),
        launch_power_dbm=_number(get(entry, ("launch-power-dbm",))),
        received_power_dbm=_number(get(entry, ("received-power-dbm",))),
    )


def _performance(entry: Container, kind: str) -> float | None:
    found = get(entry, ("qkdl_performance", "phys_perf"))
    if not isinstance(found, Entries) or (kind,) not in found.entries:
        return None
    return _number(found.entries[kind,].children.get("value"))


def _identity(node: Node | None) -> str:
    return _text(node).rpartition(":")[2]


def _text(node: Node | None) -> str:
    return node if isinstance(node, str) else ""


def _number(node: Node | None) -> float | None:
    return float(node) if isinstance(node, str) else None
