"""Noise at a receiver: what adds to it, and from where most of it comes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.coexistence.exposure import Guest, Stretch
from sdqkd.coexistence.faults import Booster
from sdqkd.coexistence.noise import Filter, Noise, noise_at_receiver
from sdqkd.physics.grid import channel_to_hz

HZ = channel_to_hz(34)
FILTERS = Filter(adjacent_isolation_db=75.0, isolation_db=100.0)
FIBRE = Stretch("f", length_m=20e3, loss_db=4.0, after_db=1.0, ahead=())
guests = st.lists(
    st.builds(
        Guest,
        st.sampled_from("abc"),
        st.sampled_from([channel_to_hz(n) for n in range(21, 61)]),
        st.floats(-30, 20),
    ),
    max_size=5,
).map(tuple)


def noise(*stretches):
    return noise_at_receiver(stretches, HZ, FILTERS)


def test_without_classical_light_there_is_none():
    assert noise() == noise(FIBRE) == Noise(0.0, 0.0, "")


@given(guests, guests)
def test_more_light_never_makes_less_noise(some, more):
    less, both = noise(replace(FIBRE, ahead=some)), noise(replace(FIBRE, ahead=some + more))
    assert 0 <= less.w_per_hz <= both.w_per_hz * (1 + 1e-9)
    assert 0 <= less.leaked_w <= both.leaked_w * (1 + 1e-9)


def test_one_stretch_after_another_adds_and_the_strongest_neighbour_is_named():
    first = replace(FIBRE, after_db=7.0, ahead=(Guest("weak", channel_to_hz(21), -3.0),))
    second = replace(FIBRE, fibre="g", ahead=(Guest("strong", channel_to_hz(22), 3.0),))
    both = noise(first, second)
    assert both.w_per_hz == pytest.approx(noise(first).w_per_hz + noise(second).w_per_hz)
    assert both.most_from == "strong (3.0 dBm into fibre g)"


def test_a_neighbour_next_door_leaks_more_and_one_on_the_same_frequency_is_not_filtered():
    far, near, same = (noise(replace(FIBRE, ahead=(Guest("x", channel_to_hz(n), 0.0),))) for n in (21, 35, 34))
    assert near.leaked_w == pytest.approx(far.leaked_w * 10**2.5)
    assert same.leaked_w == 0
    assert same.w_per_hz > 1e6 * near.w_per_hz


def test_light_that_comes_towards_us_scatters_and_is_thrown_back():
    guest = (Guest("x", channel_to_hz(21), 0.0),)
    ahead, against = noise(replace(FIBRE, ahead=guest)), noise(replace(FIBRE, against=guest))
    assert ahead.w_per_hz < against.w_per_hz < 3 * ahead.w_per_hz
    assert 0 < against.leaked_w < ahead.leaked_w


def test_channels_that_mix_into_the_quantum_channel_count():
    hit = tuple(Guest(str(n), channel_to_hz(n), 6.0) for n in (31, 32, 33))
    miss = (Guest("31", channel_to_hz(31), 6.0), Guest("32", channel_to_hz(32), 6.0))
    alone = (Guest("33", channel_to_hz(33), 6.0),)
    mixed = noise(replace(FIBRE, ahead=hit))
    assert mixed.w_per_hz > 2 * (
        noise(replace(FIBRE, ahead=miss)).w_per_hz + noise(replace(FIBRE, ahead=alone)).w_per_hz
    )
    assert mixed.most_from == "four-wave mixing in fibre f"


def test_an_amplifier_hisses():
    loud = noise(replace(FIBRE, booster=Booster(20.0, 5.0)))
    assert loud.w_per_hz > 1e-21
    assert loud.most_from == "noise of the amplifier in fibre f"
    assert noise(replace(FIBRE, booster=Booster(23.0, 5.0))).w_per_hz > loud.w_per_hz


def test_a_fibre_without_length_scatters_nothing():
    patch = replace(FIBRE, length_m=0.0, ahead=(Guest("x", channel_to_hz(21), 0.0),) * 2)
    assert noise(patch).w_per_hz == 0
