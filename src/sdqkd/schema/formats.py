"""Canonical texts of the string types of RFC 6991 (and RFC 9911) that have one: addresses, UUIDs, times.

A type is recognised by its pattern, which stays with it through typedefs of other modules.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network

from sdqkd.schema.table import Type

_HEX_BYTES = "[0-9a-fA-F]{2}(:[0-9a-fA-F]{2})"
_LOWER_CASE = {
    "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
    _HEX_BYTES + "{5}",
    f"({_HEX_BYTES}*)?",
}
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:)(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


def canonical_format(leaf_type: Type) -> Callable[[str], str] | None:
    """The function that makes a value of this string type canonical, None if any text is."""
    regexes = [pattern.regex for pattern in leaf_type.patterns if not pattern.invert]
    for regex in regexes:
        if regex in _LOWER_CASE:
            return str.lower
        if "T" in regex and regex.endswith(("(Z|[\\+\\-]\\d{2}:\\d{2})", "14:00))?")):
            return canonical_time
        if regex.startswith("((:|[0-9a-fA-F]{0,4}):)"):
            return ipv6_prefix if regex.endswith("(12[0-8])))") else ipv6_address
        if "25[0-5]" in regex and regex.startswith("(([0-9]|[1-9][0-9]|1[0-9][0-9]"):
            return ipv4_prefix if "/" in regex else ipv4_address
    return None


def canonical_time(text: str) -> str:
    """A date-and-time in UTC, `…Z` if its offset is unknown; ValueError if there is no such day or hour."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is not a date and time such as 2026-01-31T12:00:00Z")
    minute, second, fraction, zone = match.groups(default="")
    try:
        # datetime has no second 60; RFC 3339 does.
        moment = datetime.fromisoformat(minute + "00").replace(tzinfo=UTC) + timedelta(seconds=int(second))
        if zone in {"Z", "-00:00"}:
            return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:]))
        moment = moment - offset if zone[0] == "+" else moment + offset
    except (ValueError, OverflowError) as error:
        raise ValueError(f"'{text}' is no date and time that exists") from error
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}+00:00"


def ipv6_address(text: str) -> str:
    """An IPv6 address, compressed, with its zone if it has one."""
    address, percent, zone = text.partition("%")
    return _printed(socket.AF_INET6, address, text) + percent + zone


def ipv4_address(text: str) -> str:
    """An IPv4 address with its zone if it has one."""
    address, percent, zone = text.partition("%")
    return _printed(socket.AF_INET, address, text) + percent + zone


def ipv6_prefix(text: str) -> str:
    """An IPv6 prefix with the host part cleared."""
    address, _, length = text.partition("/")
    try:
        bits = int.from_bytes(socket.inet_pton(socket.AF_INET6, address))
    except OSError as error:
        raise ValueError(f"'{text}' is not an IPv6 prefix") from error
    host = 128 - int(length)
    return f"{socket.inet_ntop(socket.AF_INET6, (bits >> host << host).to_bytes(16))}/{int(length)}"


def ipv4_prefix(text: str) -> str:
    """An IPv4 prefix with the host part cleared."""
    try:
        return str(IPv4Network(text, strict=False))
    except ValueError as error:
        raise ValueError(f"'{text}' is not an IPv4 prefix") from error


def _printed(family: socket.AddressFamily, address: str, text: str) -> str:
    try:
        return socket.inet_ntop(family, socket.inet_pton(family, address))
    except OSError as error:
        raise ValueError(f"'{text}' is not an IP address") from error
