"""What every optical device has (module `sdqkd-optical-device`): an identity, and ports that come with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from sdqkd.devices.device import watch
from sdqkd.devices.hardware import hardware_changes, raise_all
from sdqkd.devices.trees import container, entries, optional
from sdqkd.schema.reader import Reader
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container

TOP = "sdqkd-optical-device:optical-device"


@dataclass(frozen=True, slots=True)
class OpticalHardware:
    """What an optical device is. Empty texts are not known."""

    device_id: str
    vendor: str
    product: str
    software_version: str
    ports: tuple[str, ...]


class OpticalBackend(Protocol):
    """What is behind any optical device."""

    @property
    def hardware(self) -> OpticalHardware:
        """What the device is; it never changes."""
        ...


B = TypeVar("B", bound=OpticalBackend)


class OpticalDevice(Generic[B]):
    """What all optical devices do alike; each kind adds how its settings are applied and what it reports."""

    def __init__(self, name: str, schema: Schema, backend: B) -> None:
        self.name = name
        self.schema = schema
        self._backend = backend

    def factory(self) -> Container:
        """Give identity and ports."""
        hardware = self._backend.hardware
        ports = (Container({"name": name}) for name in hardware.ports)
        device = container(
            {
                "device-id": hardware.device_id,
                "vendor": optional(hardware.vendor),
                "product": optional(hardware.product),
                "port": entries("name", ports),
            }
        )
        return Container({TOP: device})

    def check(self, proposed: Container) -> None:
        """Raise RpcError(s) for changed hardware; the model says the rest."""
        raise_all(list(hardware_changes(self.schema, self.factory(), proposed)))

    def watch(self, listener: Callable[[], None]) -> Callable[[], None] | None:
        """Call `listener` whenever the state may have changed, if the hardware can say so: see `Watchable`."""
        return watch(self._backend, listener)


def state(hardware: OpticalHardware, list_name: str, items: Iterable[Container]) -> Container:
    """State tree: software version and the entries of one list, which are named by `name`."""
    device = container({"software-version": hardware.software_version, list_name: entries("name", items)})
    return Container({TOP: device})


def listed(tree: Container, list_name: str) -> Iterator[Reader]:
    """The entries of one list of the device."""
    return Reader(tree).inside(TOP).entries(list_name)


def identity(status: str) -> str:
    """The oper-status identity `up`, `down` or `disabled` as a leaf."""
    return f"sdqkd-optical-device:{status}"
