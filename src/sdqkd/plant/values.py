"""What the whole plant is told, and what it reports: plain values by device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sdqkd.devices.encryptor import ConnectionSettings, ConnectionStatus
from sdqkd.devices.fibre_switch import CrossConnectionStatus, SwitchSettings
from sdqkd.devices.qkd_backend import LinkSettings, NodeReport, PairSettings
from sdqkd.devices.transponder import ChannelReport, ChannelSettings


@dataclass(frozen=True, slots=True)
class Settings:
    """What every device is told; what it may not have yet is empty."""

    links: Mapping[str, Mapping[str, LinkSettings]]
    switches: Mapping[str, SwitchSettings]
    channels: Mapping[str, Mapping[str, ChannelSettings]]
    connections: Mapping[str, Mapping[str, ConnectionSettings]]
    pairs: Mapping[str, Mapping[str, PairSettings]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reports:
    """What every device reports. A connection's key and its age need a clock: see `sessions`."""

    nodes: Mapping[str, NodeReport]
    switches: Mapping[str, Mapping[str, CrossConnectionStatus]]
    channels: Mapping[str, Mapping[str, ChannelReport]]
    connections: Mapping[str, Mapping[str, ConnectionStatus]]
