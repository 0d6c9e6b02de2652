"""Where what is in operational comes from: origins, RFC 8342 section 5.3.4, as XML marks and to select by them.

What was configured is `intended`, what only the device reports is `system`, and what is neither is `default`.
State (config-false nodes) has no origin.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sdqkd.schema.marked import child
from sdqkd.schema.table import SchemaNode
from sdqkd.schema.tree import Container, Entries, Node

Origin: TypeAlias = Literal["intended", "system", "default"]
ORIGIN_PREFIX = "or"


@dataclass(frozen=True, slots=True)
class Origins:
    """The origins right below one node; `intended` and `reported` are what was configured there, and reported."""

    intended: Container
    reported: Container

    def of(self, node: SchemaNode, keys: tuple[str, ...], value: Node) -> Origin:
        """The origin of a leaf, leaf-list value, container or entry (`keys`) that may be configured."""
        if _has(self.intended, node, keys, value):
            return "intended"
        return "system" if _has(self.reported, node, keys, value) else "default"

    def below(self, node: SchemaNode, keys: tuple[str, ...]) -> Origins:
        """Those below a container or an entry."""
        return Origins(child(self.intended, node, keys), child(self.reported, node, keys))


def _has(above: Container, node: SchemaNode, keys: tuple[str, ...], value: Node) -> bool:
    held = above.children.get(node.member)
    if isinstance(held, Entries):
        return keys in held.entries
    return value in held if isinstance(held, tuple) else held is not None


class OriginMarks:
    """Marks each node that has another origin than the node above it, by the prefix `or`."""

    def __init__(self, origins: Origins, above: Origin | None = None) -> None:
        self._origins = origins
        self._above = above

    def of(self, node: SchemaNode, keys: tuple[str, ...], value: Node) -> str:
        """Mark what can be configured."""
        origin = self._origins.of(node, keys, value) if node.config else self._above
        return "" if origin == self._above else f' {ORIGIN_PREFIX}:origin="{ORIGIN_PREFIX}:{origin}"'

    def below(self, node: SchemaNode, keys: tuple[str, ...]) -> OriginMarks | None:
        """Those below; there are none in state."""
        if not node.config:
            return None
        return OriginMarks(self._origins.below(node, keys), self._origins.of(node, keys, Container({})))


@dataclass(frozen=True, slots=True)
class Restriction:
    """What to leave of a tree: with `config` only what can be configured, or only state; by `origins` if given.

    RFC 8526 section 3.1.1. State is not asked for its origin.
    """

    config: bool | None = None
    origins: Collection[Origin] | None = None

    def left(self, known: Mapping[str, SchemaNode], tree: Container, origins: Origins) -> Container:
        """What is left, with what is above it; `known` are the nodes right below, `origins` are theirs."""
        if self.config is None and self.origins is None:
            return tree
        return self._inside(known, tree, origins, ())

    def _inside(
        self, known: Mapping[str, SchemaNode], tree: Container, origins: Origins, keys: tuple[str, ...]
    ) -> Container:
        kept: dict[str, Node] = {}
        for member, value in tree.children.items():
            node = known[member]
            part = value if member in keys else self._part(node, value, origins)
            if part is not None:
                kept[member] = part
        return Container(kept)

    def _part(self, node: SchemaNode, value: Node, origins: Origins) -> Node | None:
        if not node.config:
            return None if self.config else value
        if isinstance(value, Entries):
            parts = {keys: self._holder(node, keys, entry, origins) for keys, entry in value.entries.items()}
            entries = {keys: part for keys, part in parts.items() if part is not None}
            return Entries(entries) if entries else None
        if isinstance(value, Container):
            return self._holder(node, (), value, origins)
        if isinstance(value, tuple):
            return tuple(item for item in value if self._is_wanted(node, (), item, origins)) or None
        return value if self._is_wanted(node, (), value, origins) else None

    def _holder(
        self, node: SchemaNode, keys: tuple[str, ...], value: Container, origins: Origins
    ) -> Container | None:
        """A container or entry if anything of it is left, or if it stands for itself."""
        left = self._inside(node.children, value, origins.below(node, keys), node.keys)
        if len(left.children) > len(node.keys):
            return left
        # An empty container without presence has lost what was in it, if not to this restriction: it was cut off.
        stands = node.presence or node.kind == "list" or not value.children
        return left if stands and self._is_wanted(node, keys, value, origins) else None

    def _is_wanted(self, node: SchemaNode, keys: tuple[str, ...], value: Node, origins: Origins) -> bool:
        return self.config is not False and (self.origins is None or origins.of(node, keys, value) in self.origins)
