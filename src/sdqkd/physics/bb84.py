"""Secret key of decoy-state BB84 with weak coherent pulses, infinitely many decoys and pulses.

Source: Ma, Qi, Zhao and Lo, Phys. Rev. A 72, 012326 (2005), equations 6 to 12. `GYS` is the experiment of Gobby,
Yuan and Shields, Appl. Phys. Lett. 84, 3762 (2004), as that paper uses it: key ends at 142 km.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sdqkd.physics.decibel import Array, as_array, photon_energy_j

NOISE_ERROR = 0.5  # a count that no signal made is wrong every second time


@dataclass(frozen=True, slots=True)
class Bb84:
    """A pair of modules.

    `dark_counts` are per gate, all detectors together; `efficiency` includes the receiver's loss.
    `sifting` is the share of detections that survives the choice of bases (1/2, or nearly 1 if one basis is
    preferred); `correction` is f, what error correction costs beyond Shannon's limit.
    """

    mean_photons: float
    efficiency: float
    dark_counts: float
    misalignment: float
    correction: float = 1.22
    sifting: float = 0.5


GYS = Bb84(mean_photons=0.48, efficiency=0.045, dark_counts=1.7e-6, misalignment=0.033)


def noise_counts(noise_w: ArrayLike, frequency_hz: ArrayLike, gate_s: ArrayLike, efficiency: ArrayLike) -> Array:
    """Counts in a gate from light of this power at the receiver's input.

    >>> float(noise_counts(1e-12, 193.4e12, 1e-9, 0.1).round(6))
    0.00078
    """
    photons_per_s = as_array(noise_w) / photon_energy_j(frequency_hz)
    return -np.expm1(-photons_per_s * as_array(gate_s) * as_array(efficiency))


def qber(pair: Bb84, transmittance: ArrayLike, noise_counts: ArrayLike = 0.0) -> Array:
    """Error rate of the sifted key, a fraction; 1/2 if nothing but noise is counted.

    >>> float(qber(GYS, 1.0).round(4)), float(qber(GYS, 1e-9).round(2))
    (0.033, 0.5)
    """
    signal, noise = _counts(pair, transmittance, noise_counts)
    return _ratio(NOISE_ERROR * noise + pair.misalignment * signal, noise + signal)


def key_per_pulse(pair: Bb84, transmittance: ArrayLike, noise_counts: ArrayLike = 0.0) -> Array:
    """Secret bits per pulse, never negative. `noise_counts` come on top of the dark counts, per gate.

    >>> [f"{k:.1e}" for k in key_per_pulse(GYS, [0.1, 10 ** -2.982, 10 ** -3.1])]
    ['2.5e-04', '1.7e-09', '0.0e+00']
    """
    signal, noise = _counts(pair, transmittance, noise_counts)
    # One photon: Q1 = Y1 mu exp(-mu), e1 Y1 = noise / 2 + misalignment * share that arrives.
    arrives = as_array(transmittance) * pair.efficiency
    yield_1 = noise + arrives - noise * arrives
    error_1 = _ratio(NOISE_ERROR * noise + pair.misalignment * arrives, yield_1)
    gain_1 = yield_1 * pair.mean_photons * np.exp(-pair.mean_photons)
    lost = pair.correction * (signal + noise) * entropy(qber(pair, transmittance, noise_counts))
    return as_array(pair.sifting * (gain_1 * (1 - entropy(error_1)) - lost).clip(min=0.0))


def entropy(p: ArrayLike) -> Array:
    """Binary entropy in bits; errors beyond one half count as one half, which carries nothing.

    >>> entropy([0.0, 0.11, 0.5]).round(3).tolist()
    [0.0, 0.5, 1.0]
    """
    q = as_array(p).clip(1e-300, 0.5)
    return as_array(-q * np.log2(q) - (1 - q) * np.log2(1 - q))


def _counts(pair: Bb84, transmittance: ArrayLike, noise_counts: ArrayLike) -> tuple[Array, Array]:
    """Counts per gate that signal makes, and that noise makes."""
    signal = -np.expm1(-as_array(transmittance) * pair.efficiency * pair.mean_photons)
    return signal, (pair.dark_counts + as_array(noise_counts)).clip(max=1.0)


def _ratio(errors: Array, counts: Array) -> Array:
    none = counts <= 0
    return np.where(none, NOISE_ERROR, errors / np.where(none, 1.0, counts)).clip(max=NOISE_ERROR)
