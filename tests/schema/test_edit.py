from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from sdqkd.errors import RpcError
from sdqkd.schema.diff import same
from sdqkd.schema.edit import edit, edit_noting
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import EMPTY, Container
from sdqkd.schema.xml import encode

_CASES = etree.parse(Path(__file__).parent / "data" / "edit-cases.xml").getroot().findall("case")


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.get("name"))
def test_edit_config_gives_the_tree_or_the_error_of_its_case(
    case: etree._Element, schema: Schema, tree_of: Callable[..., Container]
) -> None:
    before = tree_of(_qualified(case.find("before")))
    shown = encode(schema, before)
    default = case.get("default", "merge")
    error = case.find("error")
    if error is not None:
        with pytest.raises(RpcError) as raised:
            edit(schema, before, case.find("config"), default)
        _check_error(raised.value, error)
    else:
        after = edit(schema, before, case.find("config"), default)
        wanted = before if case.find("after") is None else tree_of(_qualified(case.find("after")))
        assert encode(schema, after) == encode(schema, wanted)
        assert (after is before) == (case.find("unchanged") is not None)
    assert encode(schema, before) == shown


def _qualified(element: etree._Element) -> etree._Element:
    """A copy in which identities keep the prefixes that the file binds at its root."""
    return etree.fromstring(etree.tostring(element))


def _check_error(error: RpcError, wanted: etree._Element) -> None:
    assert (error.tag, error.app_tag) == (wanted.get("tag"), wanted.get("app-tag"))
    assert error.path == wanted.get("path")
    assert wanted.get("message", "") in error.message
    info = {name: value for name, value in wanted.items() if name.startswith("bad-")}
    assert info.items() <= error.info.items()


def test_edited_names_the_conditional_nodes_of_the_request(schema: Schema) -> None:
    config = etree.fromstring(
        "<config><rows xmlns='urn:sdqkd:test:fixture'><row><name>a</name><depth>1</depth><slot>3</slot></row>"
        "<row><name>b</name><shade><level>4</level></shade></row></rows></config>"
    )
    named = edit_noting(schema, EMPTY, config).named()
    row = ("fixture:rows", ("row", ("a",)), "depth"), ("fixture:rows", ("row", ("b",)), "shade")
    assert named == set(row)


def test_what_the_request_does_not_touch_is_shared(schema: Schema, tree_of: Callable[..., Container]) -> None:
    before = tree_of("<box><label>a</label></box><rows><row><name>a</name></row><row><name>b</name></row></rows>")
    config = etree.fromstring(
        "<config><rows xmlns='urn:sdqkd:test:fixture'><row><name>b</name><slot>1</slot></row></rows></config>"
    )
    after = edit(schema, before, config)
    assert after.children["fixture:box"] is before.children["fixture:box"]
    old, new = (tree.children["fixture:rows"].children["row"].entries for tree in (before, after))
    assert new["a",] is old["a",]
    assert not same(schema, before, after)
