"""Parts of a tree: some nodes with what is above them and the keys that name it, perhaps not to the full depth.

Under a limited depth a container may come out empty, which says that it is there; such a tree is for printing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Container, Entries, Node, Path, Step


@dataclass(slots=True)
class _Picked:
    """What is wanted of a node: all of it, or what is wanted of those below, by member and step."""

    whole: bool = False
    below: dict[str, dict[Step, _Picked]] = field(default_factory=dict)


_NOTHING = _Picked()


def pick(schema: Schema, tree: Container, paths: Iterable[Path], depth: int | None = None) -> Container:
    """The nodes at these paths, as far as they exist; entries in the order in which the paths name them.

    `depth` limits the levels that come with each node: 1 is the node alone, and the keys of an entry. The empty
    path stands for all nodes at the top.
    """
    picked = _Picked()
    for path in paths:
        at = picked
        for step in path:
            member = step if isinstance(step, str) else step[0]
            at = at.below.setdefault(member, {}).setdefault(step, _Picked())
        at.whole = True
    if picked.whole and depth is None:
        return tree
    return _Picker(depth).children(schema.data, tree, picked, depth or 0 if picked.whole else 0)


def shallow(node: SchemaNode, value: Node, depth: int) -> Node:
    """A node, or the entries of a list, with what is below to this depth: 1 is the node alone."""
    return _Picker(depth).member(node, value, {}, depth)


def alone(node: SchemaNode, value: Container, depth: int) -> Container:
    """A container, or one entry of a list, with what is below to this depth: 1 is the node and its keys."""
    return _Picker(depth).children(node.children, value, _NOTHING, depth - 1, node.keys)


@dataclass(frozen=True, slots=True)
class _Picker:
    """In each method `left` is the number of levels that come along unasked, from the children on."""

    depth: int | None

    def children(
        self,
        known: Mapping[str, SchemaNode],
        tree: Container,
        picked: _Picked,
        left: int,
        keys: tuple[str, ...] = (),
    ) -> Container:
        """What is wanted of a container or entry."""
        found: dict[str, Node] = {}
        for member, value in tree.children.items():
            steps = picked.below.get(member)
            if steps is not None or left > 0 or member in keys:
                found[member] = self.member(known[member], value, steps or {}, left)
        return Container(found)

    def member(self, node: SchemaNode, value: Node, steps: Mapping[Step, _Picked], left: int) -> Node:
        """What is wanted of one child: a leaf, the values of a leaf-list, a container, the entries of a list."""
        everything = left > 0 or node.member in steps
        if isinstance(value, Container):
            return self._inside(node, value, steps.get(node.member, _NOTHING), left)
        if isinstance(value, Entries):
            return self._entries(node, value, steps, left)
        if isinstance(value, tuple) and not everything:
            return tuple(item for item in value if (node.member, (item,)) in steps)
        return value

    def _entries(self, node: SchemaNode, value: Entries, steps: Mapping[Step, _Picked], left: int) -> Entries:
        every = steps.get(node.member, _NOTHING)
        if left > 0 or every.whole:
            names: Iterable[tuple[str, ...]] = value.entries
        else:
            names = (step[1] for step in steps if isinstance(step, tuple) and step[1] in value.entries)
        return Entries(
            {
                keys: self._inside(node, value.entries[keys], steps.get((node.member, keys), every), left)
                for keys in names
            }
        )

    def _inside(self, node: SchemaNode, value: Container, picked: _Picked, left: int) -> Container:
        if picked.whole and self.depth is None:
            return value
        own = (self.depth or 0) - 1 if picked.whole else 0
        return self.children(node.children, value, picked, max(left - 1, own), node.keys)
