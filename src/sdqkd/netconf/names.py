"""Which names of elements, attributes, prefixes and namespaces have been met: there is room for so many, no more.

libxml2 keeps every name that it meets for as long as the thread lives that parsed it. A peer that makes up names
could fill the memory with them. So there is a limit to the names that the main thread ever meets: see `xml.parse`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_NAMES = 4096  # beside the expected ones; a model has some hundreds
MAX_NAME_BYTES = 256
_MAX_TAGS = 2048

_DECLARATION = re.compile(rb"\?xml(?:\s+\w+\s*=\s*(?:\"[\w.-]*\"|'[\w.-]*'))*\s*\?")
_ATTRIBUTES = rb"""(?:\s+[^\s=<>"'/]+\s*=\s*(?:"[^"]*"|'[^']*'))*"""
_TAG = re.compile(rb"/?([^\s=<>\"'/!?]+)(" + _ATTRIBUTES + rb")\s*/?")
_ATTRIBUTE = re.compile(rb"""([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


class Names:
    """Remembers names, and whole tags without their message-id to be quick about what comes again and again."""

    def __init__(self) -> None:
        self._names = {b"message-id"}
        self._tags: set[bytes] = set()
        self._room = MAX_NAMES

    def expect(self, names: Iterable[str]) -> None:
        """Take in names that honest peers will use; they need no room."""
        self._names.update(name.encode() for name in names)

    def admit(self, message: bytes) -> bool:
        """Whether all names of a message have been met, or there is room for those that have not.

        False too for what is no plain sequence of tags and text, such as a comment, and for what is no XML.
        """
        start, *pieces = message.split(b"<")
        new_tags, new_names = set[bytes](), set[bytes]()
        for piece in pieces:
            tag, closed, _ = piece.partition(b">")
            if tag in self._tags or (tag := _without_message_id(tag)) in self._tags:
                continue
            names = _names_in(tag) if closed else None
            if names is None:
                return False
            new_tags.add(tag)
            new_names |= names - self._names
        return not start and self._have_room(new_tags, new_names)

    def _have_room(self, tags: set[bytes], names: set[bytes]) -> bool:
        if len(names) > self._room or any(len(name) > MAX_NAME_BYTES for name in names):
            return False
        self._room -= len(names)
        self._names |= names
        if len(self._tags) < _MAX_TAGS:
            self._tags |= tags
        return True


def _names_in(tag: bytes) -> set[bytes] | None:
    """Give the names in a tag, with namespaces; None if it is none."""
    # A quoted > would end the tag too early, but then its quotes do not match.
    found = _TAG.fullmatch(tag)
    if found is None:
        return set() if _DECLARATION.fullmatch(tag) else None
    names = set(found[1].split(b":"))
    for name, double, single in _ATTRIBUTE.findall(found[2]):
        names.update(name.split(b":"))
        if name.startswith(b"xmlns"):
            names.add(double or single)
    return names


def _without_message_id(tag: bytes) -> bytes:
    """Take out what tells each rpc from the others, if it stands where it can be nothing else."""
    before, found, after = tag.partition(b' message-id="')
    _, end, rest = after.partition(b'"')
    if not (found and end) or b"'" in tag or before.count(b'"') % 2:
        return tag
    return before + rest
