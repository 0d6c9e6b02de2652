from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.notifications.conftest import START

from sdqkd.notifications.streams import EVENT_OVERHEAD_BYTES, Stream, StreamSpec

SIZES = st.lists(st.integers(0, 2000), max_size=60)


@given(sizes=SIZES, max_events=st.integers(0, 20), max_bytes=st.integers(0, 10_000))
def test_a_log_stays_within_its_bounds_and_keeps_the_newest(
    sizes: list[int], max_events: int, max_bytes: int
) -> None:
    stream = Stream(StreamSpec("S", "", max_events, max_bytes), START)
    for second, size in enumerate(sizes, 1):
        stream.append(START + timedelta(seconds=second), "m:n", b"x" * size)
        stream.age_out()
        held = [event for number in range(1, second + 1) if (event := stream.get(number))]
        assert len(held) <= max_events
        held_bytes = sum(len(event.payload) + EVENT_OVERHEAD_BYTES for event in held)
        assert held_bytes <= max_bytes
        assert [event.number for event in held] == list(range(stream.first, stream.last + 1))
        dropped = second - len(held)
        assert stream.aged == (START + timedelta(seconds=dropped) if dropped else None)
        # No more was dropped than had to be.
        before = 0 if not dropped else sizes[dropped - 1] + EVENT_OVERHEAD_BYTES
        assert not dropped or len(held) == max_events or held_bytes + before > max_bytes or not held


def test_what_was_dropped_or_is_to_come_is_not_there(at: Callable[[float], datetime]) -> None:
    stream = Stream(StreamSpec("S", "", max_events=2), at(0))
    for number in range(1, 4):
        stream.append(at(number), "m:n", b"")
    stream.age_out()
    assert [stream.get(number) is not None for number in range(5)] == [False, False, True, True, False]
    assert (stream.first, stream.last, stream.since) == (2, 3, at(1))


def test_a_new_stream_is_complete_from_its_beginning(at: Callable[[float], datetime]) -> None:
    stream = Stream(StreamSpec("S", ""), at(5))
    assert (stream.first, stream.last, stream.since, stream.aged) == (1, 0, at(5), None)
