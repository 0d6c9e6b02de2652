"""Devices that call home (RFC 8071): the controller listens, and a call waits until somebody wants its device."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sdqkd.errors import InputError, UnreachableError
from sdqkd.network.model import Device, Endpoint
from sdqkd.transport import ssh_call_home, tls_call_home
from sdqkd.transport.door import Listener
from sdqkd.transport.links import FlowControlled, Link, Receiver
from sdqkd.transport.socket_link import address
from sdqkd.transport.tls_context import Identity

_REDIAL_S = 10.0  # for a device that was connected to call again
_MAX_UNASKED_BYTES = 2**20  # that a device says before anybody has asked; its hello is less


@dataclass(frozen=True, slots=True)
class Waiting:
    """Where the controller waits for devices, and for how long from when it listens. Port 0 takes a free one."""

    address: str = "0.0.0.0"  # noqa: S104 devices call from anywhere; who is none is refused by its key
    ssh_port: int = 4334
    tls_port: int = 4335
    patience_s: float = 90.0


class Callers:
    """The calls of some devices. `listen` comes first, `close` last."""

    def __init__(self, devices: Mapping[str, Device], waiting: Waiting) -> None:
        """`devices` are those that call home."""
        self._devices = devices
        self._waiting = waiting
        self._calls: dict[str, _Call] = {}  # the newest of each device, which nobody has asked for
        self._wanted: dict[str, asyncio.Future[_Call]] = {}
        self._listeners: dict[str, Listener] = {}
        self._deadline_s = 0.0

    @property
    def ports(self) -> Mapping[str, int]:
        """The real port by transport, for those that are listened on."""
        return {transport: listener.port for transport, listener in self._listeners.items()}

    async def listen(self) -> None:
        """Wait for calls over what the devices use.

        Raises InputError if their entries do not go together or a file cannot be used, TransportError if a port
        cannot be had.
        """
        over_ssh, over_tls = self._by_transport("ssh"), self._by_transport("tls")
        try:
            if over_ssh:
                self._listeners["ssh"] = await self._listen_ssh(over_ssh)
            if over_tls:
                self._listeners["tls"] = await self._listen_tls(over_tls)
        except BaseException:
            await self.close()
            raise
        self._deadline_s = asyncio.get_running_loop().time() + self._waiting.patience_s

    async def open(self, device: str, receiver: Receiver) -> Link:
        """Give `receiver` the link of a device's call. Raises UnreachableError if it does not call in time."""
        call = self._calls.pop(device, None) or await self._next_call(device)
        return call.answer(receiver)

    async def close(self) -> None:
        """Listen no more and end all calls."""
        listeners, self._listeners = self._listeners, {}
        await asyncio.gather(*(listener.close() for listener in listeners.values()))

    async def _next_call(self, device: str) -> _Call:
        loop = asyncio.get_running_loop()
        patience_s = max(self._deadline_s - loop.time(), min(_REDIAL_S, self._waiting.patience_s))
        wanted = self._wanted.setdefault(device, loop.create_future())
        try:
            async with asyncio.timeout(patience_s):
                return await wanted
        except TimeoutError:
            place = address(self._waiting.address, self.ports[self._devices[device].management.transport])
            raise UnreachableError(place, f"no call came within {patience_s:.0f} s, or it was refused") from None
        finally:
            self._wanted.pop(device, None)

    def _answer(self, device: str) -> Receiver:
        return _Call(lambda call: self._made(device, call), lambda call: self._lost(device, call))

    def _made(self, device: str, call: _Call) -> None:
        """Take note of a call. A device that calls again has given up its call before."""
        wanted = self._wanted.get(device)
        if wanted is not None and not wanted.done():
            wanted.set_result(call)
            return
        before, self._calls[device] = self._calls.get(device), call
        if before is not None:
            before.hang_up()

    def _lost(self, device: str, call: _Call) -> None:
        if self._calls.get(device) is call:
            del self._calls[device]

    def _by_transport(self, transport: str) -> dict[str, Endpoint]:
        ends = {name: device.management for name, device in self._devices.items()}
        return {name: end for name, end in ends.items() if end.transport == transport}

    async def _listen_ssh(self, ends: Mapping[str, Endpoint]) -> Listener:
        username = _alike("user name", {name: end.username for name, end in ends.items()})
        key_file = _alike("client key file", {name: end.client_key_file for name, end in ends.items()})
        keys = {name: end.host_key or "" for name, end in ends.items()}
        return await ssh_call_home.listen(
            self._waiting.address, self._waiting.ssh_port, keys, self._answer,
            username=username, client_key_file=Path(key_file),
        )  # fmt: skip

    async def _listen_tls(self, ends: Mapping[str, Endpoint]) -> Listener:
        certificate = _alike("TLS certificate", {name: end.tls_certificate_file for name, end in ends.items()})
        key = _alike("TLS key", {name: end.tls_key_file for name, end in ends.items()})
        if all(end.certificate for end in ends.values()):
            issuers, shown = None, {name: end.certificate for name, end in ends.items()}
        else:
            issuers = _alike("file of issuers", {name: end.tls_issuers_file for name, end in ends.items()})
            shown = {name: None if end.certificate else end.certificate_name for name, end in ends.items()}
        if lacking := [name for name, text in shown.items() if text is None]:
            reason = "all that call over TLS have a certificate, or else all a certificate-name and issuers"
            raise InputError(f"who calls could not be told for {', '.join(lacking)}: {reason}")
        known = {name: text or "" for name, text in shown.items()}
        return await tls_call_home.listen(
            self._waiting.address, self._waiting.tls_port, known, self._answer,
            identity=Identity(Path(certificate), Path(key)), issuers=Path(issuers) if issuers else None,
        )  # fmt: skip


def _alike(what: str, said: Mapping[str, str | None]) -> str:
    """Give what all devices have in common: who calls is known only after we have shown who we are."""
    values = {value for value in said.values() if value is not None}
    if len(values) == 1 and None not in said.values():
        return values.pop()
    raise InputError(f"all devices that call home over one transport need the same {what}: {', '.join(said)}")


class _Call:
    """The Receiver of a call: it keeps what the device says until there is somebody to hear it."""

    def __init__(self, on_made: Callable[[_Call], None], on_lost: Callable[[_Call], None]) -> None:
        self._on_made = on_made
        self._on_lost = on_lost
        self._link: Link | None = None
        self._receiver: Receiver | None = None
        self._said = bytearray()
        self._loss: list[Exception | None] = []

    def answer(self, receiver: Receiver) -> Link:
        """Let somebody have the call, from its beginning."""
        assert self._link is not None
        self._receiver = receiver
        receiver.link_made(self._link)
        if self._said:
            receiver.data_received(bytes(self._said))
        for error in self._loss:
            receiver.link_lost(error)
        return self._link

    def hang_up(self) -> None:
        """End a call that nobody wants."""
        if self._link is not None:
            self._link.close()

    # What the transport calls

    def link_made(self, link: Link) -> None:
        self._link = link
        self._on_made(self)

    def data_received(self, data: bytes) -> None:
        if self._receiver is not None:
            self._receiver.data_received(data)
            return
        self._said += data
        if len(self._said) > _MAX_UNASKED_BYTES:
            self.hang_up()

    def link_lost(self, error: Exception | None) -> None:
        self._on_lost(self)
        if self._receiver is not None:
            self._receiver.link_lost(error)
        else:
            self._loss.append(error)

    def pause_writing(self) -> None:
        if isinstance(self._receiver, FlowControlled):
            self._receiver.pause_writing()

    def resume_writing(self) -> None:
        if isinstance(self._receiver, FlowControlled):
            self._receiver.resume_writing()
