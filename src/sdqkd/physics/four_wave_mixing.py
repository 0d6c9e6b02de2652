"""Four-wave mixing: classical channels that run together make light at f_i + f_j - f_k, wherever that is.

Sources: Inoue, J. Lightwave Technol. 10, 1553 (1992), for the power and its efficiency; Tkach et al., J. Lightwave
Technol. 13, 841 (1995), for the mismatch of the phases with the slope of the dispersion. Polarisations are taken
as parallel, which is the worst case.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sdqkd.physics.decibel import LIGHT_M_PER_S, Array, as_array
from sdqkd.physics.fibre import DISPERSION_SLOPE_S_PER_M3, dispersion_s_per_m2

NONLINEARITY_PER_W_M = 1.3e-3  # of G.652 fibre near 1550 nm; 1.2e-3 to 1.4e-3 are published. Assumed.


def mixing_w(
    frequencies_hz: ArrayLike,
    launch_w: ArrayLike,
    noise_hz: float,
    bandwidth_hz: float,
    length_m: float,
    attenuation_per_m: float,
) -> float:
    """Power in W at the far end that falls into a band around `noise_hz`, from channels that enter together.

    `frequencies_hz` and `launch_w` are of shape (channels,). Cost grows with the cube of the number of channels.

    >>> comb, milliwatts = [192.9e12, 193.0e12, 193.1e12], [1e-3] * 3
    >>> f"{mixing_w(comb, milliwatts, 193.2e12, 50e9, 20e3, 4.6e-5):.1e}"
    '1.7e-11'
    >>> mixing_w(comb, milliwatts, 193.25e12, 50e9, 20e3, 4.6e-5)
    0.0
    """
    frequency, power = as_array(frequencies_hz), as_array(launch_w)
    if length_m <= 0 or frequency.size == 0:
        return 0.0
    fi, fj, fk = (frequency[index] for index in np.ogrid[tuple(map(slice, 3 * frequency.shape))])
    pi, pj, pk = (power[index] for index in np.ogrid[tuple(map(slice, 3 * frequency.shape))])
    lands = np.abs(fi + fj - fk - noise_hz) <= bandwidth_hz / 2
    lands = lands & (fi <= fj) & (fi != fk) & (fj != fk)
    degeneracy = np.where(fi == fj, 3.0, 6.0)
    reach_m = -np.expm1(-attenuation_per_m * length_m) / attenuation_per_m if attenuation_per_m else length_m
    made = (degeneracy * NONLINEARITY_PER_W_M * reach_m / 3) ** 2 * pi * pj * pk
    left = np.exp(-attenuation_per_m * length_m)
    efficiency = phase_efficiency(mismatch_per_m(fi, fj, fk), length_m, attenuation_per_m)
    return float((np.where(lands, made * efficiency, 0.0) * left).sum())


def mismatch_per_m(fi_hz: ArrayLike, fj_hz: ArrayLike, fk_hz: ArrayLike) -> Array:
    """Difference of the propagation constants for the product f_i + f_j - f_k, in 1/m.

    >>> f"{float(mismatch_per_m(193.0e12, 193.0e12, 193.1e12)):.1e}"
    '8.9e-03'
    """
    fi, fj, fk = as_array(fi_hz), as_array(fj_hz), as_array(fk_hz)
    wavelength_m = LIGHT_M_PER_S / fk
    ik, jk = np.abs(fi - fk), np.abs(fj - fk)
    slope = wavelength_m**2 / (2 * LIGHT_M_PER_S) * (ik + jk) * DISPERSION_SLOPE_S_PER_M3
    per_dispersion = 2 * np.pi * wavelength_m**2 / LIGHT_M_PER_S * ik * jk
    return as_array(per_dispersion * (dispersion_s_per_m2(fk) + slope))


def phase_efficiency(mismatch: ArrayLike, length_m: float, attenuation_per_m: float) -> Array:
    """Share of the power that comes although the phases run apart; 1 without mismatch.

    >>> float(phase_efficiency(0.0, 20e3, 4.6e-5))
    1.0
    """
    away, loss = as_array(mismatch), attenuation_per_m * length_m
    if loss < 1e-9:
        return np.sinc(away * length_m / (2 * np.pi)) ** 2
    swing = 4 * np.exp(-loss) * np.sin(away * length_m / 2) ** 2 / np.expm1(-loss) ** 2
    return as_array(attenuation_per_m**2 / (attenuation_per_m**2 + away**2) * (1 + swing))
