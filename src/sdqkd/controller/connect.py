"""How the controller comes to a link with a device. SSH is one way; tests join both ends in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from sdqkd.errors import UnreachableError
from sdqkd.network.model import Device
from sdqkd.transport.links import Link, Receiver
from sdqkd.transport.ssh_client import TIMEOUT_S, connect


class Connector(Protocol):
    """Opens links. `receiver` has been told `link_made` when `open` returns."""

    async def open(self, device: Device, receiver: Receiver) -> Link:
        """Open a link with one device. Raises TransportError, or InputError for our own key file."""
        ...


class SshConnector:
    """Opens links over SSH (RFC 6242), as `management` of each device says."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s

    async def open(self, device: Device, receiver: Receiver) -> Link:
        """Log in to a device. Raises TransportError, or InputError for our own key file."""
        end = device.management
        if end.address is None or end.username is None or end.client_key_file is None:
            raise UnreachableError(device.name, "it is not known where it answers: give an inventory")
        return await connect(
            end.address,
            end.port,
            username=end.username,
            client_key_file=Path(end.client_key_file),
            host_key=end.host_key,
            receiver=receiver,
            timeout_s=self._timeout_s,
        )
