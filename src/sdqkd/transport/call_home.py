"""Call home (RFC 8071): the device opens the connection, and is the server on it nevertheless.

Here is what SSH and TLS have in common: the device's side calls until it is stopped, the client's side is called.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sdqkd.errors import TransportError
from sdqkd.transport.door import Endable
from sdqkd.transport.links import Receiver
from sdqkd.transport.redial import Endpoint, Reconnect, Redial
from sdqkd.transport.socket_link import log_failure

SSH_PORT = 4334  # of call home, by IANA
TLS_PORT = 4335

MakeReceiver = Callable[[str], Receiver | None]  # for the device of that name; None if it is not wanted now

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """A connection that we have opened and on which a client has logged in."""

    connection: Endable
    over: asyncio.Future[None]  # done when it has ended


class Dial(Protocol):
    """How a device calls a NETCONF client: `ssh_call_home.dialler` and `tls_call_home.dialler` make one."""

    async def __call__(self, host: str, port: int, max_wait_s: float) -> Call:
        """Open a connection and wait until a client has logged in. Raises TransportError."""
        ...


class CallHome:
    """Keeps a connection to one NETCONF client, at one of its endpoints, until it is stopped."""

    def __init__(
        self,
        client: str,
        endpoints: Sequence[Endpoint],
        dial: Dial,
        reconnect: Reconnect | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`client` is its name, for the logs. Raises InputError if there is no endpoint."""
        self.client = client
        self._reconnect = reconnect or Reconnect()
        self._redial = Redial(endpoints, self._reconnect, chance)
        self._dial = dial
        self._call: Call | None = None
        self._silent = False  # the last failure was told, and nothing has changed
        self._task: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether the client is connected now."""
        return self._call is not None

    def start(self) -> None:
        """Begin to call. May be called again."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Call no more, and end the connection with what it still has to send, within seconds."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.wait([task])
        if self._call is not None:
            await self._call.connection.end()
            self._call = None

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            (host, port), pause_s = self._redial.next_call()
            await asyncio.sleep(pause_s)
            try:
                self._call = await self._dial(host, port, self._reconnect.max_wait_s)
            except Exception as error:
                self._tell_failure(error)
                self._redial.failed()
                continue
            self._silent = False
            self._redial.connected()
            begin = loop.time()
            await asyncio.shield(self._call.over)
            self._call = None
            self._redial.lost(loop.time() - begin)

    def _tell_failure(self, error: Exception) -> None:
        """Warn once; a client that stays away for days is not told of every minute."""
        if not isinstance(error, TransportError):
            log_failure("calling home to %s failed", self.client, error)
            return
        level = logging.DEBUG if self._silent else logging.WARNING
        _log.log(level, "cannot call home to %s: %s; trying on", self.client, error)
        self._silent = True


def wanted(make_receiver: MakeReceiver, device: str) -> Receiver | None:
    """Ask for the receiver of a device that calls; a failure is told, and refuses this one."""
    try:
        return make_receiver(device)
    except Exception as error:
        log_failure("no session can be made for %s", device, error)
        return None
