"""Encryptor of layer 1 or 2: connections that take their keys from the QKD network. No key passes here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from sdqkd.devices.hardware import hardware_changes, raise_all
from sdqkd.devices.trees import container, entries, optional
from sdqkd.errors import RpcError
from sdqkd.notifications.times import time_text
from sdqkd.schema.path import format_path
from sdqkd.schema.reader import Reader
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container, Path

TOP = "sdqkd-encryptor:encryptor"

REKEY = "sdqkd-encryptor:rekey"

ConnectionStatus = Literal["up", "no-key", "no-peer", "disabled"]
_WHY_NO_REKEY: Mapping[ConnectionStatus, str] = {
    "no-key": "its key source delivers none",
    "no-peer": "it is down, as the other end is not configured for it, or a line between them has failed",
    "disabled": "it is switched off",
}


@dataclass(frozen=True, slots=True)
class LineHardware:
    """A line port."""

    name: str
    line_rate_bps: int | None


@dataclass(frozen=True, slots=True)
class EncryptorHardware:
    """What an encryptor is. `layer` is `layer-1` or `layer-2`; empty texts are not known."""

    device_id: str
    vendor: str
    product: str
    layer: str
    software_version: str
    lines: tuple[LineHardware, ...]


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """One end of a protected connection. `vlan` is None for all traffic."""

    name: str
    line: str
    peer: str
    enabled: bool
    key_source_uri: str
    local_sae_id: str
    peer_sae_id: str
    rekey_interval_s: int
    vlan: int | None


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """What a connection does. `key_id` and `key_age_s` only while it is up."""

    status: ConnectionStatus
    key_id: str | None = None
    key_age_s: int | None = None
    rekey_count: int = 0


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """When a connection took another session key, as an aware time, and the identifier of that key."""

    at: datetime
    key_id: str


class EncryptorBackend(Protocol):
    """An encryptor."""

    @property
    def hardware(self) -> EncryptorHardware:
        """What the device is; it never changes."""
        ...

    def apply(self, connections: Mapping[str, ConnectionSettings]) -> None:
        """Protect these connections, by name, and no others."""
        ...

    def report(self) -> Mapping[str, ConnectionReport]:
        """Give what each connection does now, by name."""
        ...

    def rekey(self, name: str) -> Rekeyed:
        """Take another session key for a connection that is up. Raises RpcError if that fails after all."""
        ...


class Encryptor:
    """Translates between the encryptor model and a backend."""

    def __init__(self, name: str, schema: Schema, backend: EncryptorBackend) -> None:
        self.name = name
        self.schema = schema
        self._backend = backend
        # A vendor's deviation may set another default.
        self._rekey_default = schema.node((TOP, "connection", "rekey-interval")).default[0]

    def factory(self) -> Container:
        """Give identity, layer and lines."""
        hardware = self._backend.hardware
        lines = (
            container({"name": line.name, "line-rate-bps": optional(line.line_rate_bps)})
            for line in hardware.lines
        )
        device = container(
            {
                "device-id": hardware.device_id,
                "vendor": optional(hardware.vendor),
                "product": optional(hardware.product),
                "layer": optional(hardware.layer),
                "line": entries("name", lines),
            }
        )
        return Container({TOP: device})

    def check(self, proposed: Container) -> None:
        """Raise RpcError(s) for changed hardware; the model says the rest."""
        raise_all(list(hardware_changes(self.schema, self.factory(), proposed)))

    def apply(self, running: Container) -> None:
        """Hand the connections to the backend."""
        found = map(self._connection, Reader(running).inside(TOP).entries("connection"))
        self._backend.apply({connection.name: connection for connection in found})

    def state(self) -> Container:
        """Give status, key identifier and key age of every connection."""
        items = (_connection_state(name, report) for name, report in self._backend.report().items())
        version = self._backend.hardware.software_version
        device = container({"software-version": version, "connection": entries("name", items)})
        return Container({TOP: device})

    def invoke(self, operation: str, at: Path, parameters: Container) -> Container:
        """Do `rekey`, the one action of a connection. Raises RpcError operation-failed if it is not up."""
        assert operation == REKEY
        name = str(at[-1][1][0])
        status = self._backend.report()[name].status
        if status != "up":
            message = f"connection '{name}' takes no new key: {_WHY_NO_REKEY[status]}"
            raise RpcError("operation-failed", message, path=format_path(at, self.schema), app_tag=status)
        done = self._backend.rekey(name)
        return container({"time": time_text(done.at), "key-id": done.key_id})

    def _connection(self, entry: Reader) -> ConnectionSettings:
        source = entry.inside("key-source")
        return ConnectionSettings(
            name=entry.text("name"),
            line=entry.text("line"),
            peer=entry.text("peer"),
            enabled=entry.flag("enabled", "true"),
            key_source_uri=source.text("uri"),
            local_sae_id=source.text("local-sae-id"),
            peer_sae_id=source.text("peer-sae-id"),
            rekey_interval_s=int(entry.text("rekey-interval", self._rekey_default)),
            vlan=entry.optional_int("vlan"),
        )


def _connection_state(name: str, report: ConnectionReport) -> Container:
    values = {
        "oper-status": report.status,
        "key-id": report.key_id,
        "key-age": optional(report.key_age_s),
        "rekey-count": str(report.rekey_count),
    }
    return Container({"name": name, "state": container(values)})
