import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.errors import FramingError, ProtocolError, RpcError
from sdqkd.netconf.events import (
    NEED_DATA,
    Ended,
    HelloReceived,
    NotificationReceived,
    ReplyReceived,
    RpcReceived,
    RpcRefused,
)
from sdqkd.netconf.framing import frame_chunks, frame_eom
from sdqkd.netconf.hello import BASE_1_0, BASE_1_1
from sdqkd.netconf.messages import reply, reply_errors
from sdqkd.netconf.session import TRANSITIONS, ClientSession, ServerSession, State, Step

NS = "urn:ietf:params:xml:ns:netconf:base:1.0"
BOTH = (BASE_1_0, BASE_1_1)
GET = b"<get/>"


def hello(*capabilities: str, more: str = "", namespace: str = NS) -> bytes:
    listed = "".join(f"<capability>{uri}</capability>" for uri in capabilities)
    return frame_eom(f"<hello xmlns='{namespace}'><capabilities>{listed}</capabilities>{more}</hello>".encode())


def rpc(content: str, attributes: str = "message-id='1'") -> bytes:
    return f"<rpc xmlns='{NS}' {attributes}>{content}</rpc>".encode()


def events(session: ServerSession | ClientSession) -> list[object]:
    got: list[object] = []
    while (event := session.next_event()) is not NEED_DATA:
        got.append(event)
    return got


def server(*capabilities: str, limit: int = 10_000) -> ServerSession:
    session = ServerSession(4, capabilities or BOTH, limit)
    session.start()
    return session


def greeted(base: str = BASE_1_1, limit: int = 10_000) -> ServerSession:
    session = server(limit=limit)
    session.receive_data(hello(base))
    events(session)
    return session


def answer_all(session: ServerSession) -> bytes:
    """Do the part of an agent that says ok to everything that is proper."""
    out = b""
    for event in events(session):
        if isinstance(event, RpcReceived):
            out += session.send(reply(event.rpc, b"<ok/>"))
        elif isinstance(event, RpcRefused):
            out += session.send(reply_errors(event.rpc, [event.error], {}))
    return out


# Both ends


@given(
    st.sampled_from([(BASE_1_0,), (BASE_1_1,), BOTH]),
    st.lists(st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), max_size=40), max_size=5),
    st.integers(1, 200),
)
def test_both_ends_understand_each_other(client_bases: tuple[str, ...], texts: list[str], step: int) -> None:
    """Whatever the versions, the texts and the pieces in which the bytes come: each call gets its own answer."""
    client, peer = ClientSession(client_bases), ServerSession(7, BOTH)
    to_client, to_server = peer.start(), client.start()
    client.receive_data(to_client)
    (greeting,) = events(client)
    assert isinstance(greeting, HelloReceived)
    assert greeting.hello.session_id == 7
    assert greeting.chunked is (BASE_1_1 in client_bases)
    calls = [client.call(GET) for _ in texts]
    to_server += b"".join(data for _, data in calls)
    answers, waiting = b"", list(texts)
    for start in range(0, len(to_server), step):
        peer.receive_data(to_server[start : start + step])
        for event in events(peer):
            if isinstance(event, RpcReceived):
                text = waiting.pop(0).replace("&", "").replace("<", "")
                payload = f"<data><t xmlns='urn:t'>{text}</t></data>"
                answers += peer.send(reply(event.rpc, payload.encode()))
    for start in range(0, len(answers), step):
        client.receive_data(answers[start : start + step])
    replies = events(client)
    assert [event.message_id for event in replies if isinstance(event, ReplyReceived)] == [
        name for name, _ in calls
    ]
    assert len(replies) == len(texts)
    assert client.pending == ()


def test_states() -> None:
    session = ServerSession(1, BOTH)
    assert session.state is State.NEW
    session.start()
    assert session.state is State.GREETING
    session.receive_data(hello(*BOTH))
    assert session.state is State.GREETING
    session.next_event()
    assert session.state is State.OPEN
    session.receive_data(b"")
    assert session.next_event() == Ended(truncated=False)
    assert session.state is State.CLOSED


def test_the_table_is_whole() -> None:
    """Each state has a row, each row leads to known states, and every state can end."""
    assert set(TRANSITIONS) == set(State)
    assert {target for row in TRANSITIONS.values() for target in row.values()} == set(State) - {State.NEW}
    assert {step for row in TRANSITIONS.values() for step in row} == set(Step)
    assert all(row[Step.CLOSE] is State.CLOSED for row in TRANSITIONS.values())
    assert all(row.get(Step.BREACH, State.CLOSED) is State.CLOSED for row in TRANSITIONS.values())


@pytest.mark.parametrize(
    "misuse", ["receive first", "send first", "start twice", "send after close", "start after close"]
)
def test_misuse_by_our_own_side_is_told(misuse: str) -> None:
    session = ServerSession(1, BOTH)
    steps = {
        "receive first": [lambda: session.receive_data(b"x")],
        "send first": [lambda: session.send(b"<a/>")],
        "start twice": [session.start, session.start],
        "send after close": [session.start, session.close, lambda: session.send(b"<a/>")],
        "start after close": [session.close, session.start],
    }[misuse]
    for step in steps[:-1]:
        step()
    with pytest.raises(RuntimeError):
        steps[-1]()


# The server's end: hello


@pytest.mark.parametrize("ours", [(BASE_1_0,), (BASE_1_1,), BOTH])
@pytest.mark.parametrize(
    "theirs", [(BASE_1_0,), (BASE_1_1,), BOTH, (f"{BASE_1_1}?arg",), ("urn:x", f"{BASE_1_0}?a=b")]
)
def test_the_best_common_version_is_taken(ours: tuple[str, ...], theirs: tuple[str, ...]) -> None:
    session = server(*ours)
    session.receive_data(hello(*theirs))
    offered = {uri.partition("?")[0] for uri in theirs}
    if not offered & set(ours):
        with pytest.raises(ProtocolError, match="share no version"):
            session.next_event()
        return
    (event,) = events(session)
    assert isinstance(event, HelloReceived)
    assert event.chunked is session.chunked is (BASE_1_1 in offered & set(ours))
    assert session.peer == event.hello
    assert session.send(b"<a/>") == (b"\n#4\n<a/>\n##\n" if event.chunked else b"<a/>]]>]]>")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (hello(*BOTH, more="<session-id>4</session-id>"), "session-id, which only the server gives"),
        (hello("urn:x"), "share no version"),
        (hello(), "share no version"),
        (hello(*BOTH, namespace="urn:x"), "the first message must be <hello>"),
        (hello(*BOTH, namespace=""), "the first message must be <hello>"),
        (frame_eom(rpc("<get/>")), "the first message must be <hello>"),
        (frame_eom(b"<hello"), "no hello came"),
        (frame_eom(b""), "no hello came"),
        (b"x" * 10_100, "longer than the limit"),
    ],
)
def test_a_bad_hello_ends_the_session(data: bytes, reason: str) -> None:
    session = server()
    session.receive_data(data + frame_chunks(rpc("<get/>")))
    with pytest.raises(ProtocolError, match=reason):
        session.next_event()
    assert session.state is State.CLOSED
    assert events(session) == []


@pytest.mark.parametrize("base", BOTH)
def test_calls_in_the_same_burst_as_hello_are_answered(base: str) -> None:
    frame = frame_chunks if base == BASE_1_1 else frame_eom
    session = server()
    session.receive_data(hello(base) + frame(rpc("<get/>")) + frame(rpc("<lock/>", "message-id='2'")))
    out = answer_all(session)
    assert out.count(b"<ok/>") == 2
    assert out.index(b'message-id="1"') < out.index(b'message-id="2"')
    assert (b"]]>]]>" in out) is (base == BASE_1_0)


# The server's end: calls


@pytest.mark.parametrize("base", BOTH)
@pytest.mark.parametrize("message", [b"<rpc", b"", b"\xff\xfe", b"<!DOCTYPE a [<!ENTITY b 'c'>]><rpc>&b;</rpc>"])
def test_malformed_xml(base: str, message: bytes) -> None:
    """RFC 6241 appendix A: malformed-message is not for 1.0 peers; their session ends."""
    session = greeted(base)
    if base == BASE_1_0:
        session.receive_data(frame_eom(message) + frame_eom(rpc("<get/>")))
        with pytest.raises(ProtocolError):
            session.next_event()
        assert events(session) == []
        return
    session.receive_data(frame_chunks(message or b" ") + frame_chunks(rpc("<get/>")))
    refused, received = events(session)
    assert isinstance(refused, RpcRefused)
    assert (refused.error.tag, refused.error.type) == ("malformed-message", "rpc")
    assert refused.rpc.message_id is None
    assert isinstance(received, RpcReceived)


@pytest.mark.parametrize("base", BOTH)
@pytest.mark.parametrize("message", [rpc("<get/>", ""), rpc(""), b"<x/>", b"<hello xmlns='urn:x'/>"])
def test_a_refused_call_leaves_the_session_open(base: str, message: bytes) -> None:
    session = greeted(base)
    frame = frame_chunks if base == BASE_1_1 else frame_eom
    session.receive_data(frame(message) + frame(rpc("<get/>")))
    out = answer_all(session)
    assert out.index(b"<rpc-error>") < out.index(b"<ok/>")


@pytest.mark.parametrize("data", [b"\n#0\n", b"#4\n<a/>\n##\n", b"\n#4294967296\n", b"\n##\n", b"\n#10001\n"])
def test_bad_framing_ends_the_session(data: bytes) -> None:
    session = greeted()
    session.receive_data(frame_chunks(rpc("<get/>")) + data)
    assert isinstance(session.next_event(), RpcReceived)
    with pytest.raises(FramingError):
        session.next_event()
    assert session.state is State.CLOSED
    session.receive_data(frame_chunks(rpc("<get/>")))
    assert events(session) == []


def test_after_close_nothing_more_is_told() -> None:
    session = greeted()
    session.receive_data(frame_chunks(rpc("<close-session/>")) + frame_chunks(rpc("<get/>")))
    session.next_event()
    session.close()
    session.close()
    assert events(session) == []


@pytest.mark.parametrize(("left", "truncated"), [(b"", False), (b"\n#100\n<rpc", True)])
def test_the_end_of_the_data(left: bytes, truncated: bool) -> None:
    session = greeted()
    session.receive_data(frame_chunks(rpc("<get/>")) + left)
    session.receive_data(b"")
    received, ended = events(session)
    assert isinstance(received, RpcReceived)
    assert ended == Ended(truncated)


# The client's end


def client_of(base: str = BASE_1_1) -> ClientSession:
    session = ClientSession(modules={"urn:a": "a"})
    session.start()
    session.receive_data(hello(base, more="<session-id>3</session-id>"))
    events(session)
    return session


def answered(content: str, attributes: str = "message-id='1'") -> bytes:
    return frame_chunks(f"<rpc-reply xmlns='{NS}' {attributes}>{content}</rpc-reply>".encode())


@pytest.mark.parametrize(
    "data", [hello(*BOTH), hello("urn:x", more="<session-id>3</session-id>"), frame_eom(b"SSH-2.0")]
)
def test_a_bad_hello_of_a_server(data: bytes) -> None:
    session = ClientSession()
    session.start()
    session.receive_data(data)
    with pytest.raises(ProtocolError):
        session.next_event()


def test_answers_may_come_in_any_order() -> None:
    """RFC 6241 section 4.4 says in order; a client that knows message-ids does not have to rely on it."""
    session = client_of()
    assert [session.call(GET)[0] for _ in range(3)] == ["1", "2", "3"]
    session.receive_data(answered("<ok/>", "message-id='2'") + answered("<ok/>", "message-id='1'"))
    assert [event.message_id for event in events(session) if isinstance(event, ReplyReceived)] == ["2", "1"]
    assert session.pending == ("3",)


def test_an_answer_without_message_id_is_the_oldest_calls() -> None:
    session = client_of()
    session.call(b"<a")
    session.call(GET)
    session.receive_data(answered("<rpc-error><error-tag>malformed-message</error-tag></rpc-error>", ""))
    (event,) = events(session)
    assert isinstance(event, ReplyReceived)
    assert event.message_id == "1"
    assert not event.reply.ok
    assert session.pending == ("2",)


def test_error_paths_name_modules() -> None:
    session = client_of()
    session.call(GET)
    session.receive_data(
        answered(
            "<rpc-error><error-tag>in-use</error-tag><error-path xmlns:p='urn:a'>/p:x/p:y</error-path></rpc-error>"
        )
    )
    (event,) = events(session)
    assert isinstance(event, ReplyReceived)
    assert isinstance(event.reply.errors[0], RpcError)
    assert event.reply.errors[0].path == "/a:x/y"


@pytest.mark.parametrize(
    "data",
    [
        answered("<ok/>", "message-id='2'"),
        answered("<ok/>") + answered("<ok/>"),
        answered("<ok/>") + answered("<ok/>", ""),
        frame_chunks(b"<rpc-reply"),
        frame_chunks(b"<notification/>"),
        b"garbage",
    ],
)
def test_a_server_that_talks_nonsense_ends_the_session(data: bytes) -> None:
    session = client_of()
    session.call(GET)
    session.receive_data(data)
    with pytest.raises(ProtocolError):
        events(session)
    assert session.state is State.CLOSED


def test_no_call_is_counted_that_was_not_sent() -> None:
    session = ClientSession()
    with pytest.raises(RuntimeError):
        session.call(GET)
    assert session.pending == ()


@pytest.mark.parametrize("session", [server(limit=2**24), ClientSession()], ids=["server", "client"])
def test_a_hello_may_not_be_as_long_as_a_message(session: ServerSession | ClientSession) -> None:
    if session.state is State.NEW:
        session.start()
    session.receive_data(b"<hello>" + b" " * 2**20)
    with pytest.raises(FramingError, match="longer than the limit of 1048576 bytes"):
        session.next_event()


def test_after_the_hello_messages_may_be_longer() -> None:
    session = greeted(limit=2**22)
    session.receive_data(frame_chunks(rpc(f"<get>{' ' * 2**21}</get>")))
    assert len(events(session)) == 1


def test_what_waits_is_weighed() -> None:
    session = greeted()
    assert (session.waiting_bytes, session.mid_message) == (0, False)
    whole = frame_chunks(rpc("<get/>"))
    session.receive_data(whole[:-2])
    assert events(session) == []
    assert session.mid_message
    assert session.waiting_bytes >= len(rpc("<get/>"))
    session.receive_data(whole[-2:])
    assert len(events(session)) == 1
    assert (session.waiting_bytes, session.mid_message) == (0, False)


EVENT = "urn:ietf:params:xml:ns:netconf:notification:1.0"
TIME = "<eventTime>2026-11-23T12:00:00Z</eventTime>"


def notification(content: str) -> bytes:
    return f"<notification xmlns='{EVENT}'>{content}</notification>".encode()


def test_an_event_may_come_between_a_call_and_its_answer() -> None:
    session = client_of()
    message_id, _ = session.call(GET)
    session.receive_data(frame_chunks(notification(f"{TIME}<fire xmlns='urn:x'/>")))
    (event,) = events(session)
    assert isinstance(event, NotificationReceived)
    assert event.notification.event_time == "2026-11-23T12:00:00Z"
    assert event.notification.content.tag == "{urn:x}fire"
    assert session.pending == (message_id,)


@pytest.mark.parametrize(
    "content", ["", TIME, "<fire xmlns='urn:x'/>", f"{TIME}<a xmlns='urn:x'/><b xmlns='urn:x'/>"]
)
def test_an_event_that_is_none_ends_the_session(content: str) -> None:
    session = client_of()
    session.receive_data(frame_chunks(notification(content)))
    with pytest.raises(ProtocolError, match="one eventTime and one event"):
        session.next_event()
