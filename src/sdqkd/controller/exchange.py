"""Calls and answers on one link: the `netconf` session machine joined with the event loop.

Calls may be made before earlier ones are answered. Whatever ends the session fails all that wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from sdqkd.errors import ProtocolError, SdqkdError, SessionLostError
from sdqkd.netconf.events import NEED_DATA, Ended, HelloReceived, NotificationReceived, ReplyReceived
from sdqkd.netconf.hello import Hello
from sdqkd.netconf.messages import Notification, Reply
from sdqkd.netconf.session import ClientSession
from sdqkd.transport.links import Link


class Exchange:
    """The client's Receiver. `name` stands for the peer until there is a link.

    Who wants to be told of notifications, or of the end of the session, sets `on_notification` or `on_lost`.
    """

    def __init__(self, name: str, modules: Mapping[str, str]) -> None:
        """`modules` gives the module of each namespace that error paths may name."""
        self.peer = name
        self.hello: asyncio.Future[Hello] = asyncio.get_running_loop().create_future()
        self.on_notification: Callable[[Notification], None] | None = None
        self.on_lost: Callable[[SdqkdError], None] | None = None
        self._session = ClientSession(modules=modules)
        self._link: Link | None = None
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._lost: SdqkdError | None = None

    @property
    def lost(self) -> SdqkdError | None:
        """Why the session is over, None while it is not."""
        return self._lost

    def call(self, payload: bytes) -> asyncio.Future[Reply]:
        """Send an operation; the answer comes in the future. Raises the reason if the session is over."""
        if self._lost is not None or self._link is None:
            raise self._lost or SessionLostError(self.peer, "there is no link yet")
        message_id, data = self._session.call(payload)
        answer = self._waiting[message_id] = asyncio.get_running_loop().create_future()
        self._link.write(data)
        return answer

    def end(self, reason: str) -> SdqkdError:
        """End the session from our side; all that wait fail with `reason`, which is also given back."""
        return self._fail(SessionLostError(self.peer, reason))

    def link_made(self, link: Link) -> None:
        """Greet."""
        self._link = link
        self.peer = link.peer
        link.write(self._session.start())

    def data_received(self, data: bytes) -> None:
        """Hand answers to those who wait for them."""
        if self._lost is not None:
            return
        try:
            self._session.receive_data(data)
            self._take_events()
        except ProtocolError as error:
            self.end(f"the device does not speak NETCONF properly: {error}")

    def link_lost(self, error: Exception | None) -> None:
        """Fail all that wait."""
        self.end(f"the session ended: {error}" if error else "the device ended the session")

    def _take_events(self) -> None:
        while (event := self._session.next_event()) is not NEED_DATA:
            match event:
                case HelloReceived(hello=hello):
                    if not self.hello.done():
                        self.hello.set_result(hello)
                case ReplyReceived(message_id=message_id, reply=reply):
                    answer = self._waiting.pop(message_id)
                    if not answer.done():  # nobody waits any more if the call was given up
                        answer.set_result(reply)
                case NotificationReceived(notification=notification):
                    if self.on_notification is not None:
                        self.on_notification(notification)
                case Ended():
                    self.end("the device ended the session")

    def _fail(self, error: SdqkdError) -> SdqkdError:
        if self._lost is not None:
            return self._lost
        self._lost = error
        waiting, self._waiting = self._waiting, {}
        if not self.hello.done():
            self.hello.set_exception(error)
        for answer in waiting.values():
            if not answer.done():
                answer.set_exception(error)
        # Whoever gave up waiting for the hello never asks for it.
        if self.hello.done() and not self.hello.cancelled():
            self.hello.exception()
        if self._link is not None:
            self._link.close()
        if self.on_lost is not None:
            self.on_lost(error)
        return error
