"""Trees from and to JSON objects, as RFC 7951 has them. Text is `json`'s part: this gives and takes objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdqkd.errors import RpcError
from sdqkd.schema import problems
from sdqkd.schema.elements import leaf_reader
from sdqkd.schema.path import format_path
from sdqkd.schema.table import Schema, SchemaNode, Type
from sdqkd.schema.tree import Container, Entries, Node, Path, is_void
from sdqkd.schema.types import member_type

_NUMBERS = frozenset({"int8", "int16", "int32", "uint8", "uint16", "uint32"})
_MAY_VARY = frozenset({"union", "leafref"})


def encode(schema: Schema, tree: Container) -> dict[str, Any]:
    """The tree as a JSON object; 64-bit integers and decimals are strings (RFC 7951 section 6.1)."""
    return _object(schema.data, tree)


def _object(known: Mapping[str, SchemaNode], tree: Container) -> dict[str, Any]:
    return {name: _json(known[name], node) for name, node in tree.children.items()}


def _json(node: SchemaNode, value: Node) -> Any:
    if isinstance(value, str):
        return _scalar(node.type, value)
    if isinstance(value, tuple):
        return [_scalar(node.type, item) for item in value]
    if isinstance(value, Entries):
        return [_object(node.children, entry) for entry in value.entries.values()]
    return _object(node.children, value)


def _scalar(leaf_type: Type | None, value: str) -> Any:
    if leaf_type is None:
        return value
    if leaf_type.base in _MAY_VARY:
        leaf_type = member_type(leaf_type, value)
    if leaf_type.base in _NUMBERS:
        return int(value)
    if leaf_type.base == "boolean":
        return value == "true"
    return [None] if leaf_type.base == "empty" else value


def decode(schema: Schema, document: Any, *, state: bool = False) -> Container:
    """The tree of a JSON object. Annotations (`@…`) are ignored; state is refused unless `state`.

    A number may also be a string, and a top-level name must have its module. Raises RpcError as `xml.decode`.
    """
    return _Decoder(schema, state).children(schema.data, document, ())


class _Decoder:
    def __init__(self, schema: Schema, state: bool) -> None:
        self.schema = schema
        self.state = state

    def children(self, known: Mapping[str, SchemaNode], document: Any, path: Path) -> Container:
        if not isinstance(document, dict):
            raise self._shape(path, "an object")
        found: dict[str, Node] = {}
        chosen = []
        for name, value in document.items():
            if name.startswith("@"):
                continue
            node = self._node(known, name, path)
            if node.member in found:
                raise problems.given_twice(self.schema, (*path, node.member), node)
            if node.choice:
                chosen.append(node)
            child = self._child(node, value, (*path, node.member))
            if not is_void(node, child):
                found[node.member] = child
        if len(chosen) > 1 and (pair := problems.first_conflict(chosen)):
            raise problems.two_cases(self.schema, (*path, pair[1].member), *pair)
        return Container(found)

    def _node(self, known: Mapping[str, SchemaNode], name: str, path: Path) -> SchemaNode:
        node = known.get(name)
        if node is None and ":" in name:
            # The module may be named even where it is the parent's.
            module, _, local = name.partition(":")
            node = known.get(local)
            node = node if node is not None and node.module == module else None
        if node is None:
            raise problems.unknown_element(self.schema, path, name, known)
        if not (node.config or self.state):
            raise problems.is_state(self.schema, (*path, node.member), node)
        return node

    def _child(self, node: SchemaNode, value: Any, path: Path) -> Node:
        if node.kind == "container":
            return self.children(node.children, value, path)
        if node.kind == "list":
            return self._entries(node, self._items(value, path), path)
        if node.kind == "leaf-list":
            return self._values(node, self._items(value, path), path)
        return self._leaf(node, value, path)

    def _items(self, value: Any, path: Path) -> list[Any]:
        if not isinstance(value, list):
            raise self._shape(path, "an array")
        return value

    def _entries(self, node: SchemaNode, items: list[Any], path: Path) -> Entries:
        entries: dict[tuple[str, ...], Container] = {}
        for number, item in enumerate(items, 1):
            keys = self._keys(node, item, path) if node.keys else (str(number),)
            place: Path = (*path[:-1], (node.member, keys))
            if keys in entries:
                raise problems.given_twice(self.schema, place, node)
            entry = self.children(node.children, item, place)
            entries[keys] = Container({**dict(zip(node.keys, keys, strict=False)), **entry.children})
        return Entries(entries)

    def _keys(self, node: SchemaNode, item: Any, path: Path) -> tuple[str, ...]:
        if not isinstance(item, dict):
            raise self._shape(path, "an array of objects")
        keys = []
        for key in node.keys:
            value = item.get(key, item.get(f"{node.module}:{key}"))
            if value is None:
                raise problems.missing_key(self.schema, path[:-1], node, key)
            keys.append(self._leaf(node.children[key], value, (*path, key)))
        return tuple(keys)

    def _values(self, node: SchemaNode, items: list[Any], path: Path) -> tuple[str, ...]:
        values = [self._leaf(node, item, path) for item in items]
        if node.config and len(set(values)) < len(values):
            double = next(value for at, value in enumerate(values) if value in values[:at])
            raise problems.given_twice(self.schema, (*path[:-1], (node.member, (double,))), node)
        return tuple(values)

    def _leaf(self, node: SchemaNode, value: Any, path: Path) -> str:
        text = _text(value)
        if text is None:
            raise self._shape(path, "a string, a number, true, false or [null]")
        if node.type is None:
            return text
        try:
            return leaf_reader(node)[0](text, lambda prefix: prefix or node.module)
        except ValueError as error:
            raise problems.invalid_value(self.schema, path, error) from error

    def _shape(self, path: Path, wanted: str) -> RpcError:
        where = format_path(path, self.schema)
        return RpcError("bad-element", f"JSON here must be {wanted}", path=where)


def _text(value: Any) -> str | None:
    """The text of a JSON scalar; None for what no leaf can be."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return "" if value == [None] else None
