"""The axes of XPath 1.0 (section 2.2) over a document: each gives its nodes, the nearest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from sdqkd.schema.xpath import Axis
from sdqkd.schema.xpath_tree import Document, Place

Walk: TypeAlias = Callable[[Document, Place], Iterator[Place]]

# Those that go backwards in document order.
REVERSE: frozenset[Axis] = frozenset({"ancestor", "ancestor-or-self", "preceding", "preceding-sibling"})


def _self(document: Document, place: Place) -> Iterator[Place]:
    yield place


def _nothing(document: Document, place: Place) -> Iterator[Place]:
    return iter(())


def _children(document: Document, place: Place) -> Iterator[Place]:
    return iter(document.children(place))


def _parent(document: Document, place: Place) -> Iterator[Place]:
    if place.above is not None:
        yield place.above


def _ancestors(document: Document, place: Place) -> Iterator[Place]:
    at = place.above
    while at is not None:
        yield at
        at = at.above


def _and_ancestors(document: Document, place: Place) -> Iterator[Place]:
    yield place
    yield from _ancestors(document, place)


def _descendants(document: Document, place: Place) -> Iterator[Place]:
    return iter(document.descendants(place))


def _and_descendants(document: Document, place: Place) -> Iterator[Place]:
    yield place
    yield from document.descendants(place)


def _siblings_before(document: Document, place: Place) -> Iterator[Place]:
    before = []
    for sibling in document.children(place.above) if place.above is not None else ():
        if sibling is place:
            break
        before.append(sibling)
    return reversed(before)


def _siblings_after(document: Document, place: Place) -> Iterator[Place]:
    siblings = iter(document.children(place.above) if place.above is not None else ())
    for sibling in siblings:
        if sibling is place:
            break
    return siblings


def _preceding(document: Document, place: Place) -> Iterator[Place]:
    for at in _and_ancestors(document, place):
        for sibling in _siblings_before(document, at):
            yield from _backwards(document, sibling)


def _backwards(document: Document, place: Place) -> Iterator[Place]:
    """A node with all below, the last one first."""
    for child in reversed(document.children(place)):
        yield from _backwards(document, child)
    yield place


def _following(document: Document, place: Place) -> Iterator[Place]:
    for at in _and_ancestors(document, place):
        for sibling in _siblings_after(document, at):
            yield from _and_descendants(document, sibling)


AXES: Mapping[Axis, Walk] = {
    "ancestor": _ancestors,
    "ancestor-or-self": _and_ancestors,
    "attribute": _nothing,
    "child": _children,
    "descendant": _descendants,
    "descendant-or-self": _and_descendants,
    "following": _following,
    "following-sibling": _siblings_after,
    "namespace": _nothing,
    "parent": _parent,
    "preceding": _preceding,
    "preceding-sibling": _siblings_before,
    "self": _self,
}
