"""A session of the kit: polite unless told otherwise. Replies and notifications are kept apart."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sdqkd.conformance.replies import NC, NOTIFICATION, Element, Reply, parse, reply_of
from sdqkd.conformance.ssh import Channel
from sdqkd.conformance.wire import Base, Reader, frame
from sdqkd.errors import ProtocolError, SdqkdError

HELLO = (
    f'<hello xmlns="{NC}"><capabilities>'
    "<capability>urn:ietf:params:netconf:base:1.0</capability>"
    "<capability>urn:ietf:params:netconf:base:1.1</capability>"
    "</capabilities></hello>"
)
HELLO_1_0 = HELLO.replace("<capability>urn:ietf:params:netconf:base:1.1</capability>", "")


class Silence(SdqkdError):
    """Nothing came in time."""


class Closed(SdqkdError):
    """The server has closed the session."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait: for an answer, for the end of a session, for a new session."""

    answer_s: float = 10.0
    close_s: float = 3.0
    login_s: float = 20.0


class Session(Protocol):
    """What most steps need of a session."""

    session_id: str
    capabilities: tuple[str, ...]

    def call(self, operation: str, attributes: str = "") -> Reply:
        """Send one operation and wait for its reply. Raises Silence, Closed or ProtocolError."""
        ...

    def next_notification(self, within_s: float) -> Element:
        """Wait for a notification. Raises Silence or Closed."""
        ...

    def closed(self, within_s: float) -> bool:
        """Whether the server closes the session in time; what it still says is read and dropped."""
        ...

    def drop(self) -> None:
        """Leave without a word."""
        ...


class RawSession:
    """A session that can also send what no client should."""

    def __init__(self, channel: Channel, patience: Patience) -> None:
        self.session_id = ""
        self.capabilities: tuple[str, ...] = ()
        self.server_hello: Element = None
        self._base: Base = "1.0"
        self._channel = channel
        self._patience = patience
        self._reader = Reader()
        self._replies: deque[Element] = deque()
        self._notifications: deque[Element] = deque()
        self._sent = 0

    # The beginning

    def greet(self, hello: str | None = HELLO, base: Base = "1.1", burst: Sequence[str] = ()) -> None:
        """Send hello, and `burst` in the same write framed for `base`; take in the server's hello.

        With `hello` None nothing is sent. Raises Silence, Closed or ProtocolError.
        """
        if hello is not None:
            # The hello of the peer decides about base 1.1; every server that this kit can check has it.
            data = frame(hello.encode(), "1.0") + b"".join(frame(one.encode(), base) for one in burst)
            self._channel.send(data, self._patience.answer_s)
        self.server_hello = parse(self._next_message(self._patience.answer_s))
        if self.server_hello.tag != f"{{{NC}}}hello":
            raise ProtocolError(f"the server begins with <{self.server_hello.tag}>")
        self.session_id = self.server_hello.findtext(f"{{{NC}}}session-id") or ""
        found = self.server_hello.iterfind(f"{{{NC}}}capabilities/{{{NC}}}capability")
        self.capabilities = tuple((one.text or "").strip() for one in found)
        self._base = self._reader.base = base

    # Polite

    def call(self, operation: str, attributes: str = "") -> Reply:
        """Send one operation and wait for its reply. Raises Silence, Closed or ProtocolError."""
        (reply,) = self.call_all((operation,), attributes)
        return reply

    def call_all(self, operations: Sequence[str], attributes: str = "") -> tuple[Reply, ...]:
        """Send operations in one write and give the replies in the order of the calls, which must be theirs."""
        ids = [f"{self._sent + number}" for number, _ in enumerate(operations, 1)]
        self._sent += len(ids)
        calls = (
            f'<rpc message-id="{one}" xmlns="{NC}"{" " * bool(attributes)}{attributes}>{operation}</rpc>'
            for one, operation in zip(ids, operations, strict=True)
        )
        self._channel.send(b"".join(frame(call.encode(), self._base) for call in calls), self._patience.answer_s)
        replies = tuple(self.next_reply() for _ in ids)
        answered = [reply.message_id for reply in replies]
        if answered != ids:
            raise ProtocolError(f"calls {ids} are answered as {answered}")
        return replies

    def next_reply(self) -> Reply:
        """Wait for a reply. Raises Silence, Closed or ProtocolError."""
        until = time.monotonic() + self._patience.answer_s
        while not self._replies:
            self._sort(self._next_message(until - time.monotonic()))
        return reply_of(self._replies.popleft())

    def next_notification(self, within_s: float) -> Element:
        """Wait for a notification. Raises Silence or Closed."""
        until = time.monotonic() + within_s
        while not self._notifications:
            self._sort(self._next_message(until - time.monotonic()))
        return self._notifications.popleft()

    # Impolite

    def send_message(self, message: str, chunk_bytes: int | None = None) -> None:
        """Send any text as a message, in chunks of that size."""
        self._channel.send(frame(message.encode(), self._base, chunk_bytes), self._patience.answer_s)

    def send_bytes(self, data: bytes) -> None:
        """Send bytes without any framing."""
        self._channel.send(data, self._patience.answer_s)

    # The end

    def closed(self, within_s: float) -> bool:
        """Whether the server closes the session in time; what it still says is read and dropped."""
        until = time.monotonic() + within_s
        while (data := self._channel.receive(until)) is not None:
            if not data:
                return True
        return False

    @property
    def open(self) -> bool:
        """Whether the server has not ended the session, as far as we have heard."""
        return self._channel.open

    def drop(self) -> None:
        """Leave without a word."""
        self._channel.drop()

    def _sort(self, message: bytes) -> None:
        root = parse(message)
        (self._notifications if root.tag == NOTIFICATION else self._replies).append(root)

    def _next_message(self, within_s: float) -> bytes:
        until = time.monotonic() + within_s
        while (message := self._reader.next()) is None:
            data = self._channel.receive(until)
            if data is None:
                raise Silence(f"no answer in {within_s:g} s")
            if not data:
                raise Closed("the server closed the session")
            self._reader.feed(data)
        return message
