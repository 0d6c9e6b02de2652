"""Changes that need no judge are those, and no others, that no constraint can see."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.schema.random_models import compile_module
from tests.schema.random_trees import DATA
from tests.schema.test_reach import settle, verdict
from tools.yang_compiler.load import load as load_models
from tools.yang_compiler.sets import ModelSet
from tools.yang_compiler.table import write_table

from sdqkd.errors import RpcError
from sdqkd.schema.diff import Change, diff
from sdqkd.schema.edit import edit
from sdqkd.schema.free import are_free
from sdqkd.schema.table import Schema, load, read_table
from sdqkd.schema.tree import EMPTY, Container
from sdqkd.schema.validate import Validator

MODULE = """
module rnd { yang-version 1.1; namespace "urn:rnd"; prefix r; revision 2026-11-23;
  list l { key k; unique single; must "least <= most";
    leaf k { type uint8; }
    leaf loss { type decimal64 { fraction-digits 2; } when "../on = 'true'"; }
    leaf count { type int32; default 1; }
    leaf on { type boolean; default true; }
    leaf least { type uint8; }
    leaf most { type uint8; }
    leaf single { type uint8; }
    leaf own { type uint8; must ". < 10"; }
    leaf target { type uint8; }
    leaf to { type leafref { path "../../l/target"; } }
    leaf name { type string; }
    leaf grade { type enumeration { enum a; enum b; } }
    leaf sealed { type uint8; }
    container box { must "not(contains(../shown, '9'))"; leaf inside { type uint8; } }
    container shown { leaf part { type uint8; } } }
}
"""
RIGHT = (
    "<l><k>1</k><loss>1.5</loss><count>1</count><on>true</on><least>1</least><most>2</most><single>1</single>"
    "<own>1</own><target>1</target><to>1</to><name>x</name><grade>a</grade><box><inside>1</inside></box>"
    "<shown><part>1</part></shown></l>"
)


@pytest.fixture
def schema(tmp_path: Path) -> Schema:
    return compile_module(MODULE, tmp_path)


@pytest.mark.parametrize(
    ("leaf", "free"),
    [
        ("<loss>7.25</loss>", False),  # its own `when` begins here
        ("<count>7</count>", True),
        ("<grade>b</grade>", True),
        ("<box><inside>7</inside></box>", True),
        ("<count>7</count><grade>b</grade>", True),
        ("<count>7</count><most>3</most>", False),
        ("<sealed>1</sealed>", False),  # it was not there
        ("<count nc:operation='delete'/>", False),
        ("<on>false</on>", False),
        ("<least>2</least>", False),
        ("<single>2</single>", False),
        ("<own>2</own>", False),
        ("<target>2</target>", False),
        ("<to>1</to><target>2</target>", False),
        ("<name>y</name>", False),
        ("<shown><part>9</part></shown>", False),  # a part of the text that a constraint looks at
    ],
)
def test_only_what_nobody_looks_at_is_free(schema: Schema, leaf: str, free: bool) -> None:
    right = edit(schema, EMPTY, _config(RIGHT))
    changed = edit(schema, right, _config(f"<l><k>1</k>{leaf}</l>"))
    assert are_free(schema, diff(schema, right, changed)) is free


@pytest.mark.parametrize("value", ["07", "+7", "2147483648", "x", ""])
def test_a_value_that_was_not_read_is_not_believed(schema: Schema, value: str) -> None:
    path = (("rnd:l", ("1",)), "count")
    assert are_free(schema, [Change("change", path, "1", "7")])
    assert not are_free(schema, [Change("change", path, "1", value)])


def test_the_loss_of_a_link_is_changed_without_asking_libyang(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = load("qkd-node")
    right = _node(schema, "7.47")
    validator = Validator(schema)
    validator.check(right)
    asked: list[Container] = []
    monkeypatch.setattr(validator, "_findings", lambda tree, *_: asked.append(tree) or [])
    changed = _node(schema, "8.5")
    assert validator.settle(right, changed) is changed
    validator.check(changed)
    assert not asked


# Two entries of a list whose leafs are looked at in every way, or not at all.
LEAFS = {
    **dict.fromkeys(("decimal", "finest", "coarsest"), "1.0"),
    **dict.fromkeys(("whole", "natural", "standing", "deviated", "narrowed", "by-deviation", "by-augment"), "1"),
    **dict.fromkeys(("by-sum", "by-predicate", "by-text", "target", "named", "one"), "1"),
    **{"range": "3", "enum": "a", "truth": "true", "text": "ab", "several": "5", "by-must": "true"},
    **{"by-box": "4", "by-choice": "3"},
}
USED, BOX, AUGMENTED = ("low", "high", "refined", "free", "a:judged"), ("inside",), ("a:judging", "a:added")
ABSENT = ("marks", "nothing", "two", "one-more")
WHERE = {
    **dict.fromkeys((*LEAFS, "unlike", *AUGMENTED, *ABSENT), "<{0}>"),
    **dict.fromkeys(USED, "<used><{0}>"),
    **dict.fromkeys(BOX, "<box><{0}>"),
}
# About the limits of types and ranges, in all the ways of writing them, and some of no type at all.
WRITTEN = [
    *(
        "0",
        "1",
        "2",
        "3",
        "5",
        "6",
        "8",
        "9",
        "10",
        "25",
        "30",
        "31",
        "100",
        "127",
        "128",
        "255",
        "256",
        "-1",
        "-128",
    ),
    *("+5", "05", " 5 ", "-0", "0x10", "1e3", "1.5", "+1.5", "1.500", "1.501", "-1.5", "-1.501", "2", "3.0001"),
    *(".5", "5.", "-0.0", "true", "TRUE", " false", "a", "c", "z", "x", "", "one two", "two one"),
    *(str(2**63 - 1), str(2**63), str(-(2**63)), str(2**64 - 1), str(2**64)),
    *("9.223372036854775807", "9.223372036854775808", "922337203685477580.7", "922337203685477580.8"),
]


@functools.cache
def _looked_at() -> tuple[Schema, Container]:
    names = ("free-base", "free-augment", "free-deviation")
    models = ModelSet("free", names, features={"free-base": ("on",)}, deviations=names[-1:])
    schema = read_table(write_table(load_models(models, DATA / "free")), (DATA / "free",))
    values = "".join(f"<{name}>{value}</{name}>" for name, value in LEAFS.items())
    ones = {
        place: "".join(f"<{name}>1</{name}>" for name in names) for place, names in (("used", USED), ("box", BOX))
    }
    values += "".join(f"<{place}>{inside}</{place}>" for place, inside in ones.items())
    values += "".join(f"<{name}>1</{name}>" for name in AUGMENTED)
    entries = "".join(f"<l><k>{key}</k><unlike>{key}</unlike>{values}</l>" for key in "12")
    return schema, edit(schema, EMPTY, _looked_at_config(f"{entries}<all/><reference>1</reference>"))


def _looked_at_config(content: str) -> etree._Element:
    nc = "urn:ietf:params:xml:ns:netconf:base:1.0"
    names = f'xmlns="urn:free-base" xmlns:a="urn:free-augment" xmlns:nc="{nc}"'
    return etree.fromstring(f"<config {names}>{content}</config>")


def _edit_of(key: int, leaf: str, value: str | None) -> str:
    opened = WHERE[leaf].format(leaf)
    closed = "".join(f"</{name}>" for name in reversed(opened[1:-1].split("><")))
    inside = f"{opened}{value}" if value is not None else f'{opened[:-1]} nc:operation="remove">'
    return f"<l><k>{key}</k>{inside}{closed}</l>"


VALUES = st.integers(0, 10).map(str) | st.sampled_from([*WRITTEN, None])
EDITS = st.tuples(st.integers(1, 2), st.sampled_from(sorted(WHERE)), VALUES)


@given(st.lists(EDITS, min_size=1, max_size=2, unique_by=lambda one: one[:2]))
@example([(1, "deviated", "10")])
@example([(1, "by-deviation", "10")])
@example([(1, "unlike", "2")])
@example([(1, "by-must", "false")])
@example([(1, "by-augment", "5")])
@example([(1, "low", "5")])
@example([(1, "refined", "8")])
@example([(1, "by-text", "8")])
@example([(2, "by-sum", "100")])
@example([(1, "by-box", "3")])
@example([(1, "by-choice", "2")])
@example([(1, "target", "2"), (2, "target", "2")])
@settings(max_examples=300, deadline=None)
def test_what_is_free_is_right_for_the_whole_tree(edits: list[tuple[int, str, str | None]]) -> None:
    schema, right = _looked_at()
    validator = Validator(schema)
    assert not verdict(validator, right)
    try:
        changed = edit(schema, right, _looked_at_config("".join(_edit_of(*one) for one in edits)))
    except RpcError:
        event("not read")
        return
    free = are_free(schema, diff(schema, right, changed))
    event("free" if free else "to be judged")
    settled = settle(validator, right, changed)
    assert settled == settle(Validator(schema), right, changed)
    problems = verdict(Validator(schema), settled[0])
    assert verdict(validator, settled[0]) == problems or settled[1]
    assert not (free and (problems or settled[0] != changed))


def _node(schema: Schema, loss_db: str) -> Container:
    name = "12c93e35-013f-5795-8ec8-199d743d6f73"
    link = (
        f"<qkd_link xmlns:t='urn:etsi:qkd:yang:etsi-qkd-node-types'><qkdl_id>{name}</qkdl_id>"
        f"<qkdl_type>t:PHYS</qkdl_type><phys_channel_att>{loss_db}</phys_channel_att></qkd_link>"
    )
    content = f"<qkdn_id>{name}</qkdn_id><qkd_links>{link}</qkd_links>"
    node = f'<config><qkd_node xmlns="urn:etsi:qkd:yang:etsi-qkd-node">{content}</qkd_node></config>'
    return edit(schema, EMPTY, etree.fromstring(node))


def _config(content: str) -> etree._Element:
    nc = "urn:ietf:params:xml:ns:netconf:base:1.0"
    return etree.fromstring(f'<config xmlns="urn:rnd" xmlns:nc="{nc}">{content}</config>')
