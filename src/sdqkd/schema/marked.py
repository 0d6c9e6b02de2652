"""Trees as XML with an attribute on some elements: that it is a default (RFC 6243), or its origin (RFC 8342)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Container, Entries, Node
from sdqkd.schema.xml import Printer

DEFAULT_PREFIX = "wd"


class Marks(Protocol):
    """The attributes of the elements right below one node. They use prefixes that are declared further above."""

    def of(self, node: SchemaNode, keys: tuple[str, ...], value: Node) -> str:
        """The attributes, each with a space before it, of a leaf, leaf-list value, container or entry (`keys`)."""
        ...

    def below(self, node: SchemaNode, keys: tuple[str, ...]) -> Marks | None:
        """Those below a container or entry, None if there are none."""
        ...


def encode_marked(schema: Schema, tree: Container, marks: Marks) -> bytes:
    """As `xml.encode`, with these attributes."""
    printer = Printer(schema)
    _children(printer, schema.data, tree.children, marks)
    return printer.text().encode()


def _children(
    printer: Printer, known: Mapping[str, SchemaNode], children: Mapping[str, Node], marks: Marks | None
) -> None:
    if marks is None:
        printer.children(known, children)
        return
    for member, value in children.items():
        node = known[member]
        if isinstance(value, Entries):
            for keys, entry in value.entries.items():
                named = {key: entry.children[key] for key in node.keys}
                _inside(printer, node, keys, Container({**named, **entry.children}), marks)
        elif isinstance(value, Container):
            _inside(printer, node, (), value, marks)
        else:
            for item in (value,) if isinstance(value, str) else value:
                printer.node(node, item, marks.of(node, (), item))


def _inside(printer: Printer, node: SchemaNode, keys: tuple[str, ...], value: Container, marks: Marks) -> None:
    printer.start(node, marks.of(node, keys, value))
    _children(printer, node.children, value.children, marks.below(node, keys))
    printer.end(node)


class DefaultMarks:
    """Marks what is not in `explicit` as a default (RFC 6243 section 6), by the prefix `wd`."""

    def __init__(self, explicit: Container) -> None:
        self._explicit = explicit

    def of(self, node: SchemaNode, keys: tuple[str, ...], value: Node) -> str:
        """Mark leafs and values that were not set."""
        is_set = node.member in self._explicit.children or not node.default
        return "" if is_set else f' {DEFAULT_PREFIX}:default="true"'

    def below(self, node: SchemaNode, keys: tuple[str, ...]) -> DefaultMarks:
        """Those below."""
        return DefaultMarks(child(self._explicit, node, keys))


class AllMarks:
    """Several marks on the same elements."""

    def __init__(self, marks: Sequence[Marks]) -> None:
        self._marks = marks

    def of(self, node: SchemaNode, keys: tuple[str, ...], value: Node) -> str:
        """All of them."""
        return "".join(one.of(node, keys, value) for one in self._marks)

    def below(self, node: SchemaNode, keys: tuple[str, ...]) -> AllMarks | None:
        """Those that there are below."""
        below = [one for marks in self._marks if (one := marks.below(node, keys)) is not None]
        return AllMarks(below) if below else None


def child(above: Container, node: SchemaNode, keys: tuple[str, ...]) -> Container:
    """A container, or an entry by its keys; an empty one where there is none."""
    value = above.children.get(node.member)
    if isinstance(value, Entries):
        value = value.entries.get(keys)
    return value if isinstance(value, Container) else Container({})
