"""What somebody is told who may not read all that an event names."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from lxml import etree
from tests.notifications.conftest import START

from sdqkd.datastore.nacm import Rights
from sdqkd.datastore.nacm_rules import read_rules
from sdqkd.notifications import base_events, qkd_payloads
from sdqkd.notifications.filters import tree_of
from sdqkd.notifications.message import payload_of
from sdqkd.notifications.sight import as_seen
from sdqkd.notifications.streams import Event
from sdqkd.schema import table
from sdqkd.schema.diff import Change
from sdqkd.schema.tree import Container, Entries
from sdqkd.schema.xml import decode

SCHEMA = table.load("qkd-node")
NODE = "etsi-qkd-sdn-node:qkd_node"
HIDDEN, SHOWN = "00000000-0000-4000-8000-0000000000a1", "00000000-0000-4000-8000-0000000000a2"
RULES = f"""<config><nacm xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-acm">
  <groups><group><name>guests</name><user-name>eva</user-name></group></groups>
  <rule-list xmlns:q="urn:etsi:qkd:yang:etsi-qkd-node"><name>guests</name><group>guests</group>
    <rule><name>link</name><path>/q:qkd_node/q:qkd_links/q:qkd_link[q:qkdl_id='{HIDDEN}']</path>
      <action>deny</action></rule>
    <rule><name>place</name><path>/q:qkd_node/q:qkdn_location_id</path><action>deny</action></rule>
    <rule><name>app</name><path>/q:qkd_node/q:qkd_applications</path><action>deny</action></rule>
  </rule-list></nacm></config>"""


@dataclass(frozen=True)
class Told:
    """A user as sight sees it."""

    rights: Rights

    @property
    def reads_all(self) -> bool:
        return self.rights.reads_all

    def may_read(self, path: str) -> bool:
        return self.rights.may_read_text(path)


EVA = Told(Rights(SCHEMA, read_rules(decode(SCHEMA, list(etree.fromstring(RULES)))), "eva"))
NOC = Told(Rights(SCHEMA, None, "noc"))


def event(notification: Container) -> Event:
    (name,) = notification.children
    return Event(1, START, name, payload_of(SCHEMA, notification))


def link(name: str) -> Change:
    return Change("add", (NODE, "qkd_links", ("qkd_link", (name,))), None, Container({"qkdl_id": name}))


def targets(seen: Event | None) -> list[str]:
    assert seen is not None
    content = tree_of(SCHEMA, seen).children[seen.name]
    assert isinstance(content, Container)
    assert content.children["datastore"] == "running"
    edits = content.children.get("edit", Entries({}))
    assert isinstance(edits, Entries)
    return [str(edit.children["target"]).rpartition("/")[2] for edit in edits.entries.values()]


PLACE = Change("change", (NODE, "qkdn_location_id"), "rack 1", "rack 2")
STATUS = Change("change", (NODE, "qkdn_version"), "1", "2")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ((link(HIDDEN), link(SHOWN), PLACE, STATUS), [f"qkd_link[qkdl_id='{SHOWN}']", "qkdn_version"]),
        ((link(HIDDEN), PLACE), []),
        ((link(SHOWN),), [f"qkd_link[qkdl_id='{SHOWN}']"]),
    ],
)
def test_edits_of_what_is_hidden_are_not_told(changes: tuple[Change, ...], told: list[str]) -> None:
    happened = event(base_events.config_change(SCHEMA, changes, None))
    assert targets(as_seen(SCHEMA, EVA, happened)) == told
    assert as_seen(SCHEMA, NOC, happened) is happened


@pytest.mark.parametrize(
    ("notification", "told"),
    [
        (qkd_payloads.link_down(HIDDEN, "no light"), False),
        (qkd_payloads.link_down(SHOWN, "no light"), True),
        (qkd_payloads.link_message("alarm", HIDDEN, None, "too many errors", "MAJOR"), False),
        (qkd_payloads.link_message("alarm", SHOWN, None, "too many errors", "MAJOR"), True),
        (qkd_payloads.interface_out("1"), True),
        (qkd_payloads.application_new(Container({"app_priority": "1"})), False),
        (qkd_payloads.application_disconnected("00000000-0000-4000-8000-0000000000b1"), False),
    ],
)
def test_events_of_hidden_entries_are_not_told(notification: Container, told: bool) -> None:
    happened = event(notification)
    assert as_seen(SCHEMA, EVA, happened) is (happened if told else None)
    assert as_seen(SCHEMA, NOC, happened) is happened
