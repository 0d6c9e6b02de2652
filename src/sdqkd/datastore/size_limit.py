"""How large a configuration may become: all of them live in memory."""

from __future__ import annotations

from collections import deque

from sdqkd.errors import RpcError
from sdqkd.schema.size import growth_bytes, size_bytes
from sdqkd.schema.tree import Container

_MIB = 2**20
MAX_BYTES = 128 * _MIB  # a dozen times what 10,000 links take


class SizeLimit:
    """How much a configuration may take. It knows the sizes of the last ones: an edit costs what it changes."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._known: deque[tuple[Container, int]] = deque(maxlen=3)

    def demand(self, before: Container, after: Container) -> None:
        """Raise RpcError `resource-denied` if a configuration grows beyond what it may take."""
        if after is before:
            return
        old_bytes = self._size_bytes(before)
        new_bytes = old_bytes + growth_bytes(before, after)
        if new_bytes > max(self._max_bytes, old_bytes):
            message = (
                f"the configuration would take {new_bytes / _MIB:.1f} MiB, and it may take"
                f" {self._max_bytes / _MIB:g} MiB: delete something, or let the agent take more"
            )
            raise RpcError("resource-denied", message)
        self._known.appendleft((after, new_bytes))

    def _size_bytes(self, tree: Container) -> int:
        for known, known_bytes in self._known:
            if known is tree:
                return known_bytes
        found_bytes = size_bytes(tree)
        self._known.appendleft((tree, found_bytes))
        return found_bytes
