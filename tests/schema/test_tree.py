from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.schema.random_trees import SCHEMA, children

from sdqkd.schema.diff import same
from sdqkd.schema.draft import Draft
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import EMPTY, Container, Entries, config_only, get, merge, put, remove, walk

LAW = settings(deadline=None, max_examples=60)
_ROW_A = ("fixture:rows", ("row", ("a",)))


@LAW
@given(seed=st.integers(0, 2**32))
def test_a_tree_is_what_is_put_into_it(seed: int) -> None:
    tree = children(SCHEMA.data, Random(seed))
    built, draft = EMPTY, Draft(SCHEMA, EMPTY)
    for path, node in walk(tree):
        if node != EMPTY:
            built = put(SCHEMA, built, path, node)
            draft.put(path, node)
    for path, node in walk(tree):
        if node == EMPTY:
            built = put(SCHEMA, built, path, node)
            draft.put(path, node)
    assert built == tree
    assert draft.finish() == tree


@LAW
@given(seed=st.integers(0, 2**32))
def test_removing_everything_leaves_nothing_but_what_has_presence(seed: int) -> None:
    rng = Random(seed)
    tree = children(SCHEMA.data, rng)
    draft = Draft(SCHEMA, tree)
    paths = [path for path, _ in walk(tree)]
    rng.shuffle(paths)
    left = tree
    for path in paths:
        left = remove(left, path, SCHEMA)
        draft.remove(path)
        assert get(left, path) is None
    assert left == EMPTY
    assert draft.finish() == EMPTY


@LAW
@given(seed=st.integers(0, 2**32))
def test_merging_with_nothing_or_itself_changes_nothing(seed: int) -> None:
    tree = children(SCHEMA.data, Random(seed))
    assert merge(SCHEMA, tree, EMPTY) is tree
    assert merge(SCHEMA, EMPTY, tree) == tree
    assert merge(SCHEMA, tree, tree) is tree
    assert same(SCHEMA, config_only(SCHEMA, tree), tree)


def test_merge_lays_state_over_configuration(schema: Schema, tree_of: Callable[..., Container]) -> None:
    config = tree_of("<box><label>a</label><tag>x</tag></box><rows><row><name>a</name></row></rows>")
    state = tree_of("<box><state>s</state><label>b</label><event><text>e</text></event></box>", state=True)
    both = merge(schema, config, state)
    assert get(both, ("fixture:box", "label")) == "b"
    assert get(both, ("fixture:box", "tag")) == ("x",)
    assert get(both, (*_ROW_A, "name")) == "a"
    wanted = tree_of("<box><label>b</label><tag>x</tag></box><rows><row><name>a</name></row></rows>")
    assert config_only(schema, both) == wanted


def test_put_makes_what_lies_above(schema: Schema) -> None:
    tree = put(schema, EMPTY, (*_ROW_A, ("cell", ("1", "y")), "value"), "1.5")
    assert get(tree, (*_ROW_A, ("cell", ("1", "y")))) == Container({"x": "1", "y": "y", "value": "1.5"})
    assert put(schema, tree, (), EMPTY) == EMPTY
    assert put(schema, tree, ("fixture:rows",), EMPTY) == EMPTY
    tagged = put(schema, EMPTY, ("fixture:box", ("tag", ("a",))), "a")
    assert tagged == Container({"fixture:box": Container({"tag": ("a",)})})
    with pytest.raises(KeyError):
        put(schema, EMPTY, ("fixture:box", "nothing"), "x")


def test_remove_prunes_upwards(schema: Schema, tree_of: Callable[..., Container]) -> None:
    tree = tree_of("<box><tag>a</tag><tag>b</tag><mark><ink>i</ink></mark></box>")
    tags = ("fixture:box", "tag")
    one = remove(tree, ("fixture:box", ("tag", ("a",))))
    assert get(one, tags) == ("b",)
    assert get(remove(one, ("fixture:box", ("tag", ("b",)))), tags) is None
    assert get(remove(tree, ("fixture:box", "mark", "ink"), schema), ("fixture:box", "mark")) == EMPTY
    assert get(remove(tree, ("fixture:box", "mark", "ink")), ("fixture:box", "mark")) is None
    assert remove(tree, ("fixture:box", "nothing")) is tree
    assert remove(tree, (*_ROW_A, "slot")) is tree


def test_get_finds_entries_and_values(tree_of: Callable[..., Container]) -> None:
    tree = tree_of("<box><tag>a</tag></box><rows><row><name>a</name></row></rows>")
    assert get(tree, ()) is tree
    assert get(tree, ("fixture:box", ("tag", ("a",)))) == "a"
    assert get(tree, ("fixture:box", ("tag", ("b",)))) is None
    assert get(tree, _ROW_A) == Container({"name": "a"})
    assert isinstance(get(tree, ("fixture:rows", "row")), Entries)
    assert get(tree, (*_ROW_A, "name", "deeper")) is None
