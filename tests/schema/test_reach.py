"""What is judged of a change is enough: the verdict is that of libyang on the whole tree."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.schema.random_models import compile_module, edited, random_schema

from sdqkd.errors import RpcError, RpcErrors
from sdqkd.schema.edit import edit
from sdqkd.schema.tree import EMPTY, Container
from sdqkd.schema.validate import Validator

EDITS = 40


@given(st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_a_change_is_judged_as_the_whole_tree_is(seed: int) -> None:
    compare(seed)


def compare(seed: int) -> tuple[int, int]:
    """Edit at random; how often both judged, and how often what they judged was right."""
    schema = random_schema(seed)
    if schema is None:
        return 0, 0
    rng = Random(seed + 1)
    validator = Validator(schema)
    tree, right, judged = EMPTY, 0, 0
    for _ in range(EDITS):
        proposed = tree
        for _ in range(rng.choice([1, 1, 2, 4])):
            proposed = edited(schema.data, proposed, rng)
        settled, refused = settle(validator, tree, proposed)
        fresh = Validator(schema)
        assert (settled, refused) == settle(fresh, tree, proposed)
        judged += 1
        if refused or verdict(Validator(schema), settled) != verdict(validator, settled):
            assert refused, f"seed {seed}"
            continue
        if not verdict(fresh, settled):
            tree = settled
            right += 1
    return judged, right


def settle(validator: Validator, before: Container, after: Container) -> tuple[Container, str]:
    try:
        return validator.settle(before, after), ""
    except RpcError as error:
        return after, f"{error.tag} {error.path} {error.message}"


def verdict(validator: Validator, tree: Container) -> list[str]:
    try:
        validator.check(tree)
    except RpcErrors as errors:
        return sorted(said(error) for error in errors.errors)
    except RpcError as error:
        return [said(error)]
    return []


def said(error: RpcError) -> str:
    return f"{error.tag} {error.app_tag} {error.path} {error.message}"


MODULE = """
module rnd { yang-version 1.1; namespace "urn:rnd"; prefix r; revision 2026-11-23;
  list u { key k; unique v; leaf k { type string; } leaf v { type string; } }
  list x { key k; max-elements 3; leaf k { type string; } }
  list a { key k;
    leaf k { type string; }
    leaf v { type string; }
    leaf to { type leafref { path "/r:b/r:k"; } }
    leaf few { type string; must "count(/r:b) < 3"; }
    leaf other { type string; when "/r:on"; }
    list in { key k; leaf k { type string; } must "count(../../r:a[r:v='z']) = 0"; } }
  list b { key k; leaf k { type string; } }
  leaf on { type empty; }
  choice c { mandatory true; list d { key k; leaf k { type string; } } leaf e { type empty; } }
  list m { key k; min-elements 1; leaf k { type string; } }
}
"""
RIGHT = (
    "<u><k>1</k><v>x</v></u><u><k>2</k><v>y</v></u><x><k>1</k></x><x><k>2</k></x>"
    "<a><k>1</k><v>x</v><to>1</to><few/><other/></a><a><k>2</k><v>y</v><in><k>1</k></in></a>"
    "<b><k>1</k></b><b><k>2</k></b><on/><d><k>1</k></d><m><k>1</k></m>"
)


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ("<u><k>2</k><v>x</v></u>", ["data-not-unique"]),
        ("<u><k>3</k><v>x</v></u>", ["data-not-unique"]),
        ("<x><k>3</k></x><x><k>4</k></x>", ["too-many-elements"]),
        ("<b nc:operation='delete'><k>1</k></b>", ["instance-required"]),
        ("<b><k>3</k></b>", ["must-violation"]),
        ("<on nc:operation='delete'/>", [None]),
        ("<a><k>1</k><v>z</v></a>", ["must-violation"]),
        ("<d nc:operation='delete'><k>1</k></d>", ["missing-choice"]),
        ("<m nc:operation='delete'><k>1</k></m>", ["too-few-elements"]),
        ("<b><k>3</k></b><u><k>2</k><v>x</v></u>", ["data-not-unique", "must-violation"]),
    ],
)
def test_what_a_change_breaks_elsewhere_is_found(change: str, problems: list[str | None], tmp_path: Path) -> None:
    schema = compile_module(MODULE, tmp_path)
    right, validator = edit(schema, EMPTY, _config(RIGHT)), Validator(schema)
    validator.check(right)
    wrong = edit(schema, right, _config(change))
    with pytest.raises((RpcError, RpcErrors)) as raised:
        validator.check(wrong)
    errors = raised.value.errors if isinstance(raised.value, RpcErrors) else (raised.value,)
    assert sorted(str(error.app_tag) for error in errors) == sorted(map(str, problems))
    assert verdict(validator, wrong) == verdict(Validator(schema), wrong)


def _config(content: str) -> etree._Element:
    nc = "urn:ietf:params:xml:ns:netconf:base:1.0"
    return etree.fromstring(f'<config xmlns="urn:rnd" xmlns:nc="{nc}">{content}</config>')
