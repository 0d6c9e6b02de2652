from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from sdqkd.errors import RpcError
from sdqkd.schema import filter as filter_module
from sdqkd.schema.filter import selector, subtree
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container
from sdqkd.schema.xml import encode

_FILE = etree.parse(Path(__file__).parent / "data" / "filter-cases.xml").getroot()


@pytest.fixture(scope="module")
def tree(tree_of: Callable[..., Container]) -> Container:
    return tree_of(_copy(_FILE.find("{*}tree")), state=True)


def _copy(element: etree._Element) -> etree._Element:
    return etree.fromstring(etree.tostring(element, with_tail=False))


@pytest.mark.parametrize("case", _FILE.findall("case"), ids=lambda case: case.get("name"))
def test_a_filter_selects_what_its_case_says(
    case: etree._Element, tree: Container, schema: Schema, tree_of: Callable[..., Container]
) -> None:
    selected = subtree(schema, tree, _copy(case.find("filter")))
    wanted = tree_of(_copy(case.find("selected")), state=True)
    assert selected == wanted
    # Entries keep the order that they have in the data.
    assert _names(encode(schema, selected)) == _names(encode(schema, wanted))


def _names(document: bytes) -> list[str]:
    root = etree.fromstring(b"<data>" + document + b"</data>")
    return root.xpath("//*[local-name()='row']/*[local-name()='name']/text()")


def test_a_matching_top_leaf_alone_selects_all_its_siblings(tree: Container, schema: Schema) -> None:
    wanted = etree.fromstring("<filter><root-leaf xmlns='urn:sdqkd:test:fixture'>r</root-leaf></filter>")
    assert subtree(schema, tree, wanted) is tree


def test_a_filter_for_notifications_selects_among_them(schema: Schema) -> None:
    member = "fixture:spilled"
    told = Container({member: Container({"litres": "1"})})
    namespace = schema.namespace_of("fixture")

    def selected(inside: str) -> Container:
        text = f'<filter><spilled xmlns="{namespace}">{inside}</spilled></filter>'
        return selector(schema, schema.notifications, etree.fromstring(text))(told)

    assert selected("") == selected("<litres>1</litres>") == selected("<litres/>") == told
    assert selected("<litres>2</litres>") == Container({})


def test_a_filter_that_asks_for_too_much_is_refused(
    tree: Container, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "<row><slot>1</slot></row>" * 50
    wanted = etree.fromstring(f"<filter><rows xmlns='urn:sdqkd:test:fixture'>{rows}</rows></filter>")
    subtree(schema, tree, wanted)
    monkeypatch.setattr(filter_module, "MAX_COMPARISONS", 50)
    with pytest.raises(RpcError, match="too many comparisons") as refused:
        subtree(schema, tree, wanted)
    assert refused.value.tag == "resource-denied"


def test_what_is_asked_for_by_its_keys_is_not_searched_for(
    tree: Container, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "<row><name>a</name><slot/></row>" * 50
    wanted = etree.fromstring(f"<filter><rows xmlns='urn:sdqkd:test:fixture'>{rows}</rows></filter>")
    monkeypatch.setattr(filter_module, "MAX_COMPARISONS", 60)
    subtree(schema, tree, wanted)
