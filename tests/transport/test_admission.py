"""Who may come in: the books, with a clock that the tests set."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.transport.admission import Gate, Limits, Visit, source_of


class Hall:
    """A gate and what became of those who came."""

    def __init__(self, **limits: Any) -> None:
        self.gate = Gate(Limits(**limits))
        self.turned_away: list[str] = []

    def arrive(self, name: str, source: str = "192.0.2.1", speaks: bool = False) -> Visit:
        visit = self.gate.arrive(source, lambda: self.turned_away.append(name))
        visit.is_silent = lambda: not speaks
        return visit


def test_the_oldest_silent_one_leaves_for_the_newest() -> None:
    hall = Hall(max_waiting_per_source=3)
    hall.arrive("speaks", speaks=True)
    for name in ("a", "b", "c", "d"):
        hall.arrive(name)
    assert hall.turned_away == ["a", "b"]
    assert hall.gate.waiting == 3


def test_among_those_who_speak_the_oldest_leaves() -> None:
    hall = Hall(max_waiting_per_source=2)
    for name in ("a", "b", "c"):
        hall.arrive(name, speaks=True)
    assert hall.turned_away == ["a"]


def test_the_largest_crowd_loses_one() -> None:
    hall = Hall(max_waiting=4, max_waiting_per_source=4)
    hall.arrive("lonely", "192.0.2.9")
    for name in ("a", "b", "c"):
        hall.arrive(name)
    hall.arrive("late", "192.0.2.7")
    assert hall.turned_away == ["a"]


def test_who_logs_in_waits_no_more() -> None:
    hall = Hall(max_waiting_per_source=2)
    for number in range(10):
        assert hall.gate.enter(hall.arrive(str(number)), "noc") is None
    assert hall.turned_away == []
    assert hall.gate.waiting == 0


def test_places_of_a_user_and_of_all() -> None:
    hall = Hall(max_sessions=5, max_sessions_per_user=3)
    noc = [hall.arrive("noc") for _ in range(4)]
    refusals = [hall.gate.enter(visit, "noc") for visit in noc]
    assert refusals == [None, None, None, "user 'noc' has 3 sessions, as many as one user may have"]
    eve = hall.arrive("eve")
    assert hall.gate.enter(eve, "eve") is None
    assert hall.gate.take_place(eve) is None
    assert hall.gate.enter(hall.arrive("fred"), "fred") == "5 sessions are open, as many as are served"
    hall.gate.give_place_back(eve)
    hall.gate.give_place_back(eve)
    assert eve.places == 1
    hall.gate.leave(noc[3], 0)
    assert hall.gate.enter(hall.arrive("noc"), "noc") is not None
    hall.gate.leave(noc[0], 0)
    assert hall.gate.enter(hall.arrive("noc"), "noc") is None


def test_who_fails_again_and_again_is_slowed_down_and_forgiven() -> None:
    hall = Hall()
    delays = []
    for _ in range(40):
        visit = hall.arrive("eve")
        delays.append(hall.gate.delay_s(visit, now=100.0))
        hall.gate.leave(visit, now=100.0)
    assert delays[:11] == [0.0] * 11
    assert delays[11:] == sorted(delays[11:])
    assert delays[11] > 0
    assert delays[-1] == 0.3
    assert hall.gate.delay_s(hall.arrive("other", "192.0.2.2"), now=100.0) == 0
    assert hall.gate.delay_s(hall.arrive("later"), now=131.0) == 0


def test_a_login_is_no_failure() -> None:
    hall = Hall()
    for _ in range(100):
        visit = hall.arrive("noc")
        hall.gate.enter(visit, "noc")
        hall.gate.leave(visit, now=1.0)
    assert hall.gate.delay_s(hall.arrive("noc"), now=1.0) == 0


def test_a_flood_from_everywhere_is_not_remembered_without_end() -> None:
    hall = Hall()
    for number in range(10_000):
        source = f"10.{number >> 8}.{number & 255}.1"
        hall.gate.leave(hall.arrive("x", source), now=number / 1000)
    assert len(hall.gate._strikes) == 4096


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_where_an_address_belongs(address: str, source: str) -> None:
    assert source_of(address) == source


STEPS = st.tuples(st.sampled_from(["arrive", "enter", "more", "less", "leave"]), st.integers(0, 5))


@given(st.lists(STEPS, max_size=80))
def test_the_books_are_right_whatever_happens(steps: list[tuple[str, int]]) -> None:
    gate = Gate(Limits(max_sessions=6, max_sessions_per_user=3, max_waiting=5, max_waiting_per_source=3))
    here: list[Visit] = []
    for step, number in steps:
        if step == "arrive":
            gone: list[Visit] = []
            here.append(gate.arrive(f"192.0.2.{number % 3}", lambda gone=gone: gone.append(1)))  # type: ignore[misc]
            assert not here[-1].turned_away
        elif here:
            visit = here[number % len(here)]
            if step == "leave":
                here.remove(visit)
                gate.leave(visit, now=0)
            elif step == "enter" and visit.user is None and not visit.turned_away:
                gate.enter(visit, f"user{number % 2}")
            elif step == "more" and visit.places:
                gate.take_place(visit)
            elif step == "less":
                gate.give_place_back(visit)
        waiting = [visit for visit in here if visit.user is None and not visit.turned_away]
        assert gate.waiting == len(waiting) <= 5
        assert +gate._places == {
            user: count
            for user in ("user0", "user1")
            if (count := sum(visit.places for visit in here if visit.user == user))
        }
        assert max(gate._places.values(), default=0) <= 3
        assert gate._places.total() <= 6
    for visit in here:
        gate.leave(visit, now=0)
    assert gate.waiting == gate._places.total() == 0
