"""What of a tree a user may read: RFC 8341 section 3.2.4.

A node that may not be read is left out with all that it holds, and so is an entry of which a key may not be read:
without it nobody could tell which entry it is. What is left is shared with the tree.
"""

from __future__ import annotations

from collections.abc import Mapping

from sdqkd.datastore.nacm_places import Place
from sdqkd.schema.table import SchemaNode
from sdqkd.schema.tree import Container, Entries, Node, is_void


def readable(known: Mapping[str, SchemaNode], tree: Container, place: Place) -> Container:
    """Give `tree` without what may not be read; `known` are the nodes below it, `place` is its own."""
    if place.open:
        return tree
    kept: dict[str, Node] = {}
    changed = False
    for member, value in tree.children.items():
        below = place.below(known[member])
        if below.open:
            kept[member] = value
            continue
        part = _part(known[member], value, below)
        changed = changed or part is not value
        if part is not None:
            kept[member] = part
    return Container(kept) if changed else tree


def _part(node: SchemaNode, value: Node, place: Place) -> Node | None:
    """Give what may be read of a child, None for nothing."""
    if isinstance(value, Entries):
        return _entries(node, value, place)
    if isinstance(value, tuple):
        return _values(value, place)
    if not place.permitted:
        return None
    if not isinstance(value, Container):
        return value
    inside = readable(node.children, value, place)
    return None if is_void(node, inside) else inside


def _values(values: tuple[str, ...], place: Place) -> tuple[str, ...] | None:
    if not place.keyed:
        return values if place.permitted else None
    kept = tuple(value for value in values if place.entry((value,)).permitted)
    return values if kept == values else kept or None


def _entries(node: SchemaNode, value: Entries, place: Place) -> Entries | None:
    if not place.keyed and (place.open or not place.identifiable):
        return value if place.open else None
    kept = {}
    changed = False
    for keys, entry in value.entries.items():
        own = place.entry(keys)
        part = readable(node.children, entry, own) if own.identifiable else None
        if part is not None:
            kept[keys] = part
        changed = changed or part is not entry
    if not changed:
        return value
    return Entries(kept) if kept else None
