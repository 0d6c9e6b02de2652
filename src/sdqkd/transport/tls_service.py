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
    """One connection: its handshake, then its link. `decided` is done when its client is let in or is not."""

    def __init__(self, service: TlsService, visit: Visit, connections: set[Endable]) -> None:
        self._service = service
        self._visit = visit
        self._connections = connections
        self._peer = "unknown"
        self.failure = ""  # why nobody was let in
        self.handshake = TlsHandshake(
            service.context,
            server_side=True,
            timeout_s=service.gate.limits.login_timeout_s,
            on_done=self._shown,
            on_failed=self._failed,
        )
        self.decided: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._link: TlsLink | None = None
        visit.is_silent = lambda: not self.handshake.heard
        connections.add(self)

    async def end(self) -> None:
        """End the connection within seconds, in good order if there is a session."""
        await (self._link or self.handshake).end()

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
        keep_alive(wire.transport, limits.keepalive_s)
        self._link = TlsLink(wire, receiver, user, self._peer, limits.patience)
        self._link.on_gone = self._gone
        self._decide()
        self._link.start()

    def _refuse(self, wire: Wire, reason: str) -> None:
        """Close without a word: TLS has none for a reason. The log has it."""
        _log.warning("%s may not log in: %s", self._peer, reason)
        with contextlib.suppress(ssl.SSLError):
            wire.tls.unwrap()
        self.handshake.fail(PermissionError(reason))

    def _failed(self, error: Exception) -> None:
        if self._visit.turned_away:
            self.failure = "it was turned away: too many connections wait for a login"
        else:
            self.failure = _reason(error)
        if not isinstance(error, PermissionError):
            _log.info("a client from %s did not log in: %s", self._visit.source, self.failure)
        self._decide()
        self._gone()

    def _decide(self) -> None:
        if not self.decided.done():
            self.decided.set_result(None)

    def _gone(self) -> None:
        self._connections.discard(self)
        self._service.gate.leave(self._visit, asyncio.get_running_loop().time())


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate {fault_of_certificate(error, 'it')}"
    if (refusal := refusal_of_ours(error)) is not None:
        return f"it refuses our certificate: {refusal}"
    if isinstance(error, ssl.SSLError):
        return fault_of_talk(error)
    if isinstance(error, PermissionError):
        return str(error)
    return "it took too long" if isinstance(error, TimeoutError) else "it went away"
