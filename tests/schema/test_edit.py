from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.schema.random_models import edited, random_schema
from tests.schema.random_trees import SCHEMA, children

from sdqkd.errors import RpcError
from sdqkd.schema.diff import same
from sdqkd.schema.edit import edit, edit_noting
from sdqkd.schema.table import Schema, read_table
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


_SHELF = """
{"set": "shelf", "modules": [{"name": "shelf", "namespace": "urn:shelf", "prefix": "s", "implemented": true}],
 "identities": {}, "data": {"shelf:book": {
   "kind": "list", "module": "shelf", "config": true, "keys": ["name"], "children": {
   "name": {"kind": "leaf", "module": "shelf", "config": true, "type": {"base": "string"}},
   "tag": {"kind": "leaf-list", "module": "shelf", "config": true, "type": {"base": "string"}}}}}}
"""


@pytest.mark.parametrize("attribute", ["", "nc:operation='merge'"])
def test_of_several_mistakes_the_first_is_told(attribute: str) -> None:
    config = etree.fromstring(
        f"<config xmlns:nc='urn:ietf:params:xml:ns:netconf:base:1.0'><book xmlns='urn:shelf'>"
        f"<name>a</name><tag>x</tag><tag {attribute}>x</tag><unknown/></book></config>"
    )
    with pytest.raises(RpcError, match="is given twice"):
        edit(read_table(_SHELF), EMPTY, config)


@given(st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_what_elements_say_does_not_depend_on_attributes_that_say_nothing_new(seed: int) -> None:
    """New entries without attributes are read a shorter way; it must lead to the same place."""
    rng = Random(seed)
    schema = SCHEMA if seed % 3 else random_schema(seed) or SCHEMA
    before, other = _random_tree(schema, rng), _random_tree(schema, rng)
    for _ in range(4):
        config = etree.fromstring(b"<config>%b</config>" % encode(schema, other))
        for _ in range(rng.choice([0, 1, 2, 4])):
            _damage(config, rng)
        marked = etree.fromstring(etree.tostring(config))
        for element in marked.iterdescendants():
            element.set("{urn:ietf:params:xml:ns:netconf:base:1.0}operation", "merge")
        assert _outcome(schema, before, config) == _outcome(schema, before, marked)


def _random_tree(schema: Schema, rng: Random) -> Container:
    if schema is SCHEMA:
        return children(schema.data, rng)
    tree = EMPTY
    for _ in range(30):
        tree = edited(schema.data, tree, rng)
    return tree


def _damage(config: etree._Element, rng: Random) -> None:
    """Make a request wrong, perhaps: something is twice, missing, empty, elsewhere or has another text."""
    elements = list(config.iterdescendants())
    if not elements:
        return
    element, other = rng.choice(elements), rng.choice(elements)
    parent = element.getparent()
    match rng.randrange(5):
        case 0:
            parent.insert(0, copy.deepcopy(element))
        case 1:
            parent.remove(element)
        case 2:
            other.append(copy.deepcopy(element))
        case 3:
            element[:] = []
        case _:
            element.text = "loose"


def _outcome(schema: Schema, before: Container, config: etree._Element) -> object:
    try:
        done = edit_noting(schema, before, config)
    except RpcError as error:
        return error.tag, error.path, error.message, error.info
    return encode(schema, done.tree), done.named()
