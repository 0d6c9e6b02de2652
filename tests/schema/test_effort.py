"""What would take quadratic time is refused in time; what is usual is far below the limits."""

from __future__ import annotations

import pytest
from lxml import etree

from sdqkd.errors import RpcError
from sdqkd.schema import edit as edit_module
from sdqkd.schema import elements
from sdqkd.schema.edit import edit
from sdqkd.schema.table import load
from sdqkd.schema.tree import EMPTY
from sdqkd.schema.xml import decode

SCHEMA = load("qkd-node")
BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"


def links(count: int, prefixes: int) -> etree._Element:
    """Links whose types use a prefix, below declarations of many others."""
    declared = "".join(f' xmlns:p{number}="urn:p{number}"' for number in range(prefixes))
    types = ' xmlns:t="urn:etsi:qkd:yang:etsi-qkd-node-types"'
    entries = "".join(
        f"<qkd_link><qkdl_id>00000000-0000-4000-8000-{number:012d}</qkdl_id><qkdl_type>t:PHYS</qkdl_type></qkd_link>"
        for number in range(count)
    )
    top = f'<qkd_node xmlns="urn:etsi:qkd:yang:etsi-qkd-node"{types}{declared}>'
    return etree.fromstring(f'<config xmlns="{BASE}">{top}<qkd_links>{entries}</qkd_links></qkd_node></config>')


def rules(count: int) -> etree._Element:
    """Rules, each to stand before the others."""
    insert = 'yang:insert="first" xmlns:yang="urn:ietf:params:xml:ns:yang:1"'
    entries = "".join(f"<rule {insert}><name>{number}</name></rule>" for number in range(count))
    lists = f"<rule-list><name>a</name>{entries}</rule-list>"
    top = f'<nacm xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-acm">{lists}</nacm>'
    return etree.fromstring(f'<config xmlns="{BASE}">{top}</config>')


def test_many_prefixes_above_many_values(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = links(50, 100)
    edit(SCHEMA, EMPTY, wanted)
    monkeypatch.setattr(elements, "MAX_LOOKUPS", 3000)
    for work in (lambda: edit(SCHEMA, EMPTY, wanted), lambda: decode(SCHEMA, wanted)):
        with pytest.raises(RpcError, match="too many declarations of prefixes") as refused:
            work()
        assert refused.value.tag == "resource-denied"
    edit(SCHEMA, EMPTY, links(50, 1))


def test_many_entries_inserted_among_many(monkeypatch: pytest.MonkeyPatch) -> None:
    edit(SCHEMA, EMPTY, rules(50))
    monkeypatch.setattr(edit_module, "MAX_MOVES", 1000)
    with pytest.raises(RpcError, match="too many entries are to be inserted") as refused:
        edit(SCHEMA, EMPTY, rules(50))
    assert refused.value.tag == "resource-denied"
    edit(SCHEMA, EMPTY, rules(20))
