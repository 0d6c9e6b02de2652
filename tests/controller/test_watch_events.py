"""What the watch makes of notifications."""

from __future__ import annotations

import pytest
from lxml import etree

from sdqkd.controller.watch_events import MAX_TEXT, ConfigChange, ConfirmedCommit, Told, read_event
from sdqkd.netconf.messages import Notification

NS = "urn:ietf:params:xml:ns:yang:ietf-netconf-notifications"
AT = "2026-11-23T12:00:00Z"
MODULES = {"urn:o": "optical", "urn:n": "node"}


def event(name: str, content: str, namespace: str = NS):
    return read_event(
        Notification(AT, etree.fromstring(f"<{name} xmlns='{namespace}'>{content}</{name}>")), MODULES
    )


def test_who_has_changed_what() -> None:
    by = "<username>bob</username><session-id>7</session-id><source-host>192.0.2.1</source-host>"
    edit = (
        "<edit><target xmlns:x='urn:o' xmlns:y='urn:n'>/x:device/x:channel[x:name='a:b']/y:power</target>"
        "<operation>replace</operation></edit>"
    )
    found = event("netconf-config-change", f"<changed-by>{by}</changed-by><datastore>running</datastore>{edit}")
    targets = ("/optical:device/channel[name='a:b']/node:power",)
    assert found == ConfigChange(AT, "running", "bob", 7, "192.0.2.1", targets)
    assert found.who == "bob from 192.0.2.1 (session 7)"


def test_a_device_that_changes_itself() -> None:
    found = event("netconf-config-change", "<changed-by><server/></changed-by><datastore>startup</datastore>")
    assert found == ConfigChange(AT, "startup")
    assert found.who == "the device itself"
    assert found.to_json()["username"] is None


@pytest.mark.parametrize("content", ["", "<changed-by/>", "<changed-by><session-id>x</session-id></changed-by>"])
def test_a_change_that_says_little(content: str) -> None:
    assert event("netconf-config-change", content) == ConfigChange(AT, "running")


def test_a_provisional_commit() -> None:
    content = "<username>bob</username><confirm-event>start</confirm-event><timeout>60</timeout>"
    assert event("netconf-confirmed-commit", content) == ConfirmedCommit(AT, "start", "bob")


def test_sessions_are_of_no_interest() -> None:
    assert event("netconf-session-start", "<username>bob</username>") is None
    assert event("netconf-session-end", "") is None


def test_any_other_event_is_told_in_short() -> None:
    found = event("sdqkdn_link_down", "<qkd_link><qkdl_id>1</qkdl_id><reason>dark</reason></qkd_link>", "urn:etsi")
    assert found == Told(AT, "sdqkdn_link_down", "qkdl_id 1, reason dark")
    long = event("other", f"<a>{'x' * 10_000}</a>", "urn:etsi")
    assert isinstance(long, Told)
    assert len(long.text) == MAX_TEXT
