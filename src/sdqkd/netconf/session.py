"""One NETCONF session as a state machine: RFC 6241 sections 4 and 8.1, RFC 6242 section 4. No I/O, no clock.

Both ends work alike. The owner writes what `start` and `send` (or `call`) return to the link, gives
`receive_data` what the link brings (b"" at its end), and then asks `next_event` until `NEED_DATA`:

    session.receive_data(data)
    while (event := session.next_event()) is not NEED_DATA:
        ...

`next_event` raises ProtocolError when the peer breaks the rules; the session is then closed, and the owner's
part is to close the link. A closed session takes any bytes and tells nothing.

All transitions stand in `TRANSITIONS`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from enum import Enum

from sdqkd.errors import ProtocolError, RpcError, forget_frames
from sdqkd.netconf.events import (
    NEED_DATA,
    ClientEvent,
    Ended,
    HelloReceived,
    NeedData,
    NotificationReceived,
    ReplyReceived,
    RpcReceived,
    RpcRefused,
    ServerEvent,
)
from sdqkd.netconf.framing import Framer, frame_chunks, frame_eom
from sdqkd.netconf.hello import BASE_1_0, BASE_1_1, Hello, build_hello, has_capability, parse_hello
from sdqkd.netconf.messages import (
    NOTIFICATION,
    Reply,
    Rpc,
    build_rpc,
    parse_rpc,
    read_notification,
    read_reply,
)
from sdqkd.netconf.repeats import LastAnswer, Repeats
from sdqkd.netconf.xml import parse

SERVER_MAX_MESSAGE_BYTES = 16 * 2**20
CLIENT_MAX_MESSAGE_BYTES = 128 * 2**20
MAX_HELLO_BYTES = 2**20  # it is kept as long as the session lives; a thousand modules take 200 KiB
_REPEATS = Repeats()
_SHOWN = 80  # characters of somebody's message that an error repeats


class State(Enum):
    """Where a session stands."""

    NEW = "new"
    GREETING = "our hello is sent, the peer's awaited"
    OPEN = "open"
    CLOSED = "closed"

    __hash__ = object.__hash__  # Enum's own takes longer, and is asked for each message


class Step(Enum):
    """What moves a session."""

    START = "start"
    HELLO = "the peer's hello"
    SEND = "send"
    MESSAGE = "a message"
    END = "end of the peer's data"
    CLOSE = "close"
    BREACH = "a breach of the protocol"

    __hash__ = object.__hash__


TRANSITIONS: Mapping[State, Mapping[Step, State]] = {
    State.NEW: {
        Step.START: State.GREETING,
        Step.CLOSE: State.CLOSED,
    },
    State.GREETING: {
        Step.HELLO: State.OPEN,
        Step.END: State.CLOSED,
        Step.CLOSE: State.CLOSED,
        Step.BREACH: State.CLOSED,
    },
    State.OPEN: {
        Step.SEND: State.OPEN,
        Step.MESSAGE: State.OPEN,
        Step.END: State.CLOSED,
        Step.CLOSE: State.CLOSED,
        Step.BREACH: State.CLOSED,
    },
    State.CLOSED: {
        Step.CLOSE: State.CLOSED,
    },
}


class _Session:
    """What both ends share: greeting, framing and the state."""

    def __init__(self, hello: Hello, max_message_bytes: int) -> None:
        self.state = State.NEW
        self.chunked = False
        self.peer: Hello | None = None
        self._hello = hello
        self._max_message_bytes = max_message_bytes
        self._framer = Framer(min(max_message_bytes, MAX_HELLO_BYTES))
        self._at_end = False

    def start(self) -> bytes:
        """Give our hello, framed: the first bytes on the link."""
        self._move(Step.START)
        return frame_eom(build_hello(self._hello))

    def receive_data(self, data: bytes) -> None:
        """Take what the link brought; b"" says that it will bring no more."""
        if self.state is State.NEW:
            raise RuntimeError("the session was not started")
        if self.state is not State.CLOSED:
            self._framer.receive_data(data)
            self._at_end = self._at_end or not data

    @property
    def mid_message(self) -> bool:
        """Whether the peer has begun a message that has not ended."""
        return self._framer.mid_message

    @property
    def waiting_bytes(self) -> int:
        """How much the peer has sent that no event has been made of."""
        return self._framer.waiting_bytes

    def close(self) -> None:
        """End the session from our side; what still comes is ignored."""
        self._move(Step.CLOSE)

    def send(self, message: bytes) -> bytes:
        """Frame a message as the peer expects it, ready for the link."""
        self._move(Step.SEND)
        return frame_chunks(message) if self.chunked else frame_eom(message)

    def _move(self, step: Step) -> None:
        if step not in TRANSITIONS[self.state]:
            raise RuntimeError(f"a session that is {self.state.value} cannot do this: {step.value}")
        self.state = TRANSITIONS[self.state][step]

    def _next_message(self) -> bytes | Ended | NeedData:
        if self.state is State.CLOSED:
            return NEED_DATA
        message = self._framer.next_message()
        if message is not None:
            return message
        if not self._at_end:
            return NEED_DATA
        self._move(Step.END)
        return Ended(truncated=self._framer.mid_message)

    def _greet(self, message: bytes) -> HelloReceived:
        peer = parse_hello(message)
        self._check_hello(peer)
        self.chunked = peer.offers(BASE_1_1) and self._hello.offers(BASE_1_1)
        if not self.chunked and not (peer.offers(BASE_1_0) and self._hello.offers(BASE_1_0)):
            raise ProtocolError(
                f"the peers share no version of NETCONF: the peer offers neither {_bases(self._hello)}"
            )
        if self.chunked:
            self._framer.use_chunks()
        self._framer.limit(self._max_message_bytes)
        self._move(Step.HELLO)
        self.peer = peer
        return HelloReceived(peer, self.chunked)

    def _check_hello(self, peer: Hello) -> None:
        raise NotImplementedError


def _bases(hello: Hello) -> str:
    return " nor ".join(base for base in (BASE_1_0, BASE_1_1) if has_capability(hello.capabilities, base))


class ServerSession(_Session):
    """The end that answers. `send` takes what `messages.reply` and `reply_errors` give."""

    def __init__(
        self, session_id: int, capabilities: Sequence[str], max_message_bytes: int = SERVER_MAX_MESSAGE_BYTES
    ) -> None:
        super().__init__(Hello(tuple(capabilities), session_id), max_message_bytes)
        self.session_id = session_id

    def next_event(self) -> ServerEvent | NeedData:
        """Tell what the received bytes mean. Raises ProtocolError when the peer breaks the rules."""
        try:
            message = self._next_message()
            if not isinstance(message, bytes):
                return message
            if self.state is State.GREETING:
                return self._greet(message)
            return self._take_rpc(message)
        except ProtocolError:
            self._move(Step.BREACH)
            raise

    def _check_hello(self, peer: Hello) -> None:
        if peer.session_id is not None:
            raise ProtocolError("the client's hello has a session-id, which only the server gives")

    def _take_rpc(self, message: bytes) -> RpcReceived | RpcRefused:
        self._move(Step.MESSAGE)
        text, known = _REPEATS.find(message)
        if known is not None:
            return RpcReceived(known)
        try:
            rpc, refusal = parse_rpc(parse(message))
        except RpcError as error:
            if not self.chunked:  # malformed-message is new in base:1.1, RFC 6241 appendix A
                raise ProtocolError(error.message) from None
            forget_frames(error)
            rpc, refusal = Rpc(), error
        if refusal is not None:
            return RpcRefused(rpc, refusal)
        if text is not None:
            _REPEATS.keep(text, rpc)
        return RpcReceived(rpc)


class ClientSession(_Session):
    """The end that asks. `modules` gives the module of each namespace that error paths may name."""

    def __init__(
        self,
        capabilities: Sequence[str] = (BASE_1_0, BASE_1_1),
        modules: Mapping[str, str] | None = None,
        max_message_bytes: int = CLIENT_MAX_MESSAGE_BYTES,
    ) -> None:
        super().__init__(Hello(tuple(capabilities)), max_message_bytes)
        self._modules = modules or {}
        self._calls = 0
        self._pending: deque[str] = deque()
        self._last = LastAnswer()

    @property
    def pending(self) -> tuple[str, ...]:
        """The message-ids of the calls without an answer, oldest first."""
        return tuple(self._pending)

    def call(self, payload: bytes) -> tuple[str, bytes]:
        """Give a new message-id and the framed call of an operation, ready for the link."""
        message_id = str(self._calls + 1)
        framed = self.send(build_rpc(message_id, payload))
        self._calls += 1
        self._pending.append(message_id)
        return message_id, framed

    def next_event(self) -> ClientEvent | NeedData:
        """Tell what the received bytes mean. Raises ProtocolError when the peer breaks the rules."""
        try:
            message = self._next_message()
            if not isinstance(message, bytes):
                return message
            if self.state is State.GREETING:
                return self._greet(message)
            return self._take_answer(message)
        except ProtocolError:
            self._move(Step.BREACH)
            raise

    def _check_hello(self, peer: Hello) -> None:
        if peer.session_id is None:
            raise ProtocolError("the server's hello has no session-id")

    def _take_answer(self, message: bytes) -> ReplyReceived | NotificationReceived:
        self._move(Step.MESSAGE)
        text, known = self._last.find(message)
        if known is not None:
            return ReplyReceived(self._answered(known), known)
        try:
            root = parse(message)
            if root.tag == NOTIFICATION:
                return NotificationReceived(read_notification(root))
            reply = read_reply(root, self._modules)
        except RpcError as error:
            raise ProtocolError(f"the server's answer cannot be read: {error.message}") from None
        if text is not None:
            self._last.keep(text, reply)
        return ReplyReceived(self._answered(reply), reply)

    def _answered(self, reply: Reply) -> str:
        """Find the call; an answer without message-id is that of the oldest, since answers come in order."""
        message_id = reply.message_id
        if message_id is None and self._pending:
            message_id = self._pending[0]
        if message_id is None or message_id not in self._pending:
            raise ProtocolError(
                f"an answer came to a call that was not made: message-id {str(message_id)[:_SHOWN]!r}"
            )
        self._pending.remove(message_id)
        return message_id
