"""Where two trees differ: which schema nodes, and where in the tree. As cheap as sharing allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Container, Entries, Node

# By member name, or by keys in a list: what has changed inside, None where all of it is new.
Places: TypeAlias = "dict[str, Places | None] | dict[tuple[str, ...], Places | None]"


@dataclass(slots=True)
class Delta:
    """What turned one tree into another.

    `nodes` are the schema nodes of which an instance was added, removed or got another value or place (of what
    came or went: all that it may have held); `touched` the lists of which an entry may be new or changed.
    `places` leads to what has changed and is there.
    """

    nodes: set[SchemaNode] = field(default_factory=set)
    touched: set[SchemaNode] = field(default_factory=set)
    places: dict[str, Places | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.nodes)


def delta(schema: Schema, before: Container, after: Container) -> Delta:
    """Compare two trees. Where nothing was shared it costs as much as the trees are large."""
    found = Delta()
    found.places = _Comparison(found).children(schema.data, before, after) or {}
    return found


class _Comparison:
    def __init__(self, found: Delta) -> None:
        self._found = found
        self._come: set[SchemaNode] = set()
        self._gone: set[SchemaNode] = set()

    def children(
        self, known: Mapping[str, SchemaNode], before: Container, after: Container
    ) -> dict[str, Places | None] | None:
        """The places that differ among the children of a container or entry; None if nothing differs."""
        places: dict[str, Places | None] = {}
        old, new = before.children, after.children
        same = True
        for member, node in new.items():
            was = old.get(member)
            # Texts first by value: a request brings equal ones that are not the same.
            if was is not node and not (isinstance(node, str) and was == node):
                same = not self._child(known[member], was, node, places) and same
        for member in old:
            if member not in new:
                same = False
                self._goes(known[member])
        return None if same else places

    def _child(
        self, schema_node: SchemaNode, was: Node | None, node: Node, places: dict[str, Places | None]
    ) -> bool:
        """Note in `places` whether a child differs, and tell it."""
        inside: Places | None = None
        if isinstance(node, Container) and isinstance(was, Container):
            inside = self.children(schema_node.children, was, node)
            if inside is None:
                return False
        elif isinstance(node, Entries):
            inside = self._entries(schema_node, was if isinstance(was, Entries) else Entries({}), node)
            if inside is None:
                return False
        elif isinstance(node, Container):
            self._comes(schema_node)
        elif was == node:
            return False
        else:
            self._found.nodes.add(schema_node)
        places[schema_node.member] = inside
        return True

    def _entries(self, schema_node: SchemaNode, before: Entries, after: Entries) -> Places | None:
        old, new = before.entries, after.entries
        places: dict[tuple[str, ...], Places | None] = {}
        common = len(new)
        for keys, entry in [(keys, entry) for keys, entry in new.items() if old.get(keys) is not entry]:
            was = old.get(keys)
            if was is None:
                common -= 1
                places[keys] = None
                self._comes(schema_node)
            elif (inside := self.children(schema_node.children, was, entry)) is not None:
                places[keys] = inside
        if places:
            self._found.touched.add(schema_node)
        if common < len(old):
            self._goes(schema_node)
        elif schema_node.user_ordered and not _same_order(old, new):
            self._found.nodes.add(schema_node)
        elif not places:
            return None
        return places

    def _comes(self, schema_node: SchemaNode) -> None:
        """A node is new, with all that it may hold."""
        if schema_node not in self._come:
            self._come.add(schema_node)
            self._found.nodes.add(schema_node)
            if schema_node.kind == "list":
                self._found.touched.add(schema_node)
            for child in schema_node.children.values():
                self._comes(child)

    def _goes(self, schema_node: SchemaNode) -> None:
        """A node has gone, with all that it may have held."""
        if schema_node not in self._gone:
            self._gone.add(schema_node)
            self._found.nodes.add(schema_node)
            for child in schema_node.children.values():
                self._goes(child)


def _same_order(old: Mapping[tuple[str, ...], Container], new: Mapping[tuple[str, ...], Container]) -> bool:
    return [keys for keys in old if keys in new] == [keys for keys in new if keys in old]
