import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.coexistence.curves import Anchor, Conditions, key_per_pulse, key_rate_bps, qber, snr_db
from sdqkd.coexistence.noise import Noise
from sdqkd.profiles.profile import load_profiles

HZ = 193_400_000_000_000
profiles = st.sampled_from(list(load_profiles().values()))
losses_db = st.floats(0, 40)
noises = st.builds(Noise, st.floats(0, 1e-20), st.floats(0, 1e-11))
anchors = st.none() | st.builds(
    Anchor, st.integers(1, 10**7), st.builds(Conditions, st.floats(0, 30), st.just(HZ), noises)
)


@given(profiles, losses_db, losses_db, noises, noises, anchors)
def test_neither_loss_nor_noise_ever_raises_the_rate(profile, one_db, other_db, one, other, anchor):
    low_db, high_db = sorted((one_db, other_db))
    quiet = Noise(min(one.w_per_hz, other.w_per_hz), min(one.leaked_w, other.leaked_w))
    loud = Noise(max(one.w_per_hz, other.w_per_hz), max(one.leaked_w, other.leaked_w))
    best = key_rate_bps(profile, Conditions(low_db, HZ, quiet), anchor)
    # Rounding in the eigenvalues of the CV law leaves the last digits of a tiny key open.
    worst = key_rate_bps(profile, Conditions(high_db, HZ, loud), anchor)
    assert 0 <= worst <= best * (1 + 1e-6) + 1


@given(profiles, losses_db, noises, anchors)
def test_a_rate_is_at_most_the_cap_or_what_was_measured(profile, loss_db, noise, anchor):
    rate_bps = key_rate_bps(profile, Conditions(loss_db, HZ, noise), anchor)
    assert rate_bps <= max(profile.cap_bps, anchor.rate_bps if anchor else 0)


@given(profiles, st.floats(0, 40), noises, st.integers(1, 10**7))
def test_what_was_measured_is_reproduced_exactly(profile, loss_db, noise, rate_bps):
    then = Conditions(loss_db, HZ, noise)
    assert key_rate_bps(profile, then, Anchor(rate_bps, then)) == rate_bps


@given(profiles)
def test_the_reference_of_a_profile_lies_on_its_curve(profile):
    reference = Conditions(profile.reference_loss_db, HZ)
    assert key_per_pulse(profile, reference) > 0
    assert key_rate_bps(profile, reference) == profile.reference_rate_bps


def test_a_pair_measured_where_its_model_has_no_key_reaches_just_so_far():
    toshiba = load_profiles()["toshiba"]
    anchor = Anchor(40, Conditions(35.0, HZ, Noise(1e-22)))
    rates = [key_rate_bps(toshiba, Conditions(loss_db, HZ, Noise(1e-22)), anchor) for loss_db in (10, 35.0, 35.1)]
    assert rates == [40, 40, 0]
    assert key_rate_bps(toshiba, Conditions(35.0, HZ, Noise(1.1e-22)), anchor) == 0


def test_at_moderate_loss_a_dv_rate_goes_with_the_transmittance():
    toshiba = load_profiles()["toshiba"]
    anchor = Anchor(100_000, Conditions(10, HZ))
    ratio = key_rate_bps(toshiba, Conditions(13, HZ), anchor) / 100_000
    assert ratio == pytest.approx(10**-0.3, rel=0.1)


def test_error_rate_rises_and_signal_falls_with_loss_and_noise():
    toshiba, huawei = load_profiles()["toshiba"], load_profiles()["huawei-cv-qkd"]
    rates = [qber(toshiba, Conditions(loss_db, HZ)) for loss_db in (0, 10, 20, 40, 80)]
    assert rates == sorted(rates)
    assert rates[0] == pytest.approx(0.015, rel=0.02)
    assert rates[-1] == pytest.approx(0.5, rel=0.01)
    assert qber(toshiba, Conditions(10, HZ, Noise(1e-21))) > rates[1]
    quiet, loud = (snr_db(huawei, Conditions(10, HZ, Noise(density))) for density in (0.0, 1e-19))
    assert loud < quiet
    assert (qber(huawei, Conditions(5, HZ)), snr_db(toshiba, Conditions(5, HZ))) == (None, None)
