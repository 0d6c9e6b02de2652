"""The functions of XPath: the core library (XPath 1.0 section 4) and YANG's own (RFC 7950 section 10).

Every function has a row in `FUNCTIONS`. It gets its evaluated arguments; a function that may leave out its
argument gets the context node then.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from sdqkd.schema.table import Type
from sdqkd.schema.types import member_type
from sdqkd.schema.xpath import XPathError
from sdqkd.schema.xpath_regex import matches
from sdqkd.schema.xpath_tree import Document, Place
from sdqkd.schema.xpath_values import Value, rounded, text_to_number, to_boolean, to_number, to_text

_SPACE = re.compile("[ \t\r\n]+")


class Scope(Protocol):
    """What a function may ask beside its arguments."""

    document: Document
    current: Place

    def text_of(self, place: Place) -> str:
        """The string value of a node."""
        ...

    def spend(self, steps: int) -> None:
        """Take note of work done. Raises TooExpensiveError when it is too much."""
        ...

    def identity(self, text: str) -> str | None:
        """The `module:NAME` that an identity's name means here, None for none."""
        ...

    def referred(self, place: Place) -> list[Place]:
        """The nodes to which a leafref or instance-identifier leads."""
        ...


Apply: TypeAlias = Callable[[Scope, Sequence[Value]], Value]
Returns: TypeAlias = Literal["nodes", "string", "number", "boolean"]


@dataclass(frozen=True, slots=True)
class Function:
    """One function: how many arguments it takes (`most` None: any number), what it gives, what it does.

    `of_context`: without arguments it is about the context node.
    """

    least: int
    most: int | None
    returns: Returns
    apply: Apply
    of_context: bool = False


def _text(scope: Scope, value: Value) -> str:
    text = to_text(value, scope.text_of)
    # Long strings are work too.
    scope.spend(len(text) >> 6)
    return text


def _number(scope: Scope, value: Value) -> float:
    return to_number(value, scope.text_of)


def _nodes(value: Value) -> list[Place]:
    if not isinstance(value, list):
        raise XPathError("a function that wants nodes is given something else")
    return value


def _element(value: Value) -> Place | None:
    """The first node, if it has a name."""
    nodes = _nodes(value)
    return nodes[0] if nodes and nodes[0].node is not None and not nodes[0].is_text else None


def _namespace(value: Value) -> str:
    place = _element(value)
    return place.node.namespace if place is not None and place.node is not None else ""


def _local_name(value: Value) -> str:
    place = _element(value)
    return place.node.name if place is not None and place.node is not None else ""


def _sum(scope: Scope, value: Value) -> float:
    return float(sum(text_to_number(scope.text_of(place)) for place in _nodes(value)))


def _before(text: str, mark: str) -> str:
    head, found, _ = text.partition(mark) if mark else ("", "", "")
    return head if found else ""


def _after(text: str, mark: str) -> str:
    return text.partition(mark)[2] if mark else text


def _substring(scope: Scope, arguments: Sequence[Value]) -> str:
    text = _text(scope, arguments[0])
    first = rounded(_number(scope, arguments[1]))
    end = first + rounded(_number(scope, arguments[2])) if len(arguments) > 2 else math.inf
    if math.isnan(first) or math.isnan(end):
        return ""
    start, stop = max(first, 1.0), min(end, len(text) + 1.0)
    return text[int(start) - 1 : int(stop) - 1] if start < stop else ""


def _translate(text: str, old: str, new: str) -> str:
    table: dict[int, str | None] = {}
    for at, char in enumerate(old):
        table.setdefault(ord(char), new[at] if at < len(new) else None)
    return text.translate(table)


def _joined(scope: Scope, arguments: Sequence[Value]) -> str:
    return "".join(_text(scope, argument) for argument in arguments)


def _whole(number: float, towards: Callable[[float], int]) -> float:
    return math.copysign(float(towards(number)), number) if math.isfinite(number) else number


def _types_of(scope: Scope, value: Value) -> Iterator[tuple[Type, str]]:
    """Each leaf with the type that its value has, unions and leafrefs followed."""
    for place in _nodes(value):
        if place.node is not None and place.node.type is not None and isinstance(place.value, str):
            yield member_type(place.node.type, place.value), place.value


def _derived(scope: Scope, arguments: Sequence[Value], *, or_self: bool) -> bool:
    wanted = scope.identity(_text(scope, arguments[1]))
    identities = scope.document.schema.identities
    return wanted is not None and any(
        leaf_type.base == "identityref" and ((or_self and text == wanted) or wanted in identities.get(text, ()))
        for leaf_type, text in _types_of(scope, arguments[0])
    )


def _enum_value(scope: Scope, arguments: Sequence[Value]) -> float:
    for leaf_type, text in _types_of(scope, _nodes(arguments[0])[:1]):
        if leaf_type.base == "enumeration" and text in leaf_type.enums:
            return float(leaf_type.enum_values[leaf_type.enums.index(text)])
    return math.nan


def _bit_is_set(scope: Scope, arguments: Sequence[Value]) -> bool:
    wanted = _text(scope, arguments[1])
    first = _types_of(scope, _nodes(arguments[0])[:1])
    return any(leaf_type.base == "bits" and wanted in text.split() for leaf_type, text in first)


def _re_match(scope: Scope, arguments: Sequence[Value]) -> bool:
    return matches(_text(scope, arguments[1]), _text(scope, arguments[0]), scope.spend)


def _deref(scope: Scope, arguments: Sequence[Value]) -> list[Place]:
    return [to for place in _nodes(arguments[0])[:1] for to in scope.referred(place)]


def _of_texts(function: Callable[..., Value]) -> Apply:
    """A function whose arguments are all strings."""
    return lambda scope, arguments: function(*(_text(scope, argument) for argument in arguments))


def _of_number(function: Callable[[float], float]) -> Apply:
    return lambda scope, arguments: function(_number(scope, arguments[0]))


FUNCTIONS: dict[str, Function] = {
    # Node-sets. What depends on the context (position, last, current) is the evaluation's.
    "last": Function(0, 0, "number", lambda scope, arguments: math.nan),
    "position": Function(0, 0, "number", lambda scope, arguments: math.nan),
    "count": Function(1, 1, "number", lambda scope, arguments: float(len(_nodes(arguments[0])))),
    "id": Function(1, 1, "nodes", lambda scope, arguments: []),
    "local-name": Function(0, 1, "string", lambda scope, arguments: _local_name(arguments[0]), True),
    "namespace-uri": Function(0, 1, "string", lambda scope, arguments: _namespace(arguments[0]), True),
    # As elements are printed here, they have no prefix.
    "name": Function(0, 1, "string", lambda scope, arguments: _local_name(arguments[0]), True),
    # Strings
    "string": Function(0, 1, "string", _of_texts(str), True),
    "concat": Function(2, None, "string", _joined),
    "starts-with": Function(2, 2, "boolean", _of_texts(str.startswith)),
    "contains": Function(2, 2, "boolean", _of_texts(str.__contains__)),
    "substring-before": Function(2, 2, "string", _of_texts(_before)),
    "substring-after": Function(2, 2, "string", _of_texts(_after)),
    "substring": Function(2, 3, "string", _substring),
    "string-length": Function(0, 1, "number", _of_texts(lambda text: float(len(text))), True),
    "normalize-space": Function(
        0, 1, "string", _of_texts(lambda text: _SPACE.sub(" ", text.strip(" \t\r\n"))), True
    ),
    "translate": Function(3, 3, "string", _of_texts(_translate)),
    # Booleans
    "boolean": Function(1, 1, "boolean", lambda scope, arguments: to_boolean(arguments[0])),
    "not": Function(1, 1, "boolean", lambda scope, arguments: not to_boolean(arguments[0])),
    "true": Function(0, 0, "boolean", lambda scope, arguments: True),
    "false": Function(0, 0, "boolean", lambda scope, arguments: False),
    "lang": Function(1, 1, "boolean", lambda scope, arguments: False),
    # Numbers
    "number": Function(0, 1, "number", _of_number(float), True),
    "sum": Function(1, 1, "number", lambda scope, arguments: _sum(scope, arguments[0])),
    "floor": Function(1, 1, "number", _of_number(lambda number: _whole(number, math.floor))),
    "ceiling": Function(1, 1, "number", _of_number(lambda number: _whole(number, math.ceil))),
    "round": Function(1, 1, "number", _of_number(rounded)),
    # RFC 7950
    "current": Function(0, 0, "nodes", lambda scope, arguments: [scope.current]),
    "re-match": Function(2, 2, "boolean", _re_match),
    "deref": Function(1, 1, "nodes", _deref),
    "derived-from": Function(2, 2, "boolean", lambda scope, arguments: _derived(scope, arguments, or_self=False)),
    "derived-from-or-self": Function(
        2, 2, "boolean", lambda scope, arguments: _derived(scope, arguments, or_self=True)
    ),
    "enum-value": Function(1, 1, "number", _enum_value),
    "bit-is-set": Function(2, 2, "boolean", _bit_is_set),
}
