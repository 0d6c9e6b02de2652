"""YANG patterns (XML Schema regular expressions, RFC 7950 section 9.4.5) as Python's where both surely agree.

What is not surely the same (`\\w`, `\\i`, `\\c`, `\\p{…}`, class subtraction) gives None; libyang decides then.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

_SAME = {
    "n": "\\n",
    "r": "\\r",
    "t": "\\t",
    "d": "\\d",
    "D": "\\D",
    "s": "[ \\t\\n\\r]",
    "S": "[^ \\t\\n\\r]",
}
_IN_CLASS = {**_SAME, "s": " \\t\\n\\r"}
_ESCAPED = frozenset("\\|.-^?*+{}()[]/$\"'@#&,:;=<>!%~_` ")
_QUANTIFIER = re.compile(r"[*+?]|\{[0-9]{1,4}(?:,(?:[0-9]{1,4})?)?\}", re.ASCII)

Match = Callable[[str], re.Match[str] | None]


class _UnsureError(Exception):
    """The expression holds something that may mean another thing in Python."""


@functools.cache
def compile_pattern(regex: str) -> Match | None:
    """A function that matches a whole text against `regex`; None if Python cannot surely do so."""
    try:
        return re.compile(_translate(regex)).fullmatch
    except (_UnsureError, re.error, OverflowError):
        return None


def _translate(regex: str) -> str:
    parts: list[str] = []
    at = 0
    while at < len(regex):
        char = regex[at]
        if char == "[":
            part, at = _class(regex, at + 1)
        elif char == "\\":
            part, at = _escape(regex[at + 1 : at + 2], _SAME), at + 2
        elif char in "|)":
            part, at = char, at + 1
        elif char == "(":
            if regex[at + 1 : at + 2] == "?":
                raise _UnsureError
            part, at = "(?:", at + 1
        elif char in "*+?{}]":
            raise _UnsureError
        else:
            part, at = ("[^\\n\\r]" if char == "." else re.escape(char)), at + 1
        if quantifier := _QUANTIFIER.match(regex, at):
            if part in {"(?:", "|"}:
                raise _UnsureError
            part, at = part + quantifier[0], quantifier.end()
        parts.append(part)
    return "".join(parts)


def _escape(char: str, known: dict[str, str]) -> str:
    if char in known:
        return known[char]
    if char in _ESCAPED and char:
        return re.escape(char)
    raise _UnsureError


def _class(regex: str, at: int) -> tuple[str, int]:
    """The bracketed class whose inside starts at `at`, in Python's syntax, and where it ends."""
    parts = ["["]
    if regex[at : at + 1] == "^":
        parts.append("^")
        at += 1
    start = at
    while regex[at : at + 1] != "]":
        char = regex[at : at + 1]
        if char in {"", "["}:
            raise _UnsureError
        if char == "\\":
            if regex[at + 1 : at + 2] in {"S", ""}:
                raise _UnsureError
            parts.append(_escape(regex[at + 1], _IN_CLASS))
            at += 2
        elif char == "-" and at > start and regex[at + 1 : at + 2] not in {"]", ""}:
            parts.append("-")
            at += 1
        else:
            parts.append(re.escape(char))
            at += 1
    if at == start:
        raise _UnsureError
    return "".join([*parts, "]"]), at + 1
