"""YANG push, RFC 8641: periodic and on-change."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.notifications.conftest import SPACES, START, World, payload
from tests.notifications.patching import apply_patch

from sdqkd.notifications import push
from sdqkd.schema import table
from sdqkd.schema.diff import same
from sdqkd.schema.tree import EMPTY, Container, Path, config_only
from sdqkd.schema.xml import decode

At = Callable[[float], datetime]
Worlds = Callable[..., World]
NODE = "etsi-qkd-sdn-node:qkd_node"
VERSION: Path = (NODE, "qkdn_version")
PLACE: Path = (NODE, "qkdn_location_id")
IDS = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(4)]
YP = "{urn:ietf:params:xml:ns:yang:ietf-yang-push}"
RUNNING = "<yp:datastore>ds:running</yp:datastore>"
OPERATIONAL = "<yp:datastore>ds:operational</yp:datastore>"
SELECTED = (
    '<yp:datastore-subtree-filter><q:qkd_node xmlns:q="urn:etsi:qkd:yang:etsi-qkd-node"><q:%s/></q:qkd_node>'
    "</yp:datastore-subtree-filter>"
)


def link(number: int, *below: str) -> Path:
    return (NODE, "qkd_links", ("qkd_link", (IDS[number],)), *below)


def periodic(period: int, anchor: str = "") -> str:
    at = f"<yp:anchor-time>{anchor}</yp:anchor-time>" if anchor else ""
    return f"<yp:periodic><yp:period>{period}</yp:period>{at}</yp:periodic>"


def on_change(dampening: int = 0, sync: bool = True, excluded: str = "") -> str:
    parts = f"<yp:dampening-period>{dampening}</yp:dampening-period>"
    parts += f"<yp:sync-on-start>{str(sync).lower()}</yp:sync-on-start>"
    parts += "".join(f"<yp:excluded-change>{kind}</yp:excluded-change>" for kind in excluded.split())
    return f"<yp:on-change>{parts}</yp:on-change>"


def times(messages: list[bytes]) -> list[float]:
    """When they were sent, in seconds since the start."""
    told = [etree.fromstring(message)[0].text or "" for message in messages]
    return [(datetime.fromisoformat(text) - START).total_seconds() for text in told]


def edits(update: etree._Element) -> list[tuple[str, str]]:
    """Operation and target, without what is above the node."""
    assert update.tag == f"{YP}push-change-update"
    found = update.iterfind(f".//{YP}edit")
    return [(str(edit.findtext(f"{YP}operation")), str(edit.findtext(f"{YP}target"))) for edit in found]


@pytest.mark.parametrize(
    ("anchor", "wanted"),
    [
        ("", [0, 5, 10, 15]),
        ("2026-11-23T09:00:00Z", [0, 5, 10, 15]),
        ("2026-11-23T09:00:03Z", [3, 8, 13, 18]),
        ("2019-01-01T00:00:01Z", [1, 6, 11, 16]),
        ("2033-01-01T00:00:02.5Z", [2.5, 7.5, 12.5, 17.5]),
    ],
)
def test_periodic_updates_come_at_multiples_of_the_period(world: Worlds, anchor: str, wanted: list[float]) -> None:
    place = world()
    session = place.session()
    place.establish(session, RUNNING + periodic(500, anchor))
    place.wait(19)
    assert times(session.got) == wanted


def test_an_update_holds_what_is_selected_then(world: Worlds) -> None:
    place = world()
    session = place.session()
    place.configure(VERSION, "1")
    place.configure(PLACE, "here")
    place.establish(session, RUNNING + SELECTED % "qkdn_version" + periodic(500))
    place.configure(VERSION, "2")
    place.wait(5)
    first, second = session.take()
    assert first.tag == f"{YP}push-update"
    assert first.findtext(f"{YP}id") == "1"
    for update, version in ((first, "1"), (second, "2")):
        contents = update.find(f"{YP}datastore-contents")
        assert contents is not None
        tree = decode(place.schema, contents)
        assert tree == Container({NODE: Container({"qkdn_version": version})})


def test_an_empty_selection_is_an_empty_update(world: Worlds) -> None:
    place = world()
    session = place.session()
    place.establish(session, RUNNING + periodic(500))
    (update,) = session.take()
    assert len(update.find(f"{YP}datastore-contents")) == 0


def test_a_reader_that_pauses_gets_the_missed_update_once(world: Worlds) -> None:
    place = world()
    session = place.session(takes=1)
    place.establish(session, RUNNING + periodic(500))
    assert place.hub.due is None, "there is no timer for one who does not read"
    place.wait(22)
    session.takes = 9
    place.hub.flush(session.id, place.now)
    place.wait(8)
    assert times(session.got) == [0, 22, 25, 30]


def test_another_period_counts_from_the_last_update(world: Worlds) -> None:
    place = world()
    session = place.session()
    place.establish(session, RUNNING + periodic(1000))
    place.wait(3)
    modify = f"<modify-subscription {SPACES}><id>1</id>{RUNNING}{{}}</modify-subscription>"
    place.ask(session, modify.format(periodic(500)))
    place.wait(8)
    place.ask(session, modify.format(periodic(500, "2026-11-23T09:00:01Z")))
    place.wait(6)
    told = [(time, payload(message).tag) for time, message in zip(times(session.got), session.got, strict=True)]
    assert [time for time, tag in told if tag == f"{YP}push-update"] == [0, 5, 10, 11, 16]
    assert [time for time, tag in told if tag != f"{YP}push-update"] == [3, 11]


def test_readings_of_one_moment_are_shared(world: Worlds) -> None:
    place = world()
    for number in range(1, 6):
        place.establish(place.session(number), OPERATIONAL + periodic(500, "2026-11-23T09:00:05Z"))
    before = place.reads
    place.wait(5)
    assert place.reads == before + 1


def test_on_change_begins_with_everything_and_goes_on_with_changes(world: Worlds) -> None:
    place = world()
    session = place.session()
    place.configure(VERSION, "1")
    place.establish(session, RUNNING + on_change())
    (whole,) = session.take()
    have = decode(place.schema, whole.find(f"{YP}datastore-contents"))
    assert have == place.running
    for path, value in ((VERSION, "2"), (link(1, "qkdl_enable"), "true"), (VERSION, None), (link(1), None)):
        place.configure(path, value)
        (update,) = session.take()
        have = apply_patch(place.schema, have, update)
        assert have == place.running


def test_a_change_shows_what_rfc_8641_shows(world: Worlds) -> None:
    place = world()
    session = place.session()
    place.establish(session, RUNNING + on_change(sync=False))
    place.configure(link(1, "qkdl_enable"), "true")
    (message,) = session.got
    text = etree.tostring(payload(message)).decode()
    etsi = 'xmlns="urn:etsi:qkd:yang:etsi-qkd-node"'
    assert text == (
        '<push-change-update xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-push"><id>1</id><datastore-changes>'
        "<yang-patch><patch-id>1</patch-id><edit><edit-id>edit1</edit-id><operation>create</operation>"
        f"<target>/etsi-qkd-sdn-node:qkd_node/qkd_links/qkd_link={IDS[1]}</target>"
        f"<value><qkd_link {etsi}><qkdl_id>{IDS[1]}</qkdl_id><qkdl_enable>true</qkdl_enable></qkd_link></value>"
        "</edit></yang-patch></datastore-changes></push-change-update>"
    )


def test_what_is_not_selected_is_not_told(world: Worlds) -> None:
    place = world()
    session = place.session()
    place.establish(session, RUNNING + SELECTED % "qkdn_version" + on_change(sync=False))
    place.configure(PLACE, "here")
    assert session.take() == []
    place.configure(VERSION, "1")
    assert [edits(update) for update in session.take()] == [[("create", f"/{NODE}/qkdn_version")]]


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("/q:qkd_node/q:qkdn_version", {"qkdn_version": "1"}),
        ("//etsi-qkd-sdn-node:qkdn_location_id[. = 'here']", {"qkdn_location_id": "here"}),
        ("/q:qkd_node/q:qkdn_version = 1", {}),
    ],
)
def test_an_expression_selects_too(world: Worlds, expression: str, wanted: dict[str, str]) -> None:
    place = world()
    session = place.session()
    place.configure(VERSION, "1")
    place.configure(PLACE, "here")
    element = '<yp:datastore-xpath-filter xmlns:q="urn:etsi:qkd:yang:etsi-qkd-node">%s</yp:datastore-xpath-filter>'
    place.establish(session, RUNNING + element % expression + periodic(500))
    (update,) = session.take()
    tree = decode(place.schema, update.find(f"{YP}datastore-contents"))
    assert tree == (Container({NODE: Container(wanted)}) if wanted else EMPTY)


def test_what_may_not_be_read_is_not_told(world: Worlds) -> None:
    place = world()
    session = place.session()
    session.permits = lambda tree: EMPTY
    place.establish(session, RUNNING + on_change())
    place.establish(session, RUNNING + periodic(500))
    place.configure(VERSION, "1")
    place.wait(5)
    assert all(len(update.find(f"{YP}datastore-contents")) == 0 for update in session.take())


def test_another_filter_is_followed_by_what_that_changes(world: Worlds) -> None:
    place = world()
    session = place.session()
    place.configure(VERSION, "1")
    place.configure(PLACE, "here")
    place.establish(session, RUNNING + SELECTED % "qkdn_version" + on_change())
    session.take()
    other = SELECTED % "qkdn_location_id"
    place.ask(session, f"<modify-subscription {SPACES}><id>1</id>{RUNNING}{other}</modify-subscription>")
    modified, update = session.take()
    assert etree.QName(modified).localname == "subscription-modified"
    assert sorted(edits(update)) == [("create", f"/{NODE}/qkdn_location_id"), ("delete", f"/{NODE}/qkdn_version")]


@pytest.mark.parametrize(
    ("excluded", "wanted"),
    [
        ("create", ["replace", "delete"]),
        ("replace", ["create", "delete"]),
        ("delete", ["create", "replace"]),
        ("create replace delete", []),
    ],
)
def test_excluded_kinds_of_change_are_not_told(world: Worlds, excluded: str, wanted: list[str]) -> None:
    place = world()
    session = place.session()
    place.establish(session, RUNNING + on_change(sync=False, excluded=excluded))
    for value in ("1", "2", None):
        place.configure(VERSION, value)
    assert [edits(update)[0][0] for update in session.take()] == wanted


def test_dampening_keeps_updates_apart(world: Worlds) -> None:
    place = world()
    session = place.session()
    place.establish(session, RUNNING + on_change(dampening=500))
    for number in range(12):
        place.configure(VERSION, str(number))
        place.wait(1)
    place.wait(20)
    assert times(session.got) == [0, 5, 10, 15]
    assert place.hub.due is None
    last = session.take()[-1]
    assert last.findtext(f".//{YP}value/*") == "11"


def test_what_came_and_went_while_dampened_is_told_as_it_is_now(world: Worlds) -> None:
    place = world()
    session = place.session()
    place.configure(VERSION, "1")
    place.establish(session, RUNNING + on_change(dampening=500))
    session.take()
    place.configure(VERSION, "2")
    place.configure(VERSION, "1")
    place.configure(link(1, "qkdl_enable"), "true")
    place.configure(link(1), None)
    place.configure(PLACE, "here")
    place.wait(5)
    (update,) = session.take()
    assert edits(update) == [
        ("create", f"/{NODE}/qkdn_location_id"),
        ("replace", f"/{NODE}/qkdn_version"),
        ("delete", f"/{NODE}/qkd_links/qkd_link={IDS[1]}"),
    ]


def test_a_storm_is_remembered_within_bounds_and_said_to_be_incomplete(
    world: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "MAX_TOUCHED", 2)
    place = world()
    session = place.session()
    place.establish(session, RUNNING + on_change(dampening=500))
    session.take()
    for number in range(4):
        place.configure(link(number, "qkdl_enable"), "true")
        place.configure(link(number), None)
    place.configure(VERSION, "1")
    place.wait(5)
    place.configure(VERSION, "2")
    place.wait(5)
    storm, quiet = session.take()
    assert ("create", f"/{NODE}/qkdn_version") in edits(storm)
    assert storm.find(f"{YP}incomplete-update") is not None
    assert quiet.find(f"{YP}incomplete-update") is None


def test_a_reader_that_pauses_gets_all_changes_in_one(world: Worlds) -> None:
    place = world()
    session = place.session(takes=1)
    place.establish(session, RUNNING + on_change())
    for number in range(4):
        place.configure(link(number, "qkdl_enable"), "true")
    session.takes = 9
    place.hub.flush(session.id, place.now)
    _, update = session.take()
    assert edits(update) == [("create", f"/{NODE}/qkd_links/qkd_link={key}") for key in IDS]


def test_resync_sends_everything_again_instead_of_changes(world: Worlds) -> None:
    place = world()
    session = place.session()
    place.establish(session, RUNNING + on_change(dampening=500))
    place.configure(VERSION, "1")
    session.take()
    namespace = "urn:ietf:params:xml:ns:yang:ietf-yang-push"
    place.ask(session, f'<resync-subscription xmlns="{namespace}"><id>1</id></resync-subscription>')
    assert session.names() == ["push-update"]
    place.wait(60)
    assert session.take() == []


def test_state_is_looked_at_while_somebody_listens_only(world: Worlds) -> None:
    place = world()
    session = place.session()
    assert place.hub.due is None
    place.establish(session, OPERATIONAL + on_change())
    assert place.hub.due is not None
    place.wait(3.5)
    session.take()
    place.state = Container({NODE: Container({"qkdn_status": "etsi-qkd-node-types:DOWN"})})
    place.wait(1)
    assert [edits(update) for update in session.take()] == [[("create", f"/{NODE}/qkdn_status")]]
    place.ask(session, f"<delete-subscription {SPACES}><id>1</id></delete-subscription>")
    assert place.hub.due is None
    reads = place.reads
    place.wait(60)
    assert place.reads == reads


def test_a_device_that_cannot_be_read_for_a_while_ends_nothing(world: Worlds) -> None:
    place = world()
    session = place.session()
    place.establish(session, OPERATIONAL + periodic(500))
    place.fails = True
    place.wait(5)
    assert place.hub.state() != EMPTY
    place.fails = False
    place.wait(5)
    told = [etree.QName(payload(message)).localname for message in session.got]
    assert list(zip(times(session.got), told, strict=True)) == [
        (0, "push-update"),
        (5, "subscription-suspended"),
        (10, "push-update"),
        (10, "subscription-resumed"),
    ]


STEPS = st.lists(
    st.tuples(
        st.sampled_from([VERSION, PLACE, link(0), link(1), link(0, "qkdl_enable"), link(1, "qkdl_enable")]),
        st.sampled_from(["true", "false", None]),
        st.sampled_from([0.0, 0.4, 3.0]),
        st.booleans(),
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=60)
@given(steps=STEPS, dampening=st.sampled_from([0, 100, 500]))
def test_whatever_happens_the_reader_ends_with_what_is_true(
    steps: list[tuple[Path, str | None, float, bool]], dampening: int
) -> None:
    """However changes, time and pauses follow each other: the updates make of the first tree the last one."""
    place = World(table.load("qkd-node"))
    session = place.session()
    place.establish(session, RUNNING + on_change(dampening))
    for path, value, seconds, reads in steps:
        session.takes = None if reads else 0
        entry = len(path) == 3 and path[1] == "qkd_links"
        if not (entry and value is not None):
            place.configure(path, value)
        place.hub.flush(session.id, place.now)
        place.wait(seconds)
    session.takes = None
    place.hub.flush(session.id, place.now)
    place.wait(10)
    assert place.hub.due is None
    moments = times(session.got)
    assert all(second - first > dampening / 100 - 1e-9 for first, second in itertools.pairwise(moments))
    whole, *updates = session.take()
    have = decode(place.schema, whole.find(f"{YP}datastore-contents"))
    for update in updates:
        have = apply_patch(place.schema, have, update)
    assert same(place.schema, have, config_only(place.schema, place.running))


def test_the_longest_period_is_no_problem(world: Worlds) -> None:
    place = world()
    session = place.session()
    place.establish(session, RUNNING + periodic(2**32 - 1))
    assert place.hub.due == START + timedelta(seconds=(2**32 - 1) / 100)
