"""Many changes to one tree at the cost of one: what a draft has copied once it changes in place afterwards.

`tree.put` and `tree.remove` copy the containers above the node each time; a thousand of them in one list would
copy the list a thousand times.
"""

from __future__ import annotations

from collections.abc import Mapping

from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Container, Entries, Node, Path, is_void


class Draft:
    """A tree under change. `finish()` gives it away; the draft is of no use afterwards."""

    def __init__(self, schema: Schema, tree: Container) -> None:
        self._schema = schema
        self._root: dict[str, Node] = dict(tree.children)
        # The dicts that are this draft's own, and so may change; kept here so that no id is used twice.
        self._own: dict[int, object] = {}

    def put(self, path: Path, node: Node) -> None:
        """As `tree.put`, for a path that is not empty."""
        at, known = self._root, self._schema.data
        for step in path[:-1]:
            at, known = self._down(at, known, step)
        step = path[-1]
        if isinstance(step, str):
            if is_void(known[step], node):
                at.pop(step, None)
            else:
                at[step] = node
        elif isinstance(node, Container):
            entries = self._entries(at, step[0])
            keys = dict(zip(known[step[0]].keys, step[1], strict=False))
            entries[step[1]] = Container({**keys, **node.children}) if keys else node

    def remove(self, path: Path) -> None:
        """As `tree.remove`: containers that this empties go too, but presence containers stay."""
        self._remove(self._root, self._schema.data, path)

    def finish(self) -> Container:
        """The tree after all changes."""
        return Container(self._root)

    def _down(
        self, at: dict[str, Node], known: Mapping[str, SchemaNode], step: str | tuple[str, tuple[str, ...]]
    ) -> tuple[dict[str, Node], Mapping[str, SchemaNode]]:
        """The children of the container or entry at `step`, made if it is missing."""
        if isinstance(step, str):
            inside = self._owned(at.get(step))
            at[step] = inside
            return self._children(inside), known[step].children
        node = known[step[0]]
        entries = self._entries(at, step[0])
        old = entries.get(step[1]) or Container(dict(zip(node.keys, step[1], strict=False)))
        entries[step[1]] = inside = self._owned(old)
        return self._children(inside), node.children

    def _remove(self, at: dict[str, Node], known: Mapping[str, SchemaNode], path: Path) -> None:
        step, rest = path[0], path[1:]
        name = step if isinstance(step, str) else step[0]
        node, old = known[name], at.get(name)
        if old is None:
            return
        if isinstance(step, tuple):
            if isinstance(old, Entries) and step[1] in old.entries:
                entries = self._entries(at, name)
                if rest:
                    entries[step[1]] = inside = self._owned(entries[step[1]])
                    self._remove(self._children(inside), node.children, rest)
                else:
                    del entries[step[1]]
        elif rest:
            at[name] = inside = self._owned(old)
            self._remove(self._children(inside), node.children, rest)
        else:
            del at[name]
            return
        if is_void(node, at[name]):
            del at[name]

    def _owned(self, old: Node | None) -> Container:
        """A container with the children of `old` that this draft may change."""
        children = old.children if isinstance(old, Container) else {}
        if id(children) in self._own:
            assert isinstance(old, Container)
            return old
        copy = dict(children)
        self._own[id(copy)] = copy
        return Container(copy)

    def _children(self, container: Container) -> dict[str, Node]:
        assert isinstance(container.children, dict)
        return container.children

    def _entries(self, at: dict[str, Node], name: str) -> dict[tuple[str, ...], Container]:
        """The entries of the list `name`, as this draft's own, made if it is missing."""
        old = at.get(name)
        entries = old.entries if isinstance(old, Entries) else {}
        if id(entries) in self._own:
            assert isinstance(entries, dict)
            return entries
        copy = dict(entries)
        self._own[id(copy)] = copy
        at[name] = Entries(copy)
        return copy
