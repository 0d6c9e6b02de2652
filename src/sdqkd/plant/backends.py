"""The plant as the backend of each kind of device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sdqkd.devices import encryptor, optical, qkd_link
from sdqkd.devices.device import Device
from sdqkd.devices.encryptor import (
    ConnectionReport,
    ConnectionSettings,
    Encryptor,
    EncryptorHardware,
    Rekeyed,
)
from sdqkd.devices.fibre_switch import CrossConnectionStatus, FibreSwitch, SwitchSettings
from sdqkd.devices.optical import OpticalHardware
from sdqkd.devices.qkd_backend import LinkSettings, NodeHardware, NodeReport, PairSettings
from sdqkd.devices.qkd_node import QkdNode
from sdqkd.devices.transponder import ChannelReport, ChannelSettings, Transponder
from sdqkd.errors import InputError
from sdqkd.network import model
from sdqkd.network.topology import Topology
from sdqkd.plant.hardware import encryptor_hardware, node_hardware, optical_hardware
from sdqkd.plant.running import Running
from sdqkd.plant.sessions import connection_of, key_id
from sdqkd.schema.table import Schema, load


@dataclass(frozen=True, slots=True)
class EmulatedNode:
    """The modules of one SD-QKD node."""

    name: str
    hardware: NodeHardware
    running: Running

    def apply(self, links: Mapping[str, LinkSettings]) -> None:
        """Run these links."""
        settings = self.running.settings
        self.running.configure(replace(settings, links={**settings.links, self.name: links}))

    def measure(self, pairs: Mapping[str, PairSettings]) -> None:
        """Measure these pairs, as a hub."""
        settings = self.running.settings
        if pairs or settings.pairs.get(self.name):
            self.running.configure(replace(settings, pairs={**settings.pairs, self.name: pairs}))

    def report(self) -> NodeReport:
        """Give what the node does now."""
        return self.running.reports().nodes[self.name]

    def watch(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` whenever the report may have changed; give what ends that."""
        return self.running.watch(listener)


@dataclass(frozen=True, slots=True)
class EmulatedSwitch:
    """One fibre switch."""

    name: str
    hardware: OpticalHardware
    running: Running

    def apply(self, told: SwitchSettings) -> None:
        """Join these ports."""
        settings = self.running.settings
        self.running.configure(replace(settings, switches={**settings.switches, self.name: told}))

    def report(self) -> Mapping[str, CrossConnectionStatus]:
        """Give what each cross-connection does now."""
        return self.running.reports().switches[self.name]

    def watch(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` whenever the report may have changed; give what ends that."""
        return self.running.watch(listener)


@dataclass(frozen=True, slots=True)
class EmulatedTransponder:
    """One shelf of transceivers."""

    name: str
    hardware: OpticalHardware
    running: Running

    def apply(self, channels: Mapping[str, ChannelSettings]) -> None:
        """Run these channels."""
        settings = self.running.settings
        self.running.configure(replace(settings, channels={**settings.channels, self.name: channels}))

    def report(self) -> Mapping[str, ChannelReport]:
        """Give what each channel does now."""
        return self.running.reports().channels[self.name]

    def watch(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` whenever the report may have changed; give what ends that."""
        return self.running.watch(listener)


@dataclass(frozen=True, slots=True)
class EmulatedEncryptor:
    """One encryptor."""

    name: str
    hardware: EncryptorHardware
    running: Running

    def apply(self, connections: Mapping[str, ConnectionSettings]) -> None:
        """Protect these connections."""
        settings = self.running.settings
        self.running.configure(replace(settings, connections={**settings.connections, self.name: connections}))

    def report(self) -> Mapping[str, ConnectionReport]:
        """Give what each connection does now."""
        statuses = self.running.reports().connections[self.name]
        told = self.running.settings.connections[self.name]
        return {name: self._report(told[name], status) for name, status in statuses.items()}

    def rekey(self, name: str) -> Rekeyed:
        """Take another session key for a connection that is up, at both ends."""
        connection = connection_of(name, self.name, self.running.settings.connections[self.name][name].peer)
        session = self.running.rekey(connection)
        return Rekeyed(datetime.now(UTC), key_id(connection, session.used + 1))

    def _report(self, told: ConnectionSettings, status: encryptor.ConnectionStatus) -> ConnectionReport:
        connection = connection_of(told.name, self.name, told.peer)
        session, now_s = self.running.session(connection)
        count = session.count(now_s)
        if status != "up":
            return ConnectionReport(status, rekey_count=count)
        return ConnectionReport(status, key_id(connection, count), session.age_s(now_s), count)


def device_of(device: model.Device, topology: Topology, running: Running) -> Device:
    """The device that an agent can serve.

    Raises ModelError for a model set that was not compiled, InputError for one of another kind of device.
    """
    schema = load(device.model_set)
    top, make = _KINDS[device.kind]
    if top not in schema.data:
        message = f"the model set '{device.model_set}' is not one of a {device.kind}"
        raise InputError(message, path=f"{device.path}/model-set")
    return make(device, schema, topology, running)


def _node(device: model.Device, schema: Schema, topology: Topology, running: Running) -> Device:
    return QkdNode(device.name, schema, EmulatedNode(device.name, node_hardware(device, topology), running))


def _switch(device: model.Device, schema: Schema, topology: Topology, running: Running) -> Device:
    return FibreSwitch(device.name, schema, EmulatedSwitch(device.name, optical_hardware(device), running))


def _transponder(device: model.Device, schema: Schema, topology: Topology, running: Running) -> Device:
    return Transponder(device.name, schema, EmulatedTransponder(device.name, optical_hardware(device), running))


def _encryptor(device: model.Device, schema: Schema, topology: Topology, running: Running) -> Device:
    return Encryptor(device.name, schema, EmulatedEncryptor(device.name, encryptor_hardware(device), running))


_Make = Callable[[model.Device, Schema, Topology, Running], Device]
_KINDS: Mapping[model.Kind, tuple[str, _Make]] = {
    "qkd-node": (qkd_link.TOP, _node),
    "fibre-switch": (optical.TOP, _switch),
    "transponder": (optical.TOP, _transponder),
    "encryptor": (encryptor.TOP, _encryptor),
}
