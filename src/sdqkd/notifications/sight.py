"""What a subscriber may know of an event by what it may read.

RFC 8341 section 3.4.6 judges notifications by their type alone. But ours name entries, and the keys of those that
are hidden shall not be told: an edit of a node that cannot be read is left out, and so is an event about one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from sdqkd.notifications import base_events
from sdqkd.notifications.filters import tree_of
from sdqkd.notifications.message import payload_of
from sdqkd.notifications.qkd_payloads import MODULE
from sdqkd.notifications.streams import Event
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container, Entries

_CONFIG_CHANGE = f"{base_events.MODULE}:netconf-config-change"
_NODE = f"/{MODULE}:qkd_node"
# By what an event of ETSI GS QKD 015 has at its top: the list, and the key of the entry that it is about.
_ABOUT = {
    "link": (f"{_NODE}/qkd_links/qkd_link", "qkdl_id"),
    "interface": (f"{_NODE}/qkd_interfaces/qkd_interface", "qkdi_id"),
    "application": (f"{_NODE}/qkd_applications/qkd_app", "app_id"),
}


class Reader(Protocol):
    """Whoever is told."""

    @property
    def reads_all(self) -> bool:
        """Whether there is nothing that it may not read."""
        ...

    def may_read(self, path: str) -> bool:
        """Whether it may read a node of a datastore, with all above it."""
        ...


def as_seen(schema: Schema, reader: Reader, event: Event) -> Event | None:
    """The event without what the reader may not know, None if that is all of it."""
    if reader.reads_all:
        return event
    if event.name == _CONFIG_CHANGE:
        return _without_hidden_edits(schema, reader, event)
    if event.name.partition(":")[0] != MODULE:
        return event
    return event if _is_about_readable(tree_of(schema, event), reader) else None


def _without_hidden_edits(schema: Schema, reader: Reader, event: Event) -> Event:
    tree = tree_of(schema, event)
    content = _only(tree)
    edits = content.children.get("edit")
    if not isinstance(edits, Entries):
        return event
    shown = {keys: edit for keys, edit in edits.entries.items() if reader.may_read(str(edit.children["target"]))}
    if len(shown) == len(edits.entries):
        return event
    told = {**content.children, "edit": Entries(shown)}
    if not shown:
        del told["edit"]
    return replace(event, payload=payload_of(schema, Container({event.name: Container(told)})))


def _is_about_readable(tree: Container, reader: Reader) -> bool:
    for subject, entry in _only(tree).children.items():
        about = _ABOUT.get(subject.removeprefix("qkd_"))
        if about is None or not isinstance(entry, Container):
            continue
        above, key = about
        name = entry.children.get(key)
        if not reader.may_read(above if name is None else f"{above}[{key}='{name}']"):
            return False
    return True


def _only(tree: Container) -> Container:
    (content,) = tree.children.values()
    assert isinstance(content, Container)
    return content
