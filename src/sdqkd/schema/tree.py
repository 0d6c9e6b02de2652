"""Data trees: immutable by convention, an edit returns a new tree that shares what did not change.

A leaf is its canonical text, a leaf-list a tuple of them, a container or a list entry a `Container`, a list
`Entries`. Names are member names (RFC 7951): `qkd_links`, or `module:name` where the module differs from the
parent's, and always at the top. A non-presence container without children is never stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from sdqkd.schema.table import Schema, SchemaNode


@dataclass(frozen=True, slots=True)
class Container:
    """The children of a container, of a list entry or of the document, by member name.

    `printed` is for `schema.xml`, which keeps the text of a list entry there; it is not set before.
    """

    children: Mapping[str, Node]
    printed: object = field(init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries of a list by their key values, in order; each entry includes its key leafs.

    A list without keys (state only) has its entries under their positions: `("1",)`, `("2",)` and so on.
    """

    entries: Mapping[tuple[str, ...], Container]


Node: TypeAlias = "str | tuple[str, ...] | Container | Entries"
Step: TypeAlias = "str | tuple[str, tuple[str, ...]]"
Path: TypeAlias = "tuple[Step, ...]"

EMPTY = Container({})


def get(tree: Container, path: Path) -> Node | None:
    """The node at `path`, None if it is not there. A leaf-list value is the step `(member, (value,))`."""
    node: Node | None = tree
    for step in path:
        if not isinstance(node, Container):
            return None
        node = node.children.get(step) if isinstance(step, str) else _entry(node.children.get(step[0]), step[1])
    return node


def _entry(node: Node | None, keys: tuple[str, ...]) -> Node | None:
    if isinstance(node, Entries):
        return node.entries.get(keys)
    if isinstance(node, tuple):
        return keys[0] if keys[0] in node else None
    return None


def put(schema: Schema, tree: Container, path: Path, node: Node) -> Container:
    """`tree` with `node` at `path` in place of what was there; containers and entries above are made.

    An entry gets the key leafs of its step. A non-presence container, list or leaf-list without content
    is taken out instead. KeyError if the schema does not know the path.
    """
    return _put(schema.data, tree, path, node)


def _put(known: Mapping[str, SchemaNode], tree: Container, path: Path, node: Node) -> Container:
    if not path:
        if not isinstance(node, Container):
            raise TypeError(f"a container belongs here, not {type(node).__name__}")
        return node
    step, rest = path[0], path[1:]
    name = step if isinstance(step, str) else step[0]
    schema_node = known[name]
    old = tree.children.get(name)
    new: Node
    if isinstance(step, str):
        new = node if not rest else _put(schema_node.children, _inside(old), rest, node)
    elif schema_node.kind == "leaf-list":
        values = old if isinstance(old, tuple) else ()
        new = values if step[1][0] in values else (*values, step[1][0])
    else:
        new = _put_entry(schema_node, old, step[1], rest, node)
    return with_child(tree, schema_node, new)


def _put_entry(
    schema_node: SchemaNode, old: Node | None, keys: tuple[str, ...], rest: Path, node: Node
) -> Entries:
    entries = dict(old.entries) if isinstance(old, Entries) else {}
    entry = _put(schema_node.children, entries.get(keys, EMPTY), rest, node)
    if schema_node.keys:
        entry = Container({**dict(zip(schema_node.keys, keys, strict=True)), **entry.children})
    entries[keys] = entry
    return Entries(entries)


def _inside(node: Node | None) -> Container:
    return node if isinstance(node, Container) else EMPTY


def is_void(schema_node: SchemaNode, node: Node | None) -> bool:
    """True for a node that is never stored: nothing, or a list or non-presence container without content."""
    if node is None or node == ():
        return True
    if isinstance(node, Entries):
        return not node.entries
    return isinstance(node, Container) and not node.children and not schema_node.presence


def with_child(tree: Container, schema_node: SchemaNode, node: Node | None) -> Container:
    """`tree` with this child set, or taken out if `node` is void; `tree` itself if that changes nothing."""
    name = schema_node.member
    if node is tree.children.get(name):
        return tree
    children = dict(tree.children)
    if node is None or is_void(schema_node, node):
        children.pop(name, None)
    else:
        children[name] = node
    return Container(children)


def remove(tree: Container, path: Path, schema: Schema | None = None) -> Container:
    """`tree` without the node at `path`; the same tree if it is not there.

    Containers and lists that this empties go too; with `schema`, an emptied presence container stays.
    """
    return _remove(schema.data if schema else None, tree, path)


def _remove(known: Mapping[str, SchemaNode] | None, tree: Container, path: Path) -> Container:
    step, rest = path[0], path[1:]
    name = step if isinstance(step, str) else step[0]
    old = tree.children.get(name)
    below = known[name] if known is not None else None
    new: Node | None
    if isinstance(step, tuple):
        new = _without_entry(below, old, step[1], rest)
    elif rest:
        new = _remove(below.children if below else None, old, rest) if isinstance(old, Container) else old
    else:
        new = None
    if new is old:
        return tree
    children = dict(tree.children)
    empty = new is None or new in (EMPTY, Entries({}), ())
    if empty and not (rest and below is not None and below.presence):
        children.pop(name, None)
    elif new is not None:
        children[name] = new
    return Container(children)


def _without_entry(below: SchemaNode | None, old: Node | None, keys: tuple[str, ...], rest: Path) -> Node | None:
    if isinstance(old, tuple):
        return tuple(value for value in old if value != keys[0]) if keys[0] in old else old
    if not isinstance(old, Entries) or keys not in old.entries:
        return old
    entries = dict(old.entries)
    if rest:
        entries[keys] = _remove(below.children if below else None, entries[keys], rest)
        if entries[keys] is old.entries[keys]:
            return old
    else:
        del entries[keys]
    return Entries(entries)


def merge(schema: Schema, a: Container, b: Container) -> Container:
    """Both trees laid over each other; `b` wins at leafs, leaf-lists are joined, lists joined by key."""
    return merge_below(schema.data, a, b)


def merge_below(known: Mapping[str, SchemaNode], a: Container, b: Container) -> Container:
    """`merge` for two containers or entries whose children are `known`."""
    if a is b or not b.children:
        return a
    if not a.children:
        return b
    children = dict(a.children)
    for name, node in b.children.items():
        old = children.get(name)
        children[name] = node if old is None else merge_nodes(known[name], old, node)
    return Container(children)


def merge_nodes(schema_node: SchemaNode, a: Node, b: Node) -> Node:
    """`merge` for two nodes of the same name."""
    if isinstance(a, Container) and isinstance(b, Container):
        return merge_below(schema_node.children, a, b)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return tuple(dict.fromkeys((*a, *b))) if schema_node.config else (*a, *b)
    if isinstance(a, Entries) and isinstance(b, Entries) and schema_node.keys:
        entries = dict(a.entries)
        for keys, entry in b.entries.items():
            old = entries.get(keys)
            entries[keys] = entry if old is None else merge_below(schema_node.children, old, entry)
        return Entries(entries)
    return b


def config_only(schema: Schema, tree: Container) -> Container:
    """`tree` without its state (config-false nodes)."""
    return _config_only(schema.data, tree)


def _config_only(known: Mapping[str, SchemaNode], tree: Container) -> Container:
    children: dict[str, Node] = {}
    for name, node in tree.children.items():
        schema_node = known[name]
        if not schema_node.config:
            continue
        kept: Node = node
        if isinstance(node, Container):
            kept = _config_only(schema_node.children, node)
        elif isinstance(node, Entries):
            kept = Entries({k: _config_only(schema_node.children, e) for k, e in node.entries.items()})
        if not is_void(schema_node, kept):
            children[name] = kept
    return Container(children)


def walk(tree: Container, above: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Every node below with its path, in document order; a list's entries, not the list itself."""
    for name, node in tree.children.items():
        if isinstance(node, Entries):
            for keys, entry in node.entries.items():
                yield (*above, (name, keys)), entry
                yield from walk(entry, (*above, (name, keys)))
        else:
            yield (*above, name), node
            if isinstance(node, Container):
                yield from walk(node, (*above, name))
