from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from tests.schema.random_trees import SCHEMA as FIXTURE

from sdqkd.notifications import base_events
from sdqkd.notifications.base_events import MAX_EDITS, Client, instance
from sdqkd.notifications.message import payload_of
from sdqkd.schema import table
from sdqkd.schema.diff import Change, diff
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import EMPTY, Container, Entries, Node, put
from sdqkd.schema.types import canonical
from sdqkd.schema.xml import decode_below

NODE = "etsi-qkd-sdn-node:qkd_node"
LINK = "00000000-0000-4000-8000-0000000000a1"
ENTRY = (NODE, "qkd_links", ("qkd_link", (LINK,)))
NOC = Client("noc", 7, "192.0.2.7")
LOCAL = Client("noc", 7, "memory")
EXPECTED = etree.parse(Path(__file__).parent / "cases" / "base-events.xml").getroot()
SCHEMA = table.load("qkd-node")
ADDED = (Change("add", ENTRY, None, Container({"qkdl_id": LINK})),)
EVENTS = {
    "start": base_events.session_start(NOC),
    "start from no address": base_events.session_start(LOCAL),
    "killed": base_events.session_end(Client("noc", 7, "2001:db8::7"), "killed", 9),
    "dropped": base_events.session_end(LOCAL, "dropped", 9),
    "commit begun": base_events.confirmed_commit("start", LOCAL, 600),
    "commit timed out": base_events.confirmed_commit("timeout", NOC, 600),
    "commit complete": base_events.confirmed_commit("complete", LOCAL, 600),
    "config by client": base_events.config_change(SCHEMA, ADDED, NOC),
    "config by server": base_events.config_change(SCHEMA, (), None, "startup"),
}


def canonical_xml(element: etree._Element) -> str:
    # Printed and read again, so that no namespace of the file around it comes along.
    return etree.canonicalize(etree.tostring(element).decode(), strip_text=True)


@pytest.mark.parametrize("event", EXPECTED, ids=lambda event: event.get("name"))
def test_the_notifications_are_as_the_rfc_has_them(schema: Schema, event: etree._Element) -> None:
    tree = EVENTS[event.get("name", "")]
    element = etree.fromstring(payload_of(schema, tree))
    assert canonical_xml(element) == canonical_xml(event[0])
    ((member, content),) = tree.children.items()
    assert decode_below(schema, schema.notifications[member], element) == content


def test_every_event_has_its_case() -> None:
    assert {event.get("name") for event in EXPECTED} == set(EVENTS)


def edits(schema: Schema, old: Container, new: Container) -> dict[str, str]:
    content = base_events.config_change(schema, diff(schema, old, new), None).children
    (change,) = content.values()
    assert isinstance(change, Container)
    listed = change.children.get("edit", Entries({}))
    assert isinstance(listed, Entries)
    return {str(edit.children["target"]): str(edit.children["operation"]) for edit in listed.entries.values()}


def node(schema: Schema, *leafs: tuple[tuple[str, ...], Node]) -> Container:
    tree = EMPTY
    for path, value in leafs:
        tree = put(schema, tree, (NODE, *path), value)
    return tree


def test_targets_are_the_nodes_that_changed(schema: Schema) -> None:
    old = node(schema, (("qkdn_version",), "1"), (("qkdn_location_id",), "here"))
    new = node(schema, (("qkdn_version",), "2"), (("qkdn_id",), LINK))
    assert edits(schema, old, new) == {
        f"/{NODE}/qkdn_version": "replace",
        f"/{NODE}/qkdn_location_id": "delete",
        f"/{NODE}/qkdn_id": "create",
    }


def test_values_of_a_leaf_list_are_told_one_by_one(schema: Schema) -> None:
    path = (*ENTRY, "qkdl_applications")
    ids = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(3)]
    old = put(schema, EMPTY, path, (ids[0], ids[1]))
    new = put(schema, EMPTY, path, (ids[1], ids[2]))
    above = f"/{NODE}/qkd_links/qkd_link[qkdl_id='{LINK}']/qkdl_applications"
    assert edits(schema, old, new) == {f"{above}[.='{ids[0]}']": "delete", f"{above}[.='{ids[2]}']": "create"}


def links(count: int) -> Container:
    keys = [f"00000000-0000-4000-8000-{number:012}" for number in range(count)]
    entries = {(key,): Container({"qkdl_id": key}) for key in keys}
    return Container({NODE: Container({"qkd_links": Container({"qkd_link": Entries(entries)})})})


@pytest.mark.parametrize("count", [1, MAX_EDITS, MAX_EDITS + 1, 1000])
def test_many_changes_are_told_by_what_is_above_them(schema: Schema, count: int) -> None:
    told = edits(schema, EMPTY, links(count))
    if count <= MAX_EDITS:
        assert set(told.values()) == {"create"}
        assert len(told) == count
    else:
        assert told == {f"/{NODE}/qkd_links": "merge"}


@given(key=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"]), max_size=20))
def test_targets_are_canonical_instance_identifiers(key: str) -> None:
    schema = SCHEMA
    content = schema.notifications["ietf-netconf-notifications:netconf-config-change"]
    target = content.children["edit"].children["target"].type
    filters = ("ietf-subscribed-notifications:filters", ("stream-filter", (key,)), "stream-xpath-filter")
    text = instance(schema, filters)
    if "'" in key and '"' in key:
        assert text == "/ietf-subscribed-notifications:filters"
    assert canonical(target, text) == text


def test_another_order_is_told_by_the_node_above() -> None:
    def row(*cells: tuple[str, str]) -> Container:
        entries = {cell: Container({"x": cell[0], "y": cell[1]}) for cell in cells}
        inside = Container({"name": "a", "cell": Entries(entries)})
        return Container({"fixture:rows": Container({"row": Entries({("a",): inside})})})

    told = edits(FIXTURE, row(("1", "u"), ("2", "v")), row(("2", "v"), ("1", "u")))
    assert told == {"/fixture:rows/row[name='a']": "merge"}
