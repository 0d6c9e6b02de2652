"""What the watch must not forget, in an SQLite file of the state directory, `watch.sqlite`.

That is the alarms, with what persons said of them, and what each device was last seen to agree with. Several
processes may have it open: a watch, and who acknowledges an alarm.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from sdqkd.controller.alarms import Alarm, AlarmKey, OperatorNote, StatusChange
from sdqkd.errors import StoreError

BUSY_S = 5.0  # to wait for another process that is writing

_APPLICATION_ID = 0x53514157
_SCHEMA = (
    f"PRAGMA application_id = {_APPLICATION_ID}",
    "CREATE TABLE IF NOT EXISTS alarm (resource TEXT, type TEXT, qualifier TEXT, content TEXT NOT NULL,"
    " PRIMARY KEY (resource, type, qualifier))",
    "CREATE TABLE IF NOT EXISTS agreed (device TEXT PRIMARY KEY, wanted TEXT NOT NULL)",
)

Change: TypeAlias = Callable[[Alarm | None], Alarm | None]  # what an alarm becomes; None for none


class AlarmStore(Protocol):
    """Keeps alarms. Any method raises StoreError if they cannot be kept or read."""

    def alarms(self) -> Sequence[Alarm]:
        """All of them, the oldest first, cleared ones too."""
        ...

    def update(self, key: AlarmKey, change: Change) -> tuple[Alarm | None, Alarm | None]:
        """Change one alarm, with nobody in between; give it as it was and as it is now."""
        ...


class Agreements(Protocol):
    """Keeps what each device was last seen to agree with: `drift.Drift.wanted`. Raises StoreError."""

    def agreed(self, device: str) -> str | None:
        """What a device agreed with, None if it never did."""
        ...

    def agree(self, device: str, wanted: str) -> None:
        """Note that it agrees with this."""
        ...


class SqliteWatchStore:
    """Both in one file. Not for several threads."""

    def __init__(self, folder: Path) -> None:
        """Open the file; it is made if it is not there. Raises StoreError."""
        self.file = folder / "watch.sqlite"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Made here first, for its mode: SQLite would make it readable to others.
            os.close(os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise StoreError(f"{error.filename or folder}: cannot be used: {error.strerror}") from error
        self._connection = sqlite3.connect(self.file, timeout=BUSY_S, isolation_level=None)
        try:
            with self._as_store_error():
                self._prepare()
                self._agreed = dict(self._connection.execute("SELECT device, wanted FROM agreed"))
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Let go of the file. May be called again."""
        self._connection.close()

    def alarms(self) -> Sequence[Alarm]:
        """All of them, the oldest first, cleared ones too."""
        with self._as_store_error():
            rows = self._connection.execute("SELECT content FROM alarm").fetchall()
            return sorted((_from_json(json.loads(text)) for (text,) in rows), key=lambda alarm: alarm.created)

    def update(self, key: AlarmKey, change: Change) -> tuple[Alarm | None, Alarm | None]:
        """Change one alarm, with nobody in between; give it as it was and as it is now."""
        with self._writing() as connection:
            row = connection.execute(
                "SELECT content FROM alarm WHERE resource = ? AND type = ? AND qualifier = ?", key
            ).fetchone()
            before = None if row is None else _from_json(json.loads(row[0]))
            after = change(before)
            if after is None:
                connection.execute("DELETE FROM alarm WHERE resource = ? AND type = ? AND qualifier = ?", key)
            elif after != before:
                text = json.dumps(after.to_json(), ensure_ascii=False)
                connection.execute("INSERT OR REPLACE INTO alarm VALUES (?, ?, ?, ?)", (*key, text))
        return before, after

    def agreed(self, device: str) -> str | None:
        """What a device agreed with, None if it never did."""
        return self._agreed.get(device)

    def agree(self, device: str, wanted: str) -> None:
        """Note that it agrees with this."""
        if self._agreed.get(device) != wanted:
            with self._writing() as connection:
                connection.execute("INSERT OR REPLACE INTO agreed VALUES (?, ?)", (device, wanted))
            self._agreed[device] = wanted

    def _prepare(self) -> None:
        found = self._connection.execute("PRAGMA application_id").fetchone()[0]
        if found not in (0, _APPLICATION_ID):
            raise StoreError(f"{self.file}: this is another program's file")
        self._connection.execute("PRAGMA journal_mode = WAL")
        for statement in _SCHEMA:
            self._connection.execute(statement)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._as_store_error():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _as_store_error(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, KeyError, TypeError, ValueError) as error:
            message = f"{self.file}: cannot be used: {error}; move it away, and the watch begins a new one"
            raise StoreError(message) from error


def _from_json(document: Mapping[str, Any]) -> Alarm:
    severity = document["perceived-severity"]
    return Alarm(
        AlarmKey(document["resource"], document["alarm-type-id"], document["alarm-type-qualifier"]),
        created=_time(document["time-created"]),
        raised=_time(document["last-raised"]),
        severity=severity,
        text=document["alarm-text"],
        cleared=document["is-cleared"],
        changes=tuple(_change(change) for change in document["status-change"]),
        notes=tuple(
            OperatorNote(_time(note["time"]), note["operator"], note["text"])
            for note in document["operator-state-change"]
        ),
        acknowledged=document["acknowledged"],
    )


def _change(change: Mapping[str, Any]) -> StatusChange:
    severity = change["perceived-severity"]
    return StatusChange(_time(change["time"]), None if severity == "cleared" else severity, change["alarm-text"])


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
