from __future__ import annotations

import json as text
from random import Random
from typing import Any

import oopt_gnpy_libyang as libyang
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.schema.random_trees import SCHEMA, children

from sdqkd.errors import RpcError
from sdqkd.schema import json
from sdqkd.schema.diff import same
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import EMPTY, Container
from sdqkd.schema.validate import Validator

LAW = settings(deadline=None, max_examples=60)


@LAW
@given(seed=st.integers(0, 2**32))
def test_decoding_what_was_encoded_gives_the_tree(seed: int) -> None:
    rng = Random(seed)
    tree = children(SCHEMA.data, rng)
    document = text.dumps(json.encode(SCHEMA, tree), ensure_ascii=False)
    assert json.decode(SCHEMA, text.loads(document)) == tree
    options = libyang.ParseOptions.Strict | libyang.ParseOptions.ParseOnly
    node = Validator(SCHEMA)._context.parse_data(document, libyang.DataFormat.JSON, options)
    flags = libyang.PrintFlags.Shrink | libyang.PrintFlags.WithSiblings
    printed = node.print(libyang.DataFormat.JSON, flags) if node is not None else "{}"
    assert same(SCHEMA, json.decode(SCHEMA, text.loads(printed)), tree)


def test_scalars_have_the_json_types_of_rfc_7951(schema: Schema) -> None:
    values = {
        "int8": -1, "uint64": "9", "decimal": "1.5", "boolean": True, "empty": [None], "identity": "fixture:BLUE",
        "union": 7, "bits": "a c", "reference": "1.0",
    }  # fmt: skip
    document = {"fixture:values": values}
    assert json.encode(schema, json.decode(schema, document)) == document


def test_a_name_may_have_its_module_where_it_needs_none(schema: Schema) -> None:
    document = {"fixture:box": {"fixture:label": "a", "fixture-more:label": "b", "@label": {"x:y": 1}}}
    tree = json.decode(schema, document)
    assert tree.children["fixture:box"] == Container({"label": "a", "fixture-more:label": "b"})


@pytest.mark.parametrize(
    ("document", "tag", "path"),
    [
        ([], "bad-element", "/"),
        ({"box": {}}, "unknown-element", "/"),
        ({"fixture:box": []}, "bad-element", "/fixture:box"),
        ({"fixture:box": {"lable": 1}}, "unknown-element", "/fixture:box"),
        ({"fixture:box": {"fixture-more:text": 1}}, "unknown-element", "/fixture:box"),
        ({"fixture:box": {"state": "s"}}, "unknown-element", "/fixture:box/state"),
        ({"fixture:box": {"label": {}}}, "bad-element", "/fixture:box/label"),
        ({"fixture:box": {"label": "A"}}, "invalid-value", "/fixture:box/label"),
        ({"fixture:box": {"text": "\u0001"}}, "invalid-value", "/fixture:box/text"),
        ({"fixture:box": {"label": "a", "fixture:label": "a"}}, "bad-element", "/fixture:box/label"),
        ({"fixture:box": {"tag": "a"}}, "bad-element", "/fixture:box/tag"),
        ({"fixture:box": {"tag": ["a", "a"]}}, "bad-element", "/fixture:box/tag[.='a']"),
        ({"fixture:box": {"grain": 1, "water": 1}}, "bad-element", "/fixture:box/water"),
        ({"fixture:rows": {"row": ["a"]}}, "bad-element", "/fixture:rows/row"),
        ({"fixture:rows": {"row": [{"slot": 1}]}}, "missing-element", "/fixture:rows/row"),
        ({"fixture:rows": {"row": [{"name": "a"}, {"name": "a"}]}}, "bad-element", "/fixture:rows/row[name='a']"),
    ],
)
def test_what_is_wrong_has_a_tag_and_a_path(document: Any, tag: str, path: str, schema: Schema) -> None:
    with pytest.raises(RpcError) as raised:
        json.decode(schema, document)
    assert (raised.value.tag, raised.value.path) == (tag, path)


def test_state_is_read_where_it_is_wanted(schema: Schema) -> None:
    document = {"fixture:box": {"state": "s", "event": [{"text": "a"}, {"text": "a"}]}}
    assert json.encode(schema, json.decode(schema, document, state=True)) == document


def test_nothing_is_nothing(schema: Schema) -> None:
    assert json.decode(schema, {}) == EMPTY
    assert json.decode(schema, {"fixture:box": {}}) == EMPTY
    assert json.encode(schema, EMPTY) == {}
