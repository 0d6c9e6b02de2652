"""How much time, memory and attention an agent gives one client. Over real SSH: test_abuse.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.agent.memory_client import Client, Clock, RawClient, join, join_raw
from tests.datastore.small_node import SmallNode

from sdqkd.agent.server import Agent
from sdqkd.agent.service import Limits
from sdqkd.agent.store import FileStore
from sdqkd.netconf.framing import frame_chunks, frame_eom
from sdqkd.netconf.hello import BASE_1_0, BASE_1_1, Hello, build_hello
from sdqkd.netconf.messages import build_rpc
from sdqkd.netconf.xml import BASE

HELLO = frame_eom(build_hello(Hello((BASE_1_0, BASE_1_1))))
HELLO_1_0 = frame_eom(build_hello(Hello((BASE_1_0,))))
CALL = f'<get xmlns="{BASE}"><filter/></get>'.encode()

Make = Callable[..., Agent]


@pytest.fixture
def make(node: SmallNode, store: FileStore, clock: Clock) -> Make:
    return lambda **limits: Agent(node, store, clock=clock, limits=Limits(**limits))


def greeted(agent: Agent, *, chunked: bool = True) -> RawClient:
    raw = join_raw(agent, chunked=chunked)
    raw.send(HELLO if chunked else HELLO_1_0)
    return raw


def call(number: int = 1) -> bytes:
    return frame_chunks(build_rpc(str(number), CALL))


def test_an_idle_session_ends(make: Make, clock: Clock) -> None:
    agent = make(idle_timeout_s=100)
    idle, busy = join(agent), join(agent)
    for _ in range(4):
        clock.advance(40)
        busy.ask("<get><filter/></get>")
    assert idle.closed
    assert not busy.closed
    assert agent.sessions.dropped == 1


def test_whoever_gets_notifications_is_not_idle(make: Make, clock: Clock) -> None:
    agent = make(idle_timeout_s=100)
    client = join(agent)
    client.ask('<create-subscription xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
               "<startTime>2026-03-01T11:00:00Z</startTime><stopTime>2026-03-01T12:16:00Z</stopTime>"
               "</create-subscription>")  # fmt: skip
    clock.advance(950)
    assert not client.closed
    clock.advance(150)
    assert client.closed


def test_without_an_idle_timeout_a_session_stays(make: Make, clock: Clock) -> None:
    client = join(make(idle_timeout_s=None))
    clock.advance(1e6)
    assert not client.closed


@pytest.mark.parametrize("beginning", [b"\n#100\n<rpc>", b"\n#5\n<rpc>\n#", b"\n", b"\n#4294967295\n"[:5]])
def test_a_message_that_does_not_end_ends_the_session(make: Make, clock: Clock, beginning: bytes) -> None:
    raw = greeted(make(rpc_timeout_s=10))
    raw.send(beginning)
    clock.advance(9)
    assert raw.closed is False
    clock.advance(1)
    assert raw.closed or beginning == b"\n"  # a line feed alone may as well be left over


def test_each_message_has_its_own_time(make: Make, clock: Clock) -> None:
    raw = greeted(make(rpc_timeout_s=10))
    for number in range(5):
        whole = call(number)
        raw.send(whole[:20])
        clock.advance(6)
        assert len(raw.send(whole[20:])) == 1
    clock.advance(60)
    assert not raw.closed


def test_line_feeds_between_messages_are_no_message(make: Make, clock: Clock) -> None:
    raw = greeted(make(rpc_timeout_s=10), chunked=False)
    assert raw.send(frame_eom(build_rpc("1", CALL)) + b"\r\n\n")
    clock.advance(60)
    assert raw.send(frame_eom(build_rpc("2", CALL)))


def test_of_unfinished_messages_that_are_too_much_the_longest_goes(make: Make) -> None:
    agent = make(max_waiting_bytes=5000)
    small, big, other = (greeted(agent) for _ in range(3))
    small.send(b"\n#4000\n" + b" " * 2000)
    big.send(b"\n#4000\n" + b" " * 2500)
    assert [small.closed, big.closed] == [False, False]
    other.send(b"\n#4000\n" + b" " * 1000)
    assert [small.closed, big.closed, other.closed] == [False, True, False]
    # What it had sent does not count any more, nor does what has become a message.
    small.send(b" " * 2000 + b"\n##\n")
    other.send(b" " * 3000 + b"\n##\n")
    third = greeted(agent)
    third.send(b"\n#5000\n" + b" " * 4900)
    assert not third.closed


class Running(Clock):
    """A clock that goes on by itself: every look at it takes a millisecond."""

    def now_s(self) -> float:
        self._now_s += 0.001
        return self._now_s


def test_a_session_with_many_calls_lets_others_have_their_turn(node: SmallNode, store: FileStore) -> None:
    clock = Running()
    agent = Agent(node, store, clock=clock, limits=Limits(turn_s=0.02))
    greedy, honest = greeted(agent), join(agent)
    before = len(greedy.messages)
    greedy.send(*(call(number) for number in range(100)))
    first_turn = len(greedy.messages) - before
    assert 0 < first_turn < 30
    honest.ask("<get><filter/></get>")
    assert len(greedy.messages) - before == first_turn
    clock.advance(10)
    assert [message.get("message-id") for message in greedy.messages[before:]] == [str(n) for n in range(100)]


def test_a_session_that_ends_while_it_rests_stays_ended(node: SmallNode, store: FileStore) -> None:
    clock = Running()
    agent = Agent(node, store, clock=clock, limits=Limits(turn_s=0.02))
    greedy, client = greeted(agent), join(agent)
    greedy.send(*(call(number) for number in range(50)))
    (victim, _) = agent.sessions
    client.ask(f"<kill-session><session-id>{victim.id}</session-id></kill-session>")
    answered = len(greedy.messages)
    clock.advance(10)
    assert greedy.closed
    assert len(greedy.messages) == answered


def test_a_client_that_stops_reading_while_it_rests_is_answered_when_it_reads(
    node: SmallNode, store: FileStore
) -> None:
    clock = Running()
    agent = Agent(node, store, clock=clock, limits=Limits(turn_s=0.005))
    greedy = greeted(agent)
    (session,) = agent.sessions
    greedy.send(*(call(number) for number in range(50)))
    session.pause_writing()  # type: ignore[attr-defined]
    answered = len(greedy.messages)
    clock.advance(10)
    assert len(greedy.messages) == answered
    session.resume_writing()  # type: ignore[attr-defined]
    clock.advance(10)
    assert len(greedy.messages) == 51


def test_many_sessions_are_closed_at_once(make: Make, clock: Clock) -> None:
    agent = make(idle_timeout_s=10)
    clients: list[Client] = [join(agent) for _ in range(50)]
    clock.advance(10)
    assert all(client.closed for client in clients)
    assert len(agent.sessions) == 0
