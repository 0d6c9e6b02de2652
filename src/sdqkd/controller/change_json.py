"""Changes as JSON, and back: values are the canonical texts of the trees, paths are instance paths."""

from __future__ import annotations

from typing import Any, cast

from sdqkd.schema.diff import Change
from sdqkd.schema.path import format_path, parse_path
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Container, Entries, Node


def change_to_json(schema: Schema, change: Change) -> dict[str, Any]:
    """A change as a JSON object."""
    sides = {"old": change.old, "new": change.new}
    values = {side: _to_json(node) for side, node in sides.items() if node is not None}
    return {"op": change.op, "path": format_path(change.path, schema), **values}


def change_from_json(schema: Schema, change: Any) -> Change:
    """Read a change. Raises KeyError, TypeError, ValueError, AttributeError or RpcError if it is none."""
    path = parse_path(schema, change["path"])
    schema_node = schema.node(path)
    # The last step of a leaf-list value or list entry names one of many.
    one = isinstance(path[-1], tuple)
    sides = {side: _from_json(schema_node, change[side], one=one) for side in ("old", "new") if side in change}
    wanted = {"add": {"new"}, "change": {"old", "new"}, "remove": {"old"}}
    if wanted.get(change["op"]) != sides.keys():
        raise ValueError(f"a change '{change['op']}' has not {' and '.join(sides) or 'no side'}")
    return Change(change["op"], path, sides.get("old"), sides.get("new"))


def _to_json(node: Node) -> Any:
    if isinstance(node, str):
        return node
    if isinstance(node, tuple):
        return list(node)
    if isinstance(node, Entries):
        return [_to_json(entry) for entry in node.entries.values()]
    return {name: _to_json(child) for name, child in node.children.items()}


def _from_json(schema_node: SchemaNode, value: Any, *, one: bool = False) -> Node:
    kind = schema_node.kind
    if kind == "leaf" or (kind == "leaf-list" and one):
        return _text(value)
    if kind == "leaf-list":
        return tuple(map(_text, value))
    if kind == "list" and not one:
        entries = [cast(Container, _from_json(schema_node, entry, one=True)) for entry in value]
        return Entries({_keys(schema_node, entry): entry for entry in entries})
    return Container({name: _from_json(schema_node.children[name], child) for name, child in value.items()})


def _keys(schema_node: SchemaNode, entry: Container) -> tuple[str, ...]:
    return tuple(_text(entry.children[key]) for key in schema_node.keys)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text belongs where {value!r} stands")
    return value
