"""Laying state over configuration again and again, where little changes from time to time.

`merge` makes every entry of a list anew. Here an entry stays the same object as long as both that it is made of
are: so whoever compares the result with an earlier one finds at once what has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Container, Entries, Node, merge_below, merge_nodes

_Parts: TypeAlias = tuple[Container, Container, Container]  # configuration, state, both


class Overlay:
    """`merge`, which remembers the entries of the outermost lists from the last time."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._known: dict[tuple[str, ...], dict[tuple[str, ...], _Parts]] = {}

    def lay(self, tree: Container, over: Container) -> Container:
        """Give both trees laid over each other, as `merge` does."""
        return self._container(self._schema.data, (), tree, over)

    def _container(
        self, known: Mapping[str, SchemaNode], at: tuple[str, ...], tree: Container, over: Container
    ) -> Container:
        if tree is over or not over.children:
            return tree
        children = dict(tree.children)
        for name, node in over.children.items():
            old = children.get(name)
            children[name] = node if old is None else self._node(known[name], (*at, name), old, node)
        return Container(children)

    def _node(self, node: SchemaNode, at: tuple[str, ...], old: Node, new: Node) -> Node:
        if isinstance(old, Container) and isinstance(new, Container):
            return self._container(node.children, at, old, new)
        if isinstance(old, Entries) and isinstance(new, Entries) and node.keys:
            return self._entries(node, at, old, new)
        return merge_nodes(node, old, new)

    def _entries(self, node: SchemaNode, at: tuple[str, ...], old: Entries, new: Entries) -> Entries:
        before, after = self._known.get(at, {}), {}
        entries = dict(old.entries)
        for keys, entry in new.entries.items():
            below = entries.get(keys)
            if below is None:
                entries[keys] = entry
                continue
            parts = before.get(keys)
            if parts is None or parts[0] is not below or parts[1] is not entry:
                parts = (below, entry, merge_below(node.children, below, entry))
            after[keys] = parts
            entries[keys] = parts[2]
        self._known[at] = after
        return Entries(entries)
