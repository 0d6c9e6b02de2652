"""Subscriptions of RFC 5277, asked for and delivered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from lxml import etree
from tests.notifications.conftest import START, payload

from sdqkd.errors import RpcError
from sdqkd.notifications.filters import Filters
from sdqkd.notifications.legacy import LegacySubscription, Request, read_request
from sdqkd.notifications.reader import StreamReader
from sdqkd.notifications.streams import NETCONF, Stream, StreamSpec
from sdqkd.notifications.times import time_text
from sdqkd.schema.table import Schema

At = Callable[[float], datetime]
CASES = etree.parse(Path(__file__).parent / "cases" / "create-subscription.xml").getroot()
DOWN = "etsi-qkd-sdn-node:sdqkdn_interface_down"
DOWN_XML = (
    b'<sdqkdn_interface_down xmlns="urn:etsi:qkd:yang:etsi-qkd-node">'
    b"<qkd_interface><qkdi_id>%d</qkdi_id><reason>%b</reason></qkd_interface></sdqkdn_interface_down>"
)


def read(schema: Schema, operation: etree._Element) -> Request:
    streams = [Stream(NETCONF, START), Stream(StreamSpec("QUIET", "", max_events=0), START)]
    named = {stream.spec.name: stream for stream in streams}
    return read_request(operation, named, Filters(schema), START)


def cases(kind: str) -> list[pytest.param]:
    return [pytest.param(case[0], case[1], id=case.get("name")) for case in CASES if case[1].tag == kind]


@pytest.mark.parametrize(("operation", "wanted"), cases("ok"))
def test_what_may_be_asked_for(schema: Schema, operation: etree._Element, wanted: etree._Element) -> None:
    request = read(schema, operation)
    times = {"start": request.start, "stop": request.stop}
    told = {name: time_text(time) for name, time in times.items() if time is not None}
    assert {"stream": request.stream.spec.name, **told} == dict(wanted.attrib)


@pytest.mark.parametrize(("operation", "wanted"), cases("error"))
def test_what_is_refused(schema: Schema, operation: etree._Element, wanted: etree._Element) -> None:
    with pytest.raises(RpcError) as caught:
        read(schema, operation)
    assert caught.value.tag == wanted.get("tag")
    assert caught.value.info.get("bad-element") == wanted.get("element")
    assert wanted.get("says", "") in caught.value.message


SUBTREE = '<filter type="subtree">%s</filter>'
XPATH = '<filter type="xpath" xmlns:e="urn:etsi:qkd:yang:etsi-qkd-node" select="%s"/>'
FILTERS = {
    "everything of a kind": (SUBTREE % '<sdqkdn_interface_down xmlns="urn:etsi:qkd:yang:etsi-qkd-node"/>', [1, 2]),
    "by a value": (
        SUBTREE % "<sdqkdn_interface_down><qkd_interface><qkdi_id>2</qkdi_id></qkd_interface>"
        "</sdqkdn_interface_down>",
        [2],
    ),
    "either of two": (SUBTREE % "<alarm/><sdqkdn_interface_down/>", [1, 2]),
    "another kind": (SUBTREE % "<alarm/>", []),
    "an empty filter": (SUBTREE % "", []),
    "by an expression": (XPATH % "/e:sdqkdn_interface_down[e:qkd_interface/e:qkdi_id=1]", [1]),
    "by an expression without prefixes": (XPATH % "//qkdi_id = 2", [2]),
    "by the name of a module": (XPATH % "/etsi-qkd-sdn-node:sdqkdn_interface_down", [1, 2]),
    "by a number": (XPATH % "count(//e:qkdi_id) - 1", []),
    "attributes as in the examples of the RFC": (
        '<filter xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:type="xpath"'
        ' xmlns:e="urn:etsi:qkd:yang:etsi-qkd-node" nc:select="//e:qkdi_id[.=2]"/>',
        [2],
    ),
}


@pytest.mark.parametrize(("text", "wanted"), FILTERS.values(), ids=FILTERS)
def test_a_filter_lets_whole_notifications_pass(schema: Schema, at: At, text: str, wanted: list[int]) -> None:
    namespace = "urn:ietf:params:xml:ns:netconf:notification:1.0"
    operation = etree.fromstring(f'<n:create-subscription xmlns:n="{namespace}"/>')
    operation.append(etree.fromstring(text.replace("<filter", f'<n:filter xmlns:n="{namespace}"', 1)
                                      .replace("</filter", "</n:filter")))  # fmt: skip
    request = read(schema, operation)
    for number in (1, 2):
        request.stream.append(at(number), DOWN, DOWN_XML % (number, b"no light"))
    reader = StreamReader(request.stream, lambda event: event if request.matches(event) else None, at(0), None)
    subscription = LegacySubscription(reader)
    got = [payload(message.xml()) for message in iter(lambda: subscription.next_message(at(3)), None)]
    assert [etree.QName(element).localname for element in got[len(wanted) :]] == ["replayComplete"]
    assert [element.findtext(".//{*}qkdi_id") for element in got[:-1]] == [str(number) for number in wanted]
    assert [element.findtext(".//{*}reason") for element in got[:-1]] == ["no light"] * len(wanted)


def test_a_whole_subscription(schema: Schema, at: At) -> None:
    stream = Stream(NETCONF, at(0))
    stream.append(at(1), DOWN, DOWN_XML % (1, b"old"))
    subscription = LegacySubscription(StreamReader(stream, lambda event: event, at(0), at(10)))
    stream.append(at(3), DOWN, DOWN_XML % (2, b"new"))
    assert (subscription.due, subscription.over) == (at(10), False)
    messages = list(iter(lambda: subscription.next_message(at(4)), None))
    messages += iter(lambda: subscription.next_message(at(10)), None)
    assert [(message.time, etree.QName(payload(message.xml())).localname) for message in messages] == [
        (at(1), "sdqkdn_interface_down"),
        (at(4), "replayComplete"),
        (at(3), "sdqkdn_interface_down"),
        (at(10), "notificationComplete"),
    ]
    assert (subscription.due, subscription.over, subscription.broken) == (None, True, None)


def test_the_marks_are_those_of_the_model(schema: Schema) -> None:
    namespace = schema.namespace_of("nc-notifications")
    stream = Stream(NETCONF, START)
    subscription = LegacySubscription(StreamReader(stream, lambda event: event, START, START))
    messages = iter(lambda: subscription.next_message(START), None)
    tags = [payload(message.xml()).tag for message in messages]
    assert tags == [f"{{{namespace}}}{name}" for name in ("replayComplete", "notificationComplete")]
    assert {f"nc-notifications:{etree.QName(tag).localname}" for tag in tags} <= set(schema.notifications)


def test_a_loss_breaks_it(at: At) -> None:
    stream = Stream(StreamSpec("S", "", max_events=1), at(0))
    subscription = LegacySubscription(StreamReader(stream, lambda event: event, None, None))
    for number in (1, 2):
        assert subscription.broken is None
        stream.append(at(number), DOWN, DOWN_XML % (number, b""))
    stream.age_out()
    assert subscription.next_message(at(3)) is None
    assert subscription.broken is not None
    assert "too slowly" in subscription.broken
