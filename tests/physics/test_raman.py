"""Raman noise: its laws, and the figures that are published."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.physics.decibel import (
    BOLTZMANN_J_PER_K,
    PLANCK_J_S,
    nm_width_to_hz,
    per_m,
    raman_per_km_nm,
    raman_per_m_hz,
)
from sdqkd.physics.raman import (
    ROOM_K,
    backward_w,
    coefficient_per_m_hz,
    forward_w,
    gain_per_w_m,
    gain_shape,
)

frequencies_hz = st.floats(179e12, 238e12)  # O to U band
lengths_m = st.floats(0, 300e3)
attenuations = st.floats(1e-6, 1e-3)
C_BAND_HZ = 193.4e12


def test_the_gain_of_silica_peaks_at_13_thz_and_is_over_within_40():
    shifts_hz = np.linspace(0, 60e12, 601)
    gain = gain_shape(shifts_hz)
    assert shifts_hz[gain.argmax()] == pytest.approx(13.2e12, abs=0.3e12)
    assert gain[shifts_hz > 42e12].max() < 0.01


@given(frequencies_hz, frequencies_hz)
def test_light_is_scattered_everywhere_and_never_less_than_nothing(pump_hz, noise_hz):
    assert coefficient_per_m_hz(pump_hz, noise_hz) >= 0


@given(frequencies_hz, st.floats(0.1e12, 30e12))
def test_the_two_sides_are_in_thermal_balance(lower_hz, shift_hz):
    """Photons go up as often as down once the upper frequency has the occupation of room temperature."""
    upper_hz = lower_hz + shift_hz
    down = coefficient_per_m_hz(upper_hz, lower_hz) / (2 * PLANCK_J_S * lower_hz)
    up = coefficient_per_m_hz(lower_hz, upper_hz) / (2 * PLANCK_J_S * upper_hz)
    boltzmann = np.exp(-PLANCK_J_S * shift_hz / (BOLTZMANN_J_PER_K * ROOM_K))
    assert up == pytest.approx(down * boltzmann * upper_hz / lower_hz, rel=1e-9)


def test_the_coefficient_of_the_c_band_is_of_the_published_size():
    pumps_hz = C_BAND_HZ + np.array([-3, -2, -1, 1, 2]) * 1e12
    found = raman_per_km_nm(coefficient_per_m_hz(pumps_hz, C_BAND_HZ), C_BAND_HZ)
    assert np.all((found > 1e-9) & (found < 8e-9))
    assert found[3] > found[2]  # a pump of higher frequency: the Stokes side


def test_a_quantum_channel_in_the_o_band_sees_far_less():
    o_band_hz = 228.85e12
    ratio = coefficient_per_m_hz(C_BAND_HZ, o_band_hz) / coefficient_per_m_hz(C_BAND_HZ - 1e12, C_BAND_HZ)
    assert ratio < 1e-2
    assert coefficient_per_m_hz(o_band_hz, C_BAND_HZ) > 20 * coefficient_per_m_hz(C_BAND_HZ, o_band_hz)


@pytest.mark.parametrize(("km", "forward", "backward"), [(25, 1.9e-12, 2.3e-12), (80, 4.8e-13, 2.6e-12)])
def test_published_powers(km, forward, backward):
    b = raman_per_m_hz(2e-9, C_BAND_HZ)
    width_hz = nm_width_to_hz(0.12, C_BAND_HZ)
    assert forward_w(1e-3, b, width_hz, km * 1e3, per_m(0.2)) == pytest.approx(forward, rel=0.02)
    assert backward_w(1e-3, b, width_hz, km * 1e3, per_m(0.2)) == pytest.approx(backward, rel=0.02)


@given(lengths_m, attenuations, attenuations)
def test_both_directions_scatter_alike_in_a_fibre_without_loss_and_less_with_it(length_m, pump, noise):
    alike = forward_w(1e-3, 1e-23, 15e9, length_m, 0.0)
    assert alike == pytest.approx(float(backward_w(1e-3, 1e-23, 15e9, length_m, 0.0)))
    for direction in (forward_w, backward_w):
        assert 0 <= direction(1e-3, 1e-23, 15e9, length_m, pump, noise) <= alike * (1 + 1e-9)


@given(lengths_m, attenuations, attenuations)
def test_noise_is_the_sum_of_what_short_pieces_scatter(length_m, pump, noise):
    z = (np.arange(2000) + 0.5) / 2000 * length_m
    piece = length_m / 2000
    ahead = (np.exp(-pump * z) * np.exp(-noise * (length_m - z))).sum() * piece
    back = (np.exp(-pump * z) * np.exp(-noise * z)).sum() * piece
    assert forward_w(1.0, 1.0, 1.0, length_m, pump, noise) == pytest.approx(ahead, rel=1e-2, abs=1e-9)
    assert backward_w(1.0, 1.0, 1.0, length_m, pump, noise) == pytest.approx(back, rel=1e-2, abs=1e-9)


def test_arrays_broadcast():
    pumps_hz = np.linspace(191e12, 196e12, 96)[:, None]
    quantum_hz = np.array([193.4e12, 228.85e12])
    coefficients = coefficient_per_m_hz(pumps_hz, quantum_hz)
    assert coefficients.shape == gain_per_w_m(pumps_hz, quantum_hz).shape == (96, 2)
    assert forward_w(np.full((96, 1), 1e-3), coefficients, 1e9, 20e3, per_m(0.2)).shape == (96, 2)
