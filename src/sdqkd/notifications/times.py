"""Times as YANG's date-and-time (RFC 6991) and as aware datetimes."""

from __future__ import annotations

from datetime import UTC, datetime

from sdqkd.schema.formats import canonical_time


def time_text(moment: datetime) -> str:
    """A moment in UTC, with microseconds if it has any.

    >>> time_text(datetime(2026, 11, 23, 9, 30, tzinfo=UTC))
    '2026-11-23T09:30:00Z'
    """
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def read_time(text: str) -> datetime:
    """The moment that a date-and-time tells; ValueError, with a sentence for people, if it is none.

    >>> read_time("2026-11-23T10:30:00.5+01:00")
    datetime.datetime(2026, 11, 23, 9, 30, 0, 500000, tzinfo=datetime.timezone.utc)
    """
    return datetime.fromisoformat(canonical_time(text.strip())).astimezone(UTC)
