"""What classical light does besides Raman scattering: it mixes, leaks and is amplified; and the loss of paths."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.physics.decibel import db_to_ratio, dbm_to_w, per_m, photon_energy_j, ratio_to_db, w_to_dbm
from sdqkd.physics.fibre import path_loss_db
from sdqkd.physics.four_wave_mixing import mixing_w, phase_efficiency
from sdqkd.physics.leakage import amplifier_noise_w_per_hz, crosstalk_w
from sdqkd.physics.rates import anchored_bps, capped_bps

A = float(per_m(0.2))
COMB_HZ = [192.9e12, 193.0e12, 193.1e12]
levels = st.floats(-200, 200)


@given(levels)
def test_levels_survive_the_way_to_ratios_and_watts_and_back(level):
    assert ratio_to_db(db_to_ratio(level)) == pytest.approx(level, abs=1e-9)
    assert w_to_dbm(dbm_to_w(level)) == pytest.approx(level, abs=1e-9)


def test_mixing_falls_where_the_sum_of_frequencies_says():
    powers_w = [1e-3] * 3
    hit = [mixing_w(COMB_HZ, powers_w, hz, 50e9, 20e3, A) > 0 for hz in (192.8e12, 193.2e12, 193.3e12, 193.5e12)]
    assert hit == [True, True, True, False]
    assert mixing_w(COMB_HZ[:1], powers_w[:1], 193.2e12, 50e9, 20e3, A) == 0
    assert mixing_w([], [], 193.2e12, 50e9, 20e3, A) == mixing_w(COMB_HZ, powers_w, 193.2e12, 50e9, 0, A) == 0


def test_mixing_goes_with_the_cube_of_the_power_and_shrinks_with_the_spacing():
    quiet = mixing_w(COMB_HZ, [1e-3] * 3, 193.2e12, 50e9, 20e3, A)
    loud = mixing_w(COMB_HZ, [2e-3] * 3, 193.2e12, 50e9, 20e3, A)
    assert loud == pytest.approx(8 * quiet)
    wide = mixing_w([192.7e12, 192.9e12, 193.1e12], [1e-3] * 3, 193.3e12, 50e9, 20e3, A)
    assert 0 < wide < quiet / 5


@given(st.floats(0, 1e-2), st.floats(1, 200e3), st.floats(0, 1e-3))
def test_efficiency_is_a_share(mismatch, length_m, attenuation):
    share = phase_efficiency(mismatch, length_m, attenuation)
    assert 0 <= share <= 1 + 1e-6
    assert phase_efficiency(0.0, length_m, attenuation) == pytest.approx(1, rel=1e-6)


@given(st.floats(0, 1), st.floats(0, 120), st.floats(0, 120))
def test_isolations_of_filters_in_a_row_add_up(power_w, first_db, second_db):
    both = crosstalk_w(crosstalk_w(power_w, first_db), second_db)
    assert both == pytest.approx(float(crosstalk_w(power_w, first_db + second_db)))
    assert both <= power_w


def test_an_amplifier_hisses_at_least_as_the_quantum_limit_says():
    limit = 2 * photon_energy_j(193.4e12) * (100 - 1)
    noise = amplifier_noise_w_per_hz(193.4e12, 20.0, [3.0103, 5.0, 7.0])
    assert noise[0] == pytest.approx(limit, rel=0.01)
    assert np.all(np.diff(noise) > 0)
    assert amplifier_noise_w_per_hz(193.4e12, 0.0, 0.0) == 0


def test_parts_of_a_path_add_up():
    assert path_loss_db(0, A) == 0
    length_m = np.array([0.0, 10e3, 50e3])
    both = path_loss_db(length_m, A, connectors=2, multiplexers=[0, 1, 2], switches=1)
    assert both == pytest.approx([1.4, 2 + 2.0, 10 + 2.6])


def test_a_measured_point_scales_the_model_and_a_cap_ends_it():
    assert anchored_bps([0.0, 2.0], 1.0, 500.0).tolist() == [0.0, 1000.0]
    assert anchored_bps([0.0, 2.0], 0.0, 500.0).tolist() == [0.0, 0.0]
    assert capped_bps([10.0, 3000.0], 2040.0).tolist() == [10.0, 2040.0]
