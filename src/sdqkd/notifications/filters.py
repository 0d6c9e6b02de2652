"""Filters as clients give them: whether an event is wanted, and what is selected of a datastore.

An event passes as a whole or not at all (RFC 5277 section 3.6, RFC 8639 section 2.2): it is wanted if the filter
selects anything of it. XPath comes from outside, as an `XPath`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from lxml import etree

from sdqkd.errors import SdqkdError
from sdqkd.notifications.streams import Event
from sdqkd.schema.elements import Element
from sdqkd.schema.filter import selector
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container
from sdqkd.schema.xml import decode_below

Selects: TypeAlias = Callable[[Container], Container]
Matches: TypeAlias = Callable[[Event], bool]
Matcher: TypeAlias = Callable[[Container], bool]

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True)


class XPath(Protocol):
    """Reads expressions. `prefixes` are those in scope where the expression stands, with their namespaces.

    Both raise RpcError or ValueError for what is no expression.
    """

    def matcher(self, expression: str, prefixes: Mapping[str, str]) -> Matcher:
        """The expression as a question about a notification: a tree with its member name at the top."""
        ...

    def selector(self, expression: str, prefixes: Mapping[str, str]) -> Selects:
        """The expression as a selection of a datastore, as `get` would give it."""
        ...


def everything(tree: Container) -> Container:
    """The selection of no filter."""
    return tree


def any_event(event: Event) -> bool:
    """The filter of no filter."""
    return True


@dataclass(frozen=True, slots=True)
class Filters:
    """Makes functions of filters, for one model set. Raises ValueError or RpcError for what is no filter."""

    schema: Schema
    xpath: XPath | None = None

    def events_by_subtree(self, element: Element) -> Matches:
        """Events of which a subtree filter (RFC 6241 section 6) selects anything."""
        select = selector(self.schema, self.schema.notifications, element)
        return self._on_trees(lambda tree: bool(select(tree).children))

    def events_by_xpath(self, expression: str, element: Element | None) -> Matches:
        """Events for which an expression is true; prefixes are those in scope at `element`."""
        return self._on_trees(self._engine().matcher(expression, _prefixes(element)))

    def data_by_subtree(self, element: Element) -> Selects:
        """What a subtree filter selects."""
        return selector(self.schema, self.schema.data, element)

    def data_by_xpath(self, expression: str, element: Element | None) -> Selects:
        """What an expression selects."""
        return self._engine().selector(expression, _prefixes(element))

    def _engine(self) -> XPath:
        if self.xpath is None:
            raise ValueError("this server has no XPath filters; use a subtree filter")
        return self.xpath

    def _on_trees(self, matches: Matcher) -> Matches:
        def wanted(event: Event) -> bool:
            try:
                return matches(tree_of(self.schema, event))
            except (SdqkdError, ValueError):
                # An expression may be sound and yet fail on some event: it is not true of that.
                return False

        return wanted


def _prefixes(element: Element | None) -> Mapping[str, str]:
    if element is None:
        return {}
    return {prefix: str(space) for prefix, space in element.nsmap.items() if prefix is not None}


def tree_of(schema: Schema, event: Event) -> Container:
    """The notification of an event, with its member name at the top."""
    element = etree.fromstring(event.payload, _PARSER)
    return Container({event.name: decode_below(schema, schema.notifications[event.name], element)})


def filter_element(inner: str) -> Element:
    """A filter that stands as anydata in a tree, as the element around it."""
    return etree.fromstring(f"<filter>{inner}</filter>".encode(), _PARSER)
