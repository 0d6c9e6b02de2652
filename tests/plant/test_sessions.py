from hypothesis import given
from hypothesis import strategies as st

from sdqkd.plant.sessions import Session, advanced, connection_of, key_id, rekeyed

CONNECTION = connection_of("c", "bravo", "alfa")
steps = st.lists(st.tuples(st.integers(0, 500), st.none() | st.integers(1, 300)), max_size=8)


def test_both_ends_mean_the_same_connection():
    assert connection_of("c", "alfa", "bravo") == CONNECTION
    assert key_id(CONNECTION, 1) == key_id(connection_of("c", "alfa", "bravo"), 1) != key_id(CONNECTION, 2)


def test_a_key_lasts_one_interval():
    sessions = advanced({}, {CONNECTION: 60}, 100)
    session = sessions[CONNECTION]
    assert [(session.count(t), session.age_s(t)) for t in (100, 159.9, 160, 220.5)] == [
        (1, 0),
        (1, 59),
        (2, 0),
        (3, 0),
    ]


def test_a_new_key_comes_before_its_time_and_the_next_one_an_interval_later():
    session = rekeyed(advanced({}, {CONNECTION: 60}, 100)[CONNECTION], 190)
    assert [(session.count(t), session.age_s(t)) for t in (190, 210, 249.9, 250)] == [
        (3, 0),
        (3, 20),
        (3, 59),
        (4, 0),
    ]


def test_a_connection_that_stays_up_keeps_its_session():
    sessions = advanced({}, {CONNECTION: 60}, 100)
    assert advanced(sessions, {CONNECTION: 60}, 130) == sessions


def test_after_an_interruption_the_count_goes_on_with_a_new_key():
    down = advanced(advanced({}, {CONNECTION: 60}, 0), {}, 90)
    assert down == {CONNECTION: Session(2)}
    assert advanced(down, {}, 500) == down
    up = advanced(down, {CONNECTION: 60}, 600)[CONNECTION]
    assert (up.count(600), up.age_s(600)) == (3, 0)


@given(steps)
def test_a_count_never_falls(changes):
    sessions, now_s, before = {}, 0.0, 0
    for wait_s, interval_s in changes:
        now_s += wait_s
        sessions = advanced(sessions, {} if interval_s is None else {CONNECTION: interval_s}, now_s)
        count = sessions.get(CONNECTION, Session()).count(now_s)
        assert count >= before
        before = count
