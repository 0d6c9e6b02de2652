"""The links of an SD-QKD node in the model's tree: reading them, and what the modules cannot do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sdqkd.devices.huawei_cv import hands_out_raw_key
from sdqkd.devices.qkd_backend import HubInput, InterfaceHardware, LinkSettings, NodeHardware
from sdqkd.errors import RpcError
from sdqkd.physics.grid import (
    channel_to_hz,
    etsi_range_admits,
    etsi_wavelength,
    hz_to_nm,
    hz_to_thz,
    nm_to_hz,
    thz_to_hz,
)
from sdqkd.schema.path import format_path
from sdqkd.schema.reader import Reader
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container, Entries, Node, Path, get

TOP = "etsi-qkd-sdn-node:qkd_node"
FREQUENCY = "sdqkd-qkd-node:frequency-thz"
HUB = "sdqkd-qkd-node:hub"
FIRST_NM, LAST_NM = 1260, 1675
LAST_CHANNEL = 72


@dataclass(frozen=True, slots=True, eq=False)
class KnownLink:
    """What one `qkd_link` entry says, and what is wrong with it: leaf, app-tag and message of each fault.

    `claims` is the interface that it needs, for itself alone or with the other links of its hub.
    """

    entry: Container
    settings: LinkSettings
    faults: tuple[tuple[str, str, str], ...]
    claims: int | None


class LinkReader:
    """Reads the links of whole trees, each entry once: the next tree shares those that did not change."""

    def __init__(self, hardware: NodeHardware) -> None:
        self._hardware = hardware
        self._list: Node | None = None
        self._known: dict[tuple[str, ...], KnownLink] = {}

    def read(self, tree: Container) -> Iterable[KnownLink]:
        """The links of a tree."""
        found = get(tree, (TOP, "qkd_links", "qkd_link"))
        if found is not self._list:
            self._list = found
            before = self._known
            self._known = {}
            for keys, entry in found.entries.items() if isinstance(found, Entries) else ():
                known = before.get(keys)
                self._known[keys] = known if known is not None and known.entry is entry else self._one(entry)
        return self._known.values()

    def _one(self, entry: Container) -> KnownLink:
        link = Reader(entry)
        settings = link_settings(link)
        claims = settings.interface if settings.wanted and settings.physical else None
        return KnownLink(entry, settings, tuple(_faults(self._hardware, link, settings)), claims)


def link_settings(link: Reader) -> LinkSettings:
    """Settings of one `qkd_link` entry; a spectral position that contradicts itself counts as not said."""
    local, remote = link.inside("qkdl_local"), link.inside("qkdl_remote")
    try:
        frequency_hz = frequency_of(link)
    except ValueError:
        frequency_hz = None
    return LinkSettings(
        id=link.text("qkdl_id"),
        physical=link.local("qkdl_type") == "PHYS" if link.has("qkdl_type") else None,
        enabled=link.flag("qkdl_enable", "true"),
        status=link.local("qkdl_status"),
        interface=local.optional_int("qkdi_id"),
        remote_node=remote.optional_text("qkdn_id"),
        remote_interface=remote.optional_int("qkdi_id"),
        role=link.local("phys_qkd_role") or None,
        frequency_hz=frequency_hz,
        raw_key=hands_out_raw_key(link),
        hub=_hub(link.inside(HUB)) if link.has(HUB) else None,
    )


def _hub(entry: Reader) -> HubInput:
    return HubInput(entry.text("node-id"), int(entry.text("interface")))


def frequency_of(link: Reader) -> int | None:
    """Frequency in Hz of a `qkd_link` entry: exact from `frequency-thz`, else from `phys_wavelength`.

    Raises ValueError, with a sentence for people, if the two do not agree or if there is no such channel.
    """
    exact = thz_to_hz(link.text(FREQUENCY)) if link.has(FREQUENCY) else None
    if not link.has("phys_wavelength"):
        return exact
    number = int(link.text("phys_wavelength"))
    coarse = etsi_position_hz(number)
    if exact is None:
        return coarse
    if number not in (int(etsi_wavelength(exact)), round(hz_to_nm(exact))):
        raise ValueError(
            f"phys_wavelength {number} is {hz_to_thz(coarse)} THz, but frequency-thz says {hz_to_thz(exact)} THz"
        )
    return exact


def etsi_position_hz(number: int) -> int:
    """Frequency of a `phys_wavelength`: below 1000 a channel number (1 to 72), else nanometres (1260 to 1675).

    >>> etsi_position_hz(34), etsi_position_hz(1310)
    (193400000000000, 228849205000000)
    """
    if number <= LAST_CHANNEL:
        return channel_to_hz(number)
    if FIRST_NM <= number <= LAST_NM:
        return nm_to_hz(number)
    raise ValueError(
        f"phys_wavelength {number} is neither a channel (1 to {LAST_CHANNEL}) nor a wavelength"
        f" ({FIRST_NM} to {LAST_NM} nm)"
    )


def link_errors(schema: Schema, found: Iterable[KnownLink]) -> Iterator[RpcError]:
    """What the modules cannot do of the links in a whole tree."""
    claimed: dict[int, LinkSettings] = {}
    for link in found:
        for leaf, tag, message in link.faults:
            yield RpcError("invalid-value", message, path=_path(schema, link, leaf), app_tag=tag)
        if link.claims is not None:
            other = claimed.setdefault(link.claims, link.settings)
            if not _share(other, link.settings):
                message = f"interface {link.claims} already serves the link {other.id}"
                path = _path(schema, link, "qkdl_local/qkdi_id")
                yield RpcError("operation-failed", message, path=path, app_tag="interface-in-use")


def _share(one: LinkSettings, other: LinkSettings) -> bool:
    """Whether an interface can serve both: an emitter sends one light to its hub, whoever it makes key with."""
    same_light = (one.hub, one.frequency_hz) == (other.hub, other.frequency_hz)
    return one.id == other.id or (one.hub is not None and same_light)


def _faults(hardware: NodeHardware, link: Reader, settings: LinkSettings) -> Iterator[tuple[str, str, str]]:
    """What is wrong with one link: leaf, app-tag and message."""
    if link.inside("qkdl_local").text("qkdn_id", hardware.node_id) != hardware.node_id:
        yield "qkdl_local/qkdn_id", "wrong-node", f"this node is {hardware.node_id}"
    number = settings.interface
    interface = None if number is None else hardware.interfaces.get(number)
    if number is not None and interface is None:
        known = ", ".join(map(str, hardware.interfaces)) or "none"
        yield "qkdl_local/qkdi_id", "unknown-interface", f"this node has no interface {number}; it has {known}"
    if settings.physical and (link.has(FREQUENCY) or link.has("phys_wavelength")):
        yield from _channel_faults(link, interface)
    if settings.physical and settings.role:
        yield from _role_faults(settings.role, settings.hub, interface)


def _channel_faults(link: Reader, interface: InterfaceHardware | None) -> Iterator[tuple[str, str, str]]:
    try:
        frequency_hz = frequency_of(link)
    except ValueError as error:
        yield "phys_wavelength", "wrong-channel", str(error)
        return
    if interface is None or frequency_hz is None:
        return
    if not etsi_range_admits(interface.wavelength_range, frequency_hz):
        leaf = FREQUENCY if link.has(FREQUENCY) else "phys_wavelength"
        message = (
            f"interface {interface.id} ({interface.model}) can be set to {interface.wavelength_range},"
            f" not to {hz_to_thz(frequency_hz)} THz"
        )
        yield leaf, "out-of-range", message


def _role_faults(
    role: str, hub: HubInput | None, interface: InterfaceHardware | None
) -> Iterator[tuple[str, str, str]]:
    if hub is not None and role != "TRANSMITTER":
        yield "phys_qkd_role", "wrong-role", "both ends of a link with a hub are TRANSMITTER"
    elif role == "TRANSCEIVER":
        yield "phys_qkd_role", "wrong-role", "one end of a link is TRANSMITTER or RECEIVER"
    elif interface is not None and interface.role not in (role, "TRANSCEIVER"):
        message = f"interface {interface.id} ({interface.model}) is a {interface.role}, it cannot be {role}"
        yield "phys_qkd_role", "wrong-role", message


def _path(schema: Schema, link: KnownLink, leaf: str) -> str:
    path: Path = (TOP, "qkd_links", ("qkd_link", (link.settings.id,)), *leaf.split("/"))
    return format_path(path, schema)
