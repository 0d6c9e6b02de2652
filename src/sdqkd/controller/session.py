"""A NETCONF session with one device, in the terms of its model: trees in and out, typed errors.

What the device says is read by its compiled schema; what that does not have, or what belongs to another device, is
refused. A call that is not answered in time ends the session: nobody knows then whether it was done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sdqkd.controller.connect import Connector
from sdqkd.controller.exchange import Exchange
from sdqkd.controller.intent import identity_of, owned_by
from sdqkd.errors import DeviceError, RpcError, RpcErrors, SessionLostError
from sdqkd.netconf.hello import Hello
from sdqkd.netconf.messages import Reply
from sdqkd.network.model import Device
from sdqkd.schema.changes import changes_to_xml
from sdqkd.schema.diff import Change
from sdqkd.schema.table import Schema, load
from sdqkd.schema.tree import Container, get
from sdqkd.schema.xml import decode

Store = Literal["running", "candidate", "startup"]

_CAPABILITY = "urn:ietf:params:netconf:capability"
_NEEDED = {
    "candidate": (f"{_CAPABILITY}:candidate:1.0",),
    "validate": (f"{_CAPABILITY}:validate:1.1", f"{_CAPABILITY}:validate:1.0"),
}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds: for the hello once there is a link, and for an answer."""

    hello_s: float = 10.0
    answer_s: float = 60.0


class DeviceSession:
    """An open session. Every call raises SessionLostError when the session ends before the answer."""

    def __init__(
        self, device: Device, schema: Schema, exchange: Exchange, hello: Hello, timeouts: Timeouts
    ) -> None:
        self.device = device
        self.schema = schema
        self.hello = hello
        self._exchange = exchange
        self._timeouts = timeouts

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
        """Write changes. Raises RpcError or RpcErrors."""
        config = changes_to_xml(self.schema, changes).decode()
        await self._ask("edit-config", f"<target><{target}/></target><config>{config}</config>")

    async def validate(self, source: Store = "candidate") -> None:
        """Let the device judge a configuration (RFC 6241 section 8.6). Raises RpcError or RpcErrors."""
        await self._ask("validate", f"<source><{source}/></source>")

    async def commit(self) -> None:
        """Make the candidate the running configuration. Raises RpcError or RpcErrors."""
        await self._ask("commit")

    async def discard_changes(self) -> None:
        """Make the candidate equal to running again."""
        await self._ask("discard-changes")

    async def copy_config(self, source: Store, target: Store) -> None:
        """Copy one configuration over another."""
        await self._ask("copy-config", f"<target><{target}/></target><source><{source}/></source>")

    async def lock(self, target: Store) -> None:
        """Keep others from writing. Raises DeviceError naming the holder if somebody else keeps us from it."""
        try:
            await self._ask("lock", f"<target><{target}/></target>")
        except RpcError as error:
            if error.tag != "lock-denied":
                raise
            raise DeviceError(self._exchange.peer, _denied(target, error)) from None

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

    async def _ask(self, operation: str, content: str = "") -> Reply:
        answer = self._exchange.call(f"<{operation}>{content}</{operation}>".encode())
        seconds = self._timeouts.answer_s
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
        peer, device = self._exchange.peer, self.device
        if reply.data is None:
            raise DeviceError(peer, "answers without data")
        try:
            tree = decode(self.schema, reply.data, state=state)
        except (RpcError, RpcErrors) as error:
            message = f"reports what the model '{self.schema.name}' does not have: {error}"
            raise DeviceError(peer, message) from None
        shown = get(tree, identity_of(device))
        if shown != device.device_id:
            raise DeviceError(peer, f"says that it is {shown or 'nobody'}; {device.name} is {device.device_id}")
        return tree


async def open_session(device: Device, connector: Connector, timeouts: Timeouts) -> DeviceSession:
    """Open a session and exchange hellos.

    Raises TransportError for a device that cannot be reached or does not greet, DeviceError for one that cannot
    do what we need.
    """
    schema = load(device.model_set)
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
    if missing := [name for name, ways in _NEEDED.items() if not any(map(hello.offers, ways))]:
        await session.close()
        raise DeviceError(exchange.peer, f"does not offer {' and '.join(missing)}: it cannot be changed safely")
    return session


def _denied(target: Store, error: RpcError) -> str:
    """`session-id` 0 is a holder without a NETCONF session (RFC 6241 section 7.5)."""
    holder = error.info.get("session-id", "")
    by = f"session {holder}" if holder not in ("", "0") else "somebody without a NETCONF session"
    return f"{target} is not free, held by {by}: {error.message}"
