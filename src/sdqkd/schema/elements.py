"""One XML element against its schema node: its value, its place in the tree, what may be wrong with it.

The XML codec and `edit` share this. A place is worked out from the element's ancestors only when an error needs
it, so that reading a large document pays nothing for it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from sdqkd.errors import RpcError
from sdqkd.schema import problems
from sdqkd.schema.effort import Effort
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Path, Step
from sdqkd.schema.types import Canonical, ResolvePrefix, compiled, needs_prefixes

Element = etree._Element

MAX_LOOKUPS = 5_000_000  # of declarations of prefixes, in one document; in the order of half a second
_TOO_MANY_PREFIXES = "there are too many declarations of prefixes above values that use prefixes"


@dataclass(frozen=True, slots=True)
class Reading:
    """One document being read: `known` are the nodes right below the element `top`, by tag."""

    schema: Schema
    known: Mapping[str, SchemaNode]
    top: Element | None
    _effort: Effort = field(default_factory=lambda: Effort(MAX_LOOKUPS, _TOO_MANY_PREFIXES))

    def path_of(self, element: Element) -> Path:
        """Where the element is in the tree; only as far as its ancestors are known."""
        chain = []
        at: Element | None = element
        while at is not None and at is not self.top:
            chain.append(at)
            at = at.getparent()
        steps: list[Step] = []
        known = self.known
        for ancestor in reversed(chain):
            node = known.get(ancestor.tag)
            if node is None:
                break
            steps.append(self._step(node, ancestor))
            known = node.by_tag
        return tuple(steps)

    def _step(self, node: SchemaNode, element: Element) -> Step:
        """The step for an element that may be wrong itself, so nothing is raised here."""
        if node.kind == "leaf-list":
            return (node.member, (self._shown(node, element),))
        if node.kind != "list" or not node.keys:
            return node.member
        leafs = [node.children[key] for key in node.keys]
        found = [(leaf, element.find(leaf.tag)) for leaf in leafs]
        keys = tuple(self._shown(leaf, child) for leaf, child in found if child is not None)
        return (node.member, keys) if len(keys) == len(leafs) else node.member

    def _shown(self, node: SchemaNode, element: Element) -> str:
        text = element.text or ""
        try:
            return leaf_reader(node)[0](text, self.namespaces(element))
        except ValueError:
            return text.strip()

    def keys(self, node: SchemaNode, element: Element) -> tuple[str, ...]:
        """The key values of a list entry's element. Raises RpcError."""
        values = []
        for key in node.keys:
            leaf = node.children[key]
            child = element.find(leaf.tag)
            if child is None:
                raise problems.missing_key(self.schema, self.path_of(element)[:-1], node, key)
            values.append(self.value(leaf, child))
        return tuple(values)

    def value(self, node: SchemaNode, element: Element) -> str:
        """The canonical value of a leaf's element. Raises RpcError."""
        try:
            if node.type is None:
                return inner_xml(element)
            text = self._text(element) if len(element) else element.text or ""
            convert, prefixed = leaf_reader(node)
            return convert(text, self.namespaces(element) if prefixed else _no_prefix)
        except ValueError as error:
            path = self.path_of(element)
            path = (*path[:-1], node.member)
            raise problems.invalid_value(self.schema, path, error) from error

    def _text(self, element: Element) -> str:
        """The text of a leaf with comments left out; RpcError if it holds elements."""
        parts = [element.text or ""]
        for child in element:
            if is_content(child):
                name = etree.QName(child).localname
                raise problems.unknown_element(self.schema, self.path_of(element), name, ())
            parts.append(child.tail or "")
        return "".join(parts)

    def namespaces(self, element: Element) -> ResolvePrefix:
        """Resolves prefixes as bound at `element`; none is the default namespace (RFC 7950 section 9.10.3)."""
        return lambda prefix: self.schema.module_of(self._bound(element).get(prefix or None) or "")

    def _bound(self, element: Element) -> Mapping[str | None, str]:
        """The prefixes in scope. lxml looks them all up each time, so many of them above many values take long."""
        bound = element.nsmap
        self._effort.spend(len(bound))
        return bound

    def unknown(self, element: Element, known: Mapping[str, SchemaNode]) -> RpcError:
        """The error for an element that is none of `known`."""
        name = etree.QName(element)
        above = self.path_of(element)
        if self.schema.module_of(name.namespace or "") is None:
            return problems.unknown_namespace(self.schema, above, name.localname, name.namespace or "")
        members = [node.member for node in known.values()]
        return problems.unknown_element(self.schema, above, name.localname, members)

    def refuse_text(self, element: Element) -> None:
        """Raises RpcError if text stands between the elements of a container or list entry."""
        if not holds_text(element):
            return
        name = etree.QName(element).localname
        message = f"{name} holds elements, not text"
        raise problems.wrong_content(self.schema, self.path_of(element), name, message)


def is_content(element: Element) -> bool:
    """False for a comment or processing instruction, which lxml lists among the elements."""
    return isinstance(element.tag, str)


def holds_text(element: Element) -> bool:
    """Whether there is text between the elements that an element holds."""
    text = element.text
    if text and not text.isspace():
        return True
    for child in element:
        text = child.tail
        if text and not text.isspace():
            return True
    return False


@functools.cache
def leaf_reader(node: SchemaNode) -> tuple[Canonical, bool]:
    """How a value of this leaf is made canonical, and whether prefixes matter in it."""
    assert node.type is not None
    return compiled(node.type), needs_prefixes(node.type)


def _no_prefix(prefix: str) -> str | None:
    return None


def inner_xml(element: Element) -> str:
    """The content of an anydata or anyxml element, as text that can be printed again."""
    text = (element.text or "").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text + "".join(etree.tostring(child, encoding="unicode") for child in element)
