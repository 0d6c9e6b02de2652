"""What is fuzzed: functions that take any bytes, and raise when the program did what it must never do.

framing   the cutting of a stream into messages: strict, bounded, and the same however the stream is cut into reads
messages  hello, rpc and rpc-reply: nothing but the typed errors comes out, and every answer can be read again
agent     what is inside an rpc: an agent always answers, always in well-formed XML, and never fails inside
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping

from lxml import etree
from tests.agent.memory_client import Clock, join_raw
from tests.datastore.memory_store import MemoryStore
from tests.datastore.small_node import SmallNode

from sdqkd.agent.server import Agent
from sdqkd.errors import FramingError, ProtocolError, RpcError
from sdqkd.netconf.events import NEED_DATA, RpcReceived, RpcRefused
from sdqkd.netconf.framing import Framer, frame_chunks, frame_eom
from sdqkd.netconf.hello import BASE_1_0, BASE_1_1, Hello, build_hello, parse_hello
from sdqkd.netconf.messages import parse_reply, parse_rpc, reply, reply_errors
from sdqkd.netconf.session import ServerSession
from sdqkd.netconf.xml import BASE, parse

LIMIT_BYTES = 100  # of a message in the target `framing`
LONGEST_BYTES = 65536  # input that is looked at

HELLOS = {bases: frame_eom(build_hello(Hello(bases))) for bases in ((BASE_1_0,), (BASE_1_0, BASE_1_1))}
MODULES = {"urn:etsi:qkd:yang:etsi-qkd-node": "etsi-qkd-sdn-node"}


class Wrong(Exception):
    """The program did what it must never do."""


def expect(true: bool, what: str) -> None:
    if not true:
        raise Wrong(what)


def framing(data: bytes) -> None:
    """First byte: chunks or not, and how long the reads are. The rest is the stream."""
    if not data:
        return
    how, stream = data[0], data[1:LONGEST_BYTES]
    at_once = _cut(stream, bool(how & 1), len(stream) or 1)
    expect(_cut(stream, bool(how & 1), 1 + (how >> 1) % 16) == at_once, "the reads decide what is a message")
    for message in at_once[0]:
        expect(len(message) <= LIMIT_BYTES, "a message is longer than the limit")
        whole = frame_chunks(message) if message else b""
        expect(not message or _cut(whole, True, 7)[0] == [message], "what was framed is not read as it was")


def _cut(stream: bytes, chunked: bool, step: int) -> tuple[list[bytes], bool, bool]:
    """Give the messages, whether the stream breaks the rules, and whether it ends inside a message."""
    framer, found = Framer(LIMIT_BYTES), []
    if chunked:
        framer.use_chunks()
    for begin in range(0, len(stream), step):
        framer.receive_data(stream[begin : begin + step])
        try:
            found += iter(framer.next_message, None)
        except FramingError:
            return found, True, False
        expect(framer.waiting_bytes <= 2 * LIMIT_BYTES + 32, "more is kept than one message")
    return found, False, framer.mid_message


def messages(data: bytes) -> None:
    """First byte: version 1.0 or 1.1. The rest is the text of a message."""
    if not data:
        return
    bases, text = ((BASE_1_0, BASE_1_1) if data[0] & 1 else (BASE_1_0,)), data[1:LONGEST_BYTES]
    with contextlib.suppress(ProtocolError):
        hello = parse_hello(text)
        expect(parse_hello(build_hello(hello)).session_id == hello.session_id, "a hello changes when written")
    with contextlib.suppress(RpcError):
        answer = parse_reply(text, MODULES)
        expect(all(isinstance(error, RpcError) for error in answer.errors), "an error is none")
    _serve(bases, text)


def _serve(bases: tuple[str, ...], text: bytes) -> None:
    """Give the text to a server that takes every call, and read its answers."""
    session = ServerSession(1, (BASE_1_0, BASE_1_1))
    session.start()
    session.receive_data(HELLOS[bases])
    session.receive_data(text if BASE_1_1 not in bases else frame_chunks(text) if text else b"")
    session.receive_data(b"]]>]]>" if BASE_1_1 not in bases else b"")
    try:
        while (event := session.next_event()) is not NEED_DATA:
            if isinstance(event, RpcReceived):
                _read_again(event, reply(event.rpc, b"<ok/>"))
            elif isinstance(event, RpcRefused):
                _read_again(event, reply_errors(event.rpc, [event.error], {}))
    except ProtocolError:
        return


def _read_again(event: RpcReceived | RpcRefused, answer: bytes) -> None:
    root = parse(answer)
    expect(root.tag == f"{{{BASE}}}rpc-reply", "the answer is no rpc-reply")
    echoed = root.get("message-id", root.get(f"{{{BASE}}}message-id"))  # some clients qualify it
    expect(echoed == event.rpc.message_id or event.rpc.message_id is None, "another message-id")
    read = parse_reply(answer, {})
    expect(read.ok == isinstance(event, RpcReceived), "a refusal is read as none")
    if isinstance(event, RpcReceived):
        again, error = parse_rpc(parse(etree.tostring(event.rpc.operation.getparent(), encoding="utf-8")))
        expect(error is None and again.name == event.rpc.name, "a call changes when written")


class _Failures(logging.Handler):
    """An agent answers when it fails inside, and tells its log."""

    def emit(self, record: logging.LogRecord) -> None:
        raise Wrong(record.getMessage())


@contextlib.contextmanager
def _failures_heard() -> Iterator[None]:
    logger, handler = logging.getLogger("sdqkd"), _Failures(logging.ERROR)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Server:
    """An agent in memory that is new again when its configuration has been changed."""

    def __init__(self) -> None:
        self._node = SmallNode()
        self._renew()

    def _renew(self) -> None:
        self._agent = Agent(self._node, MemoryStore(), clock=Clock(), startup=True)
        self._fresh = self._agent.datastores.get_config("running")

    def answer(self, inside: bytes) -> None:
        client = join_raw(self._agent)
        client.send(HELLOS[BASE_1_0, BASE_1_1])
        message = b'<rpc xmlns="%b" message-id="1">%b</rpc>' % (BASE.encode(), inside)
        answers = [each for each in client.send(frame_chunks(message)) if each.tag == f"{{{BASE}}}rpc-reply"]
        expect(len(answers) == 1 or client.closed, f"{len(answers)} answers to one call")
        if not client.closed:
            client.send(b"\n#0\n")  # breaks the rules, and ends the session with all that is its own
        expect(len(self._agent.sessions) == 0, "a session is left")
        if self._agent.datastores.get_config("running") is not self._fresh:
            self._renew()


_servers: list[_Server] = []


def agent(data: bytes) -> None:
    """Take what stands inside an rpc."""
    if not _servers:
        _servers.append(_Server())
    with _failures_heard():
        _servers[0].answer(data[:LONGEST_BYTES])


TARGETS: Mapping[str, Callable[[bytes], None]] = {"framing": framing, "messages": messages, "agent": agent}
