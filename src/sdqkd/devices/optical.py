"""What every optical device has (module `sdqkd-optical-device`): an identity, and ports that come with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sdqkd.devices.trees import container, entries, optional
from sdqkd.schema.reader import Reader
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


def factory(hardware: OpticalHardware) -> Container:
    """Factory configuration: identity and ports."""
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
