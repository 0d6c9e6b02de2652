"""What the watch takes from a journal."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from sdqkd.controller.journal import Begin, Confirmed, Decision, End, InDoubt, Reverted
from sdqkd.controller.journal_sqlite import SqliteJournal
from sdqkd.controller.watch_journal import JournalView


def begin(txid: str, *devices: str) -> Begin:
    return Begin(txid, "net", "noc", {}, {device: [] for device in devices}, {}, {})


def test_who_is_changed_who_agrees_and_who_is_in_doubt(tmp_path: Path) -> None:
    with closing(SqliteJournal(tmp_path, "net")) as journal:
        view, lease = JournalView(journal), journal.take("test")

        def seen() -> tuple:
            view.refresh()
            return view.under_way("a"), view.under_way("c"), view.agreed("a"), view.agreed("b"), dict(view.doubts)

        assert seen() == (None, None, None, None, {})
        lease.append(begin("tx-1", "a", "b"))
        assert seen() == ("tx-1", None, None, None, {})
        lease.append(Decision("tx-1", "CONFIRM", ""), Confirmed("tx-1", "a", "new"))
        lease.append(InDoubt("tx-1", "b", "cannot be asked", "recover"))
        assert seen() == ("tx-1", None, "new", None, {"b": "after tx-1: cannot be asked; recover"})
        lease.append(Confirmed("tx-1", "b", "also"))
        assert seen() == ("tx-1", None, "new", "also", {})
        lease.append(InDoubt("tx-1", "b", "once more", ""), End("tx-1", "closed"))
        assert seen() == (None, None, "new", "also", {})
        lease.append(begin("tx-2", "a"), Reverted("tx-2", "a", "old"), End("tx-2", "rolled back"))
        assert seen() == (None, None, "old", "also", {})
        lease.release()


def test_what_was_adopted_is_written_down(tmp_path: Path) -> None:
    with closing(SqliteJournal(tmp_path, "net")) as journal:
        JournalView(journal).remark("drift-adopted", "noc", {"device": "a"})
        (entry,) = journal.entries()
        assert (entry.record.what, entry.record.author, entry.record.details) == (
            "drift-adopted", "noc", {"device": "a"},
        )  # fmt: skip
