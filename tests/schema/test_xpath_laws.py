"""XPath against lxml, on random trees and expressions."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.schema.plain_trees import NAMES, NAMESPACES, PLAIN, Expressions, as_xml, elements, plain_tree

from sdqkd.schema.xpath import XPathError
from sdqkd.schema.xpath_eval import Budget, evaluate
from sdqkd.schema.xpath_parse import parse
from sdqkd.schema.xpath_tree import Document, Place
from sdqkd.schema.xpath_values import Value


@settings(max_examples=1500, deadline=None)
@given(seed=st.integers(min_value=0))
def test_expressions_mean_what_lxml_says(seed: int) -> None:
    rng = Random(seed)
    tree = plain_tree(rng)
    document, xml = Document(PLAIN, tree), as_xml(tree)
    places, found = elements(document), list(xml.getroot().iter())
    at = rng.randrange(len(places))
    text = Expressions(rng).any()
    try:
        expected = found[at].xpath(text, namespaces=NAMESPACES)
    except etree.XPathEvalError as error:
        # Ours has a position outside predicates too, the same as in a set of one.
        assume("Invalid context" not in str(error))
        with pytest.raises(XPathError):
            evaluate(parse(text), document, NAMES, places[at], Budget(10_000_000))
        return
    value = evaluate(parse(text), document, NAMES, places[at], Budget(10_000_000))
    if isinstance(value, list):
        value = [place for place in value if place is not document.root]  # lxml has no object for it
    assert _same(value, expected, dict(zip(found, places, strict=True)), document), text


def _same(value: Value, expected: Any, places: dict[etree._Element, Place], document: Document) -> bool:
    if isinstance(expected, list):
        nodes = [_place(node, places, document) for node in expected]
        return isinstance(value, list) and [id(place) for place in value] == [id(node) for node in nodes]
    if isinstance(expected, float):
        same_sign = isinstance(value, float) and math.copysign(1, value) == math.copysign(1, expected)
        return isinstance(value, float) and (
            (value == expected and same_sign) or (math.isnan(value) and math.isnan(expected))
        )
    return type(value) in {bool, str} and value == expected


def _place(node: Any, places: dict[etree._Element, Place], document: Document) -> Place | None:
    return places[node] if isinstance(node, etree._Element) else document.text(places[node.getparent()])
