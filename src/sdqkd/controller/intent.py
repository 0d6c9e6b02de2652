"""What a network file wants of each device: configuration below the paths that the controller owns, and no other.

Interfaces, ports, lines and identifiers belong to the equipment; the controller reads them and leaves them alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sdqkd.controller.routing import routes
from sdqkd.network.model import (
    Device,
    EncryptorEnd,
    Kind,
    ModuleEnd,
    Network,
    OpticalChannel,
    Port,
    ProtectedConnection,
    QkdLink,
)
from sdqkd.network.topology import LightPath, topology_of
from sdqkd.physics.grid import etsi_wavelength, hz_to_thz
from sdqkd.schema import json
from sdqkd.schema.table import Schema, load
from sdqkd.schema.tree import EMPTY, Container, Path, merge

Json = dict[str, Any]  # RFC 7951: numbers of 64 bits and decimals are strings

OWNED: Mapping[Kind, tuple[Path, ...]] = {
    "qkd-node": (
        ("etsi-qkd-sdn-node:qkd_node", "qkd_links"),
        ("etsi-qkd-sdn-node:qkd_node", "sdqkd-qkd-node:measured-pair"),
    ),
    "fibre-switch": (("sdqkd-optical-device:optical-device", "cross-connection"),),
    "transponder": (("sdqkd-optical-device:optical-device", "optical-channel"),),
    "encryptor": (("sdqkd-encryptor:encryptor", "connection"),),
}
_IDENTITY: Mapping[Kind, Path] = {
    "qkd-node": ("etsi-qkd-sdn-node:qkd_node", "qkdn_id"),
    "fibre-switch": ("sdqkd-optical-device:optical-device", "device-id"),
    "transponder": ("sdqkd-optical-device:optical-device", "device-id"),
    "encryptor": ("sdqkd-encryptor:encryptor", "device-id"),
}


@dataclass(frozen=True, slots=True)
class Desired:
    """What one device shall hold below the owned paths; elsewhere the tree is empty."""

    model_set: str
    tree: Container
    owned: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a device's configuration, wanted by what stands at the path `source` of the network file."""

    device: str
    content: Json
    source: str

    def tree(self, schema: Schema) -> Container:
        """The entry as a tree of the device's model. Raises RpcError if the model does not take it."""
        return json.decode(schema, self.content)


def desired(network: Network) -> Mapping[str, Desired]:
    """What each device shall hold, devices in the order of the file. The network has passed `checks.check`.

    Raises ModelError for a model set that does not exist, RpcError for an entry that its device does not take.
    """
    trees = dict.fromkeys(network.devices, EMPTY)
    for entry in entries(network):
        schema = load(network.devices[entry.device].model_set)
        trees[entry.device] = merge(schema, trees[entry.device], entry.tree(schema))
    return {
        name: Desired(device.model_set, trees[name], owned_by(device)) for name, device in network.devices.items()
    }


def owned_by(device: Device) -> tuple[Path, ...]:
    """The paths below which the controller decides on this device."""
    return OWNED[device.kind]


def identity_of(device: Device) -> Path:
    """Where this device says which one it is."""
    return _IDENTITY[device.kind]


def entries(network: Network) -> Iterator[Entry]:
    """Every entry that is wanted of any device. Links without a light path are left out."""
    paths = routes(network, topology_of(network)).paths
    beams = network.beams
    for name, path in paths.items():
        if name in network.qkd_links:
            yield from _link_entries(network, network.qkd_links[name], path)
        yield from _crossing_entries(beams[name], path)
    for link in network.qkd_links.values():
        if link.arms and link.active:
            yield from _three_party_entries(network, link, paths)
    for channel in network.optical_channels.values():
        for port in (channel.a, channel.b):
            if port is not None:
                yield Entry(port.element, _channel_entry(channel, port), channel.path)
    for connection in network.protected_connections.values():
        for end, peer in ((connection.a, connection.b), (connection.b, connection.a)):
            yield Entry(end.device, _connection_entry(connection, end, peer), connection.path)


def _link_entries(network: Network, link: QkdLink, path: LightPath) -> Iterator[Entry]:
    loss_db = link.calibration.loss_db if link.calibration else path.loss_db
    ends = ((link.transmitter, link.receiver, "TRANSMITTER"), (link.receiver, link.transmitter, "RECEIVER"))
    for local, remote, role in ends:
        yield Entry(local.device, _qkd_link_entry(network, link, (local, remote), role, loss_db), link.path)


def _three_party_entries(network: Network, link: QkdLink, paths: Mapping[str, LightPath]) -> Iterator[Entry]:
    """A link at both emitters, and the pair at the hub; nothing if light of one of them does not get there."""
    of_arm = {beam.ends: paths.get(name) for name, beam in network.beams.items()}
    ways = [of_arm[arm.emitter, arm.input] for arm in link.arms]
    if None in ways:
        return
    for arm, way, remote in zip(link.arms, ways, reversed(link.ends), strict=True):
        loss_db = arm.loss_db if arm.loss_db is not None or way is None else way.loss_db
        entry = _qkd_link_entry(network, link, (arm.emitter, remote), "TRANSMITTER", loss_db or 0.0, arm.input)
        yield Entry(arm.emitter.device, entry, link.path)
    pair = {
        "link-id": link.link_id,
        "enabled": True,
        "emitter": [
            {"node-id": network.devices[arm.emitter.device].device_id, "interface": arm.input.interface}
            for arm in link.arms
        ],
        "frequency-thz": hz_to_thz(link.frequency_hz),
    }
    content = {"etsi-qkd-sdn-node:qkd_node": {"sdqkd-qkd-node:measured-pair": [pair]}}
    yield Entry(link.arms[0].input.device, content, link.path)


def _crossing_entries(link: QkdLink, path: LightPath) -> Iterator[Entry]:
    crossed: dict[str, int] = {}
    for crossing in path.crossings:
        number = crossed[crossing.device] = crossed.get(crossing.device, 0) + 1
        entry = {
            "name": link.name if number == 1 else f"{link.name}-{number}",
            "a-port": crossing.a_port,
            "b-port": crossing.b_port,
            "purpose": link.name,
        }
        content = {"sdqkd-optical-device:optical-device": {"cross-connection": [entry]}}
        yield Entry(crossing.device, content, link.path)


def _qkd_link_entry(
    network: Network,
    link: QkdLink,
    ends: tuple[ModuleEnd, ModuleEnd],
    role: str,
    loss_db: float,
    hub: ModuleEnd | None = None,
) -> Json:
    local, remote = ends
    entry: Json = {
        "qkdl_id": link.link_id,
        "qkdl_status": "etsi-qkd-node-types:ACTIVE",
        "qkdl_enable": True,
        "qkdl_local": _module(network, local),
        "qkdl_remote": _module(network, remote),
        "qkdl_type": "etsi-qkd-node-types:PHYS",
        "phys_channel_att": f"{loss_db:.3f}",
        "phys_wavelength": etsi_wavelength(link.frequency_hz),
        "phys_qkd_role": f"etsi-qkd-node-types:{role}",
        "sdqkd-qkd-node:frequency-thz": hz_to_thz(link.frequency_hz),
    }
    if hub is not None:
        node_id = network.devices[hub.device].device_id
        entry["sdqkd-qkd-node:hub"] = {"node-id": node_id, "interface": hub.interface}
    return {"etsi-qkd-sdn-node:qkd_node": {"qkd_links": {"qkd_link": [entry]}}}


def _module(network: Network, end: ModuleEnd) -> Json:
    return {"qkdn_id": network.devices[end.device].device_id, "qkdi_id": end.interface}


def _channel_entry(channel: OpticalChannel, port: Port) -> Json:
    entry = {
        "name": channel.name,
        "port": port.name,
        "role": f"sdqkd-optical-types:{channel.role}",
        "frequency-thz": hz_to_thz(channel.frequency_hz),
        "launch-power-dbm": f"{channel.launch_power_dbm:.2f}",
        "enabled": True,
    }
    return {"sdqkd-optical-device:optical-device": {"optical-channel": [entry]}}


def _connection_entry(connection: ProtectedConnection, end: EncryptorEnd, peer: EncryptorEnd) -> Json:
    entry: Json = {
        "name": connection.name,
        "line": end.line,
        "peer": peer.device,
        "enabled": True,
        "key-source": {"uri": end.key_source_uri, "local-sae-id": end.sae_id, "peer-sae-id": peer.sae_id},
        "rekey-interval": connection.rekey_interval_s,
    }
    if connection.vlan is not None:
        entry["vlan"] = connection.vlan
    return {"sdqkd-encryptor:encryptor": {"connection": [entry]}}
