"""How much work one request may make: what takes more than linear time has a limit, in steps, not in seconds."""

from __future__ import annotations

from sdqkd.errors import RpcError


class Effort:
    """So many steps and no more."""

    def __init__(self, steps: int, message: str) -> None:
        """`message` says what there was too much of."""
        self._left = steps
        self._message = message

    def spend(self, steps: int) -> None:
        """Take note of work. Raises RpcError `resource-denied` when it is too much."""
        self._left -= steps
        if self._left < 0:
            raise RpcError("resource-denied", self._message)
