"""What a hub makes of two emitters: scaled through what was measured, less with loss or noise on either arm."""

from dataclasses import replace

import pytest

from sdqkd.coexistence.exposure import Guest, Stretch
from sdqkd.coexistence.three_parties import (
    ArmConditions,
    PairAnchor,
    PairConditions,
    emitted_dbm,
    noise_of_arm,
    pair_performance,
)
from sdqkd.profiles.equipment import MdiEmitter, MdiHub, load_equipment

HUB, EMITTER = load_equipment()["qbird-falqon"], load_equipment()["qbird-emitter"]
assert isinstance(HUB, MdiHub)
assert isinstance(EMITTER, MdiEmitter)
C34_HZ = 193_400_000_000_000
DATA = Stretch("f", 30_000.0, 6.0, 1.0, (Guest("data", 194_400_000_000_000, -14.0),))


def at(first_db, second_db, *, first=(), second=(), misalignment=0.0):
    return PairConditions(ArmConditions(first_db, first), ArmConditions(second_db, second), C34_HZ, misalignment)


def rate(now, anchor=None, share=1.0):
    return pair_performance(HUB, EMITTER, now, anchor, share).rate_bps


def test_a_pair_that_nobody_measured_passes_through_the_reference_of_its_hub():
    assert rate(at(8.0, 8.0)) == HUB.reference_rate_bps
    assert rate(at(8.0, 8.0), share=0.25) == HUB.reference_rate_bps / 4


def test_a_measured_pair_makes_what_was_measured_in_the_conditions_of_that_day():
    then = at(9.0, 7.0, first=(DATA,))
    anchor = PairAnchor(1234.0, then)
    assert rate(then, anchor) == 1234
    assert rate(at(9.0, 7.0), anchor) > 1234
    assert rate(at(10.0, 7.0, first=(DATA,)), anchor) < 1234


def test_a_pair_that_was_measured_where_the_model_has_no_key_makes_it_so_far_and_no_farther():
    anchor = PairAnchor(50.0, at(60.0, 60.0))
    assert rate(at(60.0, 60.0), anchor) == 50
    assert rate(at(60.0, 60.1), anchor) == 0
    assert rate(at(60.0, 60.0, second=(DATA,)), anchor) == 0


@pytest.mark.parametrize("arm", ["first", "second"])
def test_classical_light_beside_either_arm_costs_the_same_key(arm):
    noisy = rate(at(7.5, 7.5, **{arm: (DATA,)}))
    assert noisy == rate(at(7.5, 7.5, first=(DATA,)))
    assert 0 < noisy < rate(at(7.5, 7.5))
    assert rate(at(7.5, 7.5, first=(DATA,), second=(DATA,))) < noisy


def test_why_there_is_no_key():
    loud = replace(DATA, ahead=(Guest("data", 194_400_000_000_000, 0.0),))
    found = pair_performance(HUB, EMITTER, at(7.5, 7.5, second=(loud,)), None, 1.0)
    assert found.why_no_key == "no key: too much noise, most of it from data (0.0 dBm into fibre f)"
    assert found.qber > 0.1
    far = pair_performance(HUB, EMITTER, at(45.0, 7.5), None, 1.0)
    assert far.why_no_key == "no key at losses of 45.00 and 7.50 dB to the hub"
    bent = pair_performance(HUB, EMITTER, at(7.5, 7.5, misalignment=0.2), None, 1.0)
    assert bent.why_no_key == "no key: too many errors, the emitters are out of line by 20.0 %"


def test_what_the_hub_sees():
    found = pair_performance(HUB, EMITTER, at(8.0, 8.0), None, 1.0)
    assert found.visibility == pytest.approx(HUB.overlap / 2)
    assert pair_performance(HUB, EMITTER, at(8.0, 14.0), None, 1.0).visibility < found.visibility
    assert found.coincidences_per_s > HUB.reference_rate_bps
    assert found.qber == pytest.approx(EMITTER.misalignment, rel=0.01)
    assert emitted_dbm(HUB, EMITTER, C34_HZ) == pytest.approx(-79.9, abs=0.1)
    assert noise_of_arm(HUB, ArmConditions(7.5), C34_HZ).w_per_hz == 0
