"""The closed formulas of links of three parties against the same hub, computed from its beam splitter on."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.physics import mdi
from sdqkd.physics.decibel import transmittance
from sdqkd.physics.mdi import Mdi

PAIR = Mdi(mean_photons=0.4, efficiency=0.6, dark_counts=1e-3, misalignment=0.0)
PHASES = np.linspace(0, 2 * np.pi, 4096, endpoint=False)


def announced(fields, dark):
    """Probability that exactly one detector fires in each of two modes, averaged over the phase of two lasers.

    `fields`: two modes (horizontal and vertical, or early and late), each with the amplitudes of the two lights.
    """
    fires = []
    for one, other in fields:
        turned = other * np.exp(1j * PHASES)
        for out in (one + turned, one - turned):
            fires.append(1 - (1 - dark) * np.exp(-(np.abs(out) ** 2) / 2))
    total = 0.0
    for i, k in combinations(range(4), 2):
        if i // 2 != k // 2:
            chance = np.ones_like(PHASES)
            for number, fire in enumerate(fires):
                chance = chance * (fire if number in (i, k) else 1 - fire)
            total += chance.mean()
    return total


@pytest.mark.parametrize(("first", "second", "dark"), [(0.1, 0.1, 1e-3), (0.5, 0.02, 1e-4), (0.9, 0.7, 1e-2)])
def test_gain_and_errors_in_the_basis_of_the_key_are_those_of_the_beam_splitter(first, second, dark):
    pair = Mdi(0.4, 0.6, dark, 0.0)
    a, b = (np.sqrt(through * 0.6 * 0.4) for through in (first, second))
    differ = announced([(a, 0), (0, b)], dark)
    alike = announced([(a, b), (0, 0)], dark)
    assert mdi.gain(pair, first, second) == pytest.approx((differ + alike) / 2, rel=1e-9)
    assert mdi.qber(pair, first, second) == pytest.approx(alike / (differ + alike), rel=1e-9)


def test_the_yield_of_single_photons_is_what_the_gain_says_of_them():
    """The gain is a sum over photon numbers: the coefficient of one photon each is the mixed derivative at 0."""
    step, first, second, dark = 1e-3, 0.3, 0.1, 1e-3
    total = 0.0
    for sign, other in product((1, -1), repeat=2):
        a, b = (np.sqrt(abs(step) * through + 0j) for through in (first, second))
        # Negative intensities are the same analytic function: amplitudes turned by a quarter.
        a, b = (a * (1 if sign > 0 else 1j), b * (1 if other > 0 else 1j))
        total += sign * other * np.exp(sign * step + other * step) * _analytic(a, b, dark)
    derivative = total / (4 * step**2)
    pair = Mdi(0.4, 1.0, dark, 0.0)
    single, _ = mdi._single_photons(pair, mdi._light(pair, first, second, 0.0))
    assert float(single) == pytest.approx(float(np.real(derivative)), rel=1e-3)


def _analytic(a, b, dark):
    """The gain in Z as an analytic function of intensities a^2 and b^2, by the closed formula."""
    x, y = a * a, b * b
    still = (1 - dark) ** 2 * np.exp(-(x + y) / 2)
    right = 2 * still * (1 - (1 - dark) * np.exp(-x / 2)) * (1 - (1 - dark) * np.exp(-y / 2))
    bessel = 1 + x * y / 4 + (x * y) ** 2 / 64
    return right + 2 * dark * still * (bessel - (1 - dark) * np.exp(-(x + y) / 2))


def test_weak_coherent_light_interferes_to_an_error_of_a_quarter_in_the_other_basis():
    """Known of two lasers (Lo, Curty and Qi 2012): why key is made in one basis, and decoys are needed."""
    a = 0.05
    plus, minus = (a, a), (a, -a)
    # Diagonal states: amplitude a in both modes, the second mode of minus turned over.
    errors = {}
    for name, other in (("alike", plus), ("differ", minus)):
        fields = [(plus[0], other[0]), (plus[1], other[1])]
        errors[name] = _bell(fields)
    psi_minus_alike, psi_plus_alike = errors["alike"]
    psi_minus_differ, psi_plus_differ = errors["differ"]
    wrong = psi_minus_alike + psi_plus_differ
    everything = psi_minus_alike + psi_plus_alike + psi_minus_differ + psi_plus_differ
    assert wrong / everything == pytest.approx(0.25, abs=0.01)


def _bell(fields):
    """Chances of the two Bell states that a hub knows: detectors on other sides (psi minus), or on one side."""
    fires = []
    for one, other in fields:
        turned = other * np.exp(1j * PHASES)
        fires.append([1 - np.exp(-(np.abs(out) ** 2) / 2) for out in (one + turned, one - turned)])
    (c_h, d_h), (c_v, d_v) = fires
    minus = c_h * d_v * (1 - d_h) * (1 - c_v) + d_h * c_v * (1 - c_h) * (1 - d_v)
    plus = c_h * c_v * (1 - d_h) * (1 - d_v) + d_h * d_v * (1 - c_h) * (1 - c_v)
    return minus.mean(), plus.mean()


losses = st.floats(0, 40)


@given(losses, losses, st.floats(0, 5), st.floats(0, 1e-3))
def test_key_never_rises_with_loss_or_noise_and_does_not_care_who_is_who(first_db, second_db, more_db, noise):
    pair = Mdi(0.4, 0.5, 1e-7, 0.01, overlap=0.96)
    first, second = transmittance(first_db), transmittance(second_db)
    key = mdi.key_per_pulse(pair, first, second)
    assert key == pytest.approx(mdi.key_per_pulse(pair, second, first))
    assert mdi.key_per_pulse(pair, transmittance(first_db + more_db), second) <= key * (1 + 1e-9)
    assert mdi.key_per_pulse(pair, first, second, noise) <= key * (1 + 1e-9)


def test_key_falls_with_the_product_of_both_ways():
    near = mdi.key_per_pulse(Mdi(0.4, 0.5, 1e-9, 0.01), transmittance(10.0), transmittance(10.0))
    far = mdi.key_per_pulse(Mdi(0.4, 0.5, 1e-9, 0.01), transmittance(15.0), transmittance(15.0))
    assert near / far == pytest.approx(10, rel=0.05)


def test_without_interference_there_is_no_key():
    assert mdi.key_per_pulse(Mdi(0.4, 0.5, 1e-9, 0.01, overlap=0.0), 0.1, 0.1) == 0
    assert mdi.qber(Mdi(0.4, 0.5, 0.0, 0.01), 0.0, 0.0) == 0.5
    assert mdi.dip_visibility(0.0, 0.0) == 0
