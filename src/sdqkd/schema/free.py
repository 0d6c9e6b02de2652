"""Changes that need no judge: leafs with another value that reading has judged in full, and nobody looks at."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from sdqkd.schema.constraints import config_nodes, constraints
from sdqkd.schema.diff import Change
from sdqkd.schema.elements import leaf_reader
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.types import INTEGER_LIMITS

# Types whose values are right or wrong by themselves, and that read the same whatever stands around them.
_PLAIN = frozenset({*INTEGER_LIMITS, "decimal64", "boolean", "enumeration"})


def are_free(schema: Schema, changes: Iterable[Change]) -> bool:
    """Whether a tree that is right stays so by these changes, whatever else it holds."""
    return all(change.op == "change" and _is_free(schema, change) for change in changes)


def _is_free(schema: Schema, change: Change) -> bool:
    node = schema.node(change.path)
    return node in _free_leafs(schema) and _reads_as_itself(node, change.new)


def _reads_as_itself(node: SchemaNode, value: object) -> bool:
    """Whether a value is canonical. Trees that were read hold no other, but this need not be believed."""
    try:
        return isinstance(value, str) and leaf_reader(node)[0](value, lambda prefix: None) == value
    except ValueError:
        return False


@functools.cache
def _free_leafs(schema: Schema) -> frozenset[SchemaNode]:
    """Leafs of plain types that no constraint reads, not even their own."""
    read: set[SchemaNode] = set()
    for constraint in constraints(schema):
        if constraint.reads is None:
            return frozenset()
        read |= {place.node for place in constraint.reads if place.node is not None}
    return frozenset(
        node
        for node in config_nodes(schema.data.values())
        if node.kind == "leaf" and node not in read and node.type is not None and node.type.base in _PLAIN
    )
