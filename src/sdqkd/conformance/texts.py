"""The `${…}` of cases and target models: named texts with parameters.

    ${leaf value=5}     the text `leaf` with its parameter `value`; a value that is a name stands for its text
    ${value=5}          inside a text: its parameter, and what it is when not given (a name or a word)
    ${op}               inside a text: the attribute nc:operation, or nothing when `op` is not given
    ${fill 1000}        that many letters
    ${nest 1000}        that many elements inside each other
    ${attributes 1000}  that many attributes
    ${time -60}         the time that many seconds from now
    ${id-of-b}          the session-id of the session b
    ${set.NAME}         what the person who runs the kit gave with --set NAME=…

A text sees the parameters that it was called with, and those of the text that it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from sdqkd.errors import SdqkdError

_HOLE = re.compile(r"\$\{([^{}]*)\}")
_DEEPEST = 20
_MADE: Mapping[str, Callable[[int], str]] = {
    "fill": lambda number: "x" * number,
    "nest": lambda number: "<x>" * number + "</x>" * number,
    "attributes": lambda number: "".join(f' a{one}=""' for one in range(number)),
    "time": lambda seconds: (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ"),
}
_NC = "urn:ietf:params:xml:ns:netconf:base:1.0"


class MissingText(SdqkdError):
    """A name that stands for nothing here."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no text '{name}'")
        self.name = name


def expand(text: str, names: Mapping[str, str], arguments: Mapping[str, str] | None = None, depth: int = 0) -> str:
    """Fill all holes of a text. Raises MissingText."""
    if depth > _DEEPEST:
        raise MissingText(text[:40])
    given = arguments or {}
    return _HOLE.sub(lambda hole: _fill(hole[1], names, given, depth), text)


def _fill(hole: str, names: Mapping[str, str], given: Mapping[str, str], depth: int) -> str:
    head, *words = hole.split()
    if not words and "=" in head:
        name, default = head.split("=", 1)
        return given[name] if name in given else _value(default, names, {}, depth)
    if head == "op":
        return f' xmlns:nc="{_NC}" nc:operation="{given["op"]}"' if "op" in given else ""
    if head in given:
        return given[head]
    if head in _MADE and words:
        return _MADE[head](int(words[0]))
    if head not in names:
        raise MissingText(head)
    call = dict(word.split("=", 1) for word in words)
    filled = {name: _value(value, names, given, depth) for name, value in call.items()}
    return expand(names[head], names, {**given, **filled}, depth + 1)


def _value(word: str, names: Mapping[str, str], given: Mapping[str, str], depth: int) -> str:
    if word in given:
        return given[word]
    return expand(names[word], names, {}, depth + 1) if word in names else word
