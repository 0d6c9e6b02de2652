"""Fibre switch: joins whole ports, with a variable attenuator before each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from sdqkd.devices import optical
from sdqkd.devices.optical import OpticalBackend, OpticalDevice
from sdqkd.schema.tree import Container

CrossConnectionStatus = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class CrossConnection:
    """Two ports joined, both ways."""

    name: str
    a_port: str
    b_port: str


@dataclass(frozen=True, slots=True)
class SwitchSettings:
    """Cross-connections by name, and attenuation in dB by port."""

    cross_connections: Mapping[str, CrossConnection] = field(default_factory=dict)
    attenuation_db: Mapping[str, float] = field(default_factory=dict)


class FibreSwitchBackend(OpticalBackend, Protocol):
    """A matrix of ports."""

    def apply(self, settings: SwitchSettings) -> None:
        """Join these ports and no others."""
        ...

    def report(self) -> Mapping[str, CrossConnectionStatus]:
        """Say by name whether light passes each cross-connection."""
        ...


class FibreSwitch(OpticalDevice[FibreSwitchBackend]):
    """Translates between the optical model and a backend."""

    def apply(self, running: Container) -> None:
        """Hand cross-connections and attenuations to the backend."""
        self._backend.apply(switch_settings(running))

    def state(self) -> Container:
        """Give the status of every cross-connection."""
        items = (
            Container({"name": name, "oper-status": optical.identity(status)})
            for name, status in self._backend.report().items()
        )
        return optical.state(self._backend.hardware, "cross-connection", items)


def switch_settings(running: Container) -> SwitchSettings:
    """What a configuration tells a switch."""
    crossings = (
        CrossConnection(entry.text("name"), entry.text("a-port"), entry.text("b-port"))
        for entry in optical.listed(running, "cross-connection")
    )
    attenuation_db = {
        entry.text("port"): entry.number("attenuation-db") for entry in optical.listed(running, "attenuator")
    }
    return SwitchSettings({crossing.name: crossing for crossing in crossings}, attenuation_db)
