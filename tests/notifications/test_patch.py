from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.notifications.patching import apply_patch
from tests.schema.random_trees import SCHEMA as FIXTURE
from tests.schema.random_trees import changed, children

from sdqkd.notifications.message import payload_of
from sdqkd.notifications.patch import Edit, edits_of, patch, target_of
from sdqkd.schema.diff import diff, same
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import EMPTY, Container, Entries

NODE = "etsi-qkd-sdn-node:qkd_node"


def sent(schema: Schema, edits: list[Edit]) -> etree._Element:
    """As a client gets it."""
    content = Container({"id": "1", "datastore-changes": patch(edits, "1")})
    return etree.fromstring(payload_of(schema, Container({"ietf-yang-push:push-change-update": content})))


def edits_between(old: Container, new: Container) -> list[Edit]:
    return edits_of(FIXTURE, old, new, diff(FIXTURE, old, new))


@settings(deadline=None, max_examples=150)
@given(seed=st.integers(0, 2**32), density=st.sampled_from([0.2, 0.5, 0.9]))
def test_a_client_that_applies_the_patch_has_the_new_tree(schema: Schema, seed: int, density: float) -> None:
    rng = Random(seed)
    old = children(FIXTURE.data, rng, density)
    new = changed(old, rng) if rng.random() < 0.7 else children(FIXTURE.data, rng, density)
    if rng.random() < 0.5:
        old, new = new, old
    edits = edits_between(old, new)
    assert same(FIXTURE, apply_patch(FIXTURE, old, sent(schema, edits)), new)
    assert (not edits) == same(FIXTURE, old, new)


def rows(*names: str, **cells: list[str]) -> Container:
    entries = {}
    for name in names:
        inside = {(cell, ""): Container({"x": cell, "y": ""}) for cell in cells.get(name, [])}
        listed = {"cell": Entries(inside)} if inside else {}
        entries[(name,)] = Container({"name": name, **listed})
    return Container({"fixture:rows": Container({"row": Entries(entries)})})


def test_an_entry_is_named_by_its_keys() -> None:
    (edit,) = edits_between(EMPTY, rows("a/b c,é"))
    assert edit.target == "/fixture:rows/row=a%2Fb%20c%2C%C3%A9"
    assert edit.operation == "create"
    assert edit.value.startswith(f'<row xmlns="{FIXTURE.namespace_of("fixture")}"><name>')


def test_the_users_order_is_kept_by_places() -> None:
    edits = edits_between(rows("a", a=["1", "2", "3"]), rows("a", a=["3", "4", "1"]))
    row = "/fixture:rows/row=a/cell="
    assert [(edit.operation, edit.target, edit.point) for edit in edits] == [
        ("delete", f"{row}2,", None),
        ("move", f"{row}3,", ""),
        ("insert", f"{row}4,", f"{row}3,"),
    ]


def test_only_what_moved_is_moved() -> None:
    edits = edits_between(rows("a", a=["1", "2", "3", "4"]), rows("a", a=["2", "1", "3", "4"]))
    assert [(edit.operation, edit.target[-2:]) for edit in edits] == [("move", "2,")]


def test_the_root_is_a_slash(schema: Schema) -> None:
    assert target_of(schema, ()) == "/"
    assert target_of(schema, (NODE, "qkd_links", ("qkd_link", ("1",)))) == f"/{NODE}/qkd_links/qkd_link=1"


def box(*events: str) -> Container:
    entries = {(str(number),): Container({"text": text}) for number, text in enumerate(events, 1)}
    inside = {"event": Entries(entries)} if entries else {}
    return Container({"fixture:box": Container({"label": "x", **inside})})


@pytest.mark.parametrize(
    ("old", "new"),
    [((), ("1",)), (("1",), ("2",)), (("1", "1"), ("1",)), (("1", "2"), ("2", "1")), (("1",), ())],
)
def test_what_has_no_name_is_replaced_from_above(schema: Schema, old: list[str], new: list[str]) -> None:
    edits = edits_between(box(*old), box(*new))
    assert [(edit.operation, edit.target) for edit in edits] == [("replace", "/fixture:box")]
    assert apply_patch(FIXTURE, box(*old), sent(schema, edits)) == box(*new)
