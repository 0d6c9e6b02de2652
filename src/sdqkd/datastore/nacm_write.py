"""Whether a user may turn one tree into another: RFC 8341 sections 3.2.5, 3.2.6 and 3.2.8.

What counts is what really changes, node by node: what is new needs the right to create, what is gone that to
delete, and a leaf with another value that to update. A non-presence container is always there (RFC 7950 section
7.5.1), so it needs none. Nor does what goes by itself because a node of another case has come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sdqkd.datastore.nacm_places import Place
from sdqkd.datastore.nacm_rules import Access
from sdqkd.schema.problems import first_conflict
from sdqkd.schema.table import SchemaNode
from sdqkd.schema.tree import EMPTY, Container, Entries, Node, Path


@dataclass(frozen=True, slots=True)
class Denial:
    """One node that a user may not change so."""

    access: Access
    path: Path


class WritePlaces(NamedTuple):
    """The place of one node for each way to write it."""

    create: Place
    update: Place
    delete: Place

    @property
    def open(self) -> bool:
        """Whether anything may be done here and below."""
        return self.create.open and self.update.open and self.delete.open

    def below(self, node: SchemaNode) -> WritePlaces:
        """Give those of a child."""
        return WritePlaces(self.create.below(node), self.update.below(node), self.delete.below(node))

    def entry(self, keys: tuple[str, ...]) -> WritePlaces:
        """Give those of an entry of this list."""
        return WritePlaces(self.create.entry(keys), self.update.entry(keys), self.delete.entry(keys))


def denials(
    known: Mapping[str, SchemaNode], old: Container, new: Container, places: WritePlaces, path: Path = ()
) -> Iterator[Denial]:
    """Give the nodes below `path` whose change from `old` to `new` is denied, one by one."""
    if old is new or places.open:
        return
    for member, before in old.children.items():
        after = new.children.get(member)
        if before is not after and not (after is None and _displaced(known, known[member], new)):
            yield from _node(known[member], before, after, places.below(known[member]), (*path, member))
    for member, after in new.children.items():
        if member not in old.children:
            yield from _node(known[member], None, after, places.below(known[member]), (*path, member))


def _displaced(known: Mapping[str, SchemaNode], node: SchemaNode, new: Container) -> bool:
    """Whether there is a node now that excludes this one: RFC 7950 section 7.9."""
    if not node.choice:
        return False
    return any(first_conflict((node, known[member])) for member in new.children if known[member].choice)


def _node(
    node: SchemaNode, old: Node | None, new: Node | None, places: WritePlaces, path: Path
) -> Iterator[Denial]:
    if node.kind == "list":
        yield from _list(node, _entries(old), _entries(new), places, path)
    elif node.kind == "leaf-list":
        yield from _leaf_list(node, _values(old), _values(new), places, path)
    elif node.kind == "container":
        if node.presence:
            yield from _itself(old, new, places, path)
        yield from denials(node.children, _inside(old), _inside(new), places, path)
    else:
        yield from _itself(old, new, places, path)


def _itself(old: Node | None, new: Node | None, places: WritePlaces, path: Path) -> Iterator[Denial]:
    """A node alone, without what it holds."""
    if old is None and not places.create.permitted:
        yield Denial("create", path)
    elif new is None and not places.delete.permitted:
        yield Denial("delete", path)
    elif isinstance(old, str) and isinstance(new, str) and old != new and not places.update.permitted:
        yield Denial("update", path)


def _list(
    node: SchemaNode,
    old: Mapping[tuple[str, ...], Container],
    new: Mapping[tuple[str, ...], Container],
    places: WritePlaces,
    path: Path,
) -> Iterator[Denial]:
    above = path[:-1]
    for keys, before in old.items():
        after = new.get(keys)
        if after is not before:
            own, place = places.entry(keys), (*above, (node.member, keys))
            yield from _itself(before, after, own, place)
            yield from denials(node.children, before, after or EMPTY, own, place)
    fresh = new.keys() - old.keys()
    for keys in [keys for keys in new if keys in fresh] if fresh else ():
        own, place = places.entry(keys), (*above, (node.member, keys))
        yield from _itself(None, new[keys], own, place)
        yield from denials(node.children, EMPTY, new[keys], own, place)
    if node.user_ordered:
        yield from _moves(node, list(old), list(new), places.update, above)


def _leaf_list(
    node: SchemaNode, old: Sequence[str], new: Sequence[str], places: WritePlaces, path: Path
) -> Iterator[Denial]:
    before, after = set(old), set(new)
    for value in (*old, *(value for value in new if value not in before)):
        own, place = places.entry((value,)), (*path[:-1], (node.member, (value,)))
        yield from _itself(value if value in before else None, value if value in after else None, own, place)
    if node.user_ordered:
        yield from _moves(node, [(value,) for value in old], [(value,) for value in new], places.update, path[:-1])


def _moves(
    node: SchemaNode, old: Sequence[tuple[str, ...]], new: Sequence[tuple[str, ...]], place: Place, above: Path
) -> Iterator[Denial]:
    """Entries that may not be updated stay in their order; others can be moved around them at will."""
    if old == new or place.open:
        return
    both = set(old) & set(new)
    fixed = {keys for keys in both if not place.entry(keys).permitted}
    for before, after in zip(
        (keys for keys in old if keys in fixed), (keys for keys in new if keys in fixed), strict=True
    ):
        if before != after:
            yield Denial("update", (*above, (node.member, after)))
            return


def _entries(node: Node | None) -> Mapping[tuple[str, ...], Container]:
    return node.entries if isinstance(node, Entries) else {}


def _values(node: Node | None) -> tuple[str, ...]:
    return node if isinstance(node, tuple) else ()


def _inside(node: Node | None) -> Container:
    return node if isinstance(node, Container) else EMPTY
