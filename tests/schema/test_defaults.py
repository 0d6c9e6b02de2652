"""Defaults in use, as libyang finds them, and what RFC 7950 says beyond that."""

from __future__ import annotations

from random import Random

import oopt_gnpy_libyang as libyang
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.schema.random_trees import DATA, children

from sdqkd.schema.defaults import is_default, with_defaults, without_defaults
from sdqkd.schema.diff import same
from sdqkd.schema.path import parse_path
from sdqkd.schema.table import read_table
from sdqkd.schema.tree import EMPTY, Container, Node, get, put, remove
from sdqkd.schema.validate import _context
from sdqkd.schema.xml import decode, encode

SCHEMA = read_table((DATA / "sdqkd_bindings" / "schema" / "defaults.json").read_text("utf-8"), (DATA,))
_PARSER = etree.XMLParser(remove_blank_text=True)
# libyang keeps, or does not add, what depends on a default that another condition takes away.
_BEYOND_LIBYANG = ("fourth", "contrary")


def read(content: str, *, state: bool = False) -> Container:
    data = etree.fromstring(f'<data xmlns="urn:sdqkd:test:defaults">{content}</data>')
    return decode(SCHEMA, data, state=state)


def leaf(tree: Container, path: str) -> Node | None:
    return get(tree, parse_path(SCHEMA, f"/defaults:{path}"))


@pytest.mark.parametrize(
    ("content", "path", "value"),
    [
        # RFC 7950 sections 7.6.1 and 7.7.2
        ("", "top", "top"),
        ("<top>x</top>", "top", "x"),
        ("", "kinds/plain", "a b"),
        ("", "kinds/of-type", "3"),
        ("", "kinds/own", "4"),
        ("", "kinds/decimal", "1.5"),
        ("", "kinds/shape", "defaults:ROUND"),
        ("", "kinds/flags", "a b"),
        ("", "kinds/union", "none"),
        ("", "kinds/letter", ("x", "y")),
        ("<kinds><letter>z</letter></kinds>", "kinds/letter", ("z",)),
        ("", "kinds/ordered", ("2", "1")),
        ("", "kinds/none", None),
        ("", "kinds/counted", "0"),
        ("", "kinds/inner/inmost/deep", "true"),
        ("", "kinds/inner/bare", None),
        ("", "kinds/lid", None),
        ("<kinds><lid/></kinds>", "kinds/lid/weight", "5"),
        ("", "kinds/row", None),
        ("<kinds><row><name>a</name></row></kinds>", "kinds/row[name='a']/on", "true"),
        (
            "<kinds><row><name>a</name><cell><x>2</x></cell></row></kinds>",
            "kinds/row[name='a']/cell[x='2']/y",
            "3",
        ),
        # Section 7.9.3
        ("", "choices/shoes", "old"),
        ("", "choices/path/paved", "false"),
        ("", "choices/lights", None),
        ("<choices><stick/></choices>", "choices/shoes", "old"),
        ("<choices><car>red</car></choices>", "choices/shoes", None),
        ("<choices><car>red</car></choices>", "choices/path", None),
        ("<choices><car>red</car></choices>", "choices/lights", "true"),
        ("<choices><fly>low</fly></choices>", "choices/lights", None),
        ("", "choices/left", "L"),
        ("", "choices/right", None),
        ("<choices><beside>x</beside></choices>", "choices/left", "L"),
        ("<choices><right>x</right></choices>", "choices/left", None),
        ("<choices><second-mark>x</second-mark></choices>", "choices/left", None),
        ("<choices><second-mark>x</second-mark></choices>", "choices/up", "U"),
        ("", "choices/up", None),
        ("", "choices/heads", None),
        ("<choices><tail>x</tail></choices>", "choices/tip", "t"),
        ("", "chosen", "chosen"),
        ("<other>x</other>", "chosen", None),
        # Section 7.21.5: under a condition
        ("", "conditions/fourth", "d"),
        ("<conditions><first>x</first></conditions>", "conditions/second", None),
        ("<conditions><first>x</first></conditions>", "conditions/fourth", None),
        ("<conditions><first>x</first></conditions>", "conditions/contrary", "no"),
        ("", "conditions/contrary", None),
        ("", "conditions/box/content", "full"),
        ("<conditions><first>z</first></conditions>", "conditions/box", None),
        ("", "conditions/boxed", "yes"),
        ("<conditions><first>z</first></conditions>", "conditions/boxed", None),
        ("", "conditions/near", "n"),
        ("<conditions><first>e</first></conditions>", "conditions/near", None),
        ("", "conditions/more/height", "20"),
        ("<conditions><first>x</first></conditions>", "conditions/more", None),
        ("", "conditions/added", "by augment"),
        ("<conditions><first>x</first></conditions>", "conditions/added", None),
        ("<conditions><item><name>a</name></item></conditions>", "conditions/item[name='a']/of-p", "of p"),
        ("<conditions><item><name>a</name></item></conditions>", "conditions/item[name='a']/of-other", None),
        (
            "<conditions><item><name>a</name></item><item><name>b</name><kind>q</kind></item></conditions>",
            "conditions/item[name='a']/of-other",
            "of other",
        ),
        (
            "<conditions><item><name>a</name></item><item><name>b</name><kind>q</kind></item></conditions>",
            "conditions/item[name='b']/of-other",
            None,
        ),
    ],
)
def test_a_default_is_in_use_or_not(content: str, path: str, value: Node | None) -> None:
    assert leaf(with_defaults(SCHEMA, read(content)), path) == value


def test_only_defaults_of_configuration_or_of_state_if_so_wanted() -> None:
    tree = read("<conditions><event><text>x</text></event></conditions>", state=True)
    configuration = with_defaults(SCHEMA, tree, state=False)
    assert leaf(configuration, "kinds/counted") is None
    assert leaf(configuration, "kinds/own") == "4"
    state = with_defaults(SCHEMA, tree, config=False)
    assert leaf(state, "kinds/counted") == "0"
    assert leaf(state, "kinds/own") is None
    assert leaf(state, "conditions/event[1]/level") == "3"


def test_a_tree_that_lacks_nothing_is_the_same() -> None:
    full = with_defaults(SCHEMA, EMPTY)
    assert with_defaults(SCHEMA, full) is full


def test_values_that_are_the_default_can_be_left_out() -> None:
    tree = read(
        "<top>top</top><kinds><own>4</own><of-type>4</of-type><letter>y</letter><letter>x</letter><ordered>1</ordered>"
        "<ordered>2</ordered><lid><weight>5</weight></lid><inner><inmost><deep>true</deep></inmost></inner>"
        "<row><name>a</name><on>true</on><cell><x>1</x><y>3</y></cell></row></kinds>"
    )
    trimmed = read(
        "<kinds><of-type>4</of-type><ordered>1</ordered><ordered>2</ordered><lid/>"
        "<row><name>a</name><cell><x>1</x></cell></row></kinds>"
    )
    assert without_defaults(SCHEMA, tree) == trimmed


@pytest.mark.parametrize("values", [("1", "x"), ("x", "2"), ("1",), ("2", "1", "x")])
def test_a_default_among_other_values_is_not_left_out(values: tuple[str, ...]) -> None:
    tree = put(SCHEMA, EMPTY, ("defaults:kinds", "ordered"), values)
    assert without_defaults(SCHEMA, tree) == tree


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(min_value=0), density=st.sampled_from([0.1, 0.3, 0.5]))
def test_libyang_agrees_with_all_defaults_and_with_none(seed: int, density: float) -> None:
    tree = children(SCHEMA.data, Random(seed), density)
    every = _printed(tree, libyang.PrintFlags.WithDefaultsAll)
    assert same(SCHEMA, _without_rest(with_defaults(SCHEMA, tree, state=False)), _without_rest(every))
    assume(not any(_is_default_in_part(tree, name) for name in ("letter", "ordered")))
    assert same(SCHEMA, without_defaults(SCHEMA, tree), _printed(tree, libyang.PrintFlags.WithDefaultsTrim))


def _is_default_in_part(tree: Container, name: str) -> bool:
    """Whether a leaf-list holds a default among other values.

    libyang cuts that off, but then it would be gone: defaults are in use only where there is no value at all
    (RFC 7950 section 7.7.2).
    """
    node, value = SCHEMA.data["defaults:kinds"].children[name], get(tree, ("defaults:kinds", name))
    return isinstance(value, tuple) and not is_default(node, value) and not set(value).isdisjoint(node.default)


def _printed(tree: Container, mode: object) -> Container:
    """The tree as libyang prints it with its defaults."""
    text, form = encode(SCHEMA, tree).decode(), libyang.DataFormat.XML
    assume("&#13;" not in text)  # libyang reads it and prints a bare carriage return
    if not text:
        text, form = "{}", libyang.DataFormat.JSON
    context = _context(SCHEMA)
    try:
        root = context.parse_data(text, form, libyang.ParseOptions.Strict, libyang.ValidationOptions.NoState)
    except libyang.Error:
        root = None
    context.clean_all_errors()
    assume(root is not None)
    document = root.print(libyang.DataFormat.XML, libyang.PrintFlags.WithSiblings | mode)
    return decode(SCHEMA, etree.fromstring(f"<data>{document or ''}</data>", _PARSER))


def _without_rest(tree: Container) -> Container:
    for name in _BEYOND_LIBYANG:
        tree = remove(tree, ("defaults:conditions", name), SCHEMA)
    return tree


def test_conditions_in_a_ring_are_worked_out_each_by_itself() -> None:
    """What is found on the way round holds only for where the way began."""
    ring = read_table(_RING)
    tree = put(ring, EMPTY, ("ring:box", "mark"), "x")
    filled = with_defaults(ring, tree)
    assert get(filled, ("ring:box", "all")) == "1"
    assert get(filled, ("ring:box", "after")) == "1"


_RING = """
{"set": "ring", "modules": [{"name": "ring", "namespace": "urn:ring", "prefix": "r", "implemented": true}],
 "identities": {}, "data": {"ring:box": {"kind": "container", "module": "ring", "config": true, "children": {
   "mark": {"kind": "leaf", "module": "ring", "config": true, "type": {"base": "string"}},
   "all": {"kind": "leaf", "module": "ring", "config": true, "type": {"base": "string"}, "default": ["1"],
           "when": [{"xpath": "count(../*) > 0", "module": "ring"}]},
   "after": {"kind": "leaf", "module": "ring", "config": true, "type": {"base": "string"}, "default": ["1"],
             "when": [{"xpath": "../all", "module": "ring"}]}}}}}
"""
