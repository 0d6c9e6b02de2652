from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.notifications.times import read_time, time_text


@given(moment=st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_a_moment_reads_back(moment: datetime) -> None:
    assert read_time(time_text(moment)) == moment


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-11-23T10:30:00+01:00", "2026-11-23T09:30:00Z"),
        (" 2026-11-23T09:30:00Z\n", "2026-11-23T09:30:00Z"),
        ("2026-11-23T09:30:00.123456789Z", "2026-11-23T09:30:00.123456Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
    ],
)
def test_what_others_write_is_understood(text: str, told: str) -> None:
    assert time_text(read_time(text)) == told


@pytest.mark.parametrize("text", ["", "now", "2026-11-23", "2026-11-23T09:30:00", "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="date and time"):
        read_time(text)
