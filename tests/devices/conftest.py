"""Backends that remember what they were told and report what the test says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from sdqkd.devices.encryptor import (
    ConnectionReport,
    ConnectionSettings,
    EncryptorHardware,
    LineHardware,
    Rekeyed,
)
from sdqkd.devices.fibre_switch import CrossConnectionStatus, SwitchSettings
from sdqkd.devices.optical import OpticalHardware
from sdqkd.devices.qkd_backend import InterfaceHardware, LinkReport, LinkSettings, NodeHardware, NodeReport
from sdqkd.devices.transponder import ChannelReport, ChannelSettings
from sdqkd.schema import json
from sdqkd.schema.table import Schema, load
from sdqkd.schema.tree import Container, merge
from sdqkd.schema.validate import Validator

NODE_ID = "0a000000-0000-4000-8000-000000000001"


@dataclass
class RecordedNode:
    hardware: NodeHardware
    links: Mapping[str, LinkSettings] = field(default_factory=dict)
    reports: dict[str, LinkReport] = field(default_factory=dict)

    def apply(self, links: Mapping[str, LinkSettings]) -> None:
        self.links = links

    def report(self) -> NodeReport:
        return NodeReport("OPERATING", {1: "ENABLED", 2: "FAILED"}, self.reports)


@dataclass
class RecordedSwitch:
    hardware: OpticalHardware
    settings: SwitchSettings = field(default_factory=SwitchSettings)
    reports: dict[str, CrossConnectionStatus] = field(default_factory=dict)

    def apply(self, settings: SwitchSettings) -> None:
        self.settings = settings

    def report(self) -> Mapping[str, CrossConnectionStatus]:
        return self.reports


@dataclass
class RecordedTransponder:
    hardware: OpticalHardware
    channels: Mapping[str, ChannelSettings] = field(default_factory=dict)
    reports: dict[str, ChannelReport] = field(default_factory=dict)

    def apply(self, channels: Mapping[str, ChannelSettings]) -> None:
        self.channels = channels

    def report(self) -> Mapping[str, ChannelReport]:
        return self.reports


@dataclass
class RecordedEncryptor:
    hardware: EncryptorHardware
    connections: Mapping[str, ConnectionSettings] = field(default_factory=dict)
    reports: dict[str, ConnectionReport] = field(default_factory=dict)
    rekeyed: list[str] = field(default_factory=list)

    def apply(self, connections: Mapping[str, ConnectionSettings]) -> None:
        self.connections = connections

    def report(self) -> Mapping[str, ConnectionReport]:
        return self.reports

    def rekey(self, name: str) -> Rekeyed:
        self.rekeyed.append(name)
        return Rekeyed(datetime(2026, 11, 23, 9, 30, tzinfo=UTC), NODE_ID)


@pytest.fixture
def node_backend() -> RecordedNode:
    huawei = InterfaceHardware(
        1, "Huawei", "CV", "CV-QKD", "TRANSCEIVER", "34,37-38", 22, "cv", attached_device="switch", attached_port=3
    )
    toshiba = InterfaceHardware(2, "Toshiba", "DV", "DV-QKD", "RECEIVER", "1310", 24.5, "dv")
    return RecordedNode(NodeHardware(NODE_ID, "1.0", "Alfa", False, {1: huawei, 2: toshiba}))


@pytest.fixture
def switch_backend() -> RecordedSwitch:
    return RecordedSwitch(OpticalHardware(NODE_ID, "Polatis", "", "1.0", ("1", "2", "3")))


@pytest.fixture
def transponder_backend() -> RecordedTransponder:
    return RecordedTransponder(OpticalHardware(NODE_ID, "Ciena", "6500", "1.0", ("1", "2")))


@pytest.fixture
def encryptor_backend() -> RecordedEncryptor:
    lines = LineHardware("otn-1", 10_000_000_000), LineHardware("otn-2", None)
    return RecordedEncryptor(EncryptorHardware(NODE_ID, "ADVA", "AES10G", "layer-2", "1.0", lines))


class Bench:
    """A device on the bench: its factory configuration with further content, valid by the model."""

    def __init__(self, device: Any) -> None:
        self.device = device
        self.schema: Schema = device.schema
        self.validator = Validator(self.schema)

    def with_content(self, content: dict[str, Any]) -> Container:
        tree = merge(self.schema, self.device.factory(), json.decode(self.schema, content))
        self.validator.check(tree)
        return tree

    def state_with(self, config: Container) -> dict[str, Any]:
        """What the device reports, after libyang has found it valid together with the configuration."""
        state = self.device.state()
        # The device alone: what an agent must report about itself is not the device's to know.
        Validator(load(self.schema.name, alone=True)).check(merge(self.schema, config, state), state=True)
        return json.encode(self.schema, state)


@pytest.fixture
def bench() -> type[Bench]:
    return Bench


@pytest.fixture(scope="session")
def node_schema() -> Schema:
    return load("qkd-node")
