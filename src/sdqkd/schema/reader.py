"""Leafs of a valid tree as plain values: texts, numbers, flags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sdqkd.schema.tree import EMPTY, Container, Entries


class Reader:
    """One container of a tree that its model has found valid; where a leaf is absent, a default may be given."""

    __slots__ = ("_children", "tree")

    def __init__(self, tree: Container) -> None:
        self.tree = tree
        self._children: Mapping[str, Any] = tree.children

    def text(self, name: str, default: str = "") -> str:
        """A leaf's text, `default` if it is absent."""
        text: str = self._children.get(name, default)
        return text

    def local(self, name: str) -> str:
        """The name of an identity without its module."""
        text: str = self._children.get(name, "")
        return text.rpartition(":")[2]

    def number(self, name: str, default: str = "0") -> float:
        """A decimal64 or integer leaf as float."""
        return float(self.text(name, default))

    def flag(self, name: str, default: str = "false") -> bool:
        """A boolean leaf."""
        return self.text(name, default) == "true"

    def optional_int(self, name: str) -> int | None:
        """An integer leaf, None if it is absent."""
        text = self._children.get(name)
        return None if text is None else int(text)

    def optional_number(self, name: str) -> float | None:
        """A decimal64 or integer leaf as float, None if it is absent."""
        text = self._children.get(name)
        return None if text is None else float(text)

    def optional_text(self, name: str) -> str | None:
        """A leaf's text, None if it is absent."""
        return self._children.get(name)

    def values(self, name: str) -> tuple[str, ...]:
        """The values of a leaf-list."""
        values: tuple[str, ...] = self._children.get(name, ())
        return values

    def inside(self, name: str) -> Reader:
        """A child container; an empty one if it is absent."""
        return Reader(self._children.get(name, EMPTY))

    def has(self, name: str) -> bool:
        """Whether the child is there."""
        return name in self._children

    def entries(self, name: str) -> Iterator[Reader]:
        """The entries of a list, in order."""
        found = self._children.get(name)
        if isinstance(found, Entries):
            yield from map(Reader, found.entries.values())
