"""Comparing XPath values: XPath 1.0 section 3.4.

A string that is compared with a leaf is first made canonical by the leaf's type, as libyang does: `7.470` is the
decimal 7.47, a UUID may be in capitals, an identity may bear any prefix that is bound to its module.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sdqkd.schema.table import Schema, Type
from sdqkd.schema.types import canonical
from sdqkd.schema.xpath import Names
from sdqkd.schema.xpath_tree import Place
from sdqkd.schema.xpath_values import Value, text_to_number, to_boolean, to_number

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SWAPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
COMPARISONS = frozenset(_COMPARE)


class Literals:
    """What the texts in one expression mean as values of leafs."""

    def __init__(self, schema: Schema, names: Names) -> None:
        self._schema = schema
        self._names = names
        self._known: dict[tuple[Type, str], str] = {}

    def value_of(self, leaf_type: Type, text: str) -> str:
        """The canonical value that a text is for a type; the text itself if it is none."""
        key = (leaf_type, text)
        if key not in self._known:
            self._known[key] = self._value_of(leaf_type, text)
        return self._known[key]

    def identity(self, text: str) -> str | None:
        """The `module:NAME` that an identity's name means, None for none."""
        prefix, _, name = text.strip().rpartition(":")
        module = self._module(prefix)
        if module is not None:
            return f"{module}:{name}"
        # A client's name without a prefix may be that of any module, as for nodes.
        same_name = [known for known in self._schema.identities if known.rpartition(":")[2] == name]
        return same_name[0] if not prefix and len(same_name) == 1 else None

    def _value_of(self, leaf_type: Type, text: str) -> str:
        try:
            return canonical(leaf_type, text, lambda prefix: self._module(prefix) or "?")
        except ValueError:
            identity = None if ":" in text or self._names.default is not None else self.identity(text)
            admitted = any(identity in one.identities for one in member_types(leaf_type))
            return identity if identity is not None and admitted else text

    def _module(self, prefix: str) -> str | None:
        return self._names.modules.get(prefix) if prefix else self._names.default


def member_types(leaf_type: Type) -> Iterator[Type]:
    """A type, and what it takes its values from: the members of a union, the target of a leafref."""
    yield leaf_type
    for member in leaf_type.types:
        yield from member_types(member)
    if leaf_type.target is not None:
        yield from member_types(leaf_type.target)


class Comparison:
    """Compares values of one evaluation; `text_of` gives the string value of a node."""

    def __init__(self, literals: Literals, text_of: Callable[[Place], str], spend: Callable[[int], None]) -> None:
        self._literals = literals
        self._text_of = text_of
        self._spend = spend

    def holds(self, name: str, a: Value, b: Value) -> bool:
        """Whether `a` stands in this relation to `b`."""
        if isinstance(b, list) and not isinstance(a, list):
            return self.holds(_SWAPPED.get(name, name), b, a)
        compare = _COMPARE[name]
        if isinstance(a, list):
            return compare(bool(a), b) if isinstance(b, bool) else self._some_node(name, a, b)
        either = isinstance(a, bool) or isinstance(b, bool)
        if name in _SWAPPED or (not either and (isinstance(a, float) or isinstance(b, float))):
            return compare(to_number(a, self._text_of), to_number(b, self._text_of))
        return compare(to_boolean(a), to_boolean(b)) if either else compare(a, b)

    def _some_node(self, name: str, a: list[Place], b: str | float | list[Place]) -> bool:
        compare = _COMPARE[name]
        self._spend(len(a))
        if isinstance(b, list):
            self._spend(len(b))
            return self._some_pair(name, a, b)
        if isinstance(b, str) and name not in _SWAPPED:
            return any(compare(self._text_of(place), self._as_value_of(place, b)) for place in a)
        number = to_number(b, self._text_of)
        return any(compare(text_to_number(self._text_of(place)), number) for place in a)

    def _some_pair(self, name: str, a: list[Place], b: list[Place]) -> bool:
        """Without a look at every pair: they could be many."""
        some, others = ({self._text_of(place) for place in nodes} for nodes in (a, b))
        if name == "=":
            return not some.isdisjoint(others)
        if name == "!=":
            return bool(some and others) and len(some | others) > 1
        low, high = (
            [number for text in texts if (number := text_to_number(text)) == number] for texts in (some, others)
        )
        if not low or not high:
            return False
        ends = (min(low), max(high)) if name in {"<", "<="} else (max(low), min(high))
        return _COMPARE[name](*ends)

    def _as_value_of(self, place: Place, text: str) -> str:
        if place.node is None or place.node.type is None:
            return text
        return self._literals.value_of(place.node.type, text)
