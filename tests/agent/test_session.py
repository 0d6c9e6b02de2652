"""One session from hello to end: RFC 6241 sections 4, 7.8, 7.9 and 8.1."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.agent.memory_client import Client, Clock, RawClient, join, join_raw
from tests.datastore.small_node import SmallNode

from sdqkd.agent.server import Agent
from sdqkd.agent.service import Limits
from sdqkd.agent.store import FileStore
from sdqkd.errors import SdqkdError
from sdqkd.netconf.framing import frame_chunks, frame_eom
from sdqkd.netconf.hello import BASE_1_0, BASE_1_1, Hello, build_hello
from sdqkd.netconf.messages import build_rpc
from sdqkd.netconf.xml import BASE
from sdqkd.schema.tree import Container
from sdqkd.transport.links import FlowControlled

Connect = Callable[..., Client]

HELLO = frame_eom(build_hello(Hello((BASE_1_0, BASE_1_1))))


def call(message_id: str, operation: str = "commit") -> bytes:
    return frame_chunks(build_rpc(message_id, f'<{operation} xmlns="{BASE}"/>'.encode()))


@pytest.fixture
def raw(agent: Agent) -> RawClient:
    """A peer with an open session."""
    client = join_raw(agent)
    client.send(HELLO)
    return client


def test_the_hello_says_what_the_agent_can_do(client: Client) -> None:
    assert client.hello is not None
    capabilities = client.hello.capabilities
    assert capabilities[:7] == (
        BASE_1_0,
        BASE_1_1,
        "urn:ietf:params:netconf:capability:writable-running:1.0",
        "urn:ietf:params:netconf:capability:candidate:1.0",
        "urn:ietf:params:netconf:capability:confirmed-commit:1.1",
        "urn:ietf:params:netconf:capability:rollback-on-error:1.0",
        "urn:ietf:params:netconf:capability:validate:1.1",
    )
    assert any(uri.startswith("urn:ietf:params:netconf:capability:yang-library:1.1?") for uri in capabilities)


def test_session_ids_are_never_used_twice(connect: Connect) -> None:
    first, second = connect(), connect()
    first.leave()
    assert [first.session_id, second.session_id, connect().session_id] == [1, 2, 3]


def test_a_client_of_base_1_0_is_served(connect: Connect) -> None:
    client = connect(bases=(BASE_1_0,))
    assert client.ask("<get-config><source><running/></source></get-config>").data is not None


def test_calls_in_the_same_burst_as_the_hello_are_answered_in_order(agent: Agent) -> None:
    replies = join_raw(agent).send(HELLO, *(call(str(n)) for n in range(1, 51)))
    assert [reply.get("message-id") for reply in replies] == [str(n) for n in range(1, 51)]


def test_attributes_of_a_call_come_back(raw: RawClient) -> None:
    head = f'<rpc xmlns="{BASE}" message-id="1" xmlns:x="urn:x" x:mark="&lt;&amp;&quot;">'
    (reply,) = raw.send(frame_chunks(f"{head}<get><filter/></get></rpc>".encode()))
    assert reply.attrib == {"message-id": "1", "{urn:x}mark": '<&"'}


def test_a_prefixed_call_is_a_call(raw: RawClient) -> None:
    (reply,) = raw.send(frame_chunks(f'<n:rpc xmlns:n="{BASE}" message-id="1"><n:commit/></n:rpc>'.encode()))
    assert [child.tag for child in reply] == [f"{{{BASE}}}ok"]


@pytest.mark.parametrize(
    ("message", "tag"),
    [
        (f'<rpc xmlns="{BASE}"><commit/></rpc>', "missing-attribute"),
        (f'<rpc xmlns="{BASE}" message-id="1"/>', "missing-element"),
        (f'<rpc xmlns="{BASE}" message-id="1"><commit/><commit/></rpc>', "bad-element"),
        (f'<rpc xmlns="{BASE}" message-id="1"><commit></rpc>', "malformed-message"),
        (f'<!DOCTYPE rpc><rpc xmlns="{BASE}" message-id="1"><commit/></rpc>', "malformed-message"),
    ],
)
def test_what_is_no_call_is_refused_and_the_session_lives(raw: RawClient, message: str, tag: str) -> None:
    refusal, answer = raw.send(frame_chunks(message.encode()), call("2"))
    assert refusal.findtext(f"{{{BASE}}}rpc-error/{{{BASE}}}error-tag") == tag
    assert answer.get("message-id") == "2"


@pytest.mark.parametrize(
    "greeting",
    [
        pytest.param(build_hello(Hello((BASE_1_1,), session_id=7)), id="names a session"),
        pytest.param(build_hello(Hello(("urn:x",))), id="shares no version"),
        pytest.param(call("1"), id="is none"),
    ],
)
def test_a_wrong_hello_ends_the_session(agent: Agent, greeting: bytes) -> None:
    client = join_raw(agent)
    assert client.send(frame_eom(greeting), call("1")) == []
    assert client.closed
    assert len(agent.sessions) == 0


@pytest.mark.parametrize("frame", [b"\n#0\n", b"\n#4294967296\n", b"#5\n", b"\n##\n"])
def test_broken_framing_ends_the_session(raw: RawClient, agent: Agent, frame: bytes) -> None:
    assert raw.send(frame) == []
    assert raw.closed
    assert len(agent.sessions) == 0


def test_a_message_over_the_limit_ends_the_session(node: SmallNode, store: FileStore, clock: Clock) -> None:
    agent = Agent(node, store, limits=Limits(max_message_bytes=1000), clock=clock)
    client = join_raw(agent)
    client.send(HELLO, b"\n#1001\n")
    assert client.closed


def test_a_client_that_does_not_greet_is_sent_away(connect: Connect, agent: Agent, clock: Clock) -> None:
    silent, other = join_raw(agent), connect()
    clock.advance(29)
    assert not silent.closed
    clock.advance(2)
    assert silent.closed
    assert not other.closed
    assert [session.id for session in agent.sessions] == [other.session_id]


def test_close_session_is_answered_before_the_link_closes(client: Client, agent: Agent) -> None:
    assert client.ask("<close-session/>").ok
    assert client.closed
    assert len(agent.sessions) == 0


def test_what_follows_close_session_is_not_done(raw: RawClient) -> None:
    replies = raw.send(call("1", "close-session"), call("2"))
    assert [reply.get("message-id") for reply in replies] == ["1"]


def test_kill_session_closes_the_other_link(connect: Connect) -> None:
    client, victim = connect(), connect()
    client.ask(f"<kill-session><session-id>{victim.session_id}</session-id></kill-session>")
    assert victim.closed
    assert not client.closed


def test_closing_the_agent_ends_all_sessions(connect: Connect, agent: Agent) -> None:
    clients = [connect(), connect()]
    agent.close()
    assert all(client.closed for client in clients)
    assert len(agent.sessions) == 0


def test_an_unforeseen_failure_is_answered_without_its_text(
    client: Client, node: SmallNode, caplog: pytest.LogCaptureFixture
) -> None:
    password = "swordfish"

    def fail() -> Container:
        raise ValueError(password)

    node.state = fail  # type: ignore[method-assign]
    (error,) = client.call("<get/>").errors
    assert (error.tag, error.message) == (
        "operation-failed",
        "the agent failed while it did this; its log says more",
    )
    assert "get failed with ValueError" in caplog.text
    assert "in fail" in caplog.text
    assert password not in caplog.text
    client.ask("<commit/>")


def test_a_device_that_does_not_answer_is_said(client: Client, node: SmallNode) -> None:
    def fail() -> Container:
        raise SdqkdError("the module in slot 3 does not answer")

    node.state = fail  # type: ignore[method-assign]
    (error,) = client.call("<get/>").errors
    assert (error.tag, error.message) == ("operation-failed", "the module in slot 3 does not answer")


def test_who_does_not_read_is_not_answered_until_he_does(raw: RawClient, agent: Agent) -> None:
    (session,) = agent.sessions
    assert isinstance(session, FlowControlled)
    session.pause_writing()
    assert raw.send(call("1"), call("2")) == []
    session.resume_writing()
    assert [reply.get("message-id") for reply in raw.messages[1:]] == ["1", "2"]


class Hurried(Clock):
    """Every look at it is a second later, so that no turn is long enough."""

    def now_s(self) -> float:
        self._now_s += 1.0
        return self._now_s


def test_a_call_in_steps_rests_between_them_and_calls_behind_it_wait(node: SmallNode, store: FileStore) -> None:
    clock = Hurried()
    agent = Agent(node, store, clock=clock, limits=Limits(hello_timeout_s=1e6, rpc_timeout_s=1e6))
    session, other = join_raw(agent), join(agent)
    session.send(HELLO)
    tried = (
        f'<edit-config xmlns="{BASE}"><target><candidate/></target><error-option>continue-on-error</error-option>'
        '<config><qkd_node xmlns="urn:etsi:qkd:yang:etsi-qkd-node"><qkdn_location_id>rack 2</qkdn_location_id>'
        "<qkdn_location_id>rack 3</qkdn_location_id></qkd_node></config></edit-config>"
    )
    assert session.send(frame_chunks(build_rpc("1", tried.encode())), call("2")) == []
    other.ask("<get-config><source><running/></source></get-config>")
    clock.advance(100)
    assert [message.get("message-id") for message in session.messages[1:]] == ["1", "2"]
