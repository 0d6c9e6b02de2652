"""A container while it is being changed: its children are copied once, a list only when an entry changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from sdqkd.schema.table import SchemaNode
from sdqkd.schema.tree import Container, Entries, Node

Keys: TypeAlias = tuple[str, ...]
Where: TypeAlias = Literal["first", "last", "before", "after"]
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Insertion:
    """Where an entry of a user-ordered list goes; `beside` are the keys (or the value) of its neighbour."""

    where: Where
    beside: Keys = ()


class Working:
    """The children of `old` under change. `finished()` is `old` itself if nothing came of it."""

    def __init__(self, old: Container) -> None:
        self._old = old
        self._children = dict(old.children)
        self._changed = False
        self._lists: dict[SchemaNode, dict[Keys, Container]] = {}
        self._leaf_lists: dict[SchemaNode, dict[str, None]] = {}
        self._seen: set[tuple[SchemaNode, Keys]] = set()

    def first_time(self, node: SchemaNode, keys: Keys) -> bool:
        """False if this node, entry or value was asked for before."""
        before = len(self._seen)
        self._seen.add((node, keys))
        return len(self._seen) > before

    def members(self) -> list[str]:
        """The names of the children."""
        return list(self._children)

    def holds(self, node: SchemaNode) -> bool:
        """True if there is anything of this child."""
        return node.member in self._children

    def get(self, node: SchemaNode) -> Node | None:
        """A leaf or container as it is now."""
        return self._children.get(node.member)

    def set(self, node: SchemaNode, value: Node | None) -> None:
        """Give a leaf or container its new content; None takes it out."""
        old = self._children.get(node.member)
        if value is old or (isinstance(value, str) and value == old):
            return
        self._changed = True
        if value is None:
            del self._children[node.member]
        else:
            self._children[node.member] = value

    def drop(self, node: SchemaNode) -> None:
        """Take the child out, whatever its kind."""
        self._lists.pop(node, None)
        self._leaf_lists.pop(node, None)
        self._changed = self._children.pop(node.member, None) is not None or self._changed

    def entries(self, node: SchemaNode) -> Mapping[Keys, Container]:
        """The entries of a list as they are now."""
        if node in self._lists:
            return self._lists[node]
        old = self._children.get(node.member)
        return old.entries if isinstance(old, Entries) else {}

    def set_entry(self, node: SchemaNode, keys: Keys, entry: Container | None) -> None:
        """Put an entry, at the end if it is new; None takes it out."""
        old = self.entries(node).get(keys)
        if entry is old:
            return
        entries = self._own_entries(node)
        if entry is None:
            del entries[keys]
        else:
            entries[keys] = entry

    def _own_entries(self, node: SchemaNode) -> dict[Keys, Container]:
        if node not in self._lists:
            # Stands for the list among the children until `finished`, so that members() names it.
            self._lists[node] = dict(self.entries(node))
            self._children.setdefault(node.member, Entries({}))
            self._changed = True
        return self._lists[node]

    def values(self, node: SchemaNode) -> Mapping[str, None]:
        """The values of a leaf-list as they are now."""
        if node not in self._leaf_lists:
            old = self._children.get(node.member)
            self._leaf_lists[node] = dict.fromkeys(old) if isinstance(old, tuple) else {}
        return self._leaf_lists[node]

    def set_value(self, node: SchemaNode, value: str, *, present: bool) -> None:
        """Add a value of a leaf-list at its end, or take it out."""
        if (value in self.values(node)) is present:
            return
        self._changed = True
        if present:
            self._leaf_lists[node][value] = None
            self._children.setdefault(node.member, ())
        else:
            del self._leaf_lists[node][value]

    def move(self, node: SchemaNode, keys: Keys, insertion: Insertion) -> bool:
        """Put an entry or value where `insertion` says. False if its neighbour does not exist."""
        if node.kind == "list":
            moved = _moved(self.entries(node), keys, insertion.where, insertion.beside)
            if moved is not None and list(moved) != list(self.entries(node)):
                self._own_entries(node)
                self._lists[node] = moved
            return moved is not None
        beside = insertion.beside[0] if insertion.beside else ""
        values = _moved(self.values(node), keys[0], insertion.where, beside)
        if values is not None and list(values) != list(self.values(node)):
            self._leaf_lists[node] = values
            self._changed = True
        return values is not None

    def finished(self) -> Container:
        """The container after all changes, without emptied lists."""
        if not self._changed:
            return self._old
        for node, entries in self._lists.items():
            self._children[node.member] = Entries(entries)
        for node, values in self._leaf_lists.items():
            if values or node.member in self._children:
                self._children[node.member] = tuple(values)
        return Container({name: value for name, value in self._children.items() if not _is_empty(value)})


def _is_empty(value: Node) -> bool:
    return value == () if isinstance(value, tuple) else isinstance(value, Entries) and not value.entries


def _moved(items: Mapping[_Key, _Value], key: _Key, where: str, beside: _Key) -> dict[_Key, _Value] | None:
    """`items` with `key` in its new place, None if `beside` is needed and is not there."""
    if where in {"before", "after"} and beside not in items:
        return None
    if beside == key and where in {"before", "after"}:
        return dict(items)
    order = [item for item in items if item != key]
    places = {"first": 0, "last": len(order)}
    place = places[where] if where in places else order.index(beside) + (where == "after")
    order.insert(place, key)
    return {item: items[item] for item in order}
