"""The holes in the texts of cases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sdqkd.conformance.texts import MissingText, expand

NAMES = {
    "leaf": "<a${op}>${value=one}</a>",
    "list": "<l>${leaf}</l>",
    "one": "1",
    "two": "2",
    "set.limit": "8",
    "loop": "${loop}",
    "called": "${word}",
}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain {text} $", "plain {text} $"),
        ("${one}${two}", "12"),
        ("${leaf}", "<a>1</a>"),
        ("${leaf value=two}", "<a>2</a>"),
        ("${leaf value=word}", "<a>word</a>"),
        ("${list value=two}", "<l><a>2</a></l>"),
        ("${called word=one}", "1"),
        ("${fill 3}", "xxx"),
        ("${nest 2}", "<x><x></x></x>"),
        ("${attributes 2}", ' a0="" a1=""'),
        ("${set.limit}", "8"),
        (
            "${leaf op=delete}",
            '<a xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="delete">1</a>',
        ),
    ],
)
def test_holes_are_filled(text: str, filled: str) -> None:
    assert expand(text, NAMES) == filled


@pytest.mark.parametrize("text", ["${nobody}", "${loop}", "${set.other}", "${called}"])
def test_what_stands_for_nothing_is_named(text: str) -> None:
    with pytest.raises(MissingText):
        expand(text, NAMES)


def test_times_count_from_now() -> None:
    now = datetime.now(UTC)
    assert abs((datetime.fromisoformat(expand("${time -60}", {})) - now).total_seconds() + 60) < 5
