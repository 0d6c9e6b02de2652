"""Which equipment profile counts at a place of a network."""

from __future__ import annotations

from sdqkd.network.model import Network, Port
from sdqkd.profiles.equipment import Transponder, load_equipment


def transponder_of(network: Network, port: Port | None) -> Transponder | None:
    """The profile of the transponder with this port, None if it has none."""
    device = network.devices.get(port.element) if port is not None else None
    profile = load_equipment().get(device.profile) if device is not None and device.profile else None
    return profile if isinstance(profile, Transponder) else None
