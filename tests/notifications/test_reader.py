from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.notifications.conftest import START

from sdqkd.notifications.reader import Mark, StreamReader
from sdqkd.notifications.streams import Event, Stream, StreamSpec

At = Callable[[float], datetime]
TIMES = st.lists(st.integers(0, 100), max_size=40)


def moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else START + timedelta(seconds=seconds)


def filled(times: list[int], max_events: int = 1000) -> Stream:
    stream = Stream(StreamSpec("S", "", max_events), START)
    for number, seconds in enumerate(times):
        stream.append(START + timedelta(seconds=seconds), f"m:n{number % 3}", b"")
        stream.age_out()
    return stream


def read_all(reader: StreamReader, now: datetime) -> list[Event | Mark]:
    return list(iter(lambda: reader.read(now), None))


@given(times=TIMES, start=st.integers(0, 100), length=st.none() | st.integers(0, 100), room=st.integers(1, 50))
def test_a_replay_is_what_is_logged_in_the_window(
    times: list[int], start: int, length: int | None, room: int
) -> None:
    stop = None if length is None else start + length
    stream = filled(times, room)
    reader = StreamReader(
        stream, lambda event: event if event.name != "m:n1" else None, moment(start), moment(stop)
    )
    read = read_all(reader, START + timedelta(seconds=200))
    logged = list(enumerate(times))[-room:]
    wanted = [number for number, time in logged if start <= time and (stop is None or time <= stop)]
    events = [item.number - 1 for item in read if isinstance(item, Event)]
    assert events == [number for number in wanted if number % 3 != 1]
    assert (reader.sent, reader.excluded) == (len(events), len(wanted) - len(events))
    marks = [item for item in read if isinstance(item, Mark)]
    assert marks == [Mark.REPLAYED] + [Mark.DONE] * (stop is not None)
    assert read[len(read) - len(marks) :] == marks


@given(data=st.data(), replay=st.booleans(), room=st.integers(0, 5))
def test_events_come_in_order_and_every_loss_is_told(data: st.DataObject, replay: bool, room: int) -> None:
    """Whatever order events and reads come in: each event is read once, in order, or a loss is told instead."""
    stream = filled(data.draw(TIMES), room)
    reader = StreamReader(stream, lambda event: event, START if replay else None, None)
    read: list[Event | Mark] = []
    next_number = stream.first if replay else stream.last + 1
    for is_event in data.draw(st.lists(st.booleans(), max_size=60)):
        if is_event:
            stream.append(START, "m:n", b"")
            stream.age_out()
            continue
        item = reader.read(START)
        if isinstance(item, Event):
            assert item.number == next_number
            next_number += 1
        elif item is Mark.LOST:
            assert next_number < stream.first
            next_number = stream.first
        elif item is None:
            assert next_number == stream.last + 1
        read.append(item) if item else None
    assert read.count(Mark.REPLAYED) <= int(replay)


def test_the_replay_ends_where_the_subscription_began(at: At) -> None:
    stream = filled([1, 2])
    reader = StreamReader(stream, lambda event: event, at(0), None)
    stream.append(at(3), "m:live", b"")
    read = read_all(reader, at(3))
    assert [item if isinstance(item, Mark) else item.number for item in read] == [1, 2, Mark.REPLAYED, 3]


def test_a_clock_that_went_back_hides_nothing_that_comes_live(at: At) -> None:
    stream = filled([10])
    reader = StreamReader(stream, lambda event: event, at(9), None)
    stream.append(at(1), "m:live", b"")
    assert len([item for item in read_all(reader, at(2)) if isinstance(item, Event)]) == 2


@pytest.mark.parametrize(("now", "done"), [(4.9, False), (5, True), (6, True)])
def test_the_stop_time_ends_it_once(at: At, now: float, done: bool) -> None:
    stream = filled([])
    reader = StreamReader(stream, lambda event: event, None, at(5))
    assert read_all(reader, at(now)) == [Mark.DONE] * done
    assert reader.done is done


def test_what_came_before_the_stop_time_is_read_after_it(at: At) -> None:
    stream = filled([])
    reader = StreamReader(stream, lambda event: event, None, at(5))
    for seconds in (4, 6):
        stream.append(at(seconds), "m:n", b"")
    first, second = read_all(reader, at(9))
    assert isinstance(first, Event)
    assert first.time == at(4)
    assert second is Mark.DONE
