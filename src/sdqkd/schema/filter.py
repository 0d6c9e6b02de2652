"""Subtree filters (RFC 6241 section 6).

A filter is first set against the schema, which settles namespaces and values once; the resulting criteria are then
held against the data.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from lxml import etree

from sdqkd.schema.effort import Effort
from sdqkd.schema.elements import Element, Reading, is_content
from sdqkd.schema.pick import alone, shallow
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import EMPTY, Container, Entries, Node
from sdqkd.schema.types import canonical

_Key = TypeVar("_Key")
MAX_COMPARISONS = 250_000  # in the order of half a second
MAX_ELEMENTS = 100_000
_TOO_MANY_ELEMENTS = "this filter has too many elements: ask for less at a time"
_TOO_MANY_COMPARISONS = "this filter takes too many comparisons: ask for less at a time"
_HOLDERS = {"container", "list", "notification"}


def subtree(schema: Schema, tree: Container, filter_element: Element) -> Container:
    """What the filter selects of `tree`; nothing for an empty filter.

    Sibling elements join what they select. An element without namespace stands for every module's; an unknown
    name, an unknown namespace and an attribute match nothing, since no node of ours has attributes. The keys
    of a list entry of which something is selected come along (RFC 6241 section 6.2.5). Raises RpcError
    `resource-denied` if the filter asks for too much to be compared.
    """
    return selector(schema, schema.data, filter_element)(tree)


def selector(
    schema: Schema, known: Mapping[str, SchemaNode], filter_element: Element, depth: int | None = None
) -> Callable[[Container], Container]:
    """The filter as a function, to be used often; `known` are the nodes that may stand at the top of a tree.

    `depth` limits the levels that come with each selected node, as in `pick`. The function raises what
    `subtree` raises.
    """
    criteria = _Reader(schema, filter_element, depth).criteria(known, filter_element)

    def select(tree: Container) -> Container:
        selected = (
            criteria.select(tree, Effort(MAX_COMPARISONS, _TOO_MANY_COMPARISONS)) if criteria is not None else None
        )
        return selected if selected is not None else EMPTY

    return select


@dataclass(slots=True)
class _Criteria:
    """What one set of sibling elements asks of a container or list entry.

    `matches` must all hold; each is a choice of leafs with the value wanted. `picks` come whole, `inside` as
    far as their own criteria select them. `bare` says that there are matches only, which select everything.
    What is selected comes with `depth` levels.
    """

    depth: int | None = None
    matches: list[list[tuple[SchemaNode, str]]] = field(default_factory=list)
    picks: list[SchemaNode] = field(default_factory=list)
    inside: list[tuple[SchemaNode, _Criteria]] = field(default_factory=list)
    bare: bool = True

    def select(self, container: Container, effort: Effort) -> Container | None:
        """What is selected of `container`, None for nothing."""
        effort.spend(1)
        kept: dict[str, Node] = {}
        for alternatives in self.matches:
            found = [pair for pair in alternatives if _holds(container.children.get(pair[0].member), pair[1])]
            if not found:
                return None
            for node, value in found:
                kept[node.member] = _join(kept.get(node.member), value) if node.kind == "leaf-list" else value
        if self.bare:
            return container if self.matches else None
        for node in self.picks:
            if node.member in container.children:
                picked = container.children[node.member]
                kept[node.member] = picked if self.depth is None else shallow(node, picked, self.depth)
        parts: dict[str, list[Node]] = {}
        for node, criteria in self.inside:
            part = criteria.select_in(node, container.children.get(node.member), effort)
            if part is not None:
                parts.setdefault(node.member, []).append(part)
        for member, selections in parts.items():
            before = [kept[member]] if member in kept else []
            kept[member] = _union(container.children[member], before + selections)
        return Container(kept) if kept else None

    def select_in(self, node: SchemaNode, value: Node | None, effort: Effort) -> Node | None:
        """What is selected of a container or of the entries of a list."""
        if isinstance(value, Container):
            return self._whole(node, value, self.select(value, effort))
        if not isinstance(value, Entries):
            return None
        entries = {}
        for keys, entry in self._candidates(node, value):
            part = self._whole(node, entry, self.select(entry, effort))
            if part is not None:
                named = {key: entry.children[key] for key in node.keys}
                entries[keys] = part if part is entry else Container({**named, **part.children})
        return Entries(entries) if entries else None

    def _whole(self, node: SchemaNode, container: Container, part: Container | None) -> Container | None:
        """What was selected; of a whole container or entry no more levels than `depth`, and what matched."""
        if part is not container or self.depth is None:
            return part
        matched = (pair[0].member for match in self.matches for pair in match)
        found = {member: container.children[member] for member in matched if member in container.children}
        return Container({**found, **alone(node, container, self.depth).children})

    def _candidates(self, node: SchemaNode, value: Entries) -> Iterable[tuple[tuple[str, ...], Container]]:
        """The entries that can match: one if all keys are given, which spares a search of the list."""
        given = {pair[0].member: pair[1] for match in self.matches if len(match) == 1 for pair in match}
        if not node.keys or not given.keys() >= set(node.keys):
            return value.entries.items()
        keys = tuple(given[key] for key in node.keys)
        return [(keys, value.entries[keys])] if keys in value.entries else []


class _Reader:
    """Sets a filter against the schema."""

    def __init__(self, schema: Schema, filter_element: Element, depth: int | None) -> None:
        self._reading = Reading(schema, schema.by_tag, filter_element)
        self._depth = depth
        self._effort = Effort(MAX_ELEMENTS, _TOO_MANY_ELEMENTS)

    def criteria(self, known: Mapping[str, SchemaNode], elements: Iterable[Element]) -> _Criteria | None:
        """The criteria of these siblings, None if nothing can ever match them."""
        criteria = _Criteria(self._depth)
        for element in filter(is_content, elements):
            self._effort.spend(1)
            nodes = [] if element.keys() else _named(known, element)
            if any(is_content(child) for child in element):
                criteria.bare = False
                criteria.inside += self._inside(nodes, element)
            elif (element.text or "").strip():
                wanted = [(node, value) for node in nodes for value in self._values(node, element)]
                if not wanted:
                    return None
                criteria.matches.append(wanted)
            else:
                criteria.bare = False
                criteria.picks += nodes
        return criteria

    def _inside(self, nodes: Iterable[SchemaNode], element: Element) -> list[tuple[SchemaNode, _Criteria]]:
        found = []
        for node in nodes:
            below = self.criteria(node.children, element) if node.kind in _HOLDERS else None
            if below is not None:
                found.append((node, below))
        return found

    def _values(self, node: SchemaNode, element: Element) -> list[str]:
        """The value that a leaf must have to match; none if it can never have it."""
        if node.kind not in {"leaf", "leaf-list"} or node.type is None:
            return []
        # White space around a value is not part of it (RFC 6241 section 6.2.5), though a string may hold it.
        text = element.text or ""
        found = []
        for candidate in dict.fromkeys([text, text.strip()]):
            with contextlib.suppress(ValueError):
                found.append(canonical(node.type, candidate, self._reading.namespaces(element)))
        return list(dict.fromkeys(found))


def _named(known: Mapping[str, SchemaNode], element: Element) -> list[SchemaNode]:
    """The nodes that an element names: of its namespace, or of all if it has none."""
    name = etree.QName(element)
    return [
        node for node in known.values() if node.name == name.localname and name.namespace in {None, node.namespace}
    ]


def _holds(value: Node | None, wanted: str) -> bool:
    return value == wanted or (isinstance(value, tuple) and wanted in value)


def _join(values: Node | None, value: str) -> tuple[str, ...]:
    before = values if isinstance(values, tuple) else ()
    return before if value in before else (*before, value)


def _union(whole: Node, parts: Sequence[Node]) -> Node:
    """All selections of `whole` together, list entries in its order."""
    if len(parts) == 1 or any(part is whole for part in parts):
        return parts[0] if len(parts) == 1 else whole
    if isinstance(whole, Container):
        children = _gathered(part.children for part in parts if isinstance(part, Container))
        return Container({name: _union(whole.children[name], found) for name, found in children.items()})
    if isinstance(whole, Entries):
        entries = _gathered(part.entries for part in parts if isinstance(part, Entries))
        united = {keys: _union(entry, entries[keys]) for keys, entry in whole.entries.items() if keys in entries}
        return Entries({keys: entry for keys, entry in united.items() if isinstance(entry, Container)})
    if isinstance(whole, tuple):
        return tuple(value for value in whole if any(_holds(part, value) for part in parts))
    return parts[-1]


def _gathered(parts: Iterable[Mapping[_Key, Node]]) -> dict[_Key, list[Node]]:
    """What the parts hold under each key."""
    gathered: dict[_Key, list[Node]] = {}
    for part in parts:
        for key, node in part.items():
            gathered.setdefault(key, []).append(node)
    return gathered
