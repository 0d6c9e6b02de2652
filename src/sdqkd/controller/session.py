"""A NETCONF session with one device, in the terms of its model: trees in and out, typed errors.

What the device says is read by its compiled schema; what that does not have, or what belongs to another device, is
refused. A call that is not answered in time ends the session: nobody knows then whether it was done.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from sdqkd.controller.connect import Connector
from sdqkd.controller.exchange import Exchange
from sdqkd.controller.guarantee import ROLLBACK_ON_ERROR, STARTUP, VALIDATE, Guarantee, guarantee_of
from sdqkd.controller.intent import identity_of, owned_by
from sdqkd.controller.models import LIBRARY, Modules, from_hello, from_library, models_id
from sdqkd.errors import DeviceError, LockHeldError, RpcError, RpcErrors, SdqkdError, SessionLostError
from sdqkd.netconf.hello import Hello
from sdqkd.netconf.messages import Notification, Reply
from sdqkd.netconf.xml import Element, escape, expect_names
from sdqkd.network.model import Device
from sdqkd.schema.changes import changes_to_xml
from sdqkd.schema.diff import Change
from sdqkd.schema.table import Schema, load
from sdqkd.schema.tree import Container, get
from sdqkd.schema.vocabulary import vocabulary
from sdqkd.schema.xml import decode

Store = Literal["running", "candidate", "startup"]

_MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
_SESSIONS = (
    f'<filter type="subtree"><netconf-state xmlns="{_MONITORING}"><sessions><session><session-id/><username/>'
    "<login-time/></session></sessions></netconf-state></filter>"
)


_EVENTS = "urn:ietf:params:xml:ns:netconf:notification:1.0"
_CAN_NOTIFY = tuple(f"urn:ietf:params:netconf:capability:{name}:1.0" for name in ("notification", "interleave"))


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds: for the hello once there is a link, and for an answer."""

    hello_s: float = 10.0
    answer_s: float = 60.0


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as the device itself lists it (RFC 6022). `login_time` as it writes it."""

    session_id: int
    username: str
    login_time: str


class DeviceSession:
    """An open session. Every call raises SessionLostError when the session ends before the answer."""

    def __init__(
        self, device: Device, schema: Schema, exchange: Exchange, hello: Hello, timeouts: Timeouts
    ) -> None:
        self.device = device
        self.schema = schema
        self.hello = hello
        self.guarantee: Guarantee = guarantee_of(hello) or "running"
        self.has_startup = hello.offers(STARTUP)
        self.can_validate = any(map(hello.offers, VALIDATE))
        self.models_id = models_id(hello.capabilities)
        self._exchange = exchange
        self._timeouts = timeouts
        self._own_row: SessionRow | None = None
        self._read: tuple[Element, bool, Container] | None = None

    @property
    def alive(self) -> bool:
        """Whether calls can be made."""
        return self._exchange.lost is None

    @property
    def peer(self) -> str:
        """Where the device answers."""
        return self._exchange.peer

    async def get(self) -> Container:
        """Configuration and state of the device. Raises DeviceError for data that cannot be its own."""
        return self._tree(await self._ask("get", self._filter()), state=True)

    async def get_config(self, source: Store = "running") -> Container:
        """One configuration of the device. Raises DeviceError for data that cannot be its own."""
        reply = await self._ask("get-config", f"<source><{source}/></source>{self._filter()}")
        return self._tree(reply, state=False)

    async def edit_config(self, changes: Sequence[Change], target: Store = "candidate") -> None:
        """Write changes; into running whole or not at all, if the device can do that. Raises RpcError(s)."""
        options = ""
        if target == "running" and self.hello.offers(ROLLBACK_ON_ERROR):
            options = "<error-option>rollback-on-error</error-option>"
        config = changes_to_xml(self.schema, changes).decode()
        await self._ask("edit-config", f"<target><{target}/></target>{options}<config>{config}</config>")

    async def validate(self, source: Store = "candidate") -> None:
        """Let the device judge a configuration (RFC 6241 section 8.6). Raises RpcError or RpcErrors."""
        await self._ask("validate", f"<source><{source}/></source>")

    async def commit(
        self,
        *,
        timeout_s: int | None = None,
        persist: str | None = None,
        persist_id: str | None = None,
        within_s: float | None = None,
    ) -> None:
        """Make the candidate the running configuration. Raises RpcError or RpcErrors.

        With `timeout_s` provisionally (RFC 6241 section 8.4), under the token `persist` if one is given. With
        `persist_id` it confirms or extends what was committed under that token. `within_s` is how long to wait.
        """
        content = ""
        if timeout_s is not None:
            content = f"<confirmed/><confirm-timeout>{timeout_s}</confirm-timeout>"
        content += f"<persist>{escape(persist)}</persist>" if persist else ""
        content += f"<persist-id>{escape(persist_id)}</persist-id>" if persist_id else ""
        await self._ask("commit", content, within_s)

    async def cancel_commit(self, persist_id: str | None = None) -> None:
        """Undo a provisional commit (RFC 6241 section 8.4.4.1). Raises RpcError or RpcErrors."""
        await self._ask("cancel-commit", f"<persist-id>{escape(persist_id)}</persist-id>" if persist_id else "")

    async def sessions(self) -> tuple[SessionRow, ...]:
        """The sessions that the device lists, without those of which it does not say enough."""
        reply = await self._ask("get", _SESSIONS)
        found = () if reply.data is None else reply.data.iter(f"{{{_MONITORING}}}session")
        return tuple(row for row in map(_row, found) if row is not None)

    async def own_row(self) -> SessionRow | None:
        """This session as the device lists it, None if it does not."""
        if self._own_row is None:
            try:
                rows = await self.sessions()
            except (RpcError, RpcErrors):
                return None
            self._own_row = next((row for row in rows if row.session_id == self.hello.session_id), None)
        return self._own_row

    async def kill_session(self, session_id: int) -> None:
        """End another session (RFC 6241 section 7.9). Raises RpcError or RpcErrors."""
        await self._ask("kill-session", f"<session-id>{session_id}</session-id>")

    @property
    def can_notify(self) -> bool:
        """Whether it tells of events on a session on which calls can still be made (RFC 5277 section 6)."""
        return all(map(self.hello.offers, _CAN_NOTIFY))

    async def subscribe(self, on_event: Callable[[Notification], None]) -> None:
        """Hear of all events from now on (RFC 5277). Raises RpcError or RpcErrors."""
        self._exchange.on_notification = on_event
        await self._ask("create-subscription", namespace=_EVENTS)

    def when_lost(self, on_lost: Callable[[SdqkdError], None]) -> None:
        """Be told, once, when the session is over, for whatever reason; at once if it is."""
        if self._exchange.lost is not None:
            on_lost(self._exchange.lost)
        else:
            self._exchange.on_lost = on_lost

    async def modules(self) -> Modules:
        """The YANG modules that the device implements, as it says itself. Raises RpcError or RpcErrors."""
        names = ("yang-library", "modules-state")
        wanted = "".join(f'<{name} xmlns="{LIBRARY}"/>' for name in names)
        reply = await self._ask("get", f'<filter type="subtree">{wanted}</filter>')
        return (from_library(reply.data) if reply.data is not None else {}) or from_hello(self.hello.capabilities)

    async def discard_changes(self) -> None:
        """Make the candidate equal to running again."""
        await self._ask("discard-changes")

    async def copy_config(self, source: Store, target: Store) -> None:
        """Copy one configuration over another."""
        await self._ask("copy-config", f"<target><{target}/></target><source><{source}/></source>")

    async def lock(self, target: Store) -> None:
        """Keep others from writing. Raises LockHeldError if somebody else keeps us from it."""
        try:
            await self._ask("lock", f"<target><{target}/></target>")
        except RpcError as error:
            if error.tag != "lock-denied":
                raise
            holder = error.info.get("session-id", "")
            number = int(holder) if holder.isascii() and holder.isdigit() else 0
            raise LockHeldError(self._exchange.peer, _denied(target, error), number) from None

    async def unlock(self, target: Store) -> None:
        """Let others write again."""
        await self._ask("unlock", f"<target><{target}/></target>")

    async def close(self) -> None:
        """End in good order; a device that does not answer is left."""
        if self.alive:
            try:
                async with asyncio.timeout(self._timeouts.hello_s):
                    await self._ask("close-session")
            except (TimeoutError, SessionLostError, RpcError, RpcErrors):
                pass
        self.abandon("closed here")

    def abandon(self, reason: str) -> None:
        """End at once. The device gives up our locks, and with them what we left in the candidate."""
        self._exchange.end(reason)

    async def _ask(
        self, operation: str, content: str = "", within_s: float | None = None, namespace: str = ""
    ) -> Reply:
        declared = f' xmlns="{namespace}"' if namespace else ""
        answer = self._exchange.call(f"<{operation}{declared}>{content}</{operation}>".encode())
        seconds = min(self._timeouts.answer_s, within_s or self._timeouts.answer_s)
        try:
            async with asyncio.timeout(seconds):
                reply = await answer
        except TimeoutError:
            raise self._exchange.end(f"no answer to <{operation}> within {seconds:g} s") from None
        if reply.ok:
            return reply
        errors = [error for error in reply.errors if error.severity == "error"]
        raise errors[0] if len(errors) == 1 else RpcErrors(errors)

    def _filter(self) -> str:
        """Ask for the containers of which we own a part: a device may have much else that is not our concern."""
        tops = {self.schema.node(path[:1]) for path in owned_by(self.device)}
        wanted = "".join(f'<{top.name} xmlns="{top.namespace}"/>' for top in tops)
        return f'<filter type="subtree">{wanted}</filter>'

    def _tree(self, reply: Reply, *, state: bool) -> Container:
        """The tree of an answer; the tree of the last one, if the device has said the same again."""
        if reply.data is None:
            raise DeviceError(self._exchange.peer, "answers without data")
        if self._read is None or self._read[0] is not reply.data or self._read[1] is not state:
            self._read = reply.data, state, self._decoded(reply.data, state=state)
        return self._read[2]

    def _decoded(self, data: Element, *, state: bool) -> Container:
        peer, device = self._exchange.peer, self.device
        try:
            tree = decode(self.schema, data, state=state)
        except (RpcError, RpcErrors) as error:
            message = f"reports what the model '{self.schema.name}' does not have: {error}"
            raise DeviceError(peer, message) from None
        shown = get(tree, identity_of(device))
        # Of a device that is met for the first time nobody knows yet which one it is.
        if device.device_id and shown != device.device_id:
            raise DeviceError(peer, f"says that it is {shown or 'nobody'}; {device.name} is {device.device_id}")
        return tree


async def open_session(device: Device, connector: Connector, timeouts: Timeouts) -> DeviceSession:
    """Open a session and exchange hellos.

    Raises TransportError for a device that cannot be reached or does not greet, DeviceError for one that cannot
    do what we need.
    """
    schema = load(device.model_set)
    _expect_vocabulary(schema)
    exchange = Exchange(device.name, {module.namespace: module.name for module in schema.modules})
    try:
        await connector.open(device, exchange)
        async with asyncio.timeout(timeouts.hello_s):
            hello = await exchange.hello
    except TimeoutError:
        raise exchange.end(f"no hello within {timeouts.hello_s:g} s") from None
    except BaseException:
        exchange.end("given up")
        raise
    session = DeviceSession(device, schema, exchange, hello, timeouts)
    if guarantee_of(hello) is None:
        await session.close()
        raise DeviceError(exchange.peer, "offers neither candidate nor writable-running: it cannot be changed")
    return session


@functools.cache
def _expect_vocabulary(schema: Schema) -> None:
    expect_names(vocabulary(schema))


def _denied(target: Store, error: RpcError) -> str:
    """`session-id` 0 is a holder without a NETCONF session (RFC 6241 section 7.5)."""
    holder = error.info.get("session-id", "")
    by = f"session {holder}" if holder not in ("", "0") else "somebody without a NETCONF session"
    return f"{target} is not free, held by {by}: {error.message}"


def _row(session: Element) -> SessionRow | None:
    names = ("session-id", "username", "login-time")
    session_id, username, login_time = (session.findtext(f"{{{_MONITORING}}}{name}") or "" for name in names)
    if not (session_id.isascii() and session_id.isdigit() and username and login_time):
        return None
    return SessionRow(int(session_id), username, login_time)
