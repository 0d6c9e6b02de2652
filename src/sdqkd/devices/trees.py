"""Building the trees that devices hand out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sdqkd.schema.tree import EMPTY, Container, Entries, Node


def container(children: Mapping[str, Node | None]) -> Container:
    """A container of those children that are there; empty containers and lists are not stored."""
    return Container({name: node for name, node in children.items() if node is not None and not _void(node)})


def entries(key: str, items: Iterable[Container]) -> Entries:
    """A list of entries by the leaf `key`, which each of them holds."""
    return Entries({(str(item.children[key]),): item for item in items})


def optional(value: object | None) -> str | None:
    """The text of a leaf; None where there is no value or an empty text."""
    return None if value in (None, "") else str(value)


def boolean(value: bool) -> str:
    """A boolean leaf."""
    return "true" if value else "false"


def decimal(value: float, digits: int) -> str:
    """Canonical text of a decimal64: rounded, at least one digit after the point, no negative zero.

    >>> decimal(7.47, 3), decimal(12, 3), decimal(-0.0001, 2)
    ('7.47', '12.0', '0.0')
    """
    whole, _, fraction = f"{value:.{digits}f}".partition(".")
    text = f"{whole}.{fraction.rstrip('0') or '0'}"
    return "0.0" if text == "-0.0" else text


def _void(node: Node) -> bool:
    return node in (EMPTY, (), Entries({}))
