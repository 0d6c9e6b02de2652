"""What a TLS server does on a connection, whoever has opened it: find out who its client is, and let it in."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from sdqkd.transport.admission import Gate, Visit
from sdqkd.transport.cert_names import CertToName, fingerprint_of, user_of
from sdqkd.transport.door import Endable
from sdqkd.transport.links import Receiver
from sdqkd.transport.socket_link import log_failure, peer_of
from sdqkd.transport.tls_context import verified_chain
from sdqkd.transport.tls_faults import fault_of_certificate, fault_of_talk, refusal_of_ours
from sdqkd.transport.tls_link import TlsHandshake, TlsLink, Wire, keep_alive

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TlsService:
    """What all connections of one server share. `users`, if given, are the only names that are let in."""

    context: ssl.SSLContext
    names: Sequence[CertToName]
    users: Collection[str] | None
    make_receiver: Callable[[], Receiver]
    gate: Gate


class TlsVisit:
    """One connection: its handshake, then its link."""

    def __init__(self, service: TlsService, visit: Visit, connections: set[Endable]) -> None:
        self._service = service
        self._visit = visit
        self._connections = connections
        self._peer = "unknown"
        self.handshake = TlsHandshake(
            service.context,
            server_side=True,
            timeout_s=service.gate.limits.login_timeout_s,
            on_done=self._shown,
            on_failed=self._failed,
        )
        visit.is_silent = lambda: not self.handshake.heard
        connections.add(self.handshake)

    def _shown(self, wire: Wire) -> None:
        """Let the client in, if its certificate is a user's and there is a place."""
        self._peer = peer_of(wire.transport)
        chain = verified_chain(wire.tls)
        user = user_of(chain, self._service.names)
        if user is None or (self._service.users is not None and user not in self._service.users):
            shown = fingerprint_of(chain[0]) if chain else "none"
            reason = f"its certificate {shown} is no user's" if user is None else f"there is no user {user!r}"
            self._refuse(wire, reason)
            return
        if (refusal := self._service.gate.enter(self._visit, user)) is not None:
            self._refuse(wire, refusal)
            return
        self._let_in(wire, user)

    def _let_in(self, wire: Wire, user: str) -> None:
        limits = self._service.gate.limits
        try:
            receiver = self._service.make_receiver()
        except Exception as error:
            log_failure("no session can be made for %s", self._peer, error)
            self._refuse(wire, "no session can be made now")
            return
        _log.info("%s logged in as %r", self._peer, user)
        self._connections.discard(self.handshake)
        keep_alive(wire.transport, limits.keepalive_s)
        link = _ServerLink(wire, receiver, user, self._peer, limits.patience)
        link.on_gone = lambda: self._gone(link)
        self._connections.add(link)
        link.start()

    def _refuse(self, wire: Wire, reason: str) -> None:
        """Close without a word: TLS has none for a reason. The log has it."""
        _log.warning("%s may not log in: %s", self._peer, reason)
        with contextlib.suppress(ssl.SSLError):
            wire.tls.unwrap()
        self.handshake.fail(PermissionError(reason))

    def _failed(self, error: Exception) -> None:
        self._gone(self.handshake)
        if self._visit.turned_away:
            _log.info("a connection was turned away: too many wait for a login")
        elif not isinstance(error, PermissionError):
            _log.info("a client from %s did not log in: %s", self._visit.source, _reason(error))

    def _gone(self, connection: Endable) -> None:
        self._connections.discard(connection)
        self._service.gate.leave(self._visit, asyncio.get_running_loop().time())


class _ServerLink(TlsLink):
    on_gone: Callable[[], None]

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.on_gone()


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate {fault_of_certificate(error, 'it')}"
    if (refusal := refusal_of_ours(error)) is not None:
        return f"it refuses our certificate: {refusal}"
    if isinstance(error, ssl.SSLError):
        return fault_of_talk(error)
    return "it took too long" if isinstance(error, TimeoutError) else "it went away"
