"""Changes as the content of an edit-config request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sdqkd.schema.attributes import NETCONF, YANG
from sdqkd.schema.diff import Change
from sdqkd.schema.path import quote
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Container, Entries, Node
from sdqkd.schema.xml import Printer, escape, in_quotes

_MARKS = f' xmlns:nc="{NETCONF}" xmlns:yang="{YANG}"'
_REPLACE = ' nc:operation="replace"'
_FIRST = ' yang:insert="first"'
_REMOVE = ' nc:operation="remove"'


def changes_to_xml(schema: Schema, changes: Sequence[Change]) -> bytes:
    """The elements to put into <config> of an edit-config whose default operation is merge.

    Sent twice, it does the same as once: what is added replaces, what is deleted is removed if it is there.
    The changes must not overlap, as those of one `diff` do not.
    """
    tree: dict[Any, Any] = {}
    for change in changes:
        at = tree
        for step in change.path[:-1]:
            at = at.setdefault(step, {})
        at[change.path[-1]] = change
    writer = _Writer(Printer(schema))
    writer.children(schema.data, tree, _MARKS)
    return writer.printer.text().encode()


class _Writer:
    """Walks the changes, which hang on a tree of path steps."""

    def __init__(self, printer: Printer) -> None:
        self.printer = printer

    def children(self, known: Mapping[str, SchemaNode], steps: Mapping[Any, Any], marks: str = "") -> None:
        for step, inside in steps.items():
            name, keys = (step, ()) if isinstance(step, str) else step
            node = known[name]
            if isinstance(inside, Change):
                self._change(node, keys, inside, marks)
                continue
            self.printer.start(node, marks)
            self._keys(node, keys)
            self.children(node.children, inside)
            self.printer.end(node)

    def _keys(self, node: SchemaNode, keys: tuple[str, ...]) -> None:
        for name, value in zip(node.keys, keys, strict=False):
            self.printer.node(node.children[name], value)

    def _change(self, node: SchemaNode, keys: tuple[str, ...], change: Change, marks: str) -> None:
        if node.kind == "leaf-list":
            self._leaf_list(node, change, marks)
        elif node.kind == "list" and not keys:
            self._list(node, change, marks)
        elif change.new is None:
            self.printer.start(node, marks + _REMOVE)
            self._keys(node, keys)
            self.printer.end(node)
        elif isinstance(change.new, Container) and node.kind == "list":
            self.printer.entry(node, change.new, marks + _REPLACE)
        else:
            self.printer.node(node, change.new, marks + _REPLACE * isinstance(change.new, Container))

    def _leaf_list(self, node: SchemaNode, change: Change, marks: str) -> None:
        old, new = _values(change.old), _values(change.new)
        for value in old:
            if value not in new:
                self.printer.node(node, value, marks + _REMOVE)
        before: str | None = None
        for value in new:
            if node.user_ordered:
                self.printer.node(node, value, marks + self._after_value(node, before, value))
                before = value
            elif value not in old:
                self.printer.node(node, value, marks)

    def _after_value(self, node: SchemaNode, before: str | None, value: str) -> str:
        if before is None:
            return _FIRST
        declared, text = self.printer.prefixed(node, before)
        if declared == self.printer.prefixed(node, value)[0]:
            declared = ""  # the element declares it already, for its own value
        return f'{declared} yang:insert="after" yang:value="{in_quotes(text)}"'

    def _list(self, node: SchemaNode, change: Change, marks: str) -> None:
        """A user-ordered list whose order has changed: every entry in its place after the one before it."""
        old = change.old.entries if isinstance(change.old, Entries) else {}
        new = change.new.entries if isinstance(change.new, Entries) else {}
        for keys in old:
            if keys not in new:
                self.printer.start(node, marks + _REMOVE)
                self._keys(node, keys)
                self.printer.end(node)
        place = _FIRST
        for keys, entry in new.items():
            self.printer.entry(node, entry, marks + _REPLACE + place)
            place = self._after_entry(node, keys)

    def _after_entry(self, node: SchemaNode, keys: tuple[str, ...]) -> str:
        prefix = self.printer.prefix(node.module)
        names = zip(node.keys, keys, strict=True)
        key = "".join(f"[{prefix}:{name}={quote(value)}]" for name, value in names)
        declared = self.printer.declare(node.module)
        return f'{declared} yang:insert="after" yang:key="{in_quotes(escape(key))}"'


def _values(node: Node | None) -> Mapping[str, None]:
    return dict.fromkeys(node) if isinstance(node, tuple) else {}
