"""What a change can reach: the part of a tree that must be judged when the tree before the change was right.

That part is the tree without those entries of lists that did not change, that no changed constraint is about, and
that no constraint of what is left looks at. libyang then judges it as if it were the whole.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sdqkd.schema.constraints import Constraint, Kind, ancestors, config_nodes, constraints
from sdqkd.schema.delta import Delta, Places
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Container, Entries, Node

ALL: tuple[Kind, ...] = ("must", "when", "reference", "unique")
CONDITIONS: tuple[Kind, ...] = ("when",)


@dataclass(frozen=True, slots=True)
class _List:
    """What speaks against leaving out the unchanged entries of one list.

    `outward` is read outside of an entry by the constraints inside it, None for everything. `readers` are the
    lists (outermost first) around each constraint that looks into the entries from outside. `compared` are the
    leafs that must be unique, and what they depend on.
    """

    node: SchemaNode
    outward: frozenset[SchemaNode] | None
    readers: frozenset[tuple[SchemaNode, ...]]
    compared: frozenset[SchemaNode] | None


def reach(schema: Schema, after: Container, found: Delta, kinds: tuple[Kind, ...] = ALL) -> Container:
    """The part of `after` to judge; `found` is how it differs from a tree that is right.

    `kinds` are the kinds of constraints that matter. The part may be `after` itself.
    """
    left_out = _left_out(_lists(schema, kinds), found)
    if not left_out:
        return after
    above = {node for chosen in left_out for node in ancestors(chosen)}
    return _Pruning(left_out, above).container(schema.data, after, found.places)


def _left_out(lists: Iterable[_List], found: Delta) -> set[SchemaNode]:
    """The lists whose unchanged entries do not matter now."""
    # Constraints inside an unchanged entry hold as before unless what they read outside has changed.
    candidates = [row for row in lists if _untouched(row.outward, found)]
    # A list with a new number of entries or new values that must be unique is judged as a whole.
    candidates = [
        row
        for row in candidates
        if row.node not in found.touched or (row.node.max is None and _untouched(row.compared, found))
    ]
    # What is left must see all that it looks at; what is left depends on what is left out, so until it is stable.
    while True:
        chosen = {row.node for row in candidates}
        kept = [row for row in candidates if not any(_stays(r, chosen, found) for r in row.readers)]
        if len(kept) == len(candidates):
            return chosen
        candidates = kept


def _untouched(nodes: frozenset[SchemaNode] | None, found: Delta) -> bool:
    return nodes is not None and nodes.isdisjoint(found.nodes)


def _stays(lists_around: tuple[SchemaNode, ...], left_out: Collection[SchemaNode], found: Delta) -> bool:
    """Whether an instance inside these lists may be left when the unchanged entries of some lists are not."""
    return all(node not in left_out or node in found.touched for node in lists_around)


@dataclass(frozen=True, slots=True)
class _Pruning:
    """Which lists lose their unchanged entries, and which nodes lie above such lists."""

    left_out: Collection[SchemaNode]
    above: Collection[SchemaNode]

    def container(self, known: Mapping[str, SchemaNode], container: Container, places: Places | None) -> Container:
        """A container or entry without what lies at none of the places and is left out."""
        if places is None:
            return container
        children: dict[str, Node] = {}
        for member, node in container.children.items():
            schema_node = known[member]
            kept: Node = node
            if schema_node in self.above:
                inside = places.get(member, {})  # type: ignore[call-overload]
                if isinstance(node, Container):
                    kept = self.container(schema_node.children, node, inside)
                elif isinstance(node, Entries):
                    kept = self._entries(schema_node, node, inside)
            if not isinstance(kept, Entries) or kept.entries:
                children[member] = kept
        return Container(children)

    def _entries(self, schema_node: SchemaNode, node: Entries, places: Places | None) -> Entries:
        if places is None:
            return node
        entries = node.entries
        if schema_node in self.left_out:
            # As many as have changed, not as many as there are.
            entries = {keys: entries[keys] for keys in places}  # type: ignore[index, misc]
        return Entries(
            {
                keys: self.container(schema_node.children, entry, places.get(keys, {}))  # type: ignore[call-overload]
                for keys, entry in entries.items()
            }
        )


@functools.cache
def _lists(schema: Schema, kinds: tuple[Kind, ...]) -> tuple[_List, ...]:
    """The lists whose entries can ever be left out."""
    wanted = [constraint for constraint in constraints(schema) if constraint.kind in kinds]
    return tuple(
        _List(node, _outward(node, wanted), _readers(node, wanted), _compared(node, wanted))
        for node in config_nodes(schema.data.values())
        if node.kind == "list" and node.keys and not _is_needed(node)
    )


def _is_needed(node: SchemaNode) -> bool:
    """Whether that there are entries at all means something: it may satisfy a minimum, or choose a case."""
    return node.min > 0 or any(above.choice for above in ancestors(node))


def _is_below(node: SchemaNode | None, top: SchemaNode) -> bool:
    return any(above is top for above in ancestors(node))


def _outward(node: SchemaNode, wanted: Iterable[Constraint]) -> frozenset[SchemaNode] | None:
    found: set[SchemaNode] = set()
    for constraint in wanted:
        if constraint.kind == "unique" or not _is_below(constraint.context, node):
            continue
        if constraint.reads is None:
            return None
        found |= {read.node for read in constraint.reads if read.node and not _is_below(read.apex, node)}
    return frozenset(found)


def _readers(node: SchemaNode, wanted: Iterable[Constraint]) -> frozenset[tuple[SchemaNode, ...]]:
    return frozenset(
        _lists_around(constraint.context)
        for constraint in wanted
        if constraint.kind != "unique"
        if constraint.reads is None
        or any(_is_below(read.node, node) and not _is_below(read.apex, node) for read in constraint.reads)
    )


def _compared(node: SchemaNode, wanted: Iterable[Constraint]) -> frozenset[SchemaNode] | None:
    found: set[SchemaNode] = set()
    for constraint in wanted:
        if constraint.kind == "unique" and constraint.context is node:
            if constraint.reads is None:
                return None
            found |= {read.node for read in constraint.reads if read.node}
    return frozenset(found)


def _lists_around(node: SchemaNode) -> tuple[SchemaNode, ...]:
    return tuple(reversed([above for above in ancestors(node) if above.kind == "list"]))
