"""The journal in an SQLite file of a state directory, and the lease that fences controllers that share it.

    journal.sqlite     write-ahead log, flushed with every commit; only its owner can read it
    controller.lock    locked by the process that has the lease, as long as it lives

Entries are only ever added (triggers refuse the rest), and each carries a hash over itself and the one before, so
what was changed by hand or damaged is noticed when the file is opened, and refused before any device is touched.
What SQLite cannot vouch for after a crash, a write that was torn, it drops: that record was never written.

A lease is taken over at once from a process that died, for the lock file is free then; from one that only stands
still, when it has not renewed for `lease_s`. Its epoch is in the file, so a process that comes to life again finds
it gone before it writes, here or to a device.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sdqkd.controller.clock import Clock, SystemClock, time_text
from sdqkd.controller.journal import Entry, Record, Remark, chained, from_json, text_of
from sdqkd.errors import JournalError, LeaseError

LEASE_S = 15.0  # after which a controller that gives no sign of life may be replaced
BUSY_S = 5.0  # to wait for another process that is writing

_APPLICATION_ID = 0x53514A31
_FORMAT = 1
_REMEDY = "bring back a copy of it, or move it away: what is under way on the devices is then not known"
_SCHEMA = (
    f"PRAGMA application_id = {_APPLICATION_ID}",
    f"PRAGMA user_version = {_FORMAT}",
    "CREATE TABLE network (name TEXT NOT NULL)",
    "CREATE TABLE entry (number INTEGER PRIMARY KEY, at TEXT NOT NULL, epoch INTEGER NOT NULL,"
    " record TEXT NOT NULL, hash TEXT NOT NULL)",
    "CREATE TABLE lease (epoch INTEGER NOT NULL, holder TEXT NOT NULL, renewed_s REAL NOT NULL,"
    " boot TEXT NOT NULL, locked INTEGER NOT NULL)",
    "INSERT INTO lease VALUES (0, '', 0, '', 0)",
    "CREATE TRIGGER entry_is_not_changed BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'append only'); END",
    "CREATE TRIGGER entry_is_not_deleted BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'append only'); END",
)
# SQLite keeps anything in any column.
_LEASE_KINDS = "SELECT typeof(epoch), typeof(holder), typeof(renewed_s), typeof(boot), typeof(locked) FROM lease"
_ENTRY_KINDS = (int, str, int, str, str)


class SqliteJournal:
    """A `Journal` in a folder. Not for several threads."""

    def __init__(
        self, folder: Path, network: str, clock: Clock | None = None, *, lease_s: float = LEASE_S
    ) -> None:
        """Open the journal of a network; it is made if it is not there.

        Raises JournalError if it is damaged, belongs to another network, or cannot be used.
        """
        self.file = folder / "journal.sqlite"
        self.network = network
        self.lease_s = lease_s
        self.clock = clock or SystemClock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Made here first, for its mode: SQLite would make it readable to others. One that is there is not
            # opened: to close it again would give up the locks of any other connection of this process.
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise JournalError(f"{error.filename or folder}: cannot be used: {error.strerror}") from error
        with self._reading():
            self._connection = sqlite3.connect(self.file, timeout=BUSY_S, isolation_level=None)
        try:
            self._prepare()
            self.entries()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Let go of the file. May be called again."""
        self._connection.close()

    def entries(self, after: int = 0) -> Sequence[Entry]:
        """What was written, in order, from the entry after this number on. Raises JournalError."""
        with self._reading():
            rows = self._connection.execute(
                "SELECT number, at, epoch, record, hash FROM entry WHERE number >= ? ORDER BY number", (after,)
            ).fetchall()
        return self._checked(rows, after)

    def remark(self, remark: Remark) -> None:
        """Write something that belongs to no transaction. Raises JournalError."""
        with self.writing():
            self.add(0, [remark])

    def take(self, holder: str) -> SqliteLease:
        """Become the one who changes the network. Raises LeaseError if somebody else does just now."""
        lock = self._lock_file()
        try:
            with self.writing() as connection:
                epoch, other, renewed_s, boot, locked = connection.execute("SELECT * FROM lease").fetchone()
                alive = boot == _boot() and self.clock.now_s() < renewed_s + self.lease_s
                died = locked and lock is not None
                if other and alive and not died:
                    raise LeaseError(f"{self.file}: {other} is changing this network: wait until that is done")
                connection.execute(
                    "UPDATE lease SET epoch = ?, holder = ?, renewed_s = ?, boot = ?, locked = ?",
                    (epoch + 1, holder, self.clock.now_s(), _boot(), int(lock is not None)),
                )
        except BaseException:
            if lock is not None:
                os.close(lock)
            raise
        return SqliteLease(self, epoch + 1, lock)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction of the file, flushed at its end. Raises JournalError if nothing was kept."""
        with self._reading():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def add(self, epoch: int, records: Sequence[Record]) -> None:
        """Add entries, inside of `writing`."""
        number, before = self._head()
        at = time_text(self.clock.wall())
        for record in records:
            number, text = number + 1, text_of(record)
            before = chained(before, number, at, epoch, text)
            self._connection.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?)", (number, at, epoch, text, before))

    def _head(self) -> tuple[int, str]:
        last = self._connection.execute("SELECT number, hash FROM entry ORDER BY number DESC LIMIT 1").fetchone()
        return last or (0, self.network)

    def _prepare(self) -> None:
        with self._reading():
            self._connection.execute("PRAGMA synchronous = FULL")
            if self._is_new():
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._create()
            if (self._pragma("application_id"), self._pragma("user_version")) != (_APPLICATION_ID, _FORMAT):
                raise JournalError(f"{self.file}: no journal of a controller of this version; {_REMEDY}")
            names = self._connection.execute("SELECT name FROM network").fetchall()
            leases = self._connection.execute(_LEASE_KINDS).fetchall()
        if len(names) != 1 or leases != [("integer", "text", "real", "text", "integer")]:
            raise JournalError(f"{self.file}: damaged, it does not say whose it is or who may write; {_REMEDY}")
        ((other,),) = names
        if other != self.network:
            message = f"{self.file}: the journal of the network {other}, not of {self.network}"
            raise JournalError(f"{message}: give each network a state directory of its own")

    def _create(self) -> None:
        with self.writing() as connection:
            # Another process may have come here at the same time.
            if self._is_new():
                for statement in _SCHEMA:
                    connection.execute(statement)
                connection.execute("INSERT INTO network VALUES (?)", (self.network,))

    def _is_new(self) -> bool:
        return self._pragma("schema_version") == 0

    def _pragma(self, name: str) -> int:
        value: int = self._connection.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise JournalError(f"{self.file}: the journal cannot be used: {error}") from error

    def _checked(self, rows: Sequence[tuple[int, str, int, str, str]], after: int) -> tuple[Entry, ...]:
        """The entries after a number, each vouching for the one before. Raises JournalError."""
        before, expected = self.network, 1
        if after and rows:
            expected, before, rows = after + 1, rows[0][4], rows[1:]
        found = []
        for row in rows:
            number, at, epoch, text, own = row
            whole = tuple(map(type, row)) == _ENTRY_KINDS and number == expected
            if not whole or chained(before, number, at, epoch, text) != own:
                raise JournalError(f"{self.file}: damaged, entry {expected} is not what was written; {_REMEDY}")
            found.append(Entry(number, at, epoch, from_json(_document(text)), own))
            before, expected = own, number + 1
        return tuple(found)

    def _lock_file(self) -> int | None:
        """Lock the lock file; None if another process has it."""
        file = self.file.with_name("controller.lock")
        try:
            handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalError(f"{file}: cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return None
        return handle


class SqliteLease:
    """A `Lease` of a `SqliteJournal`."""

    def __init__(self, journal: SqliteJournal, epoch: int, lock: int | None) -> None:
        self.epoch = epoch
        self._journal = journal
        self._lock = lock

    def append(self, *records: Record) -> None:
        """Write records, all or none, flushed on return. Raises JournalError, LeaseError."""
        with self._journal.writing() as connection:
            self._demand(connection)
            self._journal.add(self.epoch, records)
            self._renew(connection)

    def demand(self) -> None:
        """Raise LeaseError if it is gone, JournalError if nobody can tell."""
        try:
            self._demand(self._journal._connection)
        except sqlite3.Error as error:
            raise JournalError(f"{self._journal.file}: the journal cannot be used: {error}") from error

    def renew(self) -> None:
        """Say that its holder is alive. Raises LeaseError, JournalError."""
        with self._journal.writing() as connection:
            self._demand(connection)
            self._renew(connection)

    def release(self) -> None:
        """Let others have it; if it cannot be written down, they find the lock file free. May be called again."""
        with contextlib.suppress(JournalError), self._journal.writing() as connection:
            connection.execute("UPDATE lease SET holder = '' WHERE epoch = ?", (self.epoch,))
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _demand(self, connection: sqlite3.Connection) -> None:
        epoch, holder = connection.execute("SELECT epoch, holder FROM lease").fetchone()
        if epoch != self.epoch:
            by = f" by {holder}" if holder else ""
            message = f"this controller stood still for too long, and its work was taken over{by}"
            raise LeaseError(f"{message}: nothing more is written to any device")

    def _renew(self, connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE lease SET renewed_s = ?, boot = ?", (self._journal.clock.now_s(), _boot()))


def _document(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    return document


def _boot() -> str:
    """Which run of this machine it is: seconds of its clock mean nothing in the next one."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""
