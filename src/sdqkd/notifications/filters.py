"""Filters as clients give them: whether an event is wanted, and what is selected of a datastore.

An event passes as a whole or not at all (RFC 5277 section 3.6, RFC 8639 section 2.2): it is wanted if the filter
selects anything of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from lxml import etree

from sdqkd.errors import RpcError
from sdqkd.notifications.streams import Event
from sdqkd.schema.elements import Element
from sdqkd.schema.filter import selector
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import EMPTY, Container
from sdqkd.schema.xml import decode_below
from sdqkd.schema.xpath import Names, TooExpensiveError, XPathError, names_at
from sdqkd.schema.xpath_eval import Budget, evaluate
from sdqkd.schema.xpath_parse import parse
from sdqkd.schema.xpath_select import select
from sdqkd.schema.xpath_tree import Document
from sdqkd.schema.xpath_values import to_boolean

Selects: TypeAlias = Callable[[Container], Container]
Matches: TypeAlias = Callable[[Event], bool]

MAX_FILTER_BYTES = 64 * 1024
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True)


class TooMuchWorkError(ValueError):
    """A filter that takes too much work on what it is held against."""


def everything(tree: Container) -> Container:
    """The selection of no filter."""
    return tree


def any_event(event: Event) -> bool:
    """The filter of no filter."""
    return True


@dataclass(frozen=True, slots=True)
class Filters:
    """Makes functions of filters, for one model set.

    A filter that is none, or too large, raises ValueError with a sentence for people. The prefixes of an
    expression are those in scope at the element that holds it, and the names of all modules (RFC 8639,
    stream-xpath-filter). What a filter becomes raises TooMuchWorkError when it is used.
    """

    schema: Schema
    event_steps: int = 10_000
    data_steps: int = 200_000

    def events_by_subtree(self, element: Element) -> Matches:
        """Events of which a subtree filter (RFC 6241 section 6) selects anything."""
        chosen = self._subtree(element, self.schema.notifications)
        return lambda event: bool(chosen(tree_of(self.schema, event)).children)

    def events_by_xpath(self, text: str, element: Element | None) -> Matches:
        """Events for which an expression is true."""
        known = self.schema.notifications
        names = self._checked(text, element, known)
        expression = parse(text)

        def matches(event: Event) -> bool:
            document = Document(self.schema, tree_of(self.schema, event), known)
            try:
                return to_boolean(evaluate(expression, document, names, budget=Budget(self.event_steps)))
            except TooExpensiveError as error:
                raise TooMuchWorkError(str(error)) from error
            except XPathError:
                return False  # it is sound, and yet has no value for this event

        return matches

    def data_by_subtree(self, element: Element) -> Selects:
        """What a subtree filter selects."""
        return self._subtree(element, self.schema.data)

    def data_by_xpath(self, text: str, element: Element | None) -> Selects:
        """What an expression selects; nothing if it gives no nodes but a value."""
        names = self._checked(text, element, self.schema.data)

        def chosen(tree: Container) -> Container:
            try:
                return select(self.schema, tree, text, names, budget=Budget(self.data_steps))
            except TooExpensiveError as error:
                raise TooMuchWorkError(str(error)) from error
            except XPathError:
                return EMPTY

        return chosen

    def _subtree(self, element: Element, known: Mapping[str, SchemaNode]) -> Selects:
        if len(etree.tostring(element)) > MAX_FILTER_BYTES:
            raise ValueError(f"the filter has more than {MAX_FILTER_BYTES} bytes")
        compare = selector(self.schema, known, element)

        def chosen(tree: Container) -> Container:
            try:
                return compare(tree)
            except RpcError as error:
                raise TooMuchWorkError(error.message) from error

        return chosen

    def _checked(self, text: str, element: Element | None, known: Mapping[str, SchemaNode]) -> Names:
        """What the names of an expression mean; whatever is wrong in itself shows on an empty tree."""
        bound: dict[str, str | None] = {module.name: module.name for module in self.schema.modules}
        if element is not None:
            bound |= names_at(self.schema, element).modules
        names = Names(bound)
        evaluate(parse(text), Document(self.schema, EMPTY, known), names)
        return names


def tree_of(schema: Schema, event: Event) -> Container:
    """The notification of an event, with its member name at the top."""
    element = etree.fromstring(event.payload, _PARSER)
    return Container({event.name: decode_below(schema, schema.notifications[event.name], element)})


def filter_element(inner: str) -> Element:
    """A filter that stands as anydata in a tree, as the element around it."""
    return etree.fromstring(f"<filter>{inner}</filter>".encode(), _PARSER)
