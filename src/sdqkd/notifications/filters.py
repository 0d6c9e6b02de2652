"""Filters as clients give them: whether an event is wanted, and what is selected of a datastore.

An event passes as a whole or not at all (RFC 5277 section 3.6, RFC 8639 section 2.2): it is wanted if the filter
selects anything of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from lxml import etree

from sdqkd.errors import SdqkdError
from sdqkd.notifications.streams import Event
from sdqkd.schema.elements import Element
from sdqkd.schema.filter import selector
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import EMPTY, Container
from sdqkd.schema.xml import decode_below
from sdqkd.schema.xpath import Names, NotNodesError, names_at
from sdqkd.schema.xpath_eval import evaluate
from sdqkd.schema.xpath_parse import parse
from sdqkd.schema.xpath_select import select
from sdqkd.schema.xpath_tree import Document
from sdqkd.schema.xpath_values import to_boolean

Selects: TypeAlias = Callable[[Container], Container]
Matches: TypeAlias = Callable[[Event], bool]

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True)


def everything(tree: Container) -> Container:
    """The selection of no filter."""
    return tree


def any_event(event: Event) -> bool:
    """The filter of no filter."""
    return True


@dataclass(frozen=True, slots=True)
class Filters:
    """Makes functions of filters, for one model set.

    An expression that is none raises ValueError with a sentence for people. Its prefixes are those in scope at
    the element that holds it, and the names of all modules (RFC 8639, stream-xpath-filter).
    """

    schema: Schema

    def events_by_subtree(self, element: Element) -> Matches:
        """Events of which a subtree filter (RFC 6241 section 6) selects anything."""
        chosen = selector(self.schema, self.schema.notifications, element)
        return self._on_trees(lambda tree: bool(chosen(tree).children))

    def events_by_xpath(self, text: str, element: Element | None) -> Matches:
        """Events for which an expression is true."""
        known = self.schema.notifications
        names = self._checked(text, element, known)
        expression = parse(text)
        return self._on_trees(
            lambda tree: to_boolean(evaluate(expression, Document(self.schema, tree, known), names))
        )

    def data_by_subtree(self, element: Element) -> Selects:
        """What a subtree filter selects."""
        return selector(self.schema, self.schema.data, element)

    def data_by_xpath(self, text: str, element: Element | None) -> Selects:
        """What an expression selects; nothing if it gives no nodes but a value."""
        names = self._checked(text, element, self.schema.data)

        def chosen(tree: Container) -> Container:
            try:
                return select(self.schema, tree, text, names)
            except NotNodesError:
                return EMPTY

        return chosen

    def _checked(self, text: str, element: Element | None, known: Mapping[str, SchemaNode]) -> Names:
        """What the names of an expression mean; whatever is wrong in itself shows on an empty tree."""
        bound: dict[str, str | None] = {module.name: module.name for module in self.schema.modules}
        if element is not None:
            bound |= names_at(self.schema, element).modules
        names = Names(bound)
        evaluate(parse(text), Document(self.schema, EMPTY, known), names)
        return names

    def _on_trees(self, matches: Callable[[Container], bool]) -> Matches:
        def wanted(event: Event) -> bool:
            try:
                return matches(tree_of(self.schema, event))
            except (SdqkdError, ValueError):
                # An expression may be sound and yet too much work on some event: it is not true of that.
                return False

        return wanted


def tree_of(schema: Schema, event: Event) -> Container:
    """The notification of an event, with its member name at the top."""
    element = etree.fromstring(event.payload, _PARSER)
    return Container({event.name: decode_below(schema, schema.notifications[event.name], element)})


def filter_element(inner: str) -> Element:
    """A filter that stands as anydata in a tree, as the element around it."""
    return etree.fromstring(f"<filter>{inner}</filter>".encode(), _PARSER)
