"""Decibels and back, and the few units of optics that are not SI. Arrays in, arrays of the same shape out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

PLANCK_J_S = 6.626_070_15e-34  # exact, SI 2019
BOLTZMANN_J_PER_K = 1.380_649e-23  # exact, SI 2019
LIGHT_M_PER_S = 299_792_458.0  # exact


def as_array(values: ArrayLike) -> Array:
    """Numbers of any kind as an array of floats."""
    return np.asarray(values, dtype=np.float64)


def db_to_ratio(level_db: ArrayLike) -> Array:
    """Ratio of powers.

    >>> float(db_to_ratio(-3.0).round(4)), db_to_ratio([0, 10, 20]).tolist()
    (0.5012, [1.0, 10.0, 100.0])
    """
    return np.power(10.0, as_array(level_db) / 10)


def ratio_to_db(ratio: ArrayLike) -> Array:
    """Level of a ratio of powers in dB; minus infinity for 0.

    >>> float(ratio_to_db(0.01)), float(ratio_to_db(0))
    (-20.0, -inf)
    """
    with np.errstate(divide="ignore"):
        return 10 * np.log10(as_array(ratio))


def transmittance(loss_db: ArrayLike) -> Array:
    """The share of the light that a loss leaves.

    >>> float(transmittance(20.0))
    0.01
    """
    return db_to_ratio(-as_array(loss_db))


def dbm_to_w(power_dbm: ArrayLike) -> Array:
    """Power in W.

    >>> dbm_to_w([0, -30]).tolist()
    [0.001, 1e-06]
    """
    return 1e-3 * db_to_ratio(power_dbm)


def w_to_dbm(power_w: ArrayLike) -> Array:
    """Power in dBm; minus infinity for none.

    >>> float(w_to_dbm(0.002).round(2))
    3.01
    """
    return ratio_to_db(as_array(power_w) / 1e-3)


def per_m(db_per_km: ArrayLike) -> Array:
    """Attenuation in 1/m, as in exp(-a L), from dB/km.

    >>> float(per_m(0.2).round(9))
    4.6052e-05
    """
    return as_array(db_per_km) * (math.log(10) / 10 / 1000)


def nm_width_to_hz(width_nm: ArrayLike, at_hz: ArrayLike) -> Array:
    """Width in Hz of a narrow stretch of spectrum that is given in nm, around a frequency.

    >>> float(nm_width_to_hz(0.12, 193.4e12).round(-7))
    14970000000.0
    """
    return as_array(width_nm) * 1e-9 * as_array(at_hz) ** 2 / LIGHT_M_PER_S


def raman_per_m_hz(per_km_nm: ArrayLike, at_hz: ArrayLike) -> Array:
    """Raman coefficient in 1/(m Hz) from the 1/(km nm) of the literature; the nm are those of the noise.

    >>> f"{float(raman_per_m_hz(2e-9, 193.4e12)):.3e}"
    '1.603e-23'
    """
    return as_array(per_km_nm) * 1e-3 / nm_width_to_hz(1.0, at_hz)


def raman_per_km_nm(per_m_hz: ArrayLike, at_hz: ArrayLike) -> Array:
    """The other way round.

    >>> f"{float(raman_per_km_nm(raman_per_m_hz(2e-9, 193.4e12), 193.4e12)):.1e}"
    '2.0e-09'
    """
    return as_array(per_m_hz) * 1e3 * nm_width_to_hz(1.0, at_hz)


def photon_energy_j(frequency_hz: ArrayLike) -> Array:
    """Energy of one photon in J.

    >>> f"{float(photon_energy_j(193.4e12)):.4e}"
    '1.2815e-19'
    """
    return PLANCK_J_S * as_array(frequency_hz)
