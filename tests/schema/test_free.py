"""Changes that need no judge are those, and no others, that no constraint can see."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree
from tests.schema.random_models import compile_module

from sdqkd.schema.diff import Change, diff
from sdqkd.schema.edit import edit
from sdqkd.schema.free import are_free
from sdqkd.schema.table import Schema, load
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
