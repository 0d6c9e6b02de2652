"""What an ITU-T G.652 fibre does to light: attenuation, mode size, dispersion; and the loss of a whole path.

Frequencies in Hz, lengths in m, attenuation in 1/m (power goes with exp(-a L)), losses in dB where the name says
so.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from sdqkd.physics.decibel import LIGHT_M_PER_S, Array, as_array, per_m

# Attenuation after Agrawal, Fiber-Optic Communication Systems, section 2.5: Rayleigh scattering C/wavelength^4
# with C of 0.7 to 0.9 dB um^4/km, and the infrared edge of silica after Miya et al., Electron. Lett. 15, 106
# (1979). Assumed: C at its upper end, 0.02 dB/km for all else, no water peak (G.652.D). It gives 0.33 dB/km at
# 1310 nm, 0.20 at 1550.
RAYLEIGH_DB_UM4_PER_KM = 0.9
INFRARED_DB_PER_KM = 7.81e11
INFRARED_EDGE_UM = 48.48
OTHER_DB_PER_KM = 0.02

# A step profile that has the mode field diameter of G.652 (8.6 to 9.2 um at 1310 nm) and its cut-off. Assumed.
CORE_RADIUS_M = 4.1e-6
NUMERICAL_APERTURE = 0.12

# Zero dispersion and its slope: G.652 allows 1300 to 1324 nm and at most
# 0.092 ps/(nm^2 km). Assumed: the middle, the most.
ZERO_DISPERSION_M = 1312e-9
DISPERSION_SLOPE_S_PER_M3 = 0.092e3


def attenuation_per_m(frequency_hz: ArrayLike) -> Array:
    """Attenuation of a typical fibre, O to U band.

    >>> (attenuation_per_m([228.85e12, 193.4e12]) / per_m(1.0)).round(2).tolist()
    [0.33, 0.2]
    """
    wavelength_um = LIGHT_M_PER_S / as_array(frequency_hz) * 1e6
    infrared = INFRARED_DB_PER_KM * np.exp(-INFRARED_EDGE_UM / wavelength_um)
    return per_m(RAYLEIGH_DB_UM4_PER_KM / wavelength_um**4 + infrared + OTHER_DB_PER_KM)


def mode_radius_m(frequency_hz: ArrayLike) -> Array:
    """Radius at which the field has fallen to 1/e, by Marcuse, Bell Syst. Tech. J. 56, 703 (1977).

    >>> (2e6 * mode_radius_m([228.85e12, 193.4e12])).round(1).tolist()
    [9.1, 10.4]
    """
    v = 2 * np.pi * as_array(frequency_hz) / LIGHT_M_PER_S * CORE_RADIUS_M * NUMERICAL_APERTURE
    return CORE_RADIUS_M * (0.65 + 1.619 * v**-1.5 + 2.879 * v**-6)


def effective_area_m2(one_hz: ArrayLike, other_hz: ArrayLike) -> Array:
    """Area over which two Gaussian modes act on each other: that of one mode if the frequencies are the same.

    >>> float((1e12 * effective_area_m2(193.4e12, 193.4e12)).round(0))
    85.0
    """
    return np.pi * (mode_radius_m(one_hz) ** 2 + mode_radius_m(other_hz) ** 2) / 2


def dispersion_s_per_m2(frequency_hz: ArrayLike) -> Array:
    """Chromatic dispersion D by the formula of G.652; 1e-6 s/m^2 are 1 ps/(nm km).

    >>> (1e6 * dispersion_s_per_m2([228.5e12, 193.4e12])).round(1).tolist()
    [0.0, 17.4]
    """
    wavelength_m = LIGHT_M_PER_S / as_array(frequency_hz)
    return DISPERSION_SLOPE_S_PER_M3 / 4 * (wavelength_m - ZERO_DISPERSION_M**4 / wavelength_m**3)


def path_loss_db(
    fibre_m: ArrayLike,
    attenuation_per_m: ArrayLike,
    *,
    connectors: ArrayLike = 0,
    multiplexers: ArrayLike = 0,
    switches: ArrayLike = 0,
    connector_db: float = 0.3,
    multiplexer_db: float = 0.6,
    switch_db: float = 0.8,
) -> Array:
    """Loss of a path: fibre and so many connectors, multiplexers and switches. All that broadcasts may be arrays.

    The losses of the parts are assumptions for when nobody knows better: a connector of IEC 61755 grade C, a
    filter and a switch as data sheets give them.

    >>> float(path_loss_db(24.1e3, per_m(0.2), connectors=2, multiplexers=2).round(2))
    6.62
    """
    fibre_db = as_array(fibre_m) * as_array(attenuation_per_m) * (10 / math.log(10))
    parts_db = as_array(connectors) * connector_db + as_array(multiplexers) * multiplexer_db
    return fibre_db + parts_db + as_array(switches) * switch_db
