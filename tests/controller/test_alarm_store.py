"""Alarms survive their process, and nobody's change is lost between two processes."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sdqkd.controller.alarm_board import AlarmBoard
from sdqkd.controller.alarm_store import SqliteWatchStore
from sdqkd.controller.alarms import Alarm, AlarmKey, acknowledged, cleared, raised
from sdqkd.errors import StoreError

KEY = AlarmKey("alfa", "drift", "x")
NOW = datetime(2026, 11, 23, 12, 0, 0, 5000, tzinfo=UTC)


class Standing:
    """A clock that moves a second whenever it is asked."""

    def __init__(self) -> None:
        self.now = NOW

    def now_s(self) -> float:
        return 0.0

    def wall(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    async def sleep(self, seconds: float) -> None: ...


def test_an_alarm_comes_back_whole(tmp_path: Path) -> None:
    alarm = raised(None, KEY, "minor", "één", NOW)
    alarm = raised(cleared(acknowledged(alarm, "noc", "seen", NOW), NOW), KEY, "major", "again", NOW)
    with closing(SqliteWatchStore(tmp_path)) as store:
        assert store.update(KEY, lambda before: alarm) == (None, alarm)
    with closing(SqliteWatchStore(tmp_path)) as store:
        assert store.alarms() == [alarm]


def test_two_processes_change_one_alarm(tmp_path: Path) -> None:
    with closing(SqliteWatchStore(tmp_path)) as watch, closing(SqliteWatchStore(tmp_path)) as person:
        watch.update(KEY, lambda before: raised(before, KEY, "minor", "one", NOW))
        person.update(KEY, lambda before: acknowledged(before, "noc", "seen", NOW) if before else None)
        _, after = watch.update(KEY, lambda before: cleared(before, NOW) if before else None)
        assert after is not None
        assert (after.cleared, after.acknowledged) == (True, True)


def test_what_a_device_agreed_with_is_kept(tmp_path: Path) -> None:
    with closing(SqliteWatchStore(tmp_path)) as store:
        assert store.agreed("alfa") is None
        store.agree("alfa", "one")
        store.agree("alfa", "two")
    with closing(SqliteWatchStore(tmp_path)) as store:
        assert store.agreed("alfa") == "two"


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    with closing(SqliteWatchStore(tmp_path)) as store:
        assert stat.S_IMODE(store.file.stat().st_mode) == 0o600


def test_a_change_that_fails_leaves_the_alarm_as_it_was(tmp_path: Path) -> None:
    def fail(before: Alarm | None) -> Alarm | None:
        raise RuntimeError

    with closing(SqliteWatchStore(tmp_path)) as store:
        _, alarm = store.update(KEY, lambda before: raised(before, KEY, "minor", "one", NOW))
        with pytest.raises(RuntimeError):
            store.update(KEY, fail)
        assert store.alarms() == [alarm]


@pytest.mark.parametrize("content", [b"not a database, but long enough to look like one" * 100, None])
def test_what_is_no_such_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "watch.sqlite"
    if content is None:
        with closing(sqlite3.connect(file)) as other:
            other.execute("PRAGMA application_id = 7")
            other.execute("CREATE TABLE x (y)")
    else:
        file.write_bytes(content)
    with pytest.raises(StoreError, match=r"watch\.sqlite"):
        SqliteWatchStore(tmp_path)


def test_the_board_tells_changes_only_and_clears_what_is_not_found_any_more(tmp_path: Path) -> None:
    told: list[tuple[str, bool]] = []
    with closing(SqliteWatchStore(tmp_path)) as store:
        board = AlarmBoard(store, Standing(), lambda alarm: told.append((alarm.key.type, alarm.cleared)))
        for found in ({"drift": "a"}, {"drift": "a"}, {"unreachable": "b"}, {}, {}):
            board.stand("alfa", found, ("drift", "unreachable"))
        first, *middle, last = told
        assert (first, last) == (("drift", False), ("unreachable", True))
        assert sorted(middle) == [("drift", True), ("unreachable", False)]


def test_a_board_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    with closing(SqliteWatchStore(tmp_path)) as store:
        AlarmBoard(store, Standing()).in_doubt({"alfa": "nobody knows", "bravo": "nobody knows"})
        AlarmBoard(store, Standing()).in_doubt({"bravo": "nobody knows"})
        assert {alarm.key.resource: alarm.cleared for alarm in store.alarms()} == {"alfa": True, "bravo": False}
