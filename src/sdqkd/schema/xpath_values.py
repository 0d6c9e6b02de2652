"""The four kinds of XPath value, how one becomes another, and how numbers are read and written.

XPath 1.0 sections 3.4, 3.5 and 4: strings, numbers (IEEE 754), booleans and node-sets.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from sdqkd.schema.xpath_tree import Place

# Nodes stand in document order.
Value: TypeAlias = "str | float | bool | list[Place]"

_NUMBER = re.compile(r"[ \t\r\n]*(-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))[ \t\r\n]*")


def text_to_number(text: str) -> float:
    """A number from its text, NaN if it is none: no plus sign, no exponent."""
    match = _NUMBER.fullmatch(text)
    return float(match[1]) if match else math.nan


def number_to_text(number: float) -> str:
    """A number as XPath prints it: whole numbers without a point, never with an exponent.

    >>> number_to_text(1e21), number_to_text(-0.0), number_to_text(2.50), number_to_text(float("-inf"))
    ('1000000000000000000000', '0', '2.5', '-Infinity')
    """
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == int(number):
        return str(int(number))
    return format(Decimal(repr(number)), "f")


def to_boolean(value: Value) -> bool:
    """Whether a value counts as true: a node-set with nodes, a string with characters, a number but 0 and NaN."""
    if isinstance(value, float):
        return not (value == 0 or math.isnan(value))
    return bool(value)


def to_text(value: Value, text_of: Callable[[Place], str]) -> str:
    """A value as string; that of a node-set is its first node's, which `text_of` gives."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return text_of(value[0]) if value else ""
    return number_to_text(value)


def to_number(value: Value, text_of: Callable[[Place], str]) -> float:
    """A value as number, NaN if it is none."""
    if isinstance(value, bool | float):
        return float(value)
    return text_to_number(to_text(value, text_of))


def divide(a: float, b: float) -> float:
    """IEEE 754 division: by zero it gives an infinity or NaN."""
    if b == 0:
        if a == 0 or math.isnan(a):
            return math.nan
        return math.copysign(math.inf, a) * math.copysign(1, b)
    return a / b


def remainder(a: float, b: float) -> float:
    """What is left of a truncating division, with the sign of `a`."""
    if b == 0 or math.isinf(a) or math.isnan(a) or math.isnan(b):
        return math.nan
    return math.fmod(a, b)


def rounded(number: float) -> float:
    """The nearest whole number; of two, the one nearer to positive infinity (XPath 1.0 section 4.4).

    >>> rounded(2.5), rounded(-2.5), rounded(0.49999999999999994)
    (3.0, -2.0, 0.0)
    """
    if math.isnan(number) or math.isinf(number) or abs(number) >= 2.0**52:
        return number
    below = math.floor(number)
    return math.copysign(float(below if number - below < 0.5 else below + 1), number)
