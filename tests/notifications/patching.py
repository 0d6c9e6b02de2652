"""What a client does with a YANG patch (RFC 8072): an own reading of it, to hold ours against."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from lxml import etree

from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Container, Entries, Node, Path, get, put, remove
from sdqkd.schema.xml import decode, decode_below

YP = "{urn:ietf:params:xml:ns:yang:ietf-yang-push}"


def apply_patch(schema: Schema, tree: Container, update: etree._Element) -> Container:
    """The tree after the edits of a push-change-update, in their order."""
    for edit in update.iterfind(f"{YP}datastore-changes/{YP}yang-patch/{YP}edit"):
        tree = _apply(schema, tree, {etree.QName(leaf).localname: leaf for leaf in edit})
    return tree


def path_of(schema: Schema, target: str) -> Path:
    path: Path = ()
    known: Mapping[str, SchemaNode] = schema.data
    for step in target.split("/")[1:]:
        name, equals, keys = step.partition("=")
        path = (*path, (name, tuple(map(unquote, keys.split(",")))) if equals else name)
        known = known[name].children
    return path


def _apply(schema: Schema, tree: Container, edit: Mapping[str, etree._Element]) -> Container:
    operation, target = edit["operation"].text, edit["target"].text or ""
    if target == "/":
        assert operation == "replace"
        return decode(schema, edit["value"], state=True)
    path = path_of(schema, target)
    exists = get(tree, path) is not None
    # RFC 8641 lets a client create what it has, and delete what it has not.
    assert exists or operation in {"create", "insert", "delete", "replace"}, target
    if operation == "delete":
        return remove(tree, path, schema)
    value = get(tree, path) if operation == "move" else _value(schema, path, edit["value"])
    assert value is not None
    if operation in {"insert", "move"}:
        return _placed(schema, tree, path, value, edit)
    return put(schema, tree, path, value)


def _value(schema: Schema, path: Path, element: etree._Element) -> Node:
    if len(path) == 1:
        held = decode(schema, element, state=True)
    else:
        held = decode_below(schema, schema.node(path[:-1]), element)
    (value,) = held.children.values()
    if isinstance(value, Entries):
        (value,) = value.entries.values()
    elif isinstance(value, tuple):
        (value,) = value
    return value


def _placed(
    schema: Schema, tree: Container, path: Path, value: Node, edit: Mapping[str, etree._Element]
) -> Container:
    name, keys = path[-1]
    whole = get(tree, (*path[:-1], name))
    items: dict[tuple[str, ...], Node] = {}
    if isinstance(whole, Entries):
        items = dict(whole.entries)
    elif isinstance(whole, tuple):
        items = {(one,): one for one in whole}
    items.pop(keys, None)
    order = list(items)
    if edit["where"].text == "first":
        order.insert(0, keys)
    else:
        assert edit["where"].text == "after"
        after = path_of(schema, edit["point"].text or "")[-1]
        order.insert(order.index(after[1]) + 1, keys)
    items[keys] = value
    placed = {key: items[key] for key in order}
    if schema.node(path).kind == "leaf-list":
        return put(schema, tree, (*path[:-1], name), tuple(str(one) for one in placed.values()))
    entries = {key: one for key, one in placed.items() if isinstance(one, Container)}
    return put(schema, tree, (*path[:-1], name), Entries(entries))
