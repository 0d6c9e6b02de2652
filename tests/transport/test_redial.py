"""Where and when to call next: with chance that the tests choose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.errors import InputError
from sdqkd.transport.redial import Reconnect, Redial, StartWith

A, B, C = ("a", 4334), ("b", 4334), ("c", 4335)


def redial(chance: float = 0.0, **options: object) -> Redial:
    return Redial([A, B, C], Reconnect(**options), lambda: chance)  # type: ignore[arg-type]


def calls(redialler: Redial, count: int) -> list[tuple[str, float]]:
    """Fail so many times; give where and after which pause."""
    seen = []
    for _ in range(count):
        (host, _), pause_s = redialler.next_call()
        seen.append((host, pause_s))
        redialler.failed()
    return seen


def test_each_endpoint_has_its_attempts_round_and_round() -> None:
    hosts = [host for host, _ in calls(redial(max_attempts=2), 8)]
    assert hosts == ["a", "a", "b", "b", "c", "c", "a", "a"]


def test_pauses_double_up_to_the_longest() -> None:
    pauses = [pause for _, pause in calls(redial(longest_pause_s=20), 8)]
    assert pauses == [0, 1, 2, 4, 8, 16, 20, 20]


def test_chance_shortens_a_pause() -> None:
    pauses = [pause for _, pause in calls(redial(chance=0.5, jitter=0.5), 4)]
    assert pauses == [0, 0.75, 1.5, 3]


def test_thousands_of_failures_are_no_matter() -> None:
    assert calls(redial(), 3000)[-1][1] == 300


@pytest.mark.parametrize(
    ("start_with", "chance", "host"),
    [
        (StartWith.FIRST_LISTED, 0.0, "a"),
        (StartWith.LAST_CONNECTED, 0.0, "b"),
        (StartWith.RANDOM_SELECTION, 0.99, "c"),
        (StartWith.RANDOM_SELECTION, 0.4, "b"),
    ],
)
def test_where_it_starts_after_a_loss(start_with: StartWith, chance: float, host: str) -> None:
    redialler = redial(chance, start_with=start_with, max_attempts=1)
    redialler._current = 0
    calls(redialler, 1)
    redialler.connected()
    assert redialler._last_connected == 1
    redialler.lost(lasted_s=1000)
    assert redialler.next_call()[0][0] == host


def test_a_good_connection_ends_the_doubling() -> None:
    redialler = redial()
    calls(redialler, 5)
    redialler.connected()
    redialler.lost(lasted_s=60)
    assert redialler.next_call() == (A, 1)


def test_a_client_that_was_away_for_long_and_comes_for_a_moment_is_soon_called_again() -> None:
    redialler = redial()
    calls(redialler, 20)
    redialler.connected()
    redialler.lost(lasted_s=3)
    assert redialler.next_call() == (A, 1)


def test_who_lets_in_and_throws_out_is_not_called_in_a_loop() -> None:
    redialler = redial()
    pauses = []
    for _ in range(5):
        pauses.append(redialler.next_call()[1])
        redialler.connected()
        redialler.lost(lasted_s=0.1)
    assert pauses == [0, 1, 2, 4, 8]


def test_without_endpoints_nobody_can_be_called() -> None:
    with pytest.raises(InputError, match="at least one endpoint"):
        Redial([], Reconnect(), lambda: 0.0)


@given(
    st.sampled_from(StartWith),
    st.integers(1, 4),
    st.floats(0, 1, exclude_max=True),
    st.lists(st.sampled_from(["failed", "connected", "lost"])),
)
def test_there_is_always_a_next_call(start: StartWith, attempts: int, chance: float, events: list[str]) -> None:
    redialler = redial(chance, start_with=start, max_attempts=attempts)
    for event in events:
        redialler.lost(chance * 100) if event == "lost" else getattr(redialler, event)()
        endpoint, pause_s = redialler.next_call()
        assert endpoint in (A, B, C)
        assert 0 <= pause_s <= 300
