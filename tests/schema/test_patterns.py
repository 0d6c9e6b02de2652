from __future__ import annotations

import pytest

from sdqkd.schema.patterns import compile_pattern


@pytest.mark.parametrize(
    ("regex", "matching", "others"),
    [
        ("a", ["a"], ["aa", "A", "a\n"]),
        ("a|bc", ["a", "bc"], ["ac"]),
        ("a.c", ["abc", "a\tc"], ["a\nc", "a\rc"]),
        ("^$", ["^$"], [""]),
        (r"\d{2}", ["12", "१२"], ["1"]),
        (r"\s", [" ", "\n"], ["\u00a0", "\v"]),
        (r"[\s\d]+", ["1 2"], ["\u00a0"]),
        (r"[^ab]", ["c", "^"], ["a"]),
        (r"[a\-z]", ["-", "z"], ["b"]),
        (r"[a-c-]", ["-", "b"], ["d"]),
        (r"[.+*\\]+", [".+*\\"], ["a"]),
        (r"[a&&b~~|]+", ["&~|ab"], ["c"]),
        (r"x{2,}", ["xx", "xxx"], ["x"]),
        (r"(ab)?c", ["abc", "c"], ["ab"]),
        (r"\.\-\(\)", [".-()"], ["a-()"]),
    ],
)
def test_patterns_match_whole_texts_as_xml_schema_does(regex: str, matching: list[str], others: list[str]) -> None:
    match = compile_pattern(regex)
    assert match is not None
    assert all(map(match, matching))
    assert not any(map(match, others))


@pytest.mark.parametrize(
    "regex",
    [
        r"\w",
        r"\i\c*",
        r"\p{L}",
        "[a-z-[aeiou]]",
        "(?i)a",
        "a**",
        "a{",
        "a]",
        "[",
        "[]",
        "[^]",
        "a\\",
        "*a",
        "(*a)",
        r"[\S]",
    ],
)
def test_what_may_mean_another_thing_is_left_to_libyang(regex: str) -> None:
    assert compile_pattern(regex) is None
