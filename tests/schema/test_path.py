from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.schema.random_trees import SCHEMA, children

from sdqkd.errors import RpcError
from sdqkd.schema.path import format_path, parse_path
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import get, walk


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32))
def test_a_path_read_again_is_the_path(seed: int) -> None:
    tree = children(SCHEMA.data, Random(seed))
    for path, node in walk(tree):
        assert parse_path(SCHEMA, format_path(path, SCHEMA)) == path
        assert get(tree, path) == node


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/", ()),
        ("/fixture:box/fixture-more:label", ("fixture:box", "fixture-more:label")),
        ("/fixture:rows/row", ("fixture:rows", "row")),
        ("/fixture:rows/row[name='a']/slot", ("fixture:rows", ("row", ("a",)), "slot")),
        ('/fixture:rows/row[ name = "a" ]', ("fixture:rows", ("row", ("a",)))),
        (
            "/fixture:rows/row[name='a']/cell[y='it\"s'][x='1']",
            ("fixture:rows", ("row", ("a",)), ("cell", ("1", 'it"s'))),
        ),
        ("/fixture:rows/row[fixture:name='a']", ("fixture:rows", ("row", ("a",)))),
        ('/fixture:box/tag[.="it\'s"]', ("fixture:box", ("tag", ("it's",)))),
        ("/fixture:box/event[2]", ("fixture:box", ("event", ("2",)))),
    ],
)
def test_known_paths(text: str, path: tuple[object, ...], schema: Schema) -> None:
    assert parse_path(schema, text) == path


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("", "invalid-value"),
        ("fixture:box", "invalid-value"),
        ("/fixture:box/", "invalid-value"),
        ("/box", "unknown-element"),
        ("/fixture:box/nothing", "unknown-element"),
        ("/fixture:rows/row[name='a'", "invalid-value"),
        ("/fixture:rows/row[slot='1']", "missing-element"),
        ("/fixture:rows/row[name='a'][slot='1']", "invalid-value"),
        ("/fixture:rows/row[name='a']/cell[x='1']", "missing-element"),
    ],
)
def test_what_is_no_path(text: str, tag: str, schema: Schema) -> None:
    with pytest.raises(RpcError) as raised:
        parse_path(schema, text)
    assert raised.value.tag == tag


def test_a_path_is_printed_with_quotes_that_fit(schema: Schema) -> None:
    row = ("fixture:rows", ("row", ("a",)))
    assert format_path((*row, ("cell", ("1", "it's"))), schema).endswith("""/cell[x='1'][y="it's"]""")
    assert format_path((*row, ("cell", ("1", "'\"\\"))), schema).endswith("""/cell[x='1'][y="'\\"\\\\"]""")
    assert format_path((), schema) == "/"
