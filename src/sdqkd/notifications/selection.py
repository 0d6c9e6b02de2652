"""The filter that the terms of a subscription ask for: given with them, or named and kept in the configuration."""

from __future__ import annotations

from dataclasses import dataclass

from sdqkd.errors import RpcError
from sdqkd.notifications.board import RUNNING, Board
from sdqkd.notifications.filters import Matches, Selects, any_event, everything, filter_element
from sdqkd.notifications.refusals import SN, SN_NAMESPACE, YP, YP_NAMESPACE, hinted
from sdqkd.notifications.terms import Terms
from sdqkd.schema.elements import Element
from sdqkd.schema.tree import Container, get

FILTERS = f"{SN}:filters"
# By the leaf that names a filter: the list where it is kept.
_KEPT_IN = {"stream-filter-name": "stream-filter", f"{YP}:selection-filter-ref": f"{YP}:selection-filter"}


@dataclass(frozen=True, slots=True)
class _Source:
    """A filter as text; `element` is the one that holds it, if it came with a request."""

    is_subtree: bool
    text: str
    element: Element | None

    @property
    def subtree(self) -> Element:
        return filter_element(self.text) if self.element is None else self.element


def is_named(terms: Terms) -> bool:
    """Whether the filter is one that is kept in the configuration."""
    return terms.filter is not None and terms.filter[0] in _KEPT_IN


def event_filter(board: Board, terms: Terms, operation: Element | None, name: str) -> Matches:
    """The events that are wanted. `name` is the operation's; raises RpcError."""
    if terms.filter is None:
        return any_event
    try:
        source = _source(board, terms.filter, operation)
        if source.is_subtree:
            return board.filters.events_by_subtree(source.subtree)
        return board.filters.events_by_xpath(source.text, source.element)
    except ValueError as error:
        raise filter_unsupported(name, str(error), data=False) from error


def data_filter(board: Board, terms: Terms, operation: Element | None, name: str) -> Selects:
    """What is selected of the datastore. `name` is the operation's; raises RpcError."""
    if terms.filter is None:
        return everything
    try:
        source = _source(board, terms.filter, operation)
        if source.is_subtree:
            return board.filters.data_by_subtree(source.subtree)
        return board.filters.data_by_xpath(source.text, source.element)
    except ValueError as error:
        raise filter_unsupported(name, str(error), data=True) from error


def _source(board: Board, chosen: tuple[str, str], operation: Element | None) -> _Source:
    member, text = chosen
    if member in _KEPT_IN:
        return _kept(board, _KEPT_IN[member], text)
    module, _, name = member.rpartition(":")
    namespace = YP_NAMESPACE if module else SN_NAMESPACE
    element = operation.find(f"{{{namespace}}}{name}") if operation is not None else None
    return _Source("subtree" in name, text, element)


def _kept(board: Board, member: str, name: str) -> _Source:
    entry = get(board.sources.read(RUNNING), (FILTERS, (member, (name,)))) if RUNNING in board.sources else None
    for leaf, text in entry.children.items() if isinstance(entry, Container) else ():
        if leaf.endswith(("-subtree-filter", "-xpath-filter")):
            return _Source("subtree" in leaf, str(text), None)
    raise ValueError(f"there is no filter '{name[:80]}' in the configuration")


def filter_unsupported(operation: str, message: str, *, data: bool) -> RpcError:
    """The error for a filter that is none, or too much work; `data` if it is for a datastore."""
    hints = {"filter-failure-hint": message}
    return hinted(operation, f"{SN}:filter-unsupported", message, hints, data=data)
