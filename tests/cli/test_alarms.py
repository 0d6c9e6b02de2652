from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import THREE_SITES, Run

from sdqkd.cli.inputs import changing_journal, read_network_file
from sdqkd.controller.alarm_store import SqliteWatchStore
from sdqkd.controller.journal import Begin, End, InDoubt, Record
from sdqkd.errors import InDoubtError

DOUBT = [
    Begin("t", "three-sites", "noc", {}, {"alfa-qkd": []}, {}, {}),
    InDoubt("t", "alfa-qkd", "not known", "run `sdqkd recover`"),
]


def fail(state: Path, *records: Record) -> None:
    with changing_journal(read_network_file(THREE_SITES), state) as journal:
        lease = journal.take("me")
        lease.append(*records)
        lease.release()
        raise InDoubtError("in doubt")


def written(state: Path, *records: Record) -> None:
    """A command that changes the network writes this, and fails."""
    with pytest.raises(InDoubtError):
        fail(state, *records)


def standing(state: Path) -> list[tuple[str, str, str]]:
    with closing(SqliteWatchStore(state)) as store:
        return [(*alarm.key[:2], alarm.text) for alarm in store.alarms() if not alarm.cleared]


def test_who_leaves_a_device_in_doubt_raises_the_alarm_though_no_watch_runs(sdqkd: Run, tmp_path: Path) -> None:
    written(tmp_path, *DOUBT)
    assert standing(tmp_path) == [("alfa-qkd", "in-doubt", "after t: not known; run `sdqkd recover`")]
    listed = sdqkd("alarms", "list", THREE_SITES, "--state", tmp_path, "--json")
    assert [(alarm["resource"], alarm["perceived-severity"]) for alarm in listed.json["alarms"]] == [
        ("alfa-qkd", "critical")
    ]
    written(tmp_path, End("t", "closed"))
    assert standing(tmp_path) == []


def test_where_nothing_is_in_doubt_no_alarms_are_begun(tmp_path: Path) -> None:
    written(tmp_path, DOUBT[0], End("t", "refused"))
    assert not (tmp_path / "watch.sqlite").exists()
