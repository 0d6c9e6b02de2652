"""Call home over TLS (RFC 8071): a device that calls and serves, and a client that is called."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from sdqkd.errors import HostKeyError, InputError, LoginRefusedError, TransportError, UnreachableError
from sdqkd.transport.admission import Gate, Limits, Visit
from sdqkd.transport.call_home import Call, Dial, MakeReceiver, wanted
from sdqkd.transport.cert_names import (
    CertToName,
    Fingerprint,
    MapType,
    alternative_names,
    fingerprint_of,
    read_fingerprint,
)
from sdqkd.transport.door import Door, Endable, Listener
from sdqkd.transport.links import Link, Receiver
from sdqkd.transport.socket_link import address, no_connection, peer_of
from sdqkd.transport.tls_client import TlsCall, explain, mismatch_of
from sdqkd.transport.tls_context import Identity, client_context, server_context
from sdqkd.transport.tls_link import Wire
from sdqkd.transport.tls_service import TlsService, TlsVisit

_log = logging.getLogger(__name__)


# The device's side


def dialler(
    identity: Identity,
    trust: Path,
    names: Sequence[CertToName],
    make_receiver: Callable[[], Receiver],
    *,
    users: Collection[str] | None = None,
    gate: Gate | None = None,
) -> Dial:
    """Prepare a device to call: arguments as of `tls_server.listen`. Raises InputError for a file."""
    service = TlsService(server_context(identity, trust), tuple(names), users, make_receiver, gate or Gate())

    async def dial(host: str, port: int, max_wait_s: float) -> Call:
        loop = asyncio.get_running_loop()
        peer = address(host, port)
        over: asyncio.Future[None] = loop.create_future()
        visit = service.gate.call(host)
        visit.on_left = lambda: over.set_result(None)
        call = TlsVisit(service, visit, set())
        try:
            async with asyncio.timeout(max_wait_s):
                await loop.create_connection(lambda: call.handshake, host, port)
                await call.decided
        except TimeoutError:
            call.handshake.abort()
            raise UnreachableError(peer, f"nobody logged in within {max_wait_s:g} s") from None
        except OSError as error:
            raise UnreachableError(peer, no_connection(error)) from None
        except asyncio.CancelledError:
            call.handshake.abort()
            raise
        if call.failure:
            raise UnreachableError(peer, f"nobody logged in: {call.failure}")
        return Call(call, over)

    return dial


# The client's side


@dataclass(frozen=True, slots=True)
class _Known:
    """Which device a certificate is: by its fingerprint, or by a DNS name if its issuer has been verified."""

    by_fingerprint: Mapping[str, Fingerprint]
    by_name: Mapping[str, str]

    def device(self, certificate: bytes) -> str | None:
        for device, fingerprint in self.by_fingerprint.items():
            if fingerprint.matches(certificate):
                return device
        names = alternative_names(x509.load_der_x509_certificate(certificate)) if self.by_name else []
        found = {
            self.by_name[name] for kind, name in names if kind is MapType.SAN_DNS_NAME and name in self.by_name
        }
        return found.pop() if len(found) == 1 else None


async def listen(
    host: str,
    port: int,
    devices: Mapping[str, str],
    make_receiver: MakeReceiver,
    *,
    identity: Identity,
    issuers: Path | None = None,
    limits: Limits | None = None,
) -> Listener:
    """Be called by devices, each known by its certificate: `devices` gives each name's fingerprint.

    With a file of `issuers` it gives a DNS name instead, which the certificate must have as an alternative name.
    A device that is not among them is refused before anything is told to it. Raises InputError for a file or a
    fingerprint, TransportError if the address cannot be had.
    """
    known = _read_devices(devices, issuers is not None)
    context = client_context(identity, issuers, check_name=False)
    gate = Gate(limits)
    door = Door(gate)

    def answer(*_: object) -> asyncio.Protocol:
        return _Caller(context, known, make_receiver, gate, door.arriving, door.connections).call.handshake

    return Listener(await door.create_server(answer, host, port), host, door.connections)


def _read_devices(devices: Mapping[str, str], by_name: bool) -> _Known:
    if by_name:
        names = {text.lower(): device for device, text in devices.items()}
        if len(names) < len(devices):
            raise InputError("two devices have the same name: which of them calls could not be told")
        return _Known({}, names)
    fingerprints = {device: read_fingerprint(text) for device, text in devices.items()}
    if len(set(fingerprints.values())) < len(devices):
        raise InputError("two devices have the same certificate: which of them calls could not be told")
    return _Known(fingerprints, {})


class _Caller:
    """A connection that somebody has opened, who has to show a device's certificate."""

    def __init__(
        self,
        context: ssl.SSLContext,
        known: _Known,
        make_receiver: MakeReceiver,
        gate: Gate,
        visit: Visit,
        connections: set[Endable],
    ) -> None:
        self._known = known
        self._make_receiver = make_receiver
        self._gate = gate
        self._visit = visit
        self._connections = connections
        self.call = TlsCall(
            context,
            self._identify,
            timeout_s=gate.limits.login_timeout_s,
            keepalive_s=gate.limits.keepalive_s,
            on_gone=self._gone,
        )
        visit.is_silent = lambda: not self.call.handshake.heard
        self.call.session.add_done_callback(self._tell)
        connections.add(self.call)

    def _identify(self, wire: Wire) -> Receiver:
        """Find the device by its certificate, and its receiver. Raises TransportError to refuse it."""
        peer = peer_of(wire.transport)
        certificate = wire.tls.getpeercert(binary_form=True) or b""
        device = self._known.device(certificate)
        if device is None:
            shown = fingerprint_of(certificate)
            raise HostKeyError(peer, f"called with certificate {shown}, which is no device's")
        fingerprint = self._known.by_fingerprint.get(device)
        if fingerprint is not None and (fault := mismatch_of(certificate, fingerprint)) is not None:
            raise HostKeyError(peer, fault)
        refusal = self._gate.enter(self._visit, device)
        receiver = wanted(self._make_receiver, device) if refusal is None else None
        if receiver is None:
            raise LoginRefusedError(peer, f"device {device!r} is turned away: {refusal or 'it is not wanted now'}")
        return receiver

    def _gone(self) -> None:
        self._connections.discard(self.call)
        self._gate.leave(self._visit, asyncio.get_running_loop().time())

    def _tell(self, session: asyncio.Future[Link]) -> None:
        error = None if session.cancelled() else session.exception()
        source = self._visit.source
        if error is None:
            _log.info("device %r called from %s", self._visit.user, source)
        elif self._visit.turned_away:
            _log.info("a call from %s was turned away: too many wait", source)
        elif isinstance(error, Exception):
            told = error if isinstance(error, TransportError) else explain(source, error, "a device")
            level = logging.INFO if isinstance(told, UnreachableError) else logging.WARNING
            _log.log(level, "%s: refused", told)
