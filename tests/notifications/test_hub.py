"""The hub as an agent uses it: order, slow readers, rights, time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.notifications.conftest import SPACES, START, Notebook, World

from sdqkd.errors import RpcError
from sdqkd.notifications.base_events import Client
from sdqkd.notifications.board import Limits
from sdqkd.notifications.hub import Hub
from sdqkd.notifications.streams import EVENT_OVERHEAD_BYTES, Stream, StreamSpec
from sdqkd.schema import table
from sdqkd.schema.tree import EMPTY, Container

At = Callable[[float], datetime]
Worlds = Callable[..., World]
DOWN = "etsi-qkd-sdn-node:sdqkdn_interface_down"
NODE = "etsi-qkd-sdn-node:qkd_node"
CREATE = '<create-subscription xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">%s</create-subscription>'
NOC = Client("noc", 7, "192.0.2.7")


def publish(place: World, number: int) -> None:
    interface = Container({"qkdi_id": str(number)})
    place.hub.publish(Container({DOWN: Container({"qkd_interface": interface})}), place.now)


def tight(room: int) -> StreamSpec:
    """A stream that waits for nobody."""
    return StreamSpec("NETCONF", "", max_events=room, lag_events=0)


def numbers(session: Notebook) -> list[str]:
    """What came since the last time: the number of each event, the name of everything else."""
    return [
        event.findtext(".//{*}qkdi_id") or etree.QName(event).localname  # by number, or by name
        for event in session.take()
    ]


def held_bytes(stream: Stream) -> int:
    """What the log of a stream takes, roughly."""
    held = (stream.get(number) for number in range(stream.first, stream.last + 1))
    return sum(len(event.payload) + EVENT_OVERHEAD_BYTES for event in held if event is not None)


def test_a_notification_is_as_rfc_5277_has_it(world: Worlds) -> None:
    place = world()
    session = place.session()
    assert place.ask(session, CREATE % "") == "<ok/>"
    place.wait(1.5)
    publish(place, 4)
    assert session.got == [
        b'<notification xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0">'
        b"<eventTime>2026-11-23T09:00:01.500000Z</eventTime>"
        b'<sdqkdn_interface_down xmlns="urn:etsi:qkd:yang:etsi-qkd-node">'
        b"<qkd_interface><qkdi_id>4</qkdi_id></qkd_interface></sdqkdn_interface_down></notification>"
    ]


def test_replay_then_new_then_the_end(world: Worlds) -> None:
    place = world()
    session = place.session()
    for number in range(3):
        publish(place, number)
        place.wait(1)
    start, stop = "<startTime>2026-11-23T09:00:01Z</startTime>", "<stopTime>2026-11-23T09:00:10Z</stopTime>"
    place.ask(session, CREATE % (start + stop))
    publish(place, 3)
    place.wait(60)
    publish(place, 4)
    assert numbers(session) == ["1", "2", "replayComplete", "3", "notificationComplete"]
    assert place.hub.due is None


def test_nothing_comes_before_the_reply(world: Worlds) -> None:
    place = world()
    session = place.session()
    publish(place, 1)
    operation = etree.fromstring(CREATE % "<startTime>2026-11-23T09:00:00Z</startTime>")
    place.hub.perform(session, operation, place.now)
    publish(place, 2)
    assert session.got == []
    place.hub.flush(session.id, place.now)
    assert numbers(session) == ["1", "replayComplete", "2"]


def test_everybody_hears_the_same(world: Worlds) -> None:
    place = world(streams=[StreamSpec("OTHER", "")])
    everything, other, both = place.session(1), place.session(2), place.session(3)
    place.establish(everything, "<stream>NETCONF</stream>")
    place.establish(other, "<stream>OTHER</stream>")
    for stream in ("NETCONF", "OTHER"):
        place.establish(both, f"<stream>{stream}</stream>")
    publish(place, 1)
    place.hub.publish(Container({DOWN: Container({})}), place.now, "OTHER")
    assert [len(session.take()) for session in (everything, other, both)] == [2, 1, 3]


def test_a_slow_reader_of_rfc_5277_loses_its_session(world: Worlds) -> None:
    place = world(netconf=tight(3))
    slow, quick = place.session(1, takes=1), place.session(2)
    for session in (slow, quick):
        place.ask(session, CREATE % "")
    for number in range(4):
        publish(place, number)
    assert (slow.ended, len(slow.got)) == (None, 1)
    publish(place, 4)
    assert slow.ended == "notifications were lost: the client reads too slowly"
    assert len(slow.got) == 1
    publish(place, 5)
    assert numbers(quick) == ["0", "1", "2", "3", "4", "5"]


def test_a_slow_reader_of_rfc_8639_is_told_of_the_gap(world: Worlds) -> None:
    place = world(netconf=tight(3))
    session = place.session(takes=1)
    place.establish(session, "<stream>NETCONF</stream>")
    for number in range(6):
        publish(place, number)
    session.takes = 99
    place.hub.flush(session.id, place.now)
    assert numbers(session) == ["0", "subscription-suspended", "subscription-resumed", "3", "4", "5"]


def test_a_reader_that_catches_up_in_time_misses_nothing(world: Worlds) -> None:
    place = world(netconf=tight(3))
    session = place.session(takes=1)
    place.ask(session, CREATE % "")
    for number in range(4):
        publish(place, number)
    session.takes = 99
    place.hub.flush(session.id, place.now)
    assert numbers(session) == ["0", "1", "2", "3"]


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.tuples(st.sampled_from(["event", "read", "big"]), st.integers(0, 5)), max_size=60),
    room=st.integers(0, 8),
    lag=st.integers(0, 8),
)
def test_whatever_readers_do_memory_is_bounded_and_order_kept(
    steps: list[tuple[str, int]], room: int, lag: int
) -> None:
    """Six sessions that read when they like: each hears of all events, or of the holes between them."""
    spec = StreamSpec("NETCONF", "", room, room * 500, lag, lag * 500)
    place = World(table.load("qkd-node"), netconf=spec)
    sessions = [place.session(number, takes=0) for number in range(1, 7)]
    for session in sessions:
        if session.id % 2:
            place.ask(session, CREATE % "")
        else:
            place.establish(session, "<stream>NETCONF</stream>")
    published = 0
    for step, who in steps:
        if step == "read":
            session = sessions[who]
            session.takes = None
            place.hub.flush(session.id, place.now)
            session.takes = 0
        else:
            published += 1
            reason = "x" * (300 if step == "big" else 1)
            interface = Container({"qkdi_id": str(published), "reason": reason})
            place.hub.publish(Container({DOWN: Container({"qkd_interface": interface})}), place.now)
            stream = place.hub._board.streams["NETCONF"]
            assert held_bytes(stream) <= (room + lag) * 500
            assert stream.last + 1 - stream.first <= room + lag
    for session in sessions:
        heard = numbers(session)
        expected = 1
        for word in heard:
            if word == "subscription-suspended":
                expected = 0
            elif word.isdigit():
                assert int(word) == expected or not expected
                expected = int(word) + 1
        assert session.ended is None or session.id % 2


def test_the_log_waits_a_while_for_those_who_are_behind(world: Worlds) -> None:
    place = world(netconf=StreamSpec("NETCONF", "", max_events=2, lag_events=3))
    slow, quick = place.session(1, takes=0), place.session(2)
    for session in (slow, quick):
        place.ask(session, CREATE % "")
    stream = place.hub._board.streams["NETCONF"]
    for number in range(5):
        publish(place, number)
    assert stream.last + 1 - stream.first == 5
    slow.takes = None
    place.hub.flush(slow.id, place.now)
    assert numbers(slow) == numbers(quick) == ["0", "1", "2", "3", "4"]
    publish(place, 5)
    assert stream.last + 1 - stream.first == 2


def test_a_long_replay_gives_others_their_turn(world: Worlds) -> None:
    place = world(netconf=StreamSpec("NETCONF", "", max_events=1000, max_bytes=2**20))
    for number in range(1000):
        publish(place, number)
    long, other = place.session(1), place.session(2)
    place.ask(other, CREATE % "")
    place.ask(long, CREATE % "<startTime>2026-11-23T08:00:00Z</startTime>")
    assert len(long.got) < 100
    assert place.hub.due == place.now, "the rest comes as soon as others had their turn"
    publish(place, 1000)  # now the log is full, and the next events would be dropped
    assert len(other.got) == 1
    place.wait(0)
    assert numbers(long) == [*map(str, range(1000)), "replayComplete", "1000"]
    assert place.hub.due is None


def test_whoever_had_no_turn_comes_first_in_the_next(world: Worlds) -> None:
    sessions: list[Notebook] = []

    def sent() -> int:
        return sum(len(session.got) for session in sessions)

    def turn() -> Callable[[], bool]:
        before = sent()
        return lambda: sent() > before

    place = world(turn=turn)
    sessions += (place.session(number) for number in (1, 2, 3))
    for session in sessions:
        place.ask(session, CREATE % "")
    publish(place, 1)
    assert sorted(len(session.got) for session in sessions) == [0, 0, 1]
    assert place.hub.due == place.now
    publish(place, 2)
    assert sorted(len(session.got) for session in sessions) == [0, 1, 1]
    place.wait(0)
    assert [numbers(session) for session in sessions] == [["1", "2"]] * 3
    assert place.hub.due is None


def test_passing_over_many_events_gives_others_their_turn(world: Worlds) -> None:
    place = world()
    for number in range(1000):
        publish(place, number)
    session = place.session()
    wanted = '<qkd_interface xmlns=""><qkdi_id>999</qkdi_id></qkd_interface>'
    wanted = f'<sdqkdn_interface_down xmlns="">{wanted}</sdqkdn_interface_down>'
    start = "<startTime>2026-11-23T08:00:00Z</startTime>"
    place.ask(session, CREATE % f"<filter>{wanted}</filter>{start}")
    assert (session.got, place.hub.due) == ([], place.now)
    place.wait(0)
    assert numbers(session) == ["999", "replayComplete"]


HEAVY = "//*[//*[//*[//*[//*[//*]]]]]"


def test_a_filter_of_rfc_5277_that_takes_too_much_work_ends_its_session(world: Worlds) -> None:
    place = world()
    session = place.session()
    place.ask(session, CREATE % f'<filter type="xpath" select="{HEAVY}"/>')
    place.configure((NODE, "qkd_interfaces", ("qkd_interface", ("1",)), "qkdi_model"), "m")
    assert session.ended is not None
    assert "too much work" in session.ended


def test_a_filter_of_rfc_8639_that_takes_too_much_work_is_suspended_until_it_is_changed(world: Worlds) -> None:
    place = world()
    session = place.session()
    xpath = "<stream-xpath-filter>%s</stream-xpath-filter>"
    place.establish(session, "<stream>NETCONF</stream>" + xpath % HEAVY)
    place.configure((NODE, "qkd_interfaces", ("qkd_interface", ("1",)), "qkdi_model"), "m")
    publish(place, 0)
    (told,) = session.take()
    assert etree.QName(told).localname == "subscription-suspended"
    assert (told.findtext("{*}reason") or "").endswith("insufficient-resources")
    place.ask(session, f"<modify-subscription {SPACES}><id>1</id>{xpath % '//qkdi_id'}</modify-subscription>")
    assert numbers(session) == ["subscription-modified", "0"]


def test_a_suspended_one_still_ends(world: Worlds) -> None:
    place = world()
    session = place.session()
    stop = "<stop-time>2026-11-23T09:00:05Z</stop-time>"
    place.establish(session, f"<stream>NETCONF</stream><stream-xpath-filter>{HEAVY}</stream-xpath-filter>{stop}")
    place.configure((NODE, "qkd_interfaces", ("qkd_interface", ("1",)), "qkdi_model"), "m")
    place.wait(10)
    assert "subscription-suspended" in numbers(session)
    assert place.hub.due is None
    assert "ietf-subscribed-notifications:subscriptions" not in place.hub.state().children


def test_an_ended_session_gets_nothing_and_the_others_hear_of_it(world: Worlds) -> None:
    place = world(netconf=tight(1))
    slow, quick = place.session(1, takes=0), place.session(2)
    end = slow.end

    def end_and_tell(reason: str) -> None:
        end(reason)
        place.hub.session_ended(Client("slow", 1), place.now, "other")

    slow.end = end_and_tell  # type: ignore[method-assign]
    for session in (slow, quick):
        place.ask(session, CREATE % "")
    for number in (1, 2):
        publish(place, number)
    assert slow.ended
    assert numbers(quick) == ["1", "2", "netconf-session-end"]
    place.hub.flush(slow.id, place.now)
    place.hub.leave(slow.id, place.now)


def test_hundreds_may_end_at_once(world: Worlds) -> None:
    """Each end is told to those who are left, most of whom have lost events by then, too."""
    place = world(netconf=tight(1), limits=Limits(subscriptions=1000, poll=None))
    deaf = [place.session(number, takes=0) for number in range(1, 501)]
    for session in deaf:
        place.ask(session, CREATE % "")

        def end(reason: str, session: Notebook = session) -> None:
            session.ended = reason
            place.hub.session_ended(Client("noc", session.id), place.now, "other")

        session.end = end  # type: ignore[method-assign]
    for number in range(2):
        publish(place, number)
    assert all(session.ended for session in deaf)


def test_after_a_loss_nothing_more_comes(world: Worlds) -> None:
    """It could take the second event, but has lost the first one."""
    place = world(netconf=tight(0))
    slow, quick = place.session(1, takes=0), place.session(2)
    for session in (slow, quick):
        place.ask(session, CREATE % "")

    def cause_another() -> None:
        if slow.takes is not None:
            slow.takes = None
            publish(place, 2)

    quick.on_notify = cause_another
    publish(place, 1)
    assert numbers(quick) == ["1", "2"]
    assert slow.got == []
    assert slow.ended


def test_an_event_that_an_event_causes_comes_after_it(world: Worlds) -> None:
    place = world()
    first, second = place.session(1), place.session(2)
    for session in (first, second):
        place.ask(session, CREATE % "")
    left = [2, 3]
    first.on_notify = lambda: publish(place, left.pop(0)) if left else None
    publish(place, 1)
    assert numbers(first) == numbers(second) == ["1", "2", "3"]


def test_what_one_may_not_receive_does_not_come(world: Worlds) -> None:
    place = world()
    session = place.session()
    publish(place, 1)
    session.hidden.add(DOWN)
    place.ask(session, CREATE % "<startTime>2026-11-23T08:00:00Z</startTime>")
    publish(place, 2)
    place.hub.session_started(NOC, place.now)
    # RFC 8341 section 3.4.6: the marks of a replay always come.
    assert numbers(session) == ["replayComplete", "netconf-session-start"]


def test_a_changed_configuration_is_told_with_who_did_it(world: Worlds) -> None:
    place = world()
    session = place.session()
    place.ask(session, CREATE % "")
    place.configure((NODE, "qkdn_version"), "1", NOC)
    place.configure((NODE, "qkdn_version"), "2")
    place.hub.config_changed(place.running, place.running, place.now)
    by_client, by_server = session.take()
    assert by_client.findtext("{*}changed-by/{*}username") == "noc"
    assert by_server.find("{*}changed-by/{*}server") is not None
    assert by_server.findtext("{*}edit/{*}operation") == "replace"


def test_sessions_and_commits_are_told(world: Worlds) -> None:
    place = world()
    session = place.session()
    place.ask(session, CREATE % "")
    place.hub.session_started(NOC, place.now)
    place.hub.commit_pending("start", NOC, place.now, 600)
    place.hub.commit_pending("timeout", None, place.now)
    place.hub.session_ended(NOC, place.now, "killed", killed_by=1)
    assert session.names() == [
        "netconf-session-start",
        "netconf-confirmed-commit",
        "netconf-confirmed-commit",
        "netconf-session-end",
    ]


def test_a_model_set_without_these_modules_is_silent(at: At) -> None:
    schema = table.load("inventory")
    hub = Hub(schema, {"ietf-datastores:running": lambda: EMPTY}, at(0))
    hub.session_started(NOC, at(0))
    hub.config_changed(EMPTY, Container({}), at(1))
    assert hub.state() == EMPTY
    assert hub.operations == {}
    assert hub.due is None


def test_configured_subscriptions_are_refused(world: Worlds) -> None:
    place = world()
    place.hub.check(EMPTY)
    with pytest.raises(RpcError, match="clients establish them") as caught:
        place.hub.check(Container({"ietf-subscribed-notifications:subscriptions": EMPTY}))
    assert caught.value.tag == "operation-not-supported"


def test_wake_is_told_whenever_the_time_changes(world: Worlds, at: At) -> None:
    place = world()
    session = place.session()
    assert place.wakes == []
    running = "<yp:datastore>ds:running</yp:datastore><yp:periodic><yp:period>1000</yp:period></yp:periodic>"
    place.establish(session, running)
    assert place.wakes == [at(10)]
    place.establish(session, running + "<stop-time>2026-11-23T09:00:05Z</stop-time>")
    # While a call about it is being answered nothing is due.
    assert place.wakes == [at(10), None, at(5)]
    # A timer that comes a little early is told again when to come.
    assert place.hub.tick(at(4.999)) == at(5)
    assert place.wakes == [at(10), None, at(5), at(5)]
    place.hub.leave(session.id, place.now)
    assert place.wakes[-1] is None
    assert place.hub.due is None


def test_who_does_not_listen_costs_no_timer(world: Worlds) -> None:
    place = world()
    for number in range(100):
        publish(place, number)
        place.configure((NODE, "qkdn_version"), str(number))
    assert place.wakes == []
    assert place.reads == 0


def test_operations_are_those_that_the_model_has(world: Worlds) -> None:
    place = world()
    names = sorted(etree.QName(tag).localname for tag in place.hub.operations)
    assert names == [
        "create-subscription",
        "delete-subscription",
        "establish-subscription",
        "kill-subscription",
        "modify-subscription",
        "resync-subscription",
    ]
    spaces = {etree.QName(tag).namespace for tag in place.hub.operations}
    assert all(space in SPACES or space == "urn:ietf:params:xml:ns:netconf:notification:1.0" for space in spaces)


def test_an_event_costs_its_place_in_the_log(world: Worlds) -> None:
    place = world(netconf=StreamSpec("NETCONF", "", max_events=10))
    for number in range(1000):
        publish(place, number)
    stream = place.hub._board.streams["NETCONF"]
    assert held_bytes(stream) < 10 * (EVENT_OVERHEAD_BYTES + 250)
    assert stream.aged == START
