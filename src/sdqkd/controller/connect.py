"""How the controller comes to a link with a device: it dials over SSH or TLS, or the device calls home.

Tests join both ends in memory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from sdqkd.controller.callers import Callers
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.errors import UnreachableError
from sdqkd.network.model import Device, Endpoint
from sdqkd.transport import ssh_client, tls_client
from sdqkd.transport.links import Link, Receiver
from sdqkd.transport.ssh_client import TIMEOUT_S
from sdqkd.transport.tls_client import Trust
from sdqkd.transport.tls_context import Identity


class Connector(Protocol):
    """Opens links. `receiver` has been told `link_made` when `open` returns."""

    async def open(self, device: Device, receiver: Receiver) -> Link:
        """Open a link with one device. Raises TransportError, or InputError for our own key file."""
        ...


class Dialler:
    """Opens links over SSH (RFC 6242) or TLS (RFC 7589), as `management` of each device says."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s

    async def open(self, device: Device, receiver: Receiver) -> Link:
        """Log in to a device. Raises TransportError, or InputError for our own key or certificate."""
        end = device.management
        return await (self._open_tls if end.transport == "tls" else self._open_ssh)(device.name, end, receiver)

    async def _open_ssh(self, name: str, end: Endpoint, receiver: Receiver) -> Link:
        if end.address is None or end.username is None or end.client_key_file is None:
            raise _unknown(name)
        return await ssh_client.connect(
            end.address, end.port, username=end.username, client_key_file=Path(end.client_key_file),
            host_key=end.host_key, receiver=receiver, timeout_s=self._timeout_s,
        )  # fmt: skip

    async def _open_tls(self, name: str, end: Endpoint, receiver: Receiver) -> Link:
        if end.address is None or end.tls_certificate_file is None or end.tls_key_file is None:
            raise _unknown(name)
        return await tls_client.connect(
            end.address, end.port, identity=Identity(Path(end.tls_certificate_file), Path(end.tls_key_file)),
            trust=_trust(end), receiver=receiver, timeout_s=self._timeout_s,
        )  # fmt: skip


def _trust(end: Endpoint) -> Trust:
    """Take a device's fingerprint rather than its issuer's word. Raises InputError if there is neither."""
    if end.certificate is not None:
        return Trust(fingerprint=end.certificate)
    issuers = Path(end.tls_issuers_file) if end.tls_issuers_file is not None else None
    return Trust(issuers=issuers, name=end.certificate_name)


def _unknown(name: str) -> UnreachableError:
    return UnreachableError(name, "it is not known where it answers: give an inventory")


class _DiallerOrCallers:
    """Dials, or waits for the device to call."""

    def __init__(self, dialler: Dialler, callers: Callers) -> None:
        self._dialler = dialler
        self._callers = callers

    async def open(self, device: Device, receiver: Receiver) -> Link:
        """Open a link with one device. Raises TransportError, InputError."""
        if device.management.call_home:
            return await self._callers.open(device.name, receiver)
        return await self._dialler.open(device, receiver)


@asynccontextmanager
async def connections(loaded: LoadedNetwork, timeout_s: float = TIMEOUT_S) -> AsyncIterator[Connector]:
    """Give what opens links with the devices of a network; for those that call home it listens meanwhile.

    Raises InputError and TransportError as `Callers.listen`.
    """
    calling = {name: device for name, device in loaded.network.devices.items() if device.management.call_home}
    callers = Callers(calling, loaded.waiting)
    await callers.listen()
    try:
        yield _DiallerOrCallers(Dialler(timeout_s), callers)
    finally:
        await callers.close()
