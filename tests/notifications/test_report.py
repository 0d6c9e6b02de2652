from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.notifications.conftest import World
from tests.schema.elements import elements_of

from sdqkd.errors import RpcErrors
from sdqkd.notifications.streams import StreamSpec
from sdqkd.schema.tree import Container, Step, get, merge, put
from sdqkd.schema.validate import Validator
from sdqkd.schema.xml import decode

SN = "ietf-subscribed-notifications"
INTERFACE_DOWN = "etsi-qkd-sdn-node:sdqkdn_interface_down"


def test_libyang_takes_what_is_reported(world: Callable[..., World]) -> None:
    place = world(netconf=StreamSpec("NETCONF", "Everything", max_events=1), streams=[StreamSpec("QUIET", "", 0)])
    for _ in range(2):
        place.hub.publish(Container({INTERFACE_DOWN: Container({})}), place.now)
    session = place.session(3)
    for inside in (
        "<stream>NETCONF</stream><stream-xpath-filter>/*[1]</stream-xpath-filter>"
        "<replay-start-time>2026-11-23T08:00:00Z</replay-start-time>",
        "<stream>NETCONF</stream><stream-subtree-filter><alarm/></stream-subtree-filter>",
        "<yp:datastore>ds:running</yp:datastore><yp:periodic><yp:period>500</yp:period>"
        "<yp:anchor-time>2026-11-23T09:00:00Z</yp:anchor-time></yp:periodic>",
        "<yp:datastore>ds:running</yp:datastore><yp:on-change><yp:excluded-change>move</yp:excluded-change>"
        "</yp:on-change><stop-time>2027-01-01T00:00:00Z</stop-time>",
    ):
        place.establish(session, inside)
    state = place.hub.state()
    id_path = ("etsi-qkd-sdn-node:qkd_node", "qkdn_id")
    tree = put(place.schema, state, id_path, "00000000-0000-4000-8000-00000000000a")
    with pytest.raises(RpcErrors) as caught:
        Validator(place.schema).check(merge(place.schema, place.running, tree), state=True)
    # What is wrong is only that other parts of an agent report nothing here.
    assert {str(error.path).partition(":")[0] for error in caught.value.errors} == {
        "/ietf-netconf-acm",
        "/ietf-yang-library",
    }
    assert decode(place.schema, elements_of(place.schema, state), state=True) == state

    def leaf(number: str, *below: Step) -> object:
        return get(state, (f"{SN}:subscriptions", ("subscription", (number,)), *below))

    receiver = ("receivers", ("receiver", ("session-3",)))
    assert leaf("1", *receiver, "sent-event-records") == "1"
    assert leaf("2", *receiver, "excluded-event-records") == "0"
    assert leaf("1", "stream") == "NETCONF"
    assert leaf("3", "ietf-yang-push:periodic", "period") == "500"
    assert leaf("4", "stop-time") == "2027-01-01T00:00:00Z"


def test_the_streams_tell_of_their_logs(world: Callable[..., World]) -> None:
    place = world(netconf=StreamSpec("NETCONF", "Everything", max_events=1), streams=[StreamSpec("QUIET", "q", 0)])
    state = place.hub.state()
    old = ("nc-notifications:netconf", "streams")
    new = (f"{SN}:streams",)
    for _ in range(2):
        place.wait(1)
        place.hub.publish(Container({INTERFACE_DOWN: Container({})}), place.now)
    later = place.hub.state()
    for path, aged in ((old, "replayLogAgedTime"), (new, "replay-log-aged-time")):
        assert get(state, (*path, ("stream", ("NETCONF",)), aged)) is None
        assert get(later, (*path, ("stream", ("NETCONF",)), aged)) == "2026-11-23T09:00:01Z"
    created = "2026-11-23T09:00:00Z"
    assert get(later, (*old, ("stream", ("NETCONF",)), "replayLogCreationTime")) == created
    assert get(later, (*new, ("stream", ("NETCONF",)), "replay-log-creation-time")) == created
    assert get(later, (*old, ("stream", ("QUIET",)))) == Container(
        {"name": "QUIET", "description": "q", "replaySupport": "false"}
    )
    assert get(later, (*new, ("stream", ("QUIET",)))) == Container({"name": "QUIET", "description": "q"})


def test_without_subscriptions_there_is_no_list_of_them(world: Callable[..., World]) -> None:
    place = world()
    assert f"{SN}:subscriptions" not in place.hub.state().children
    session = place.session()
    place.establish(session, "<stream>NETCONF</stream>")
    assert f"{SN}:subscriptions" in place.hub.state().children
    place.hub.leave(session.id, place.now)
    assert f"{SN}:subscriptions" not in place.hub.state().children
