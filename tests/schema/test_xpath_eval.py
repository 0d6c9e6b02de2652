"""What only YANG knows (types, identities, keys), errors, bounds. The rest is held to lxml by test_xpath_laws."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import oopt_gnpy_libyang as libyang
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.schema.random_trees import SCHEMA, children

from sdqkd.schema.path import format_path
from sdqkd.schema.tree import Container
from sdqkd.schema.validate import _context
from sdqkd.schema.xml import encode
from sdqkd.schema.xpath import Names, NotNodesError, TooExpensiveError, XPathError
from sdqkd.schema.xpath_eval import Budget, evaluate
from sdqkd.schema.xpath_parse import parse
from sdqkd.schema.xpath_select import find
from sdqkd.schema.xpath_tree import Document
from sdqkd.schema.xpath_values import Value

NAMES = Names({"fx": "fixture", "fm": "fixture-more", "ft": "fixture-types", "strange": None})

TREE = """
<box><label>a</label><tag>x</tag><tag>y</tag>
  <colour xmlns:t="urn:sdqkd:test:fixture-types">t:DARK-RED</colour></box>
<rows>
  <row><name>one</name><slot>3</slot><side>right</side><behind>two</behind>
    <kind xmlns:t="urn:sdqkd:test:fixture-types">t:RED</kind>
    <cell><x>1</x><y>a</y><value>7.5</value></cell><cell><x>2</x><y>a</y></cell><up/></row>
  <row><name>two</name><slot>11</slot><side>left</side><kind>BLUE</kind><down/></row>
</rows>
<values><bits>a c</bits><union>unlimited</union><uuid>0000000a-0000-4000-8000-00000000000a</uuid>
  <decimal>7.5</decimal><instance xmlns:f="urn:sdqkd:test:fixture">/f:rows/f:row[f:name='two']</instance></values>
"""
ROW_ONE, ROW_TWO = "/fixture:rows/row[name='one']", "/fixture:rows/row[name='two']"


@pytest.fixture(scope="module")
def tree(tree_of: Callable[..., Container]) -> Container:
    return tree_of(TREE)


def paths(tree: Container, text: str, names: Names = NAMES, budget: Budget | None = None) -> list[str]:
    return [format_path(path, SCHEMA) for path in find(SCHEMA, tree, text, names, budget)]


def value(tree: Container, text: str, names: Names = NAMES) -> Value:
    return evaluate(parse(text), Document(SCHEMA, tree), names)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/fx:rows/fx:row[fx:name='two']", [ROW_TWO]),
        ("//fx:row[fx:slot = 3]/fx:slot", [f"{ROW_ONE}/slot"]),
        ("/fx:rows/fx:row/fx:cell[fx:x='2'][fx:y='a']", [f"{ROW_ONE}/cell[x='2'][y='a']"]),
        ("/fx:rows/fx:row/fx:cell[fx:y='a' and '02'=fx:x]", [f"{ROW_ONE}/cell[x='2'][y='a']"]),
        ("/fx:rows/fx:row/fx:cell[2][fx:x='2'][fx:y='a']", [f"{ROW_ONE}/cell[x='2'][y='a']"]),
        ("/fx:rows/fx:row/fx:cell[fx:x='2'][fx:y='a'][2]", []),
        ("/fx:rows/fx:row/fx:cell[fx:x='2' or fx:x='1'][fx:y='a'][2]", [f"{ROW_ONE}/cell[x='2'][y='a']"]),
        ("/fx:rows/fx:row[fx:name = /fx:rows/fx:row/fx:behind]", [ROW_TWO]),
        ("/fx:box/fx:tag[2]", ["/fixture:box/tag[.='y']"]),
        ("/fx:box/fx:tag[.='x']/text()", ["/fixture:box/tag[.='x']"]),
        ("/*", ["/fixture:box", "/fixture:rows", "/fixture:values"]),
        ("/fm:*|/fx:box", ["/fixture:box"]),
        ("/strange:box", []),
        # A leaf's value has many spellings.
        ("//fx:decimal[.='7.500']", ["/fixture:values/decimal"]),
        ("//fx:decimal[. > 7]", ["/fixture:values/decimal"]),
        ("//fx:uuid[.='0000000A-0000-4000-8000-00000000000A']", ["/fixture:values/uuid"]),
        ("//fx:kind[.='ft:RED']", [f"{ROW_ONE}/kind"]),
        ("//fx:kind[.='fx:RED']", []),
        ("//fx:kind[.!='ft:RED']", [f"{ROW_TWO}/kind"]),
        # YANG's functions
        ("//fx:row[derived-from-or-self(fx:kind, 'ft:RED')]", [ROW_ONE]),
        ("//*[derived-from(., 'ft:RED')]", ["/fixture:box/colour"]),
        ("//*[derived-from(., 'ft:NOTHING')]", []),
        ("//fx:row[enum-value(fx:side) = 1]", [ROW_ONE]),
        ("/fx:values[bit-is-set(fx:bits, 'c')]", ["/fixture:values"]),
        ("/fx:values[bit-is-set(fx:bits, 'b') or bit-is-set(fx:union, 'c')]", []),
        ("//fx:row[re-match(fx:name, '[a-o]+e')]", [ROW_ONE]),
        ("deref(//fx:behind)/..", [ROW_TWO]),
        ("deref(/fx:values/fx:instance)/fx:slot", [f"{ROW_TWO}/slot"]),
        ("deref(/fx:box/fx:label)", []),
        ("current()/fx:box", ["/fixture:box"]),
    ],
)
def test_nodes_are_found(tree: Container, text: str, expected: list[str]) -> None:
    assert paths(tree, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/rows/row[name='two']", [ROW_TWO]),
        ("//kind[.='RED']", [f"{ROW_ONE}/kind"]),
        ("/fx:rows/row[2]", [ROW_TWO]),
    ],
)
def test_a_clients_name_without_prefix_is_that_of_any_module(
    tree: Container, text: str, expected: list[str]
) -> None:
    assert paths(tree, text) == expected


def test_in_a_model_a_name_without_prefix_is_the_modules_own(tree: Container) -> None:
    assert paths(tree, "/rows/row[derived-from-or-self(kind, 'BLUE')]", Names({}, "fixture")) == [ROW_TWO]
    assert paths(tree, "/rows", Names({}, "fixture-more")) == []
    # The bare name of another module's identity is none, as in the published ETSI GS QKD 015.
    assert paths(tree, "//kind[.='RED']", Names({}, "fixture")) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 div 3", 1 / 3),
        ("1 div 0", math.inf),
        ("-1 div 0", -math.inf),
        ("string(1 div 0)", "Infinity"),
        ("string(0.00001)", "0.00001"),
        ("string(1000000 * 1000000)", "1000000000000"),
        ("number('1e3') = number('1e3')", False),
        ("string-length('☃😀')", 2.0),
        ("round(-2.5)", -2.0),
        ("substring('12345', 1.5, 2.6)", "234"),
        ("substring('12345', 0 div 0, 3)", ""),
        ("substring('12345', -42, 1 div 0)", "12345"),
        ("enum-value(//fx:label) = 0", False),
        ("string(//fx:kind)", "fixture-types:RED"),
        ("count(//fx:cell)", 2.0),
        ("lang('en')", False),
        ("id('x')", []),
        ("true() + 1", 2.0),
        ("position() + last()", 2.0),
    ],
)
def test_values(tree: Container, text: str, expected: Value) -> None:
    assert value(tree, text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/p:box", "the prefix 'p' is not bound to a namespace"),
        ("/fx:box[p:x]", "the prefix 'p' is not bound to a namespace"),
        ("nothing(1)", "there is no function nothing()"),
        ("fx:count(/)", "there is no function fx:count()"),
        ("count()", "count() cannot have 0 arguments"),
        ("true(1)", "true() cannot have 1 arguments"),
        ("$x", "there is no variable $x"),
        ("count('a')", "a function that wants nodes is given something else"),
        ("'a' | /", "nodes are wanted where the expression gives something else"),
        ("(1)/a", "nodes are wanted where the expression gives something else"),
        ("re-match('a', '(')", "'(' is no regular expression: it is wrong at character 2"),
    ],
)
def test_what_cannot_be_evaluated_is_told(tree: Container, text: str, said: str) -> None:
    with pytest.raises(XPathError) as caught:
        value(tree, text)
    assert str(caught.value) == said


@pytest.mark.parametrize(("text", "kind"), [("1", "a number"), ("'a'", "a string"), ("/ = 'a'", "a boolean")])
def test_a_selection_must_be_of_nodes(tree: Container, text: str, kind: str) -> None:
    with pytest.raises(NotNodesError, match=f"selects no nodes: it gives {kind}"):
        paths(tree, text)


@pytest.mark.parametrize(
    "text",
    [
        "//*[//*[//*[//*]]]",
        "//*[count(//*[count(//*) > 0]) > 0]",
        "//*[contains(string(/), string(/))]",
        "count(//*/following::*/preceding::*)",
        "concat(" + ",".join(["string(/)"] * 1000) + ")",
        "re-match(string(/), '(a{40}){40}')",
    ],
)
def test_work_is_bounded(tree: Container, text: str) -> None:
    with pytest.raises(TooExpensiveError, match="takes more than 1000 steps"):
        evaluate(parse(text), Document(SCHEMA, tree), NAMES, budget=Budget(1000))


def test_an_entry_is_looked_up_by_its_keys_and_found_among_all(tree: Container) -> None:
    budget = Budget(40)
    assert paths(tree, "/fx:rows/fx:row[fx:name='two']/fx:slot", budget=budget) == [f"{ROW_TWO}/slot"]
    # One node is one object, whether it came by its keys or with the others.
    both = "count(/fx:rows/fx:row[fx:name='two'] | /fx:rows/fx:row | /fx:rows/fx:row[fx:name='one'])"
    assert value(tree, both) == 2.0


# libyang orders nodes by the model and entries by their keys, and pads the texts of containers: leafs only, in any
# order. Where it leaves XPath 1.0 it is not asked: its string-length (4.2) counts bytes, not characters, and
# its number (4.4) reads what C reads, such as "9E57" and "+999".
_AGREED = (
    "/fixture:rows/fixture:row[fixture:kind = 'fixture-types:RED']/fixture:name",
    "/fixture:rows/fixture:row[derived-from-or-self(fixture:kind, 'fixture-types:RED')]/fixture:name",
    "//*[not(*)][. = 'fixture-types:RED']",
    "/fixture:values/*[. = 'fixture:BLUE']",
    "//fixture:row/fixture:slot[. > 3 and . < 200]",
    "/fixture:rows/fixture:number[. < 0]",
    "//fixture:row[enum-value(fixture:side) = 1]/fixture:side",
    "/fixture:values/fixture:bits[bit-is-set(., 'b')]",
    "//*[not(*)][re-match(., '[0-9]+')]",
    "/fixture:values/fixture:decimal[. = '7.10' or . = '0.0']",
    "/fixture:values/fixture:union[number(.) = number(.)]",
    "/fixture:values/fixture:int64[string-length(.) > 10]",
    "/fixture:rows/fixture:row/fixture:behind[deref(.)]",
    "//fixture:row[deref(fixture:behind)/../fixture:slot > 3]/fixture:name",
    "/fixture:rows/fixture:row[../fixture:number > fixture:slot]/fixture:slot",
)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(min_value=0), text=st.sampled_from(_AGREED))
def test_leafs_are_found_as_libyang_finds_them(seed: int, text: str) -> None:
    tree = children(SCHEMA.data, Random(seed))
    options = libyang.ParseOptions.Strict | libyang.ParseOptions.ParseOnly
    document = encode(SCHEMA, tree).decode() or "<none/>"
    try:
        root = _context(SCHEMA).parse_data(document, libyang.DataFormat.XML, options)
        found = {node.path.replace("\\", "") for node in root.find(text)}
    except libyang.Error:  # no such tree, or a leafref that leads nowhere
        _context(SCHEMA).clean_all_errors()
        return
    names = Names({module: module for module in ("fixture", "fixture-types")})
    assert {path.replace("\\", "") for path in paths(tree, text, names)} == found
