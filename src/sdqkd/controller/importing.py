"""What devices do already becomes what the network file wants: links, channels, connections that it lacks. Pure.

The file must describe the devices, fibres and cords. An entry is made where both ends hold the same thing and the
light has a way as the switches are set; the rest is told, and what cannot be told by the file stays for a person.
The new file counts only if it is right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sdqkd.controller.inventory import LoadedNetwork, load_network
from sdqkd.controller.yaml_append import Value, append_entries
from sdqkd.controller.yaml_edit import set_value
from sdqkd.devices.qkd_link import HUB, frequency_of
from sdqkd.network.model import Network, Port
from sdqkd.network.topology import Crossing, LightPath, as_configured, topology_of
from sdqkd.physics.grid import hz_to_thz, thz_to_hz
from sdqkd.schema.reader import Reader
from sdqkd.schema.tree import Container

Trees = Mapping[str, Container]  # configuration and state by device

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_NODE = "etsi-qkd-sdn-node:qkd_node"
_OPTICAL = "sdqkd-optical-device:optical-device"
_ENCRYPTOR = "sdqkd-encryptor:encryptor"
_SAME_DB = 0.0005  # losses are told to a thousandth

Entry = Mapping[str, Value]


@dataclass(slots=True)
class Found:
    """New entries by list of the file, links in the file that run though it says they do not, and what is left."""

    entries: dict[str, list[Entry]] = field(default_factory=dict)
    activated: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many entries are new or changed."""
        return sum(map(len, self.entries.values())) + len(self.activated)

    def add(self, name: str, entry: Entry) -> None:
        """Note a new entry of a list."""
        self.entries.setdefault(name, []).append(entry)


def imported(loaded: LoadedNetwork, text: str, trees: Trees) -> tuple[str, Found]:
    """The text of the network file with what its devices hold, and what that was.

    Raises CannotEditError if the text has no place for it, InputError(s) if the file would not be right.
    """
    found = find(loaded.network, trees)
    for name in found.activated:
        text = set_value(text, ("network", ("qkd-link=name", name), "active"), "true")
    for name, entries in found.entries.items():
        text = append_entries(text, "network", name, entries)
    if found.count:
        load_network(text, loaded.file)
    return text, found


def find(network: Network, trees: Trees) -> Found:
    """What devices hold and the file does not want. `trees` has every device of the network."""
    found = Found()
    _find_links(network, trees, found)
    _find_channels(network, trees, found)
    _find_connections(network, trees, found)
    return found


def _entries(trees: Trees, device: str, *names: str) -> Iterator[Reader]:
    reader = Reader(trees[device])
    for name in names[:-1]:
        reader = reader.inside(name)
    return reader.entries(names[-1])


def _find_links(network: Network, trees: Trees, found: Found) -> None:
    known = {link.link_id: link for link in network.qkd_links.values()}
    held: dict[str, dict[str, Reader]] = {}
    for device in network.of_kind("qkd-node"):
        for entry in _entries(trees, device.name, _NODE, "qkd_links", "qkd_link"):
            held.setdefault(entry.text("qkdl_id"), {})[device.name] = entry
    taken = set(network.qkd_links)
    for link_id, ends in held.items():
        if link_id not in known:
            made = _link(network, trees, link_id, ends, taken)
            if isinstance(made, str):
                found.left.append(f"QKD link {link_id} at {', '.join(ends)}: {made}")
            else:
                found.add("qkd-link", made)
        elif not known[link_id].active and len(ends) == 2 and not known[link_id].arms:
            found.activated.append(known[link_id].name)


def _link(
    network: Network, trees: Trees, link_id: str, ends: Mapping[str, Reader], taken: set[str]
) -> Entry | str:
    """The entry of a link, or why there can be none. Its name is added to `taken`."""
    if any(entry.has(HUB) for entry in ends.values()):
        return "a hub measures its light; write it as a pair of an mdi-hub into the file"
    roles = {entry.local("phys_qkd_role"): device for device, entry in ends.items()}
    if len(ends) != 2 or roles.keys() != {"TRANSMITTER", "RECEIVER"}:
        return "it has no transmitter at one node of this network and receiver at another"
    transmitter, receiver = roles["TRANSMITTER"], roles["RECEIVER"]
    sides = [(device, ends[device].inside("qkdl_local").text("qkdi_id")) for device in (transmitter, receiver)]
    ports = [_module_port(network, device, number) for device, number in sides]
    try:
        tuned = {frequency_of(entry) for entry in ends.values()}
    except ValueError as error:
        return str(error)
    frequency_hz = tuned.pop()
    if tuned or frequency_hz is None or None in ports:
        return "its ends differ in frequency, or name no module"
    path = _way(network, trees, ports[0], ports[1], frequency_hz)
    if path is None:
        return "as the switches are set, no light runs from its transmitter to its receiver"
    (a, a_number), (b, b_number) = sides
    entry: dict[str, Value] = {
        "name": _new_name(network, trees, path, (a, b), taken),
        "link-id": link_id,
        "transmitter": {"device": a, "interface": a_number},
        "receiver": {"device": b, "interface": b_number},
        "frequency-thz": hz_to_thz(frequency_hz),
        "fibre": [*path.fibres],
    }
    told = ends[a].number("phys_channel_att")
    rate = ends[a].inside("qkdl_performance").optional_int("skr")
    if rate and ends[a].has("phys_channel_att") and abs(told - path.loss_db) > _SAME_DB:
        entry["calibration"] = {"loss-db": f"{told:.3f}", "key-rate-bps": str(rate)}
    return entry


def _module_port(network: Network, device: str, number: str) -> Port | None:
    interfaces = network.devices[device].interfaces
    return interfaces[int(number)].port if number and int(number) in interfaces else None


def _way(
    network: Network, trees: Trees, start: Port | None, goal: Port | None, frequency_hz: int
) -> LightPath | None:
    """The way of light between two ports as the switches are set."""
    if start is None or goal is None:
        return None
    switching = as_configured([crossing for crossing, _ in _crossings(network, trees)])
    ways = topology_of(network).paths(start, frequency_hz, switching)
    return min((way for way in ways if way.end == goal), key=lambda way: way.loss_db, default=None)


def _crossings(network: Network, trees: Trees) -> Iterator[tuple[Crossing, Reader]]:
    for device in network.of_kind("fibre-switch"):
        for entry in _entries(trees, device.name, _OPTICAL, "cross-connection"):
            a_port, b_port = sorted((entry.text("a-port"), entry.text("b-port")))
            yield Crossing(device.name, a_port, b_port), entry


def _new_name(network: Network, trees: Trees, path: LightPath, ends: tuple[str, str], taken: set[str]) -> str:
    """The name that its cross-connections have, so that they can stay; else that of the two sites."""
    names = {entry.text("name") for crossing, entry in _crossings(network, trees) if crossing in path.crossings}
    sites = "-".join(network.devices[end].site for end in ends)
    wanted = names.pop() if len(names) == 1 else sites
    base = wanted if _NAME.fullmatch(wanted) else sites
    name = next(name for name in (base, *(f"{base}-{n}" for n in range(2, 1000))) if name not in taken)
    taken.add(name)
    return name


def _find_channels(network: Network, trees: Trees, found: Found) -> None:
    held: dict[str, dict[str, Reader]] = {}
    for device in network.of_kind("transponder"):
        for entry in _entries(trees, device.name, _OPTICAL, "optical-channel"):
            held.setdefault(entry.text("name"), {})[device.name] = entry
    for name, ends in held.items():
        if name not in network.optical_channels:
            made = _channel(network, trees, name, ends)
            if isinstance(made, str):
                found.left.append(f"optical channel {name} at {', '.join(ends)}: {made}")
            else:
                found.add("optical-channel", made)


def _channel(network: Network, trees: Trees, name: str, ends: Mapping[str, Reader]) -> Entry | str:
    leafs = ("role", "frequency-thz", "launch-power-dbm")
    if len(ends) != 2 or not _NAME.fullmatch(name):
        return "it is not at just two transponders, or its name cannot stand in the file"
    (a, here), (b, there) = ends.items()
    if differing := [leaf for leaf in leafs if here.text(leaf) != there.text(leaf)]:
        return f"its ends differ in {', '.join(differing)}"
    if not (here.flag("enabled", "true") and there.flag("enabled", "true")):
        return "it is switched off"
    ports = (Port(a, here.text("port")), Port(b, there.text("port")))
    path = _way(network, trees, *ports, thz_to_hz(here.text("frequency-thz")))
    if path is None or len(path.fibres) != 1:
        return "its light does not run over one fibre"
    return {
        "name": name,
        "role": here.local("role"),
        "fibre": path.fibres[0],
        "frequency-thz": here.text("frequency-thz"),
        "launch-power-dbm": here.text("launch-power-dbm"),
        "a": {"device": a, "port": ports[0].name},
        "b": {"device": b, "port": ports[1].name},
    }


def _find_connections(network: Network, trees: Trees, found: Found) -> None:
    seen: set[str] = set()
    known = {device.name for device in network.of_kind("encryptor")}
    for device in network.of_kind("encryptor"):
        for here in _entries(trees, device.name, _ENCRYPTOR, "connection"):
            name, peer = here.text("name"), here.text("peer")
            if name in network.protected_connections or name in seen:
                continue
            seen.add(name)
            others = _entries(trees, peer, _ENCRYPTOR, "connection") if peer in known else iter(())
            there = next((other for other in others if other.text("name") == name), None)
            if there is None or there.text("peer") != device.name:
                found.left.append(f"connection {name} at {device.name}: {peer or 'nobody'} does not have it too")
            else:
                found.add("protected-connection", _connection(name, (device.name, here), (peer, there)))


def _connection(name: str, a: tuple[str, Reader], b: tuple[str, Reader]) -> Entry:
    entry: dict[str, Value] = {"name": name}
    for side, (device, held) in (("a", a), ("b", b)):
        source = held.inside("key-source")
        entry[side] = {
            "device": device,
            "line": held.text("line"),
            "sae-id": source.text("local-sae-id"),
            "key-source-uri": source.text("uri"),
        }
    for leaf in ("rekey-interval", "vlan"):
        if a[1].has(leaf):
            entry[leaf] = a[1].text(leaf)
    return entry
