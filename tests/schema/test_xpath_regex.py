from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.schema.xpath_regex import MAX_LENGTH, matches


@pytest.mark.parametrize(
    ("regex", "text", "expected"),
    [
        ("abc", "abc", True),
        ("abc", "xabc", False),
        ("", "", True),
        ("a|", "", True),
        ("(a|b)+c{2}", "ababcc", True),
        ("a{2,}", "a", False),
        ("a{0,2}", "aaa", False),
        ("(((a){2}){2})", "aaaa", True),
        ("(a*)*", "aaaa", True),
        (r"\d{1,3}(\.\d+)?", "12.5", True),
        (r"\D", "1", False),
        (r"[\d\-]+", "1-2", True),
        ("[a-c-[b]]+", "ac", True),
        ("[a-c-[b]]+", "abc", False),
        ("[^a]", "b", True),
        ("[-a]", "-", True),
        ("[a-]", "-", True),
        (r"\p{Lu}\P{Lu}", "Äa", True),
        (r"\i\c*", "a-1:b", True),
        (r"\w+", "aé1", True),
        (r"\w", "-", False),
        (r"\s\S", "\ta", True),
        (".", "\n", False),
        (r"\.\n", ".\n", True),
        ("^a$", "^a$", True),
    ],
)
def test_an_expression_matches_whole_texts(regex: str, text: str, expected: bool) -> None:
    assert matches(regex, text) is expected


@pytest.mark.parametrize(
    "regex",
    ["(", "a)", "[", "[]", "a{3,2}", "*", "a**", "\\", "\\z", "[z-a]", "{", "}", "]", r"\p{Xx}", "[a-z-[b]x]"],
)
def test_what_is_no_expression_is_refused(regex: str) -> None:
    with pytest.raises(ValueError, match="is no regular expression"):
        matches(regex, "x")


@pytest.mark.parametrize(
    "regex", ["a{9999}", "(a{1000}){1000}", "(" * 100 + "a" + ")" * 100, "a" * (MAX_LENGTH + 1)]
)
def test_what_would_be_too_much_is_refused(regex: str) -> None:
    with pytest.raises(ValueError, match=r"too large|nested|too long"):
        matches(regex, "x")


def test_what_makes_others_backtrack_costs_as_much_as_anything_else() -> None:
    spent: list[int] = []
    assert not matches("(a+)+b", "a" * 10_000, spent.append)
    assert sum(spent) < 10_000


def _regex(rng: Random, depth: int = 3) -> str:
    kind = rng.random()
    if not depth or kind < 0.4:
        return rng.choice(["a", "b", "[ab]", "[^a]", "."])
    inside = _regex(rng, depth - 1)
    if kind < 0.6:
        return inside + _regex(rng, depth - 1)
    if kind < 0.75:
        return f"({inside}|{_regex(rng, depth - 1)})"
    return f"({inside}){rng.choice(['*', '+', '?', '{2}', '{1,2}', '{0,1}', '{1,}'])}"


@given(seed=st.integers(min_value=0), text=st.text("abc", max_size=6))
def test_it_agrees_with_re_where_both_mean_the_same(seed: int, text: str) -> None:
    regex = _regex(Random(seed))
    assert matches(regex, text) is bool(re.fullmatch(regex, text))
