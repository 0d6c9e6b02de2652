"""The eleven notifications of ETSI GS QKD 015 as trees, made of the entries of a node that they are about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from sdqkd.schema.tree import Container, Node

MODULE = "etsi-qkd-sdn-node"
TYPES = "etsi-qkd-node-types"
OPER_STATUS = "sdqkd-qkd-node:oper-status"
OPER_REASON = "sdqkd-qkd-node:oper-reason"

Severity: TypeAlias = Literal["MAJOR", "MINOR"]
_QOS = ("max_bandwidth", "min_bandwidth", "jitter", "ttl", "clients_shared_path_enable",
        "clients_shared_keys_required")  # fmt: skip
_RATES = ("expected_consumption", "skr", "eskr")
_ATTACHED = ("device", "port")
_ABILITIES = ("role_support", "wavelength_range", "max_absorption")


def application_new(app: Container) -> Container:
    """An application asks for keys."""
    leafs = _picked(app, ("app_type", "server_app_id", "client_app_id", "app_priority", "local_qkdn_id"))
    return _told("sdqkdn_application_new", "qkd_application", {**leafs, **_inside(app, "app_qos", _QOS)})


def application_qos_update(app: Container) -> Container:
    """An application asks for another quality of service."""
    leafs = {**_picked(app, ("app_id",)), **_inside(app, "app_qos", _QOS), **_picked(app, ("app_priority",))}
    return _told("sdqkdn_application_qos_update", "qkd_application", leafs)


def application_disconnected(app_id: str) -> Container:
    """An application has left."""
    return _told("sdqkdn_application_disconnected", "qkd_application", {"app_id": app_id})


def interface_new(interface: Container) -> Container:
    """A module was installed."""
    leafs = {
        **_picked(interface, ("qkdi_id", "qkdi_model", "qkdi_type")),
        **_inside(interface, "qkdi_att_point", _ATTACHED),
        **_inside(interface, "qkdi_capabilities", _ABILITIES),
    }
    return _told("sdqkdn_interface_new", "qkd_interface", leafs)


def interface_down(interface_id: str, reason: str) -> Container:
    """A module has stopped working."""
    return _told("sdqkdn_interface_down", "qkd_interface", {"qkdi_id": interface_id, "reason": reason})


def interface_out(interface_id: str) -> Container:
    """A module was removed."""
    return _told("sdqkdn_interface_out", "qkd_interface", {"qkdi_id": interface_id})


def link_down(link_id: str, reason: str) -> Container:
    """A link has stopped making key."""
    return _told("sdqkdn_link_down", "qkd_link", {"qkdl_id": link_id, "reason": reason})


def link_perf_update(link: Container) -> Container:
    """A link's performance has changed."""
    performance = _inside(link, "qkdl_performance", (*_RATES, "phys_perf"), "performance")
    return _told("sdqkdn_link_perf_update", "qkd_link", {**_picked(link, ("qkdl_id",)), **performance})


def link_overloaded(link: Container) -> Container:
    """More keys are asked of a link than it yields."""
    performance = _inside(link, "qkdl_performance", _RATES, "performance")
    return _told("sdqkdn_link_overloaded", "qkd_link", {**_picked(link, ("qkdl_id",)), **performance})


def link_message(
    kind: Literal["alarm", "event"], link_id: str, link: Container | None, message: str, severity: Severity | None
) -> Container:
    """An alarm or event about a link; its status is what it really does."""
    leafs: dict[str, Node] = {"qkdl_id": link_id}
    if link is not None and OPER_STATUS in link.children:
        leafs["qkdl_status"] = link.children[OPER_STATUS]
    return _message(kind, "link", leafs, message, severity)


def interface_message(
    kind: Literal["alarm", "event"], interface: Container, message: str, severity: Severity | None
) -> Container:
    """An alarm or event about an interface."""
    return _message(kind, "interface", _picked(interface, ("qkdi_id", "qkdi_status")), message, severity)


def application_message(
    kind: Literal["alarm", "event"], app: Container, message: str, severity: Severity | None
) -> Container:
    """An alarm or event about an application."""
    return _message(kind, "application", _picked(app, ("app_id", "app_status")), message, severity)


def _message(
    kind: str, subject: str, leafs: dict[str, Node], message: str, severity: Severity | None
) -> Container:
    grave = {} if severity is None else {"severity": f"{TYPES}:{severity}"}
    return _told(kind, subject, {**leafs, "message": message, **grave})


def _told(name: str, subject: str, content: dict[str, Node]) -> Container:
    return Container({f"{MODULE}:{name}": Container({subject: Container(content)})})


def _picked(entry: Container, members: Iterable[str]) -> dict[str, Node]:
    return {member: entry.children[member] for member in members if member in entry.children}


def _inside(entry: Container, member: str, members: Iterable[str], name: str = "") -> dict[str, Node]:
    """A container of an entry with those of its children that the notification has, too."""
    container = entry.children.get(member)
    leafs = _picked(container, members) if isinstance(container, Container) else {}
    return {name or member: Container(leafs)} if leafs else {}
