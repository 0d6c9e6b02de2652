"""Trees with marks on their elements, and requests with them: RFC 6243 sections 3.4 and 4.5.2."""

from __future__ import annotations

import pytest
from lxml import etree
from tests.schema.test_defaults import SCHEMA, read

from sdqkd.errors import RpcError
from sdqkd.schema.defaults import with_defaults
from sdqkd.schema.edit import edit
from sdqkd.schema.marked import DefaultMarks, encode_marked
from sdqkd.schema.pick import pick
from sdqkd.schema.tree import Container

DEFAULT = "urn:ietf:params:xml:ns:netconf:default:1.0"
BEFORE = "<top>x</top><kinds><own>5</own><letter>z</letter></kinds>"


def test_what_was_not_set_is_marked() -> None:
    explicit = read("<kinds><own>4</own><row><name>a</name><cell><x>2</x></cell></row></kinds>")
    paths = [
        ("defaults:kinds", "own"),
        ("defaults:kinds", "of-type"),
        ("defaults:kinds", "letter"),
        ("defaults:kinds", ("row", ("a",))),
    ]
    tree = pick(SCHEMA, with_defaults(SCHEMA, explicit), paths)
    text = encode_marked(SCHEMA, tree, DefaultMarks(explicit)).decode()
    assert text == (
        '<kinds xmlns="urn:sdqkd:test:defaults"><own>4</own>'
        "<row><name>a</name><cell><x>2</x>"
        '<y wd:default="true">3</y></cell><on wd:default="true">true</on></row>'
        '<of-type wd:default="true">3</of-type><letter wd:default="true">x</letter>'
        '<letter wd:default="true">y</letter>'
        "</kinds>"
    )


def edited(content: str, before: str = BEFORE) -> Container:
    config = etree.fromstring(
        f'<config xmlns="urn:sdqkd:test:defaults" xmlns:d="{DEFAULT}"'
        f' xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0">{content}</config>'
    )
    return edit(SCHEMA, read(before), config)


@pytest.mark.parametrize(
    ("content", "after"),
    [
        ('<top d:default="true">top</top>', BEFORE.replace("<top>x</top>", "")),
        ('<top d:default="1" nc:operation="replace">top</top>', BEFORE.replace("<top>x</top>", "")),
        ('<top d:default="false">top</top>', BEFORE.replace("x", "top", 1)),
        ('<kinds><own d:default="true">4</own></kinds>', "<top>x</top><kinds><letter>z</letter></kinds>"),
        ('<kinds><own d:default="true"> 04 </own></kinds>', "<top>x</top><kinds><letter>z</letter></kinds>"),
        ('<kinds><plain nc:operation="create" d:default="true">a b</plain></kinds>', BEFORE),
        ('<kinds><letter d:default="true">x</letter></kinds>', BEFORE),
        # A mark in a case does not choose it.
        ('<choices><lights d:default="true">true</lights></choices>', BEFORE),
    ],
)
def test_what_is_marked_as_default_is_unset(content: str, after: str) -> None:
    assert edited(content) == read(after)


@pytest.mark.parametrize(
    ("content", "tag"),
    [
        ('<top d:default="true">other</top>', "invalid-value"),
        ('<kinds><of-type d:default="true">4</of-type></kinds>', "invalid-value"),
        ('<kinds><none d:default="true">x</none></kinds>', "invalid-value"),
        ('<kinds><own d:default="true" nc:operation="delete">4</own></kinds>', "invalid-value"),
        ('<kinds><own d:default="true" nc:operation="create">4</own></kinds>', "data-exists"),
        ('<kinds><own d:default="yes">4</own></kinds>', "bad-attribute"),
        ('<kinds d:default="true"/>', "bad-attribute"),
    ],
)
def test_a_wrong_mark_is_refused(content: str, tag: str) -> None:
    with pytest.raises(RpcError) as caught:
        edited(content)
    assert caught.value.tag == tag
    assert caught.value.path is not None
