from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.schema.random_trees import SCHEMA, changed, children

from sdqkd.errors import RpcError
from sdqkd.schema.changes import changes_to_xml
from sdqkd.schema.diff import Change, apply, diff, same
from sdqkd.schema.edit import edit
from sdqkd.schema.path import format_path
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import EMPTY, Container
from sdqkd.schema.xml import encode

LAW = settings(deadline=None, max_examples=80)


@LAW
@given(seed=st.integers(0, 2**32))
def test_laws_of_changes(seed: int) -> None:
    rng = Random(seed)
    old = children(SCHEMA.data, rng)
    new = changed(old, rng) if rng.random() < 0.5 else children(SCHEMA.data, rng)
    changes = diff(SCHEMA, old, new)
    assert diff(SCHEMA, new, new) == ()
    assert (not changes) == same(SCHEMA, old, new)
    assert same(SCHEMA, apply(SCHEMA, old, changes), new)


@LAW
@given(seed=st.integers(0, 2**32))
def test_changes_as_an_edit_do_the_same_once_or_twice(seed: int) -> None:
    rng = Random(seed)
    old = children(SCHEMA.data, rng)
    new = changed(old, rng) if rng.random() < 0.5 else children(SCHEMA.data, rng)
    content = changes_to_xml(SCHEMA, diff(SCHEMA, old, new))
    config = etree.fromstring(b"<config>" + content + b"</config>")
    once = edit(SCHEMA, old, config)
    assert same(SCHEMA, once, new)
    assert same(SCHEMA, edit(SCHEMA, once, config), new)


@LAW
@given(seed=st.integers(0, 2**32))
def test_merging_a_tree_twice_is_merging_it_once(seed: int) -> None:
    rng = Random(seed)
    config = etree.fromstring(b"<config>" + encode(SCHEMA, children(SCHEMA.data, rng)) + b"</config>")
    once = edit(SCHEMA, children(SCHEMA.data, rng), config)
    assert edit(SCHEMA, once, config) is once


def test_a_change_is_about_a_leaf_an_entry_or_a_presence_container(
    schema: Schema, tree_of: Callable[..., Container]
) -> None:
    old = tree_of("<box><label>a</label><tag>x</tag></box><rows><row><name>a</name><slot>1</slot></row></rows>")
    new = tree_of(
        "<box><label>b</label><mark/></box><rows><row><name>b</name></row></rows><root-leaf>r</root-leaf>"
    )
    shown = [(change.op, format_path(change.path, schema)) for change in diff(schema, old, new)]
    assert shown == [
        ("change", "/fixture:box/label"),
        ("remove", "/fixture:box/tag"),
        ("add", "/fixture:box/mark"),
        ("remove", "/fixture:rows/row[name='a']"),
        ("add", "/fixture:rows/row[name='b']"),
        ("add", "/fixture:root-leaf"),
    ]


def test_only_the_order_of_the_users_lists_counts(schema: Schema, tree_of: Callable[..., Container]) -> None:
    rows = "<rows>{}{}</rows><box><colour-list>BLUE</colour-list><tag>1</tag><tag>2</tag></box>"
    a, b = "<row><name>a</name></row>", "<row><name>b</name></row>"
    assert not diff(schema, tree_of(rows.format(a, b)), tree_of(rows.format(b, a)))
    cells = "<rows><row><name>a</name>{}{}</row></rows>"
    x, y = "<cell><x>1</x><y>y</y></cell>", "<cell><x>2</x><y>y</y></cell>"
    (change,) = diff(schema, tree_of(cells.format(x, y)), tree_of(cells.format(y, x)))
    assert (change.op, format_path(change.path, schema)) == ("change", "/fixture:rows/row[name='a']/cell")


def test_an_entry_at_the_end_of_a_users_list_is_a_change_of_its_own(
    schema: Schema, tree_of: Callable[..., Container]
) -> None:
    cells = "<rows><row><name>a</name><cell><x>1</x><y>y</y></cell>{}</row></rows>"
    (change,) = diff(schema, tree_of(cells.format("")), tree_of(cells.format("<cell><x>2</x><y>y</y></cell>")))
    assert (change.op, format_path(change.path, schema)) == (
        "add",
        "/fixture:rows/row[name='a']/cell[x='2'][y='y']",
    )


def test_below_keeps_to_the_given_paths(schema: Schema, tree_of: Callable[..., Container]) -> None:
    old = tree_of(
        "<box><label>a</label></box><rows><row><name>a</name><slot>1</slot></row><number>1</number></rows>"
    )
    new = tree_of(
        "<box><label>b</label></box><rows><row><name>a</name><slot>2</slot></row><number>2</number></rows>"
    )
    row = ("fixture:rows", ("row", ("a",)))
    below = [(*row, "slot"), row, row, ("fixture:rows", ("row", ("b",)))]
    assert diff(schema, old, new, below) == (Change("change", (*row, "slot"), "1", "2"),)
    assert diff(schema, old, EMPTY, [("fixture:box",)]) == (Change("remove", ("fixture:box", "label"), "a", None),)


def test_changes_do_not_apply_to_another_tree(schema: Schema, tree_of: Callable[..., Container]) -> None:
    changes = diff(schema, tree_of("<box><label>a</label></box>"), tree_of("<box><label>b</label></box>"))
    with pytest.raises(RpcError, match="changed here") as raised:
        apply(schema, tree_of("<box><label>c</label></box>"), changes)
    assert raised.value.path == "/fixture:box/label"


def test_many_changes_share_what_they_leave_alone(schema: Schema, tree_of: Callable[..., Container]) -> None:
    rows = "".join(f"<row><name>r{number}</name><slot>1</slot></row>" for number in range(20))
    old = tree_of(f"<rows>{rows}</rows>")
    new = tree_of(f"<rows>{rows.replace('<slot>1</slot>', '', 1)}</rows>")
    after = apply(schema, old, diff(schema, old, new))
    before_rows, after_rows = (tree.children["fixture:rows"].children["row"].entries for tree in (old, after))
    assert [keys for keys in before_rows if after_rows[keys] is not before_rows[keys]] == [("r0",)]
    assert before_rows["r0",].children["slot"] == "1"
