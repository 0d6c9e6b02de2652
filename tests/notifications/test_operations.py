"""The operations of RFC 8639 and 8641: what is refused, and what a subscription does in its life."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree
from tests.notifications.conftest import SPACES, World

from sdqkd.errors import RpcError
from sdqkd.notifications.board import Limits
from sdqkd.notifications.streams import StreamSpec
from sdqkd.schema.tree import Container

CASES = etree.parse(Path(__file__).parent / "cases" / "subscriptions.xml").getroot()
DOWN = "etsi-qkd-sdn-node:sdqkdn_interface_down"
TO_NETCONF = "<stream>NETCONF</stream>"
PERIODIC = "<yp:datastore>ds:running</yp:datastore><yp:periodic><yp:period>500</yp:period></yp:periodic>"
ON_CHANGE = "<yp:datastore>ds:running</yp:datastore><yp:on-change/>"
SILENT = ON_CHANGE.replace("/>", "><yp:sync-on-start>false</yp:sync-on-start></yp:on-change>")


def down(number: int) -> Container:
    interface = Container({"qkdi_id": str(number), "reason": "no light"})
    return Container({DOWN: Container({"qkd_interface": interface})})


def publish(world: World, number: int) -> None:
    world.hub.publish(down(number), world.now)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.get("name"))
def test_what_is_refused(world: Callable[..., World], case: etree._Element) -> None:
    place = world(streams=[StreamSpec("QUIET", "", max_events=0)])
    mine, other = place.session(1), place.session(2)
    ids = [place.establish(mine, inside) for inside in (TO_NETCONF, PERIODIC, SILENT)]
    ids.append(place.establish(other, TO_NETCONF))
    assert ids == [1, 2, 3, 4]
    operation, wanted = case
    with pytest.raises(RpcError) as caught:
        place.ask(mine, operation)
    error = caught.value
    assert (error.tag, error.app_tag) == (wanted.get("tag"), wanted.get("app-tag"))
    if wanted.get("path"):
        assert error.path == wanted.get("path")
    if wanted.get("element"):
        assert error.info.get("bad-element") == wanted.get("element")
    assert wanted.get("says", "") in error.message
    _check_structure(error, wanted)


def _check_structure(error: RpcError, wanted: etree._Element) -> None:
    if wanted.get("structure") is None:
        return
    prefix, _, name = wanted.get("structure", "").partition(":")
    structure = etree.fromstring(error.structure)
    assert structure.tag == f"{{{wanted.nsmap[prefix]}}}{name}"
    reason, hint = structure
    module, _, identity = (error.app_tag or "").partition(":")
    value_prefix, _, value = (reason.text or "").partition(":")
    assert (reason.nsmap[value_prefix].rpartition(":")[2], value) == (module, identity)
    assert etree.QName(hint).localname == wanted.get("hint")
    assert hint.text == wanted.get("hinted", error.message)


def test_a_refused_change_changes_nothing(world: Callable[..., World]) -> None:
    place = world()
    session = place.session()
    place.establish(session, f"{TO_NETCONF}<stop-time>2026-11-23T10:00:00Z</stop-time>")
    before = place.hub.state()
    with pytest.raises(RpcError):
        place.ask(session, f"<modify-subscription {SPACES}><id>1</id><stop-time>2026-11-23T11:00:00Z</stop-time>"
                           "<stream-xpath-filter>[</stream-xpath-filter></modify-subscription>")  # fmt: skip
    assert place.hub.state() == before
    publish(place, 1)
    assert session.names() == ["sdqkdn_interface_down"]


def test_a_session_is_of_one_kind(world: Callable[..., World]) -> None:
    """RFC 8640 section 3."""
    place = world()
    create = '<create-subscription xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0"/>'
    new, old = place.session(1), place.session(2)
    place.establish(new, TO_NETCONF)
    place.ask(old, create)
    establish = f"<establish-subscription {SPACES}/>"
    for session, operation, tag in (
        (new, create, "operation-not-supported"),
        (old, establish, "operation-not-supported"),
        (old, create, "in-use"),
    ):
        with pytest.raises(RpcError) as caught:
            place.ask(session, operation)
        assert caught.value.tag == tag


def test_after_its_end_there_may_be_another(world: Callable[..., World]) -> None:
    place = world()
    session = place.session()
    namespace = "urn:ietf:params:xml:ns:netconf:notification:1.0"
    place.ask(session, f'<create-subscription xmlns="{namespace}"><startTime>2026-11-23T08:00:00Z</startTime>'
                       "<stopTime>2026-11-23T08:30:00Z</stopTime></create-subscription>")  # fmt: skip
    assert session.names() == ["replayComplete", "notificationComplete"]
    place.establish(session, TO_NETCONF)


def test_a_replay_that_the_log_cannot_give_whole_is_revised(world: Callable[..., World]) -> None:
    place = world(netconf=StreamSpec("NETCONF", "", max_events=1))
    session = place.session()
    publish(place, 1)
    place.wait(5)
    publish(place, 2)
    place.wait(5)
    start = "<replay-start-time>2026-11-23T08:00:00Z</replay-start-time>"
    content = place.ask(session, f"<establish-subscription {SPACES}>{TO_NETCONF}{start}</establish-subscription>")
    namespace = "urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"
    assert content == (
        f'<id xmlns="{namespace}">1</id>'
        f'<replay-start-time-revision xmlns="{namespace}">2026-11-23T09:00:00Z</replay-start-time-revision>'
    )
    event, done = session.take()
    assert event.findtext(".//{*}qkdi_id") == "2"
    assert (done.tag, done.findtext("{*}id")) == (f"{{{namespace}}}replay-completed", "1")


def test_its_life(world: Callable[..., World]) -> None:
    place = world()
    session = place.session()
    kept = (
        '<stream-subtree-filter><e:sdqkdn_interface_down xmlns:e="urn:etsi:qkd:yang:etsi-qkd-node">'
        "<e:qkd_interface><e:qkdi_id>%d</e:qkdi_id></e:qkd_interface></e:sdqkdn_interface_down>"
        "</stream-subtree-filter>"
    )
    place.establish(session, TO_NETCONF + kept % 1)
    for number in (1, 2):
        publish(place, number)
    assert [event.findtext(".//{*}qkdi_id") for event in session.take()] == ["1"]
    place.ask(session, f"<modify-subscription {SPACES}><id>1</id>{kept % 2}</modify-subscription>")
    modified = session.take()
    assert [etree.QName(leaf).localname for leaf in modified[0]] == ["id", "stream", "stream-subtree-filter"]
    for number in (1, 2):
        publish(place, number)
    assert [event.findtext(".//{*}qkdi_id") for event in session.take()] == ["2"]
    place.ask(session, f"<delete-subscription {SPACES}><id>1</id></delete-subscription>")
    publish(place, 2)
    assert session.take() == []
    assert place.hub.due is None


def test_an_id_is_never_used_twice(world: Callable[..., World]) -> None:
    place = world()
    session = place.session()
    ids = []
    for _ in range(3):
        ids.append(place.establish(session, TO_NETCONF))
        place.ask(session, f"<delete-subscription {SPACES}><id>{ids[-1]}</id></delete-subscription>")
    assert ids == [1, 2, 3]


@pytest.mark.parametrize("inside", [TO_NETCONF, PERIODIC, ON_CHANGE], ids=["stream", "periodic", "on-change"])
def test_the_killed_are_told(world: Callable[..., World], inside: str) -> None:
    place = world()
    victim, killer = place.session(1), place.session(2)
    number = place.establish(victim, inside)
    victim.take()
    kill = f"<kill-subscription {SPACES}><id>{number}</id></kill-subscription>"
    place.ask(killer, kill)
    (told,) = victim.take()
    assert etree.QName(told).localname == "subscription-terminated"
    assert (told.findtext("{*}reason") or "").endswith("no-such-subscription")
    with pytest.raises(RpcError):
        place.ask(killer, kill)
    place.wait(60)
    publish(place, 1)
    assert victim.take() == []


@pytest.mark.parametrize("inside", [TO_NETCONF, PERIODIC, ON_CHANGE], ids=["stream", "periodic", "on-change"])
def test_it_ends_at_its_stop_time(world: Callable[..., World], inside: str) -> None:
    place = world()
    session = place.session()
    place.establish(session, f"{inside}<stop-time>2026-11-23T09:00:07Z</stop-time>")
    place.wait(7)
    session.take()
    publish(place, 1)
    place.configure(("etsi-qkd-sdn-node:qkd_node", "qkdn_version"), "2")
    place.wait(60)
    assert session.take() == []
    assert place.hub.due is None


def test_there_is_room_for_so_many(world: Callable[..., World]) -> None:
    place = world(limits=Limits(subscriptions=3, subscriptions_of_session=2))
    one, two = place.session(1), place.session(2)
    for session in (one, one, two):
        place.establish(session, TO_NETCONF)
    for session, whose in ((one, "this session"), (two, "all sessions")):
        with pytest.raises(RpcError, match=whose) as caught:
            place.establish(session, TO_NETCONF)
        assert caught.value.tag == "resource-denied"
        assert caught.value.app_tag == "ietf-subscribed-notifications:insufficient-resources"
    place.hub.leave(1, place.now)
    place.establish(two, TO_NETCONF)


def test_configured_filters_are_followed(world: Callable[..., World]) -> None:
    place = world()
    session = place.session()
    path = ("ietf-subscribed-notifications:filters", ("stream-filter", ("mine",)))
    kept = '<sdqkdn_interface_down xmlns="urn:etsi:qkd:yang:etsi-qkd-node"/>'
    place.configure((*path, "stream-subtree-filter"), kept)
    place.establish(session, f"{TO_NETCONF}<stream-filter-name>mine</stream-filter-name>")
    publish(place, 1)
    assert session.names() == ["sdqkdn_interface_down"]
    place.configure((*path, "stream-subtree-filter"), '<alarm xmlns="urn:etsi:qkd:yang:etsi-qkd-node"/>')
    publish(place, 2)
    (told,) = session.take()
    assert etree.QName(told).localname == "subscription-modified"
    assert told.findtext("{*}stream-filter-name") == "mine"
    place.configure(path, None)
    (told,) = session.take()
    assert (etree.QName(told).localname, (told.findtext("{*}reason") or "").rpartition(":")[2]) == (
        "subscription-terminated",
        "filter-unavailable",
    )
