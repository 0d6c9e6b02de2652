import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.plant import curves
from sdqkd.plant.curves import ERROR_LIMIT, Anchor, key_rate_bps, qber, snr_db
from sdqkd.profiles.profile import load_profiles

profiles = st.sampled_from(list(load_profiles().values()))
losses_db = st.floats(0, 40)
anchors = st.none() | st.builds(Anchor, st.floats(0, 30), st.integers(1, 10**7))


@given(profiles, losses_db, losses_db, anchors)
def test_more_loss_never_raises_the_rate(profile, one_db, other_db, anchor):
    low_db, high_db = sorted((one_db, other_db))
    assert key_rate_bps(profile, low_db, anchor) >= key_rate_bps(profile, high_db, anchor) >= 0


@given(profiles, losses_db, anchors)
def test_a_rate_is_at_most_the_cap_or_what_was_measured(profile, loss_db, anchor):
    assert key_rate_bps(profile, loss_db, anchor) <= max(profile.cap_bps, anchor.rate_bps if anchor else 0)


@given(profiles, st.floats(0, 30), st.integers(1, 10**7))
def test_what_was_measured_is_reproduced_exactly(profile, loss_db, rate_bps):
    assert key_rate_bps(profile, loss_db, Anchor(loss_db, rate_bps)) == rate_bps


@given(profiles)
def test_the_reference_of_a_profile_lies_on_its_curve(profile):
    assert key_rate_bps(profile, profile.reference_loss_db) == profile.reference_rate_bps
    assert key_rate_bps(profile, profile.no_key_loss_db) == 0
    assert key_rate_bps(profile, profile.no_key_loss_db - 0.5) > 0


def test_a_pair_measured_beyond_the_reach_of_its_profile_reaches_just_so_far():
    huawei = load_profiles()["huawei-cv-qkd"]
    anchor = Anchor(23.0, 40)
    assert [key_rate_bps(huawei, loss_db, anchor) for loss_db in (10, 23.0, 23.1)] == [40, 40, 0]


def test_at_moderate_loss_a_dv_rate_goes_with_the_transmittance():
    toshiba = load_profiles()["toshiba"]
    anchor = Anchor(10, 100_000)
    ratio = key_rate_bps(toshiba, 13, anchor) / 100_000
    assert ratio == pytest.approx(10**-0.3, rel=0.1)


def test_error_rate_rises_to_its_limit_and_signal_falls_with_the_loss():
    toshiba, huawei = load_profiles()["toshiba"], load_profiles()["huawei-cv-qkd"]
    rates = [qber(toshiba, loss_db) for loss_db in (0, 10, 20, toshiba.no_key_loss_db)]
    assert rates == sorted(rates)
    assert rates[0] == pytest.approx(toshiba.low_loss_qber, rel=0.02)
    assert rates[-1] == pytest.approx(ERROR_LIMIT)
    assert snr_db(huawei, 5) == 7.0
    assert (qber(huawei, 5), snr_db(toshiba, 5)) == (None, None)


def test_the_limit_is_where_no_key_is_left():
    entropy = -ERROR_LIMIT * math.log2(ERROR_LIMIT) - (1 - ERROR_LIMIT) * math.log2(1 - ERROR_LIMIT)
    assert 1 - 2 * entropy == pytest.approx(0, abs=1e-12)


def test_examples():
    assert doctest.testmod(curves).failed == 0
