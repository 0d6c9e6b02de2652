from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from random import Random
from xml.sax.saxutils import escape

import oopt_gnpy_libyang as libyang
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.schema.random_trees import SCHEMA, written

from sdqkd.schema.table import Schema
from sdqkd.schema.types import canonical, describe, member_type
from sdqkd.schema.validate import Validator

_LEAFS = SCHEMA.data["fixture:values"].children
# libyang wants these without the white space that people put around them.
_STRICT = frozenset({"boolean", "enumeration", "binary"})


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # libyang prints times in the zone of the process; ours is always UTC.
    before = os.environ.get("TZ")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    if before is not None:
        monkeypatch.setenv("TZ", before)
        time.tzset()


def _by_libyang(name: str, text: str) -> str | None:
    """What libyang prints for a value of this leaf, None if it refuses it."""
    context = Validator(SCHEMA)._context
    prefixes = "".join(
        f' xmlns:{module}="{SCHEMA.namespace_of(module)}"'
        for module in ("fixture", "fixture-types", "fixture-more")
    )
    inside = escape(text, {"\r": "&#13;"})
    document = f'<values xmlns="urn:sdqkd:test:fixture"><{name}{prefixes}>{inside}</{name}></values>'
    options = libyang.ParseOptions.Strict | libyang.ParseOptions.ParseOnly
    try:
        top = context.parse_data(document, libyang.DataFormat.XML, options)
    except libyang.Error:
        return None
    finally:
        context.clean_all_errors()
    return str(list(top.children_dfs())[1].as_term())


def _by_us(name: str, text: str) -> str | None:
    leaf_type = _LEAFS[name].type
    assert leaf_type is not None
    try:
        return canonical(leaf_type, text, lambda prefix: prefix or "fixture")
    except ValueError:
        return None


@settings(deadline=None, max_examples=60)
@pytest.mark.parametrize("name", sorted(set(_LEAFS) - {"instance"}))
@given(seed=st.integers(0, 2**32))
def test_canonical_text_is_what_libyang_prints(name: str, seed: int) -> None:
    leaf_type = _LEAFS[name].type
    assert leaf_type is not None
    text = written(leaf_type, Random(seed))
    assert _by_us(name, text) == _by_libyang(name, text)


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("int8", "+05", "5"),
        ("int8", "-0", "0"),
        ("int8", " 017\n", "17"),
        ("int8", "0x1f", None),
        ("int8", "", None),
        ("int8", "٣", None),
        ("uint64", "18446744073709551615", "18446744073709551615"),
        ("uint64", "18446744073709551616", None),
        ("uint64", "9" * 5000, None),
        ("decimal", "1", "1.0"),
        ("decimal", "01.500", "1.5"),
        ("decimal", "-0.000", "0.0"),
        ("decimal", "7.4701", None),
        ("decimal", ".5", None),
        ("decimal", "1e3", None),
        ("decimal", "9223372036854775.807", "9223372036854775.807"),
        ("decimal", "9223372036854775.808", None),
        ("percent", "100.01", None),
        ("ranged", "-6", "-6"),
        ("ranged", "-4", None),
        ("bits", "c a", "a c"),
        ("bits", "a a", None),
        ("binary", "AAE=", "AAE="),
        ("binary", "AAA", None),
        ("binary", "AAAAAAAAAAAAAAAA", None),
        ("enumeration", "very high", "very high"),
        ("identity", "fixture:BLUE", "fixture:BLUE"),
        ("identity", "fixture-types:COLOUR", None),
        ("union", "05", "5"),
        ("union", "fixture-types:RED", "fixture-types:RED"),
        ("union", "RED", None),
        ("reference", "1.50", "1.5"),
        ("short", "éé", "éé"),
        ("short", "abcde", None),
        ("patterned", "abc", None),
        ("patterned", "x\ny", None),
        ("uuid", "4EF1B521-F83C-5B0D-B896-530B37BFC83D", "4ef1b521-f83c-5b0d-b896-530b37bfc83d"),
        ("mac", "AA:bb:CC:00:11:22", "aa:bb:cc:00:11:22"),
        ("time", "2024-06-01T12:00:00.250+02:00", "2024-06-01T10:00:00.250+00:00"),
        ("time", "2024-06-01T12:00:00-00:00", "2024-06-01T12:00:00Z"),
        ("time", "2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("ip", "2001:DB8::0:1", "2001:db8::1"),
        ("ip", "::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ("ip", "010.0.0.1", None),
        ("ipv4-prefix", "10.1.2.3/8", "10.0.0.0/8"),
        ("ipv6-prefix", "2001:DB8::1/64", "2001:db8::/64"),
        ("port", "080", "80"),
        ("instance", "/fixture:box/fixture:label", "/fixture:box/label"),
        ("instance", "/fixture:box/fixture-more:label", "/fixture:box/fixture-more:label"),
    ],
)
def test_known_values(name: str, text: str, wanted: str | None) -> None:
    assert _by_us(name, text) == wanted
    if name != "instance":
        assert _by_libyang(name, text) == wanted


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [("boolean", " true\n", "true"), ("enumeration", " low ", "low"), ("binary", "AA\nEC", "AAEC")],
)
def test_white_space_around_a_value_is_forgiven(name: str, text: str, wanted: str) -> None:
    assert _by_us(name, text) == wanted


@pytest.mark.parametrize("text", ["\x00", "a\x1b", "\ufffe", "\ufdd0", "\ud800"])
def test_characters_that_yang_forbids(text: str) -> None:
    assert _by_us("string", text) is None


def test_a_day_that_does_not_exist_is_refused() -> None:
    assert _by_us("time", "2024-02-31T00:00:00Z") is None


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("int8", "300", "'300' is not a whole number, -128 to 127"),
        ("percent", "x", "'x' is not a number with at most 2 digits after the point, 0 to 100"),
        ("boolean", "on", "'on' is not true or false"),
        ("enumeration", "mid", "'mid' is not one of low, very high"),
        ("bits", "d", "'d' is not a list of a, b, c"),
        ("uuid", "7", "'7' is not a uuid: it must match [0-9a-fA-F]{8}-"),
        ("identity", "GREEN", "'GREEN' is not one of fixture-types:DARK-RED, fixture-types:ORANGE"),
        ("short", "a" * 100, f"'{'a' * 60}…' is not a text: it has 100 characters, not 2 to 4 or 8"),
        ("ip", "10.0.0", "'10.0.0' is not an ipv4-address or an ipv6-address"),
        ("binary", "?", "'?' is not base64 text"),
    ],
)
def test_a_refusal_says_what_is_wanted(name: str, text: str, message: str) -> None:
    leaf_type = _LEAFS[name].type
    assert leaf_type is not None
    with pytest.raises(ValueError, match=re.escape(message)):
        canonical(leaf_type, text)


def test_many_names_are_cut_short() -> None:
    leaf_type = SCHEMA.data["fixture:values"].children["enumeration"].type
    assert leaf_type is not None
    assert describe(leaf_type) == "one of low, very high"


def test_a_union_value_has_the_type_of_the_first_member_that_fits(schema: Schema) -> None:
    union = _LEAFS["union"].type
    reference = _LEAFS["reference"].type
    assert union is not None
    assert reference is not None
    found = [member_type(union, text).base for text in ("7", "unlimited", "fixture:BLUE", "true")]
    assert found == ["uint8", "enumeration", "identityref", "boolean"]
    assert member_type(reference, "1.0").base == "decimal64"
