"""What the watch must know of changes that somebody makes with this controller's journal: it keeps out of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdqkd.controller.journal import Begin, Confirmed, End, Entry, InDoubt, Journal, Remark, Reverted


class JournalView:
    """Follows a journal. `refresh` reads what is new; the rest is asked of what was read."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._last = 0
        self._open: dict[str, frozenset[str]] = {}
        self._doubts: dict[str, tuple[str, str]] = {}
        self._agreed: dict[str, str] = {}

    def refresh(self) -> None:
        """Read what was written since. Raises JournalError."""
        for entry in self._journal.entries(self._last):
            self._take(entry)
            self._last = entry.number

    def under_way(self, device: str) -> str | None:
        """The transaction that is changing a device, or was left undone there."""
        return next((txid for txid, devices in self._open.items() if device in devices), None)

    def agreed(self, device: str) -> str | None:
        """The digest of what a device was last brought to, or back to."""
        return self._agreed.get(device)

    @property
    def doubts(self) -> Mapping[str, str]:
        """What devices hold of which that is not certain, and what can be done."""
        return {device: text for device, (_, text) in self._doubts.items()}

    def remark(self, what: str, author: str, details: Mapping[str, Any]) -> None:
        """Write something down for the audit trail. Raises JournalError."""
        self._journal.remark(Remark(what, author, details))

    def _take(self, entry: Entry) -> None:
        match entry.record:
            case Begin(txid=txid, inverse=inverse):
                self._open[txid] = frozenset(inverse)
            case Confirmed(device=device, digest=digest) | Reverted(device=device, digest=digest):
                self._agreed[device] = digest
                self._doubts.pop(device, None)
            case InDoubt(txid=txid, device=device, holds=holds, remedy=remedy):
                self._doubts[device] = (txid, f"after {txid}: {holds}; {remedy}" if remedy else holds)
            case End(txid=txid):
                self._open.pop(txid, None)
                self._doubts = {device: doubt for device, doubt in self._doubts.items() if doubt[0] != txid}
