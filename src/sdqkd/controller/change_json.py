"""Changes as JSON: values are the canonical texts of the trees, paths are instance paths."""

from __future__ import annotations

from typing import Any

from sdqkd.schema.diff import Change
from sdqkd.schema.path import format_path
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Entries, Node


def change_to_json(schema: Schema, change: Change) -> dict[str, Any]:
    """A change as a JSON object."""
    sides = {"old": change.old, "new": change.new}
    values = {side: _to_json(node) for side, node in sides.items() if node is not None}
    return {"op": change.op, "path": format_path(change.path, schema), **values}


def _to_json(node: Node) -> Any:
    if isinstance(node, str):
        return node
    if isinstance(node, tuple):
        return list(node)
    if isinstance(node, Entries):
        return [_to_json(entry) for entry in node.entries.values()]
    return {name: _to_json(child) for name, child in node.children.items()}
