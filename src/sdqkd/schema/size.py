"""How large a tree is, roughly in bytes of its text; what two trees share costs nothing to compare."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import compress
from operator import is_not
from typing import TypeAlias, TypeVar

from sdqkd.schema.tree import Container, Entries, Node

NODE_BYTES = 24  # what a node takes beside its value: a name and what stands around it
_Entries: TypeAlias = Mapping[tuple[str, ...], Container]
_Name = TypeVar("_Name")


def size_bytes(node: Node) -> int:
    """The size of a leaf's value, or of all that a container or list holds."""
    if isinstance(node, str):
        return len(node)
    if isinstance(node, tuple):
        return sum(map(len, node)) + NODE_BYTES * len(node)
    held = node.children if isinstance(node, Container) else node.entries
    size = NODE_BYTES * len(held)
    for value in held.values():
        size += len(value) if isinstance(value, str) else size_bytes(value)
    return size


def growth_bytes(old: Node, new: Node) -> int:
    """By how much `new` is larger than `old`; negative if it is smaller."""
    if old is new:
        return 0
    if isinstance(old, Container) and isinstance(new, Container):
        return _grown(old.children, new.children)
    if isinstance(old, Entries) and isinstance(new, Entries):
        if len(old.entries) == len(new.entries):
            return _grown(*_unshared(old.entries, new.entries))
        return _grown(old.entries, new.entries)
    return size_bytes(new) - size_bytes(old)


def _unshared(old: _Entries, new: _Entries) -> tuple[_Entries, _Entries]:
    """The entries that are not the same at the same place; an entry holds its keys, so the others are the same."""
    differs = list(map(is_not, old.values(), new.values()))
    if not any(differs):
        return {}, {}
    return dict(compress(old.items(), differs)), dict(compress(new.items(), differs))


def _grown(old: Mapping[_Name, Node], new: Mapping[_Name, Node]) -> int:
    grown = 0
    for name, node in new.items():
        was = old.get(name)
        if was is None:
            grown += size_bytes(node) + NODE_BYTES
        elif was is not node:
            grown += growth_bytes(was, node)
    return grown - sum(size_bytes(node) + NODE_BYTES for name, node in old.items() if name not in new)
