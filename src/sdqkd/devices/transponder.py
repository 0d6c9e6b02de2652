"""Transponder: sends and receives classical channels, one on each port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from sdqkd.devices import optical
from sdqkd.devices.optical import OpticalBackend, OpticalDevice
from sdqkd.devices.trees import container, decimal
from sdqkd.physics.grid import thz_to_hz
from sdqkd.schema.reader import Reader
from sdqkd.schema.tree import Container

MIN_DBM, MAX_DBM = -120.0, 40.0  # what `power-dbm` can say


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """One classical channel. `role` is the identity without module."""

    name: str
    port: str
    role: str
    frequency_hz: int
    launch_power_dbm: float
    enabled: bool


@dataclass(frozen=True, slots=True)
class ChannelReport:
    """What a channel does. `received_power_dbm` is None in the dark."""

    status: Literal["up", "down", "disabled"]
    received_power_dbm: float | None = None


class TransponderBackend(OpticalBackend, Protocol):
    """A shelf of transceivers."""

    def apply(self, channels: Mapping[str, ChannelSettings]) -> None:
        """Run these channels, by name, and no others."""
        ...

    def report(self) -> Mapping[str, ChannelReport]:
        """Give what each channel does now, by name."""
        ...


class Transponder(OpticalDevice[TransponderBackend]):
    """Translates between the optical model and a backend."""

    def apply(self, running: Container) -> None:
        """Hand the channels to the backend."""
        self._backend.apply(channel_settings(running))

    def state(self) -> Container:
        """Give status and received power of every channel."""
        items = (_channel_state(name, report) for name, report in self._backend.report().items())
        return optical.state(self._backend.hardware, "optical-channel", items)


def channel_settings(running: Container) -> dict[str, ChannelSettings]:
    """What a configuration tells a transponder, by name of the channel."""
    channels = map(_channel, optical.listed(running, "optical-channel"))
    return {channel.name: channel for channel in channels}


def _channel(entry: Reader) -> ChannelSettings:
    return ChannelSettings(
        name=entry.text("name"),
        port=entry.text("port"),
        role=entry.local("role"),
        frequency_hz=thz_to_hz(entry.text("frequency-thz")),
        launch_power_dbm=entry.number("launch-power-dbm"),
        enabled=entry.flag("enabled", "true"),
    )


def _channel_state(name: str, report: ChannelReport) -> Container:
    power_dbm = report.received_power_dbm
    shown = None if power_dbm is None else decimal(min(max(power_dbm, MIN_DBM), MAX_DBM), 2)
    return container({"name": name, "oper-status": optical.identity(report.status), "received-power-dbm": shown})
