"""NETCONF over TLS, the client's end: RFC 7589. A server is known by its certificate's issuer or fingerprint."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from sdqkd.errors import HostKeyError, InputError, LoginRefusedError, TransportError, UnreachableError
from sdqkd.transport.cert_names import Fingerprint, fingerprint_of, read_fingerprint
from sdqkd.transport.links import Link, Receiver
from sdqkd.transport.socket_link import Patience, address, no_connection, peer_of
from sdqkd.transport.ssh_link import KEEPALIVE_S
from sdqkd.transport.tls_context import Identity, client_context, fault_of_dates
from sdqkd.transport.tls_faults import fault_of_certificate, fault_of_talk, refusal_of_ours
from sdqkd.transport.tls_link import TlsHandshake, TlsLink, Wire, keep_alive

TIMEOUT_S = 10.0

_WORD_S = 1.0  # that a server has to say its first word after the handshake, before it is taken for a slow one


@dataclass(frozen=True, slots=True)
class Trust:
    """Which certificate a server must show.

    Either one that a certificate in the file `issuers` has issued (or that stands there itself), for the name or
    address `name`, by default the host that is called; or exactly the one with a fingerprint, whoever issued it.
    """

    issuers: Path | None = None
    fingerprint: str | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if (self.issuers is None) == (self.fingerprint is None):
            raise InputError("a device is trusted by issuers or by a fingerprint: give one of the two")
        if self.fingerprint is not None:
            read_fingerprint(self.fingerprint)


async def connect(
    host: str,
    port: int,
    *,
    identity: Identity,
    trust: Trust,
    receiver: Receiver,
    timeout_s: float = TIMEOUT_S,
    keepalive_s: float = KEEPALIVE_S,
) -> Link:
    """Open a NETCONF session over TLS; `receiver` has its link when this returns.

    Raises InputError for a file that cannot be used, HostKeyError for a certificate that is not trusted,
    LoginRefusedError if the server refuses ours, UnreachableError when no session comes in `timeout_s`.
    """
    peer = address(host, port)
    name = trust.name or host

    def identify(wire: Wire) -> Receiver:
        _check_pin(peer, wire, trust)
        return receiver

    call = TlsCall(
        client_context(identity, trust.issuers),
        identify,
        server_name=name if trust.issuers is not None else None,
        timeout_s=timeout_s,
        keepalive_s=keepalive_s,
    )
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_s):
            await loop.create_connection(lambda: call.handshake, host, port)
            return await call.session
    except OSError as error:
        raise _explain(peer, error, name, call, timeout_s) from None
    finally:
        call.abandon()


def _check_pin(peer: str, wire: Wire, trust: Trust) -> None:
    """Compare the certificate with the fingerprint that is expected."""
    if trust.fingerprint is None:
        return
    certificate = wire.tls.getpeercert(binary_form=True) or b""
    if (mismatch := mismatch_of(certificate, read_fingerprint(trust.fingerprint))) is not None:
        raise HostKeyError(peer, mismatch)


def mismatch_of(certificate: bytes, expected: Fingerprint) -> str | None:
    """Say why a certificate in DER form is not the one that is expected; None if it is."""
    if not expected.matches(certificate):
        return (
            f"the device shows certificate {fingerprint_of(certificate)}, but {expected} is expected: "
            "another machine answers, or its certificate was changed"
        )
    now = datetime.datetime.now(datetime.UTC)
    if (fault := fault_of_dates(x509.load_der_x509_certificate(certificate), now)) is not None:
        return f"the device's certificate {fault}"
    return None


class TlsCall:
    """The client's end of one connection, from its handshake to its session.

    `identify` looks at the server's certificate and gives the receiver; it raises TransportError to refuse it.
    `session` becomes the link, or what went wrong: a TransportError, or an OSError still to be explained.
    `on_gone` is called once, when the connection is gone, whether there was a session or not.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        identify: Callable[[Wire], Receiver],
        *,
        server_name: str | None = None,
        timeout_s: float = TIMEOUT_S,
        keepalive_s: float = KEEPALIVE_S,
        on_gone: Callable[[], None] = lambda: None,
    ) -> None:
        self.session: asyncio.Future[Link] = asyncio.get_running_loop().create_future()
        self.handshake = TlsHandshake(
            context,
            server_side=False,
            server_name=server_name,
            timeout_s=timeout_s,
            on_done=self._shown,
            on_failed=self._failed,
        )
        self._identify = identify
        self._keepalive_s = keepalive_s
        self._on_gone = on_gone
        self._link: _ClientLink | None = None

    @property
    def connected(self) -> bool:
        """Whether something took the TCP connection."""
        return self.handshake.begun

    def abandon(self) -> None:
        """End the connection at once, unless it has become a session."""
        if self.session.done() and not self.session.cancelled() and self.session.exception() is None:
            return
        self.session.cancel()
        self.handshake.abort()

    async def end(self) -> None:
        """End the connection within seconds, in good order if there is a session."""
        await (self._link or self.handshake).end()

    def _shown(self, wire: Wire) -> None:
        peer = peer_of(wire.transport)
        try:
            receiver = self._identify(wire)
        except TransportError as error:
            self.handshake.fail(error)
            return
        keep_alive(wire.transport, self._keepalive_s)
        self._link = _ClientLink(wire, receiver, peer, self.session)
        self._link.on_gone = self._on_gone
        self._link.begin()

    def _failed(self, error: Exception) -> None:
        if not self.session.done():
            self.session.set_exception(error)
        self._on_gone()


class _ClientLink(TlsLink):
    """A link that its receiver gets with the server's first word.

    In TLS 1.3 a client learns that its certificate is refused only after the handshake. So the first word, which
    RFC 6241 section 8.1 has the server say at once, is waited for, for a while.
    """

    def __init__(self, wire: Wire, receiver: Receiver, peer: str, granted: asyncio.Future[Link]) -> None:
        super().__init__(wire, receiver, "", peer, Patience())
        self._granted = granted
        self._silence = asyncio.get_running_loop().call_later(_WORD_S, self._grant)

    def begin(self) -> None:
        """Listen to the server."""
        self._read()

    def _grant(self) -> None:
        if self.made or self._lost:
            return
        self._silence.cancel()
        if self._granted.done():  # given up meanwhile
            self.abort()
        else:
            self._granted.set_result(self)
            self._make()

    def _hear(self, data: bytes) -> None:
        self._grant()
        if not self._lost:
            super()._hear(data)

    def _lose(self, error: Exception | None) -> None:
        self._silence.cancel()
        if not self._granted.done():
            self._granted.set_exception(error or ConnectionResetError())
        super()._lose(error)

    def _finish(self, end: Exception) -> None:
        if isinstance(end, ssl.SSLZeroReturnError) and not self.made:
            self._lose(self._failure(end))
        super()._finish(end)

    def _failure(self, error: Exception) -> Exception:
        if (refusal := refusal_of_ours(error)) is not None:
            return LoginRefusedError(self.peer, f"refuses our certificate: {refusal}")
        if isinstance(error, ssl.SSLZeroReturnError):
            return LoginRefusedError(self.peer, "ends the session at once: our certificate is no user's there")
        return super()._failure(error)


def _explain(peer: str, error: OSError, name: str, call: TlsCall, timeout_s: float) -> TransportError:
    if isinstance(error, TimeoutError):
        return UnreachableError(peer, f"no session within {timeout_s:g} s: {_progress(call)}")
    if not call.connected:
        return UnreachableError(peer, no_connection(error))
    return explain(peer, error, name)


def _progress(call: TlsCall) -> str:
    if not call.connected:
        return "no answer"
    return "the handshake did not come to its end" if call.handshake.heard else "what listens there speaks no TLS"


def explain(peer: str, error: Exception, name: str) -> TransportError:
    """Turn what OpenSSL or the system says of a handshake into what is wrong; `name` is the server's."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return HostKeyError(peer, f"the device's certificate {fault_of_certificate(error, repr(name))}")
    if (refusal := refusal_of_ours(error)) is not None:
        return LoginRefusedError(peer, f"refuses our certificate: {refusal}")
    if isinstance(error, ssl.SSLError):
        return UnreachableError(peer, f"no TLS can be agreed on: {fault_of_talk(error)}")
    return UnreachableError(peer, "it hung up during the handshake: does it speak TLS?")
