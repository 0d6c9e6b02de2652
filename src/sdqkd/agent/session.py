"""One session of an agent, from its hello to its end: a Receiver between a link and the operations.

Calls are answered one after the other, in the order in which they came. A call that fails, for whatever reason,
gets its rpc-error and the session lives on. A session with many calls waiting, or with one that is done in steps,
lets others have their turn.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence

from sdqkd.agent import audit, operations
from sdqkd.agent.service import Service
from sdqkd.agent.sessions import Counters, Termination
from sdqkd.agent.watchdog import Watchdog
from sdqkd.datastore.steps import Steps
from sdqkd.errors import ProtocolError, RpcError, RpcErrors, SdqkdError, forget_frames
from sdqkd.netconf.events import NEED_DATA, Ended, HelloReceived, RpcReceived, RpcRefused, ServerEvent
from sdqkd.netconf.messages import Rpc, reply, reply_errors
from sdqkd.netconf.session import ServerSession, State
from sdqkd.transport.links import Link

_LOG = logging.getLogger(__name__)
_SHOWN_FRAMES = 20
_OVERDUE = {
    "hello": "no hello came in time",
    "message": "a message was begun and not ended in time",
    "call": "it was idle for too long",
}


class AgentSession:
    """What the transport tells about one link goes in, replies go out on the link."""

    def __init__(self, service: Service) -> None:
        self.id = 0
        self.username = ""
        self.peer = ""
        self.protocol = ""
        self.login_time = service.clock.wall()
        self.counters = Counters()
        self._service = service
        self._link: Link | None = None
        self._protocol: ServerSession | None = None
        self._watchdog = Watchdog(service.clock, self._overdue)
        self._paused = False  # the client does not read
        self._resting = False  # others have their turn
        self._unfinished: tuple[Rpc, Steps[bytes]] | None = None  # a call that goes on after a rest
        self._last_call = False
        self._greeted = False

    # What the transport calls

    def link_made(self, link: Link) -> None:
        """Greet, and give the client some time to do the same."""
        service = self._service
        self.id, self.login_time = service.sessions.next_id(), service.clock.wall()
        self.username, self.peer, self.protocol = link.username, link.peer, link.protocol
        self._link = link
        self._protocol = ServerSession(self.id, service.capabilities, service.limits.max_message_bytes)
        service.sessions.add(self)
        self._watchdog.expect("hello", service.limits.hello_timeout_s)
        audit.session_event(service.name, self, "begins")
        link.write(self._protocol.start())

    def data_received(self, data: bytes) -> None:
        """Take what the client sent, and answer the calls in it."""
        if self._protocol is not None:
            self._protocol.receive_data(data)
            self._work()

    def link_lost(self, error: Exception | None) -> None:
        """Learn that the client is gone."""
        self.end("the client left" if error is None else "the link was lost", "dropped")

    def pause_writing(self) -> None:
        """Answer nothing more for now: the client does not read."""
        self._paused = True
        if self._link is not None:
            self._link.pause_reading()

    def resume_writing(self) -> None:
        """Go on with the calls that have waited."""
        self._paused = False
        self._service.notifier.flush(self)
        self._go_on()

    # What operations and notifications call

    @property
    def writable(self) -> bool:
        """Whether it may get a notification now."""
        return self._greeted and self._protocol is not None and not self._paused

    def notify(self, message: bytes) -> None:
        """Send a <notification>, unframed."""
        self.counters.out_notifications += 1
        self._send(message)

    def close_after_reply(self) -> None:
        """End in good order as soon as the current call is answered."""
        self._last_call = True

    def end(self, reason: str, how: Termination, killed_by: int | None = None) -> None:
        """End the session: its locks become free, its link is closed. May be called again."""
        if self._protocol is None:
            return
        protocol, self._protocol = self._protocol, None
        self._unfinished = None
        protocol.close()
        self._watchdog.stop()
        self._service.sessions.remove(self, how)
        notifier = self._service.notifier
        notifier.leave(self)
        undone = self._service.datastores.end_session(self.id)
        audit.session_event(self._service.name, self, f"ends: {reason}")
        if undone:
            audit.server_event(self._service.name, "confirmed-commit", undone)
            notifier.commit_pending(undone, self)
        if self._greeted or how == "bad-hello":
            notifier.session_ended(self, how, killed_by)
        if self._link is not None:
            self._link.close()

    # The work

    def _work(self) -> None:
        clock = self._service.clock
        until_s = clock.now_s() + self._service.limits.turn_s
        while self._protocol is not None and not (self._paused or self._resting):
            if self._unfinished is not None:
                self._perform(*self._unfinished, until_s)
            elif not self._do_next(self._protocol, until_s):
                break
            if self._protocol is None or self._resting:
                break
            if clock.now_s() > until_s and self._protocol.waiting_bytes:
                self._rest()
        self._weigh()

    def _do_next(self, protocol: ServerSession, until_s: float) -> bool:
        """Handle the next event; tell whether there was one."""
        greeting = protocol.state is State.GREETING
        try:
            event = protocol.next_event()
        except ProtocolError as error:
            if not greeting:
                self.counters.in_bad_rpcs += 1
            self.end(str(error), "bad-hello" if greeting else "dropped")
            return False
        if event is NEED_DATA:
            if not protocol.mid_message:
                self._watchdog.expect("message", None)
            elif not self._watchdog.expects("message"):
                self._watchdog.expect("message", self._service.limits.rpc_timeout_s)
            return False
        self._watchdog.expect("message", None)
        self._handle(event, until_s)
        return True

    def _handle(self, event: ServerEvent, until_s: float) -> None:
        if isinstance(event, HelloReceived):
            self._watchdog.expect("hello", None)
            self._greeted = True
            self._service.notifier.session_started(self)
        elif isinstance(event, RpcReceived):
            self.counters.in_rpcs += 1
            self._perform(event.rpc, None, until_s)
        elif isinstance(event, RpcRefused):
            self.counters.in_bad_rpcs += 1
            self._reply(self._refuse(event.rpc, (event.error,)))
        elif isinstance(event, Ended):
            self.end("the client left", "dropped")
        if self._protocol is not None:
            self._watchdog.expect("call", self._service.limits.idle_timeout_s)

    def _rest(self) -> None:
        """Let others have their turn before the calls that wait."""
        self._resting = True
        if self._link is not None:
            self._link.pause_reading()
        self._service.clock.call_later(0.0, self._wake)

    def _wake(self) -> None:
        self._resting = False
        self._go_on()

    def _go_on(self) -> None:
        if self._link is not None and self._protocol is not None and not (self._paused or self._resting):
            self._link.resume_reading()
            self._work()

    def _weigh(self) -> None:
        """End the session that has sent most, if all together have sent too much that cannot be answered yet."""
        service = self._service
        if self._protocol is None:
            return
        waiting_bytes = service.sessions.weigh(self, self._protocol.waiting_bytes)
        if waiting_bytes > service.limits.max_waiting_bytes:
            service.sessions.heaviest().end(
                "too much has been sent to this agent that is no whole message", "dropped"
            )

    def _overdue(self, what: str) -> None:
        if what == "call" and (self._unfinished is not None or self._service.notifier.hub.serves(self.id)):
            self._watchdog.expect("call", self._service.limits.idle_timeout_s)
        else:
            self.end(_OVERDUE[what], "timeout")

    def _reply(self, message: bytes) -> None:
        self._send(message)
        if self._last_call:
            self.end("closed by the client", "closed")
        else:
            self._service.notifier.flush(self)

    def _send(self, message: bytes) -> None:
        if self._protocol is not None and self._link is not None:
            self._link.write(self._protocol.send(message))

    def _perform(self, rpc: Rpc, steps: Steps[bytes] | None, until_s: float) -> None:
        """Do a call, or the steps of it that are left, and reply; or rest first if its turn is over."""
        self._unfinished = None
        try:
            answer = operations.perform(self._service, self, rpc) if steps is None else steps
            content = answer if isinstance(answer, bytes) else self._advance(answer, until_s)
        except Exception as error:
            refused = self._refuse(rpc, self._told(rpc, error))
            forget_frames(error)
            self._reply(refused)
            return
        if content is not None:
            self._reply(self._done(rpc, content))
        elif self._protocol is not None and not isinstance(answer, bytes):
            self._unfinished = rpc, answer
            self._rest()

    def _advance(self, steps: Steps[bytes], until_s: float) -> bytes | None:
        """Do steps until the turn is over; give the content of the reply if they came to it."""
        try:
            next(steps)
            while self._service.clock.now_s() <= until_s:
                next(steps)
        except StopIteration as done:
            content: bytes = done.value
            return content
        return None

    def _done(self, rpc: Rpc, content: bytes) -> bytes:
        operation = operations.find(self._service, rpc)
        changes = operation is not None and operation.changes
        audit.call_done(self._service.name, self, rpc.name, changes)
        return reply(rpc, content)

    def _told(self, rpc: Rpc, error: Exception) -> Sequence[RpcError]:
        """Give what the client is told of an error."""
        if isinstance(error, RpcErrors):
            return error.errors
        if isinstance(error, RpcError):
            return (error,)
        if isinstance(error, SdqkdError):
            return (RpcError("operation-failed", str(error)),)
        _log_failure(self._service.name, rpc, error)
        return (RpcError("operation-failed", "the agent failed while it did this; its log says more"),)

    def _refuse(self, rpc: Rpc, errors: Sequence[RpcError]) -> bytes:
        self.counters.out_rpc_errors += 1
        audit.call_done(self._service.name, self, rpc.name or "none", True, errors)
        return reply_errors(rpc, errors, self._service.namespaces)


def _log_failure(device: str, rpc: Rpc, error: Exception) -> None:
    """Log where it failed. The text of the exception is left out: it may hold a part of the configuration."""
    where = "".join(traceback.format_tb(error.__traceback__, limit=-_SHOWN_FRAMES))
    _LOG.error("%s: %s failed with %s\n%s", device, rpc.name[:80], type(error).__name__, where)
