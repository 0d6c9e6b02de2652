from __future__ import annotations

from collections.abc import Callable

import pytest
from lxml import etree
from tests.schema.elements import elements_of

from sdqkd.schema.filter import selector
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container
from sdqkd.schema.xpath import Names, names_at
from sdqkd.schema.xpath_select import select

TREE = """
<box><label>a</label><text>t</text><tag>x</tag><tag>y</tag><lid><weight>1</weight></lid></box>
<rows>
  <row><name>one</name><slot>3</slot><cell><x>1</x><y>a</y><value>7.5</value></cell><cell><x>2</x><y>a</y></cell></row>
  <row><name>two</name><slot>11</slot></row>
</rows>
"""


@pytest.mark.parametrize(
    ("text", "depth", "expected"),
    [
        ("/", None, TREE),
        ("/fx:box/fx:label", None, "<box><label>a</label></box>"),
        ("/fx:box/fx:tag[.='y']", None, "<box><tag>y</tag></box>"),
        (
            "//fx:slot",
            None,
            "<rows><row><name>one</name><slot>3</slot></row><row><name>two</name><slot>11</slot></row></rows>",
        ),
        (
            "//fx:value | /fx:box/fx:lid",
            None,
            "<box><lid><weight>1</weight></lid></box>"
            "<rows><row><name>one</name><cell><x>1</x><y>a</y><value>7.5</value></cell></row></rows>",
        ),
        (
            "//fx:cell[1] | //fx:row[fx:name='one']",
            None,
            "<rows><row><name>one</name><slot>3</slot><cell><x>1</x><y>a</y><value>7.5</value></cell>"
            "<cell><x>2</x><y>a</y></cell></row></rows>",
        ),
        ("//fx:row[3]", None, ""),
        ("/", 1, "<box/><rows/>"),
        ("/fx:rows", 1, "<rows/>"),
        ("/fx:rows", 2, "<rows><row><name>one</name></row><row><name>two</name></row></rows>"),
        (
            "//fx:row[1]",
            2,
            "<rows><row><name>one</name><slot>3</slot><cell><x>1</x><y>a</y></cell><cell><x>2</x><y>a</y></cell>"
            "</row></rows>",
        ),
        (
            "//fx:row[1] | //fx:value",
            1,
            "<rows><row><name>one</name><cell><x>1</x><y>a</y><value>7.5</value></cell></row></rows>",
        ),
        ("/fx:box/fx:tag", 1, "<box><tag>x</tag><tag>y</tag></box>"),
        ("/fx:box", 2, "<box><label>a</label><text>t</text><tag>x</tag><tag>y</tag><lid/></box>"),
    ],
)
def test_selected_nodes_come_with_what_names_them(
    schema: Schema, tree_of: Callable[..., Container], text: str, depth: int | None, expected: str
) -> None:
    selected = select(schema, tree_of(TREE), text, Names({"fx": "fixture"}), depth=depth)
    assert _shape(schema, selected) == _read(schema, expected)


def _read(schema: Schema, text: str) -> object:
    data = etree.fromstring(f'<data xmlns="{schema.namespace_of("fixture")}">{text}</data>')
    return [_element(child) for child in data]


def _shape(schema: Schema, tree: Container) -> object:
    return [_element(child) for child in elements_of(schema, tree)]


def _element(element: etree._Element) -> object:
    return element.tag, (element.text or "").strip(), [_element(child) for child in element]


@pytest.mark.parametrize(
    ("content", "depth", "expected"),
    [
        ("<rows/>", 1, "<rows/>"),
        ("<rows/>", 2, "<rows><row><name>one</name></row><row><name>two</name></row></rows>"),
        ("<rows><row><slot/></row></rows>", 1, "<rows><row><name>one</name><slot>3</slot></row>"
         "<row><name>two</name><slot>11</slot></row></rows>"),
        ("<rows><row><slot>3</slot></row></rows>", 1, "<rows><row><name>one</name><slot>3</slot></row></rows>"),
        ("<rows><row><name>one</name><cell/></row></rows>", 1,
         "<rows><row><name>one</name><cell><x>1</x><y>a</y></cell><cell><x>2</x><y>a</y></cell></row></rows>"),
        ("<box/><box><lid/></box>", 1, "<box><lid/></box>"),
        ("<box><label>a</label></box>", 2,
         "<box><label>a</label><text>t</text><tag>x</tag><tag>y</tag><lid/></box>"),
    ],
)  # fmt: skip
def test_a_subtree_filter_can_be_limited_in_depth(
    schema: Schema, tree_of: Callable[..., Container], content: str, depth: int, expected: str
) -> None:
    wanted = etree.fromstring(f'<filter xmlns="{schema.namespace_of("fixture")}">{content}</filter>')
    selected = selector(schema, schema.data, wanted, depth)(tree_of(TREE))
    assert _shape(schema, selected) == _read(schema, expected)


def test_prefixes_are_those_in_scope_where_the_expression_stands(schema: Schema) -> None:
    element = etree.fromstring('<f xmlns="urn:x" xmlns:a="urn:sdqkd:test:fixture" xmlns:b="urn:nobody"/>')
    names = names_at(schema, element)
    assert dict(names.modules) == {"a": "fixture", "b": None}
    assert names.default is None
