"""Answers that are given again: to the same request, of a user with the same rights, when nothing has changed.

A dashboard asks the same thing all day. What is kept is bounded, and goes with the first change.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_not

from sdqkd.datastore.nacm import Rights
from sdqkd.netconf.xml import Element
from sdqkd.schema.tree import Container

ROOM = 32
MAX_BYTES = 8192  # of an answer that is kept


class Answers:
    """The last small answers of one agent. `trees` are always all that an answer may be made of."""

    def __init__(self) -> None:
        self._trees: Sequence[Container] = ()
        self._known: dict[tuple[Element, Rights], bytes] = {}

    def find(self, request: Element, rights: Rights, trees: Sequence[Container]) -> bytes | None:
        """Give the content of the reply to a request, None if it is not known.

        A request is the same if its element is: `netconf.repeats` sees to that. So are rights, which access
        control makes anew when the rules change, and trees, which never change.
        """
        if not self._known or any(map(is_not, trees, self._trees)):
            return None
        return self._known.get((request, rights))

    def keep(self, request: Element, rights: Rights, trees: Sequence[Container], content: bytes) -> None:
        """Remember an answer."""
        if len(content) > MAX_BYTES:
            return
        if len(trees) != len(self._trees) or any(map(is_not, trees, self._trees)):
            self._trees = trees
            self._known.clear()
        if len(self._known) >= ROOM:
            del self._known[next(iter(self._known))]
        self._known[request, rights] = content
