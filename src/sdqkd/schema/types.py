"""Leaf values: as written, and the canonical text of them (RFC 7950 section 9) that libyang prints.

Canonical: an identityref is always `module:NAME`, a decimal64 keeps one digit after the point, an integer has
no plus sign and no leading zeros, bits stand in the order of the model. A UUID, MAC or IPv6 address is lower
case, a date-and-time with a known offset is in UTC (RFC 6991).

Some patterns cannot be said exactly in Python's regular expressions; these are left to
`validate.Validator`, and so are texts long enough to make a match expensive.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

from sdqkd.schema.formats import canonical_format
from sdqkd.schema.patterns import compile_pattern
from sdqkd.schema.table import NODE_INSTANCE, Type

# From a prefix ("" for none) to a module's name, None where it is not bound.
ResolvePrefix: TypeAlias = "Callable[[str], str | None]"
Canonical: TypeAlias = "Callable[[str, ResolvePrefix], str]"

INTEGER_LIMITS = {
    **{f"int{bits}": (-(1 << bits - 1), (1 << bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": (0, (1 << bits) - 1) for bits in (8, 16, 32, 64)},
}
_INT64_DIGITS = 19
_MATCHED_LENGTH = 1000
_SHOWN_NAMES = 12

_INTEGER = re.compile(r"\s*([+-]?)0*([0-9]{1,20})\s*", re.ASCII)
_DECIMAL = re.compile(r"\s*([+-]?)0*([0-9]{1,19})(?:\.([0-9]+))?\s*", re.ASCII)
# RFC 7950 section 9.4: what a string may not hold.
_NO_CHARACTER = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")
_INSTANCE_STEP = re.compile(
    r"""/(?:([A-Za-z_][\w.\-]*):)?([A-Za-z_][\w.\-]*)|\[\s*(?:([1-9][0-9]*)|(?:[A-Za-z_][\w.\-]*:)?"""
    r"""(\.|[A-Za-z_][\w.\-]*)\s*=\s*('[^']*'|"[^"]*"|\$USER))\s*\]"""
)


def modules_as_prefixes(prefix: str) -> str | None:
    """Resolve prefixes that are module names already, as in JSON and in canonical text."""
    return prefix or None


def canonical(leaf_type: Type, text: str, resolve_prefix: ResolvePrefix = modules_as_prefixes) -> str:
    """The canonical text of the value `text`; ValueError with a sentence for people if it is not a value.

    White space around a value is dropped where the type gives it no meaning.
    """
    return compiled(leaf_type)(text, resolve_prefix)


@functools.cache
def compiled(leaf_type: Type) -> Canonical:
    """`canonical` of one type, ready to be called often."""
    return _BUILDERS[leaf_type.base](leaf_type)


@functools.cache
def needs_prefixes(leaf_type: Type) -> bool:
    """True if values can hold prefixes, so that their namespaces matter."""
    if leaf_type.target is not None:
        return needs_prefixes(leaf_type.target)
    return leaf_type.base in {"identityref", "instance-identifier"} or any(map(needs_prefixes, leaf_type.types))


def member_type(leaf_type: Type, value: str) -> Type:
    """The type that a canonical value has: a leafref followed, of a union the first member that fits."""
    if leaf_type.target is not None:
        return member_type(leaf_type.target, value)
    for member in leaf_type.types:
        try:
            if canonical(member, value) == value:
                return member_type(member, value)
        except ValueError:
            continue
    return leaf_type


def describe(leaf_type: Type) -> str:
    """What values the type takes, in a few words for people."""
    if leaf_type.target is not None:
        return describe(leaf_type.target)
    if leaf_type.base == "identityref":
        return f"one of {_some(sorted(leaf_type.identities))}"
    if leaf_type.base == "enumeration":
        return f"one of {_some(leaf_type.enums)}"
    if leaf_type.base == "bits":
        return f"a list of {_some(leaf_type.bits)}"
    if leaf_type.base == "union":
        return " or ".join(dict.fromkeys(describe(member) for member in leaf_type.types))
    return _described(leaf_type)


def _described(leaf_type: Type) -> str:
    base = leaf_type.base
    if base in INTEGER_LIMITS:
        low, high = INTEGER_LIMITS[base]
        return f"a whole number, {_ranges_text(leaf_type.range or ((str(low), str(high)),))}"
    if base == "decimal64":
        limits = f", {_ranges_text(leaf_type.range)}" if leaf_type.range else ""
        return f"a number with at most {leaf_type.fraction_digits} digits after the point{limits}"
    words = {"boolean": "true or false", "empty": "empty", "binary": "base64 text"}
    name = leaf_type.name or base
    return words.get(base) or f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(names[:_SHOWN_NAMES]) + more


def _wrong(text: str, wanted: str) -> ValueError:
    shown = text if len(text) <= 60 else text[:60] + "…"
    return ValueError(f"'{shown}' is not {wanted}")


def _intervals(pairs: Sequence[tuple[str, str]], read: Callable[[str], int]) -> list[tuple[int, int]]:
    return [(read(low), read(high)) for low, high in pairs]


def _within(intervals: Sequence[tuple[int, int]]) -> Callable[[int], bool]:
    """Whether a number lies in one of the intervals. Nearly every type has one, which is then no loop."""
    if len(intervals) == 1:
        ((low, high),) = intervals
        return lambda number: low <= number <= high
    return lambda number: any(low <= number <= high for low, high in intervals)


def _ranges_text(pairs: Sequence[tuple[str, str]]) -> str:
    return " or ".join(low if low == high else f"{low} to {high}" for low, high in pairs)


def _integer(leaf_type: Type) -> Canonical:
    low, high = INTEGER_LIMITS[leaf_type.base]
    pairs = leaf_type.range or ((str(low), str(high)),)
    is_within = _within(_intervals(pairs, int))
    words = describe(leaf_type)

    def convert(text: str, resolve_prefix: ResolvePrefix) -> str:
        match = _INTEGER.fullmatch(text)
        if match is None:
            raise _wrong(text, words)
        number = int(match[1] + match[2])
        if not is_within(number):
            raise _wrong(text, words)
        return str(number)

    return convert


def _decimal64(leaf_type: Type) -> Canonical:
    digits = leaf_type.fraction_digits

    words = describe(leaf_type)

    def scaled(text: str) -> int:
        match = _DECIMAL.fullmatch(text)
        if match is None:
            raise _wrong(text, words)
        fraction = (match[3] or "").rstrip("0")
        if len(fraction) > digits or len(match[2]) + digits > _INT64_DIGITS + 1:
            raise _wrong(text, words)
        return int(match[1] + match[2] + fraction.ljust(digits, "0"))

    pairs = leaf_type.range
    is_within = _within(_intervals(pairs, scaled) if pairs else [INTEGER_LIMITS["int64"]])

    def convert(text: str, resolve_prefix: ResolvePrefix) -> str:
        number = scaled(text)
        if not is_within(number):
            raise _wrong(text, words)
        whole = str(abs(number)).rjust(digits + 1, "0")
        sign = "-" if number < 0 else ""
        return f"{sign}{whole[:-digits]}.{whole[-digits:].rstrip('0') or '0'}"

    return convert


def _boolean(leaf_type: Type) -> Canonical:
    def convert(text: str, resolve_prefix: ResolvePrefix) -> str:
        value = text.strip()
        if value not in {"true", "false"}:
            raise _wrong(text, "true or false")
        return value

    return convert


def _empty(leaf_type: Type) -> Canonical:
    def convert(text: str, resolve_prefix: ResolvePrefix) -> str:
        if text.strip():
            raise _wrong(text, "empty")
        return ""

    return convert


def _enumeration(leaf_type: Type) -> Canonical:
    names = frozenset(leaf_type.enums)

    def convert(text: str, resolve_prefix: ResolvePrefix) -> str:
        if text in names:
            return text
        if text.strip() in names:
            return text.strip()
        raise _wrong(text, describe(leaf_type))

    return convert


def _bits(leaf_type: Type) -> Canonical:
    position = {name: number for number, name in enumerate(leaf_type.bits)}

    def convert(text: str, resolve_prefix: ResolvePrefix) -> str:
        names = text.split()
        if len(set(names)) < len(names) or not position.keys() >= set(names):
            raise _wrong(text, describe(leaf_type))
        return " ".join(sorted(names, key=position.__getitem__))

    return convert


def _binary(leaf_type: Type) -> Canonical:
    intervals = _intervals(leaf_type.length, int)

    def convert(text: str, resolve_prefix: ResolvePrefix) -> str:
        try:
            value = base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise _wrong(text, "base64 text") from error
        if intervals and not any(low <= len(value) <= high for low, high in intervals):
            raise ValueError(f"holds {len(value)} bytes, not {_ranges_text(leaf_type.length)}")
        return base64.b64encode(value).decode()

    return convert


def _string(leaf_type: Type) -> Canonical:
    intervals = _intervals(leaf_type.length, int)
    matchers = [(pattern, match) for pattern in leaf_type.patterns if (match := compile_pattern(pattern.regex))]
    reshape = canonical_format(leaf_type)
    name = leaf_type.name or "text"

    def convert(text: str, resolve_prefix: ResolvePrefix) -> str:
        if not text.isprintable() and (found := _NO_CHARACTER.search(text)):
            raise ValueError(f"the character U+{ord(found[0]):04X} is not allowed")
        if intervals and not any(low <= len(text) <= high for low, high in intervals):
            raise _wrong(text, f"a {name}: it has {len(text)} characters, not {_ranges_text(leaf_type.length)}")
        if len(text) <= _MATCHED_LENGTH:
            for pattern, match in matchers:
                if (match(text) is None) is not pattern.invert:
                    must = "must not" if pattern.invert else "must"
                    raise _wrong(text, f"a {name}: it {must} match {pattern.regex}")
        return reshape(text) if reshape else text

    return convert


def _identityref(leaf_type: Type) -> Canonical:
    def convert(text: str, resolve_prefix: ResolvePrefix) -> str:
        prefix, _, name = text.strip().rpartition(":")
        value = f"{resolve_prefix(prefix)}:{name}"
        if value not in leaf_type.identities:
            raise _wrong(text, describe(leaf_type))
        return value

    return convert


def _instance_identifier(leaf_type: Type) -> Canonical:
    # RFC 8341's kind may leave out keys, name the user in one, and be the root.
    of_rules = leaf_type.name == NODE_INSTANCE

    def convert(text: str, resolve_prefix: ResolvePrefix) -> str:
        parts, at, module = [], 0, ""
        stripped = text.strip()
        if of_rules and stripped == "/":
            return stripped
        while at < len(stripped):
            match = _INSTANCE_STEP.match(stripped, at)
            if match is None or (match[2] and not match[1] and not module) or (not match[2] and not module):
                raise _wrong(text, "the path of a node")
            if match[5] == "$USER" and not of_rules:
                raise _wrong(text, "the path of a node")
            at = match.end()
            if match[2]:
                own = (resolve_prefix(match[1]) or "?") if match[1] else module
                parts.append(f"/{match[2]}" if own == module else f"/{own}:{match[2]}")
                module = own
            else:
                parts.append(_instance_predicate(match))
        if not parts or "?" in (part.partition(":")[0][1:] for part in parts):
            raise _wrong(text, "the path of a node")
        return "".join(parts)

    return convert


def _instance_predicate(match: re.Match[str]) -> str:
    if match[3]:
        return f"[{match[3]}]"
    value = match[5][1:-1]
    as_written = "'" in value or match[5] == "$USER"
    return f"[{match[4]}={match[5]}]" if as_written else f"[{match[4]}='{value}']"


def _leafref(leaf_type: Type) -> Canonical:
    if leaf_type.target is None:
        return lambda text, resolve_prefix: text
    return compiled(leaf_type.target)


def _union(leaf_type: Type) -> Canonical:
    members = [compiled(member) for member in leaf_type.types]

    def convert(text: str, resolve_prefix: ResolvePrefix) -> str:
        for member in members:
            try:
                return member(text, resolve_prefix)
            except ValueError:
                continue
        raise _wrong(text, describe(leaf_type))

    return convert


_BUILDERS: dict[str, Callable[[Type], Canonical]] = {
    **dict.fromkeys(INTEGER_LIMITS, _integer),
    "decimal64": _decimal64,
    "boolean": _boolean,
    "empty": _empty,
    "enumeration": _enumeration,
    "bits": _bits,
    "binary": _binary,
    "string": _string,
    "identityref": _identityref,
    "instance-identifier": _instance_identifier,
    "leafref": _leafref,
    "union": _union,
}
