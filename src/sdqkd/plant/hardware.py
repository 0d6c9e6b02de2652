"""The devices of a network file as the hardware that a backend shows to its device."""

from __future__ import annotations

from sdqkd import __version__
from sdqkd.devices.encryptor import EncryptorHardware, LineHardware
from sdqkd.devices.optical import OpticalHardware
from sdqkd.devices.qkd_backend import InterfaceHardware, NodeHardware
from sdqkd.network.model import Device, Interface
from sdqkd.network.topology import Topology

SOFTWARE_VERSION = f"sdqkd {__version__}, emulated"


def node_hardware(device: Device, topology: Topology) -> NodeHardware:
    """An SD-QKD node with its modules."""
    return NodeHardware(
        node_id=device.device_id,
        version=SOFTWARE_VERSION,
        location=device.site,
        relays_keys=False,
        interfaces={number: _interface(one, topology) for number, one in device.interfaces.items()},
    )


def optical_hardware(device: Device) -> OpticalHardware:
    """A fibre switch or transponder."""
    return OpticalHardware(device.device_id, device.vendor, device.product, SOFTWARE_VERSION, device.ports)


def encryptor_hardware(device: Device) -> EncryptorHardware:
    """An encryptor with its lines."""
    return EncryptorHardware(
        device_id=device.device_id,
        vendor=device.vendor,
        product=device.product,
        layer=device.layer or "",
        software_version=SOFTWARE_VERSION,
        lines=tuple(LineHardware(line.name, line.line_rate_bps) for line in device.lines.values()),
    )


def _interface(interface: Interface, topology: Topology) -> InterfaceHardware:
    cord = topology.cords.get(interface.port)
    return InterfaceHardware(
        id=interface.id,
        vendor=interface.vendor,
        model=interface.product or interface.vendor,
        technology=interface.technology,
        role=interface.role,
        wavelength_range=interface.wavelength_range,
        max_absorption_db=interface.max_absorption_db,
        port=interface.port.name,
        attached_device=cord.far.element if cord else None,
        attached_port=int(cord.far.name) if cord and cord.far.name.isdecimal() else None,
    )
