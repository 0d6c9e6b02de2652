"""The rpc-errors that reading or changing a tree can give: one tag, one place and one sentence for each.

Tags are those of RFC 6241 appendix A and RFC 7950 section 8.3; the codecs and `edit` share them, so that the
same mistake reads the same in XML, JSON and YAML.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from sdqkd.errors import RpcError
from sdqkd.schema.path import format_path, predicates
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Path


def unknown_element(schema: Schema, above: Path, name: str, known: Iterable[str]) -> RpcError:
    """`name` is no child of the node at `above`."""
    message = f"the model has no '{name}' {_inside(above)}{suggestion(name, known)}"
    return RpcError("unknown-element", message, path=format_path(above, schema), info={"bad-element": name})


def suggestion(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` with the known name nearest to `name`, or nothing."""
    names: dict[str, str] = {}
    for member in known:
        names.setdefault(member.rpartition(":")[2], member)
    near = difflib.get_close_matches(name.rpartition(":")[2], names, n=1)
    return f"; did you mean '{names[near[0]]}'?" if near else ""


def unknown_namespace(schema: Schema, above: Path, name: str, namespace: str) -> RpcError:
    """The element `name` is in a namespace of which the schema has no module."""
    what = f"the namespace '{namespace}' of '{name}' is not known" if namespace else f"'{name}' has no namespace"
    info = {"bad-element": name, "bad-namespace": namespace}
    return RpcError("unknown-namespace", what, path=format_path(above, schema), info=info)


def missing_key(schema: Schema, above: Path, node: SchemaNode, key: str) -> RpcError:
    """An entry of the list `node` lacks its key leaf `key`."""
    path = format_path((*above, node.member), schema)
    message = f"an entry of {node.name} lacks its key '{key}'"
    return RpcError("missing-element", message, path=path, info={"bad-element": key})


def invalid_value(schema: Schema, path: Path, reason: ValueError | str) -> RpcError:
    """The leaf at `path` has a value that its type does not take."""
    return RpcError("invalid-value", str(reason), path=format_path(path, schema))


def given_twice(schema: Schema, path: Path, node: SchemaNode) -> RpcError:
    """The same leaf, container, entry or leaf-list value stands twice in one document."""
    shown = node.name
    if path and isinstance(path[-1], tuple):
        shown += predicates(node, path[-1][1])
    message = f"{shown} is given twice"
    return RpcError("bad-element", message, path=format_path(path, schema), info={"bad-element": node.name})


def two_cases(schema: Schema, path: Path, first: SchemaNode, second: SchemaNode) -> RpcError:
    """Nodes of two cases of one choice stand in one document; `path` is that of the second."""
    message = f"{first.name} and {second.name} exclude each other"
    info = {"bad-element": second.name}
    return RpcError("bad-element", message, path=format_path(path, schema), info=info)


def is_state(schema: Schema, path: Path, node: SchemaNode) -> RpcError:
    """A config-false node stands where only configuration may."""
    message = f"{node.name} is state that the device reports; it cannot be configured"
    return RpcError("unknown-element", message, path=format_path(path, schema), info={"bad-element": node.name})


def wrong_content(schema: Schema, path: Path, name: str, message: str) -> RpcError:
    """Text where elements belong, or elements where text belongs."""
    return RpcError("bad-element", message, path=format_path(path, schema), info={"bad-element": name})


def _inside(above: Path) -> str:
    if not above:
        return "at the top"
    name = above[-1] if isinstance(above[-1], str) else above[-1][0]
    return f"in {name.rpartition(':')[2]}"


def first_conflict(nodes: Iterable[SchemaNode]) -> tuple[SchemaNode, SchemaNode] | None:
    """The first two siblings that lie in different cases of one choice, None if there are none."""
    chosen: dict[tuple[str, ...], tuple[str, SchemaNode]] = {}
    for node in nodes:
        for depth, choice in enumerate(node.choice):
            name, _, case = choice.partition("/")
            # A choice is told apart by the cases that it lies in.
            before = chosen.setdefault((*node.choice[:depth], name), (case, node))
            if before[0] != case:
                return before[1], node
    return None
