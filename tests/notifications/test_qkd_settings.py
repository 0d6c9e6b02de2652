from __future__ import annotations

from datetime import timedelta

import pytest

from sdqkd.errors import RpcError
from sdqkd.notifications.qkd_settings import DEFAULTS, TOP, Thresholds, thresholds_of
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import EMPTY, Container, Node, put
from sdqkd.schema.validate import Validator

EVERYTHING = {
    ("min-interval",): "30",
    ("key-rate", "change"): "25.0",
    ("error-rate", "warning"): "3.0",
    ("error-rate", "critical"): "4.5",
    ("error-rate", "hysteresis"): "0.25",
    ("load", "ratio"): "80.0",
    ("load", "hysteresis"): "5.0",
}


def configured(schema: Schema, leafs: dict[tuple[str, ...], str]) -> Container:
    tree = put(schema, EMPTY, ("etsi-qkd-sdn-node:qkd_node", "qkdn_id"), "00000000-0000-4000-8000-00000000000a")
    for path, value in leafs.items():
        tree = put(schema, tree, (TOP, *path), value)
    return tree


def defaults(node: SchemaNode) -> Node:
    if node.kind == "leaf":
        return node.default[0]
    return Container({name: defaults(child) for name, child in node.children.items()})


def test_the_defaults_are_those_of_the_module(schema: Schema) -> None:
    assert thresholds_of(EMPTY) == DEFAULTS
    assert thresholds_of(Container({TOP: defaults(schema.data[TOP])})) == DEFAULTS


def test_everything_can_be_set(schema: Schema) -> None:
    tree = configured(schema, EVERYTHING)
    Validator(schema).check(tree)
    assert thresholds_of(tree) == Thresholds(timedelta(seconds=30), 0.25, 3.0, 4.5, 0.25, 0.8, 0.05)


@pytest.mark.parametrize(
    "leafs",
    [
        {("error-rate", "warning"): "8.8"},
        {("error-rate", "critical"): "5.4"},
        {("load", "ratio"): "10.0"},
        {("key-rate", "change"): "0.0"},
        {("min-interval",): "100000"},
    ],
)
def test_what_would_make_it_flap_is_refused(schema: Schema, leafs: dict[tuple[str, ...], str]) -> None:
    with pytest.raises(RpcError):
        Validator(schema).check(configured(schema, leafs))
