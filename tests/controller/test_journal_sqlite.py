from __future__ import annotations

import contextlib
import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sdqkd.controller.journal import Begin, Editing, End, Record, Remark
from sdqkd.controller.journal_sqlite import SqliteJournal
from sdqkd.errors import JournalError, LeaseError

RECORDS: tuple[Record, ...] = (
    Begin("t1", "net", "noc", {"devices": []}, {"a": []}, {}, {}),
    Editing("t1", "a"),
    End("t1", "refused"),
)


class Standing:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def now_s(self) -> float:
        return self.seconds

    def wall(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@contextmanager
def opened(folder: Path, network: str = "net", clock: Standing | None = None) -> Iterator[SqliteJournal]:
    journal = SqliteJournal(folder, network, clock)
    try:
        yield journal
    finally:
        journal.close()


def written(folder: Path) -> Path:
    """A journal with three entries, in one file."""
    with opened(folder) as journal:
        lease = journal.take("me")
        for record in RECORDS:
            lease.append(record)
        lease.release()
    return folder / "journal.sqlite"


def change(file: Path, *statements: str) -> None:
    # A connection that is a context manager ends its transaction only; one that fails would stay open.
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_what_was_written_is_read_by_the_next(tmp_path: Path) -> None:
    file = written(tmp_path / "state")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    with opened(tmp_path / "state") as journal:
        found = journal.entries()
        assert tuple(entry.record for entry in found) == RECORDS
        assert [(entry.number, entry.epoch) for entry in found] == [(1, 1), (2, 1), (3, 1)]
        assert journal.entries(2) == found[2:]
        assert journal.entries(3) == ()


def test_remarks_need_no_lease_and_stand_in_the_same_chain(tmp_path: Path) -> None:
    with opened(tmp_path) as journal, opened(tmp_path) as other:
        lease = journal.take("me")
        lease.append(RECORDS[0])
        other.remark(Remark("drift", "noc", {"device": "a"}))
        lease.append(*RECORDS[1:])
        assert [entry.epoch for entry in journal.entries()] == [1, 0, 1, 1]


def test_the_journal_of_another_network_is_refused(tmp_path: Path) -> None:
    written(tmp_path)
    with pytest.raises(JournalError, match="the journal of the network net, not of other"):
        SqliteJournal(tmp_path, "other")


@pytest.mark.parametrize(
    "tampering",
    [
        """UPDATE entry SET record = '{"record":"Editing","txid":"t1","device":"b"}' WHERE number = 2""",
        "DELETE FROM entry WHERE number = 2",
        "DELETE FROM entry WHERE number = 1",
        "UPDATE entry SET epoch = 9 WHERE number = 3",
        "UPDATE entry SET at = 'earlier' WHERE number = 1",
    ],
)
def test_what_was_changed_by_hand_is_refused(tmp_path: Path, tampering: str) -> None:
    file = written(tmp_path)
    with pytest.raises(sqlite3.IntegrityError, match="append only"):
        change(file, tampering)
    change(file, "DROP TRIGGER entry_is_not_changed", "DROP TRIGGER entry_is_not_deleted", tampering)
    with pytest.raises(JournalError, match=r"damaged, entry . is not what was written; bring back a copy"):
        SqliteJournal(tmp_path, "net")


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE entry SET record = x'00ff' WHERE number = 2",
        "UPDATE entry SET epoch = 'first' WHERE number = 2",
        "UPDATE entry SET at = x'00' WHERE number = 2",
        "DELETE FROM network",
        "DELETE FROM lease",
        "INSERT INTO lease VALUES (0, '', 0, '', 0)",
        "UPDATE lease SET epoch = 'first'",
        "UPDATE lease SET renewed_s = x'00'",
    ],
)
def test_what_is_not_even_of_the_right_kind_is_refused_too(tmp_path: Path, tampering: str) -> None:
    file = written(tmp_path)
    change(file, "DROP TRIGGER entry_is_not_changed", tampering)
    with pytest.raises(JournalError, match=r"journal\.sqlite: damaged, .*bring back a copy"):
        SqliteJournal(tmp_path, "net")


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"no database, but long enough to be one" * 100)
    with pytest.raises(JournalError, match="the journal cannot be used: file is not a database"):
        SqliteJournal(tmp_path, "net")
    (tmp_path / "journal.sqlite").unlink()
    change(tmp_path / "journal.sqlite", "CREATE TABLE toaster (slots)")
    with pytest.raises(JournalError, match="no journal of a controller of this version"):
        SqliteJournal(tmp_path, "net")


def test_damage_anywhere_is_refused_or_does_no_harm(tmp_path: Path) -> None:
    """A byte turned round in the file: it is refused, or the entries are those that were written."""
    whole = written(tmp_path / "whole").read_bytes()
    refused = 0
    for at in range(0, len(whole), 509):
        folder = tmp_path / f"at-{at}"
        folder.mkdir()
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        (folder / "journal.sqlite").write_bytes(damaged)
        try:
            with opened(folder) as journal:
                assert tuple(entry.record for entry in journal.entries()) == RECORDS
        except JournalError:
            refused += 1
    assert refused > 3


def test_a_torn_write_is_one_that_never_was(tmp_path: Path) -> None:
    """A process is killed while its log is open; the log is cut at many places, as if it had been torn there."""
    program = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from sdqkd.controller.journal import Remark\nfrom sdqkd.controller.journal_sqlite import SqliteJournal\n"
        "journal = SqliteJournal(Path(sys.argv[1]), 'net')\n"
        "for number in range(6): journal.remark(Remark('n', 'me', {'number': number}))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "killed")], check=False)
    assert done.returncode == -signal.SIGKILL
    database = (tmp_path / "killed" / "journal.sqlite").read_bytes()
    log = (tmp_path / "killed" / "journal.sqlite-wal").read_bytes()
    seen = set()
    for length in (*range(len(log) - 1, 12000, -1733), len(log)):
        folder = tmp_path / f"cut-{length}"
        folder.mkdir()
        (folder / "journal.sqlite").write_bytes(database)
        (folder / "journal.sqlite-wal").write_bytes(log[:length])
        try:
            with opened(folder) as journal:
                numbers = [entry.record.details["number"] for entry in journal.entries()]
                journal.remark(Remark("more", "me", {}))
        except JournalError:  # cut before the file itself was made
            continue
        assert numbers == list(range(len(numbers)))
        seen.add(len(numbers))
    assert seen >= {3, 4, 5, 6}


def test_a_full_disk_keeps_all_or_none_of_what_is_written_at_once(tmp_path: Path) -> None:
    with opened(tmp_path) as journal:
        lease = journal.take("me")
        lease.append(RECORDS[0])
        old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        size = (tmp_path / "journal.sqlite-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1000, limits[1]))
        try:
            with pytest.raises(JournalError, match="the journal cannot be used"):
                lease.append(*RECORDS[1:])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, old)
        assert [entry.record for entry in journal.entries()] == [RECORDS[0]]
        lease.append(*RECORDS[1:])
        assert len(journal.entries()) == 3


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match=r"cannot be used: (Not a directory|File exists)"):
        SqliteJournal(tmp_path / "file", "net")


def test_a_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").mkdir()
    with pytest.raises(JournalError, match="the journal cannot be used: unable to open"):
        SqliteJournal(tmp_path, "net")


def test_to_open_it_once_more_takes_no_lock_from_who_has_it(tmp_path: Path) -> None:
    """Else another process that closes it takes itself for the last one, and removes the log that we write to."""
    open_and_close = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM entry'); c.close()"
    )
    with opened(tmp_path) as journal:
        lease = journal.take("me")
        with opened(tmp_path) as once_more:
            once_more.entries()
            subprocess.run([sys.executable, "-c", open_and_close, journal.file], check=True)
        assert (tmp_path / "journal.sqlite-wal").exists()
        lease.append(*RECORDS)
        subprocess.run([sys.executable, "-c", open_and_close, journal.file], check=True)
        lease.demand()
    with opened(tmp_path) as journal:
        assert tuple(entry.record for entry in journal.entries()) == RECORDS


def test_one_at_a_time_may_change_the_network(tmp_path: Path) -> None:
    with opened(tmp_path) as one, opened(tmp_path) as other:
        lease = one.take("pid 1")
        with pytest.raises(LeaseError, match="pid 1 is changing this network"):
            other.take("pid 2")
        lease.demand()
        lease.release()
        second = other.take("pid 2")
        assert second.epoch == lease.epoch + 1
        with pytest.raises(LeaseError, match="taken over by pid 2: nothing more is written"):
            lease.demand()
        with pytest.raises(LeaseError):
            lease.append(RECORDS[0])
        assert one.entries() == ()
        lease.release()
        second.append(RECORDS[0])


def test_who_stands_still_for_too_long_is_replaced_and_who_renews_is_not(tmp_path: Path) -> None:
    clock = Standing()
    with opened(tmp_path, clock=clock) as one, opened(tmp_path, clock=clock) as other:
        lease = one.take("pid 1")
        clock.seconds += 0.9 * one.lease_s
        lease.renew()
        clock.seconds += 0.9 * one.lease_s
        with pytest.raises(LeaseError):
            other.take("pid 2")
        clock.seconds += 0.2 * one.lease_s
        second = other.take("pid 2")
        for write in (lease.demand, lease.renew, lambda: lease.append(RECORDS[0])):
            with pytest.raises(LeaseError):
                write()
        # The one who stood still has the lock file yet: that says nothing of the one who works now.
        lease.release()
        with opened(tmp_path, clock=clock) as third, pytest.raises(LeaseError, match="pid 2"):
            third.take("pid 3")
        second.demand()


def test_who_died_is_replaced_at_once(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom sdqkd.controller.journal_sqlite import SqliteJournal\n"
        "lease = SqliteJournal(Path(sys.argv[1]), 'net').take('the dead')\nprint('taken', flush=True)\n"
        "sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], **pipes) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with opened(tmp_path) as journal:
            with pytest.raises(LeaseError, match="the dead"):
                journal.take("me")
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            assert journal.take("me").epoch == 2
