"""When a QKD node tells what: ETSI GS QKD 015."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from tests.notifications.conftest import START, World

from sdqkd.notifications.board import Limits
from sdqkd.notifications.message import payload_of
from sdqkd.notifications.qkd_settings import DEFAULTS, Thresholds
from sdqkd.notifications.qkd_watch import Memory, QkdWatch, begin, judge
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import EMPTY, Container, Entries
from sdqkd.schema.xml import decode, decode_below

At = Callable[[float], datetime]
CASES = etree.parse(Path(__file__).parent / "cases" / "qkd-events.xml").getroot()
NODE = "etsi-qkd-sdn-node:qkd_node"
LINK = "00000000-0000-4000-8000-0000000000a1"
NAMES = {
    "sdqkdn_application_new", "sdqkdn_application_qos_update", "sdqkdn_application_disconnected",
    "sdqkdn_interface_new", "sdqkdn_interface_down", "sdqkdn_interface_out",
    "sdqkdn_link_down", "sdqkdn_link_perf_update", "sdqkdn_link_overloaded", "alarm", "event",
}  # fmt: skip


def canonical_xml(element: etree._Element) -> str:
    return etree.canonicalize(etree.tostring(element, with_tail=False).decode(), strip_text=True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.get("name"))
def test_what_is_told(schema: Schema, at: At, case: etree._Element) -> None:
    before, after, wanted = case
    watch = QkdWatch()
    watch.begin(decode(schema, before, state=True))
    told = watch.look(decode(schema, after, state=True), at(1))
    trees = [_tree(schema, element) for element in wanted]
    assert list(told) == trees
    for tree in told:
        ((member, content),) = tree.children.items()
        element = etree.fromstring(payload_of(schema, tree))
        assert decode_below(schema, schema.notifications[member], element) == content
    assert watch.look(decode(schema, after, state=True), at(60)) == ()


def _tree(schema: Schema, element: etree._Element) -> Container:
    member = f"etsi-qkd-sdn-node:{etree.QName(element).localname}"
    return Container({member: decode_below(schema, schema.notifications[member], element)})


def test_the_cases_have_all_eleven() -> None:
    told = {etree.QName(element).localname for case in CASES for element in case[2]}
    assert told == NAMES


def link(status: str = "ACTIVE", skr: int = 1000, qber: float | None = None, asked: int = 0) -> Container:
    performance: dict[str, Any] = {"expected_consumption": str(asked), "skr": str(skr)}
    if qber is not None:
        kind = "etsi-qkd-node-types:QBER"
        entry = Container({"perf_type": kind, "value": f"{qber:.3f}"})
        performance["phys_perf"] = Entries({(kind,): entry})
    oper = {"sdqkd-qkd-node:oper-status": f"etsi-qkd-node-types:{status}"}
    entry = Container({"qkdl_id": LINK, "qkdl_performance": Container(performance), **oper})
    return Container({NODE: Container({"qkd_links": Container({"qkd_link": Entries({(LINK,): entry})})})})


def names(trees: tuple[Container, ...]) -> list[str]:
    return [name.partition(":")[2] for tree in trees for name in tree.children]


def play(
    trees: list[Container], thresholds: Thresholds = DEFAULTS, step: float = 60, start: Container = EMPTY
) -> Iterator[list[str]]:
    """What is told at each of these states, so many seconds apart."""
    memory: Memory = begin(start, thresholds)
    for number, tree in enumerate(trees):
        judgement = judge(memory, tree, thresholds, START + timedelta(seconds=number * step))
        memory = judgement.memory
        yield names(judgement.notifications)


@given(
    low=st.floats(0, 12),
    share=st.floats(0, 0.99),
    places=st.lists(st.floats(0, 1), min_size=1, max_size=30),
    hysteresis=st.sampled_from([0.1, 0.5, 2.0]),
)
def test_an_error_rate_that_wavers_within_the_hysteresis_is_told_once(
    low: float, share: float, places: list[float], hysteresis: float
) -> None:
    thresholds = Thresholds(qber_hysteresis_percent=hysteresis)
    rates = [round(low + share * hysteresis * place, 3) for place in places]
    told = list(play([link(qber=rate) for rate in rates], thresholds, start=link()))
    # The first one may be an entry into the range; from then on the range is narrower than the hysteresis.
    assert len([name for step in told[1:] for name in step]) <= 1


@given(
    low=st.integers(1, 10**6),
    share=st.floats(0, 0.99),
    places=st.lists(st.floats(0, 1), min_size=1, max_size=30),
    change=st.sampled_from([0.01, 0.1, 0.5]),
)
def test_a_rate_that_wavers_by_less_than_its_change_is_told_once(
    low: int, share: float, places: list[float], change: float
) -> None:
    rates = [int(low * (1 + share * change * place)) for place in places]
    told = list(play([link(skr=rate) for rate in rates], Thresholds(rate_change=change), start=link(skr=7)))
    assert [name for step in told[1:] for name in step] == []
    assert set(told[0]) <= {"sdqkdn_link_perf_update"}


@given(
    low=st.floats(0, 2),
    share=st.floats(0, 0.99),
    places=st.lists(st.floats(0, 1), min_size=1, max_size=30),
)
def test_a_load_that_wavers_within_the_hysteresis_is_told_once(
    low: float, share: float, places: list[float]
) -> None:
    rate = 10**6
    asked = [int(rate * (low + share * DEFAULTS.load_hysteresis * place)) for place in places]
    told = list(play([link(skr=rate, asked=one) for one in asked], start=link(skr=rate)))
    assert len([name for step in told for name in step]) <= 1


@given(states=st.lists(st.sampled_from(["ACTIVE", "PASSIVE", "PENDING", "OFF"]), max_size=40))
def test_nothing_is_told_more_often_than_allowed_and_the_last_word_is_true(states: list[str]) -> None:
    """A link that flaps each second: its notifications are an interval apart, and in the end the truth is told."""
    memory = begin(link("ACTIVE"))
    told: list[tuple[int, str]] = []
    trees = [link(status) for status in states] or [link("ACTIVE")]
    for second in range(len(trees) + 30):
        tree = trees[min(second, len(trees) - 1)]
        judgement = judge(memory, tree, DEFAULTS, START + timedelta(seconds=second))
        memory = judgement.memory
        told += [(second, name) for name in names(judgement.notifications)]
        assert judgement.due is None or judgement.due > START + timedelta(seconds=second)
    seconds = [second for second, _ in told]
    assert all(later - sooner >= DEFAULTS.min_interval.seconds for sooner, later in itertools.pairwise(seconds))
    level = memory["link", LINK].level
    assert level == {"ACTIVE": "up", "OFF": "off"}.get(states[-1] if states else "ACTIVE", "down")


def test_what_is_held_back_is_told_when_its_time_comes(at: At) -> None:
    watch = QkdWatch()
    watch.begin(link("ACTIVE"))
    assert names(watch.look(link("PASSIVE"), at(0))) == ["sdqkdn_link_down"]
    assert names(watch.look(link("ACTIVE"), at(1))) == []
    assert watch.due == at(10)
    assert names(watch.look(link("ACTIVE"), at(10))) == ["event"]
    assert watch.due is None


@given(
    steps=st.lists(
        st.tuples(st.sampled_from([link(), link("OFF"), link("PASSIVE", skr=0), link(qber=6), link(skr=9), EMPTY]),
                  st.integers(0, 12)),
        max_size=12,
    )
)  # fmt: skip
def test_looking_at_what_has_changed_tells_the_same_as_looking_at_everything(
    steps: list[tuple[Container, int]],
) -> None:
    watch, memory, now = QkdWatch(), begin(link()), START
    watch.begin(link())
    for tree, seconds in steps:
        now += timedelta(seconds=seconds)
        whole = judge(memory, tree, DEFAULTS, now)
        memory = whole.memory
        assert watch.look(tree, now) == whole.notifications
        assert watch.due == whole.due


def test_what_nobody_needs_to_hear_holds_nothing_back(at: At) -> None:
    watch = QkdWatch()
    watch.begin(link("OFF"))
    assert names(watch.look(link("PASSIVE"), at(0))) == []
    assert names(watch.look(link("ACTIVE"), at(1))) == ["event", "sdqkdn_link_perf_update"]


def test_what_is_held_back_is_logged_though_nobody_listens(world: Callable[..., World]) -> None:
    place = world(watch=QkdWatch())
    place.wait(1)  # it learns how the node is
    for status in ("ACTIVE", "PASSIVE"):
        place.state = link(status, skr=0)
        place.hub.state_changed(place.now)
        place.wait(1)
    place.wait(20)
    session = place.session()
    start = "<replay-start-time>2026-11-23T09:00:00Z</replay-start-time>"
    place.establish(session, f"<stream>QKD</stream>{start}")
    assert session.names() == ["event", "sdqkdn_link_down", "replay-completed"]


def test_alarms_rise_fall_and_end() -> None:
    rates = [4.9, 5.1, 9.1, 8.6, 8.4, 4.6, 4.4]
    told = list(play([link(qber=rate) for rate in rates], start=link(qber=1)))
    assert told == [[], ["alarm"], ["alarm"], [], ["alarm"], [], ["event"]]


def test_a_link_without_light_keeps_its_alarm_and_its_rate() -> None:
    states = [link(qber=6), link("PASSIVE", skr=0), link(qber=6), link("PASSIVE", skr=0), link(qber=1)]
    told = list(play(states, start=link()))
    assert told == [["alarm"], ["sdqkdn_link_down"], ["event"], ["sdqkdn_link_down"], ["event", "event"]]


def test_what_is_gone_is_forgotten(at: At) -> None:
    memory: Memory = begin(link())
    for seconds in (0, 20):
        memory = judge(memory, EMPTY, DEFAULTS, at(seconds)).memory
    assert memory == {}


def test_the_hub_publishes_on_both_streams(world: Callable[..., World], schema: Schema) -> None:
    watch = QkdWatch()
    place = world(watch=watch)
    place.wait(1)
    sessions = [place.session(1), place.session(2)]
    for session, stream in zip(sessions, ("NETCONF", "QKD"), strict=True):
        place.establish(session, f"<stream>{stream}</stream>")
    place.state = link("ACTIVE")
    place.wait(2)
    for session in sessions:
        assert session.names() == ["event", "sdqkdn_link_perf_update"]
    place.state = link("PASSIVE", skr=0)
    place.hub.state_changed(place.now)
    assert [session.names() for session in sessions] == [[], []], "it is too soon after the last event"
    place.wait(12)
    assert [session.names() for session in sessions] == [["sdqkdn_link_down"]] * 2


def test_a_node_that_nobody_listens_to_is_looked_at_after_a_change_only(world: Callable[..., World]) -> None:
    place = world(watch=QkdWatch(), limits=Limits(poll=None))
    place.wait(3600)
    assert (place.reads, place.hub.due) == (1, None)
    place.configure((NODE, "qkdn_version"), "1")
    assert (place.reads, place.hub.due) == (1, place.now + timedelta(seconds=1))
    for _ in range(3):
        place.hub.state_may_change(place.now)
    place.wait(3600)
    assert (place.reads, place.hub.due) == (2, None)


def test_what_was_configured_before_the_first_look_is_told(world: Callable[..., World]) -> None:
    place = world(watch=QkdWatch())
    session = place.session()
    place.establish(session, "<stream>QKD</stream>")
    place.configure((NODE, "qkd_applications", ("qkd_app", (LINK,)), "app_priority"), "1")
    place.wait(1)
    assert session.names() == ["sdqkdn_application_new"]


def test_a_node_that_does_not_answer_is_asked_again_later(world: Callable[..., World]) -> None:
    place = world(watch=QkdWatch())
    place.configure((NODE, "qkdn_version"), "1")
    place.fails = True
    place.wait(3)
    place.state, place.fails = link("ACTIVE"), False
    session = place.session()
    place.establish(session, "<stream>QKD</stream>")
    place.wait(2)
    assert "event" in session.names()
