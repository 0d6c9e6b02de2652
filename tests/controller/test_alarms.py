"""Laws of alarms: what is told twice changes nothing, nothing acknowledged hides what came after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sdqkd.controller.alarms import (
    MAX_CHANGES,
    RANK,
    TYPES,
    Alarm,
    AlarmKey,
    acknowledged,
    cleared,
    raised,
)

KEY = AlarmKey("alfa-switch", "drift")
START = datetime(2026, 11, 23, tzinfo=UTC)

raising = st.tuples(st.just("raise"), st.sampled_from(sorted(RANK)), st.sampled_from(["one", "two"]))
steps = st.one_of(raising, st.just(("clear", "", "")), st.just(("acknowledge", "noc", "seen")))


def after(history: list[tuple[str, str, str]]) -> Alarm:
    alarm = raised(None, KEY, "major", "begin", START)
    for number, (what, first, second) in enumerate(history, 1):
        now = START + timedelta(seconds=number)
        if what == "raise":
            alarm = raised(alarm, KEY, first, second, now)  # type: ignore[arg-type]
        elif what == "clear":
            alarm = cleared(alarm, now)
        else:
            alarm = acknowledged(alarm, first, second, now)
    return alarm


LATER = START + timedelta(days=1)


@given(st.lists(steps, max_size=60))
def test_what_an_alarm_says_is_its_last_change(history: list[tuple[str, str, str]]) -> None:
    alarm = after(history)
    last = alarm.changes[-1]
    assert alarm.cleared == (last.severity is None)
    assert alarm.cleared or (last.severity, last.text) == (alarm.severity, alarm.text)
    assert len(alarm.changes) <= MAX_CHANGES
    times = [change.time for change in alarm.changes]
    assert times == sorted(times)
    assert alarm.created <= alarm.raised <= alarm.changed
    assert all((a.severity, a.text) != (b.severity, b.text) for a, b in pairwise(alarm.changes))


@given(st.lists(steps))
def test_telling_again_changes_nothing(history: list[tuple[str, str, str]]) -> None:
    alarm = after(history)
    again = cleared(alarm, LATER) if alarm.cleared else raised(alarm, KEY, alarm.severity, alarm.text, LATER)
    assert again == alarm


@given(st.lists(steps), raising)
def test_an_acknowledgement_does_not_outlive_what_it_was_for(
    history: list[tuple[str, str, str]], new: tuple[str, str, str]
) -> None:
    alarm = acknowledged(after(history), "noc", "seen", LATER)
    _, severity, text = new
    later = raised(alarm, KEY, severity, text, LATER)  # type: ignore[arg-type]
    is_news = alarm.cleared or RANK[later.severity] > RANK[alarm.severity]
    assert later.acknowledged == (not is_news)
    assert later.notes == alarm.notes
    assert cleared(alarm, LATER).acknowledged


def test_the_json_has_the_names_of_the_rfc() -> None:
    alarm = cleared(acknowledged(after([]), "noc", "on my way", START), START + timedelta(seconds=5))
    assert alarm.to_json() == {
        "resource": "alfa-switch",
        "alarm-type-id": "drift",
        "alarm-type-qualifier": "",
        "time-created": "2026-11-23T00:00:00.000Z",
        "is-cleared": True,
        "last-raised": "2026-11-23T00:00:00.000Z",
        "last-changed": "2026-11-23T00:00:05.000Z",
        "perceived-severity": "major",
        "alarm-text": "begin",
        "acknowledged": True,
        "status-change": [
            {"time": "2026-11-23T00:00:00.000Z", "perceived-severity": "major", "alarm-text": "begin"},
            {"time": "2026-11-23T00:00:05.000Z", "perceived-severity": "cleared", "alarm-text": "begin"},
        ],
        "operator-state-change": [
            {"time": "2026-11-23T00:00:00.000Z", "operator": "noc", "state": "ack", "text": "on my way"}
        ],
    }


def test_every_type_has_a_severity() -> None:
    assert set(TYPES.values()) <= set(RANK)
