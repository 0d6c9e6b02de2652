"""Key rates: where they end, what they never do, and a second way to the same number."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.physics import bb84, gg02
from sdqkd.physics.bb84 import GYS
from sdqkd.physics.decibel import transmittance
from sdqkd.physics.gg02 import Gg02

losses_db = st.floats(0, 45)
noises = st.floats(0, 1)
CV = Gg02(modulation=4.0, efficiency=0.6, excess_noise=0.01, electronic_noise=0.05, reconciliation=0.95)
detections = st.sampled_from(["homodyne", "heterodyne"])
pairs = st.builds(
    Gg02,
    modulation=st.floats(0.1, 50),
    efficiency=st.floats(0.2, 1),
    excess_noise=st.floats(0, 0.1),
    electronic_noise=st.floats(0, 0.2),
    reconciliation=st.floats(0.8, 1),
    detection=detections,
)


def test_the_gys_experiment_ends_at_142_km():
    km = np.arange(100, 160, 0.25)
    key = bb84.key_per_pulse(GYS, transmittance(0.21 * km))
    assert km[key > 0].max() == pytest.approx(142, abs=1)


@given(losses_db, losses_db, noises, noises)
def test_neither_loss_nor_noise_helps_bb84(one_db, other_db, one_noise, other_noise):
    low_db, high_db = sorted((one_db, other_db))
    quiet, loud = sorted((one_noise, other_noise))
    best = bb84.key_per_pulse(GYS, transmittance(low_db), quiet)
    assert best >= bb84.key_per_pulse(GYS, transmittance(high_db), loud) - 1e-15
    assert bb84.key_per_pulse(GYS, transmittance(high_db), loud) >= 0
    assert bb84.qber(GYS, transmittance(low_db), quiet) <= bb84.qber(GYS, transmittance(high_db), loud) + 1e-12
    assert GYS.misalignment <= bb84.qber(GYS, transmittance(low_db), quiet) + 1e-12 <= 0.5 + 1e-12


def test_a_detector_counts_noise_by_its_gate_and_efficiency():
    counts = bb84.noise_counts([0.0, 1e-13, 1.0], 193.4e12, 1e-9, 0.1)
    assert counts[0] == 0
    assert counts[1] == pytest.approx(1e-13 / 1.2815e-19 * 1e-9 * 0.1, rel=1e-3)
    assert counts[2] == 1


@given(pairs, losses_db, losses_db, st.floats(0, 5), st.floats(0, 5))
def test_neither_loss_nor_noise_helps_gg02(pair, one_db, other_db, one_noise, other_noise):
    low_db, high_db = sorted((one_db, other_db))
    quiet, loud = sorted((one_noise, other_noise))
    best = gg02.key_per_symbol(pair, transmittance(low_db), quiet)
    worst = gg02.key_per_symbol(pair, transmittance(high_db), loud)
    assert 0 <= worst <= best + 1e-6
    near, far = (gg02.signal_to_noise(pair, transmittance(loss_db)) for loss_db in (low_db, high_db))
    assert far <= near + 1e-9


@given(st.floats(0.01, 0.95))
def test_without_noise_and_with_strong_modulation_homodyne_key_is_half_the_bound_of_pure_loss(t):
    perfect = Gg02(1e5, 1.0, 0.0, 0.0, 1.0)
    assert gg02.key_per_symbol(perfect, t) == pytest.approx(-np.log2(1 - t) / 2, rel=1e-2)


@given(pairs, st.floats(0.5, 25), st.floats(0, 0.3))
def test_the_same_key_from_covariance_matrices(pair, loss_db, added):
    pair = replace(pair, electronic_noise=max(pair.electronic_noise, 1e-3), efficiency=min(pair.efficiency, 0.98))
    t = float(transmittance(loss_db))
    assert gg02.key_per_symbol(pair, t, added) == pytest.approx(
        max(0.0, key_by_matrices(pair, t, added)), abs=2e-6
    )


def key_by_matrices(pair: Gg02, t: float, added: float) -> float:
    """Key of a pair: the detector is a beam splitter whose idle port sees half of an entangled state."""
    v = 1 + pair.modulation
    received = t * (v + 1 / t - 1 + pair.excess_noise + added)
    correlation = np.sqrt(t * (v**2 - 1))
    units = 1 if pair.detection == "homodyne" else 2
    v_d = 1 + units * pair.electronic_noise / (1 - pair.efficiency)
    d_correlation = np.sqrt(v_d**2 - 1)
    z = np.diag([1.0, -1.0])
    modes = np.zeros((8, 8))  # A, B, F, G
    modes[0:2, 0:2], modes[2:4, 2:4] = v * np.eye(2), received * np.eye(2)
    modes[4:6, 4:6] = modes[6:8, 6:8] = v_d * np.eye(2)
    modes[0:2, 2:4] = modes[2:4, 0:2] = correlation * z
    modes[4:6, 6:8] = modes[6:8, 4:6] = d_correlation * z
    eve_before = entropy(modes[:4, :4])
    root, rest = np.sqrt(pair.efficiency), np.sqrt(1 - pair.efficiency)
    splitter = np.eye(8)
    splitter[2:4, 2:4], splitter[2:4, 4:6] = root * np.eye(2), rest * np.eye(2)
    splitter[4:6, 2:4], splitter[4:6, 4:6] = -rest * np.eye(2), root * np.eye(2)
    mixed = splitter @ modes @ splitter.T
    kept = [0, 1, 4, 5, 6, 7]
    measured, cross = mixed[2:4, 2:4], mixed[np.ix_(kept, [2, 3])]
    if pair.detection == "homodyne":
        inverse = np.diag([1 / measured[0, 0], 0.0])
        snr = pair.efficiency * t * pair.modulation / (measured[0, 0] - pair.efficiency * t * pair.modulation)
        mutual = np.log2(1 + snr) / 2
    else:
        inverse = np.linalg.inv(measured + np.eye(2))
        noise = measured[0, 0] + 1 - pair.efficiency * t * pair.modulation
        mutual = np.log2(1 + pair.efficiency * t * pair.modulation / noise)
    after = mixed[np.ix_(kept, kept)] - cross @ inverse @ cross.T
    return pair.reconciliation * mutual - (eve_before - entropy(after))


def entropy(covariance: np.ndarray) -> float:
    """Entropy in bits of a Gaussian state, by the symplectic eigenvalues of its covariance matrix."""
    size = len(covariance) // 2
    omega = np.kron(np.eye(size), np.array([[0, 1], [-1, 0]]))
    eigenvalues = np.sort(np.abs(np.linalg.eigvals(1j * omega @ covariance)))[::2]
    n = ((eigenvalues - 1) / 2).clip(min=1e-15)
    return float(((n + 1) * np.log2(n + 1) - n * np.log2(n)).sum())


def test_rates_come_in_arrays():
    assert bb84.key_per_pulse(GYS, np.ones((3, 1)), np.zeros(4)).shape == (3, 4)
    assert gg02.key_per_symbol(CV, np.ones((3, 1)), np.zeros(4)).shape == (3, 4)
