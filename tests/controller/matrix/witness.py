"""Sees that the journal comes first: at each RPC of a controller, what would who reads the journal now find there?

It reads a copy of the files, as if the controller had died at this moment: what SQLite has in memory, or in a
transaction that is open, is not there. What comes too early is told in a file, for the controller may be killed.

What it cannot see is whether the bytes have left the kernel's cache; SQLite does that by itself when a commit is
`synchronous = FULL`, and so it looks at that too.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from sdqkd.controller.journal import Committing, Decision, Editing, End, Locking, Record
from sdqkd.controller.journal_sqlite import SqliteJournal
from sdqkd.errors import JournalError

_OPERATION = re.compile(rb"<rpc[^>]*><([a-z-]+)")
_FULL = 2


class Witness:
    """One controller's, in its process. `excused`: writes have failed, so to go on without them is no fault."""

    def __init__(self, state: Path, network: str, complaints: Path) -> None:
        self._state, self._network, self._complaints = state, network, complaints
        self._edited: set[str] = set()
        self.synchronous = _FULL
        self.excused = False

    def forget(self, device: str) -> None:
        """A new session: what the old one had in the candidate is gone."""
        self._edited.discard(device)

    def hear(self, device: str, data: bytes) -> None:
        """An RPC is about to be sent."""
        found = _OPERATION.search(data)
        operation = found[1].decode() if found else ""
        if wrong := self._judge(device, operation, provisional=b"<confirmed" in data):
            with self._complaints.open("a", encoding="utf-8") as file:
                file.write(f"{device}: {wrong}\n")
        if operation == "edit-config":
            self._edited.add(device)
        elif operation in ("commit", "discard-changes"):
            self._edited.discard(device)

    def _judge(self, device: str, operation: str, *, provisional: bool) -> str:
        if operation not in ("lock", "edit-config", "commit", "cancel-commit"):
            return ""
        records = self._on_disk()
        verdicts = [record.verdict for record in records if isinstance(record, Decision)]
        own = [record for record in records if getattr(record, "device", None) == device]
        commits = [record for record in own if isinstance(record, Committing)]
        if self.synchronous != _FULL:
            return "the journal is not flushed when it is written"
        if operation == "commit" and not provisional and device not in self._edited:
            return "" if verdicts[-1:] == ["CONFIRM"] else "confirmed, and the journal has no decision to confirm"
        if operation == "cancel-commit" and verdicts[-1:] == ["CONFIRM"]:
            return "cancelled, and the journal has the decision to confirm"
        if self.excused or operation == "cancel-commit":
            return ""
        if operation == "commit":
            announced = any((commit.deadline is not None) == provisional for commit in commits[-1:])
            return "" if announced else "committed, and the journal does not know that it was to be"
        kind = Locking if operation == "lock" else Editing
        return "" if any(isinstance(record, kind) for record in own) else f"{operation}, and the journal has none"

    def _on_disk(self) -> list[Record]:
        """The records of the transaction that is open, by the files as they are now."""
        with tempfile.TemporaryDirectory() as folder:
            # The log first: what moves from it into the other file meanwhile is then in both. And by another
            # process: who closes a file gives up all locks of its process on it, those of SQLite too.
            files = [self._state / name for name in ("journal.sqlite-wal", "journal.sqlite")]
            subprocess.run(["cp", *(file for file in files if file.exists()), folder], check=True)
            try:
                journal = SqliteJournal(Path(folder), self._network)
            except JournalError:
                return []
            records = [entry.record for entry in journal.entries()]
            journal.close()
        ends = [at for at, record in enumerate(records, 1) if isinstance(record, End)]
        return records[ends[-1] if ends else 0 :]
