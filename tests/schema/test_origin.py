"""Origins of what is in operational, and what is left by them: RFC 8342 section 5.3.4, RFC 8526 section 3.1.1."""

from __future__ import annotations

import pytest
from tests.schema.test_defaults import SCHEMA, read

from sdqkd.schema.defaults import with_defaults
from sdqkd.schema.marked import AllMarks, DefaultMarks, encode_marked
from sdqkd.schema.origin import OriginMarks, Origins, Restriction
from sdqkd.schema.tree import EMPTY, Container
from sdqkd.schema.xml import encode

INTENDED = read("<kinds><row><name>a</name><cell><x>2</x></cell></row></kinds>")
REPORTED = read("<kinds><own>4</own><row><name>b</name><cell><x>7</x></cell></row></kinds>")


def operational() -> tuple[Container, Origins]:
    both = read(
        "<kinds><own>4</own><row><name>a</name><cell><x>2</x></cell></row>"
        "<row><name>b</name><cell><x>7</x></cell></row></kinds>"
    )
    kinds = with_defaults(SCHEMA, both).children["defaults:kinds"]
    assert isinstance(kinds, Container)
    wanted = {member: node for member, node in kinds.children.items() if member in ("own", "of-type", "row")}
    return Container({"defaults:kinds": Container(wanted)}), Origins(INTENDED, REPORTED)


def printed(tree: Container) -> str:
    return encode(SCHEMA, tree).decode().replace(' xmlns="urn:sdqkd:test:defaults"', "")


def test_a_mark_stands_where_the_origin_is_another_than_above() -> None:
    tree, origins = operational()
    text = encode_marked(SCHEMA, tree, OriginMarks(origins)).decode()
    assert text == (
        '<kinds xmlns="urn:sdqkd:test:defaults" or:origin="or:intended"><own or:origin="or:system">4</own>'
        '<row><name>a</name><cell><x>2</x><y or:origin="or:default">3</y></cell>'
        '<on or:origin="or:default">true</on></row>'
        '<row or:origin="or:system"><name>b</name><cell><x>7</x><y or:origin="or:default">3</y></cell>'
        '<on or:origin="or:default">true</on></row>'
        '<of-type or:origin="or:default">3</of-type></kinds>'
    )


def test_it_stands_beside_the_mark_of_a_default() -> None:
    tree, origins = operational()
    marks = AllMarks([OriginMarks(origins), DefaultMarks(INTENDED)])
    assert '<on or:origin="or:default" wd:default="true">' in encode_marked(SCHEMA, tree, marks).decode()


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        (("intended",), "<kinds><row><name>a</name><cell><x>2</x></cell></row></kinds>"),
        (("system",), "<kinds><own>4</own><row><name>b</name><cell><x>7</x></cell></row></kinds>"),
        ((), ""),
    ],
)
def test_what_is_left_by_origin_has_what_is_above_it(wanted: tuple[str, ...], left: str) -> None:
    tree, origins = operational()
    assert printed(Restriction(origins=wanted).left(SCHEMA.data, tree, origins)) == left  # type: ignore[arg-type]


def test_no_restriction_leaves_the_tree_itself() -> None:
    tree, origins = operational()
    assert Restriction().left(SCHEMA.data, tree, origins) is tree
    assert Restriction(config=False).left(SCHEMA.data, tree, origins) == EMPTY


def test_a_container_that_was_cut_off_is_left() -> None:
    cut = Container({"defaults:kinds": EMPTY})
    origins = Origins(INTENDED, REPORTED)
    assert Restriction(config=True).left(SCHEMA.data, cut, origins) == cut
    assert Restriction(config=False).left(SCHEMA.data, cut, origins) == EMPTY
