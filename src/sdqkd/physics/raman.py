"""Spontaneous Raman scattering of classical light into a quantum channel, anywhere from O to U band.

How strongly a pump scatters follows from what it would amplify: the gain of silica by frequency shift, times the
quantum of the noise, times the thermal occupation of the vibration (Stokes: n + 1, anti-Stokes: n).

Sources. Shape: the 13 vibrations of Hollenbeck and Cantrell, J. Opt. Soc. Am. B 19, 2886 (2002), table 1. Noise
from gain: Bromage, J. Lightwave Technol. 22, 79 (2004). Distances: Eraerds et al., New J. Phys. 12, 063027 (2010).

Assumed: the peak gain of standard fibre, `PEAK_GAIN_PER_W_M` (0.38 to 0.42 are published), scaled with the
frequency that receives and with the mode areas; 293 K; the germanium of the core changes nothing but the peak. In
the C band this gives 4e-9 to 7e-9 /(km nm), at and above the upper end of the published 1e-9 to 5e-9: it errs on
the safe side.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import ArrayLike

from sdqkd.physics.decibel import BOLTZMANN_J_PER_K, LIGHT_M_PER_S, PLANCK_J_S, Array, as_array
from sdqkd.physics.fibre import effective_area_m2

PEAK_GAIN_PER_W_M = 0.38e-3  # both polarisations averaged, pump at REFERENCE_PUMP_HZ
REFERENCE_PUMP_HZ = 206.2e12  # 1454 nm
PEAK_SHIFT_HZ = 13.2e12
ROOM_K = 293.0

# Position, intensity, Gaussian and Lorentzian full width at half maximum; positions and widths in 1/cm.
_VIBRATIONS = np.array(
    [
        (56.25, 1.00, 52.10, 17.37),
        (100.00, 11.40, 110.42, 38.81),
        (231.25, 36.67, 175.00, 58.33),
        (362.50, 67.67, 162.50, 54.17),
        (463.00, 74.00, 135.33, 45.11),
        (497.00, 4.50, 24.50, 8.17),
        (611.50, 6.80, 41.50, 13.83),
        (691.67, 4.60, 155.00, 51.67),
        (793.67, 4.20, 59.50, 19.83),
        (835.50, 4.50, 64.30, 21.43),
        (930.00, 2.70, 150.00, 50.00),
        (1080.00, 3.10, 91.00, 30.33),
        (1215.00, 3.00, 160.00, 53.33),
    ]
)
_STEP_S = 2e-15
_STEPS = 8192  # 61 GHz apart in frequency


@functools.cache
def _shape() -> tuple[Array, Array]:
    """Shifts in Hz from 0 on, and the gain there in units of its peak."""
    position, intensity, gauss, lorentz = _VIBRATIONS.T * np.array([[100.0], [1.0], [100.0], [100.0]])
    time_s = np.arange(_STEPS)[:, None] * _STEP_S
    turn = 2 * np.pi * LIGHT_M_PER_S * position * time_s
    decay = np.pi * LIGHT_M_PER_S * (lorentz * time_s + np.pi * LIGHT_M_PER_S * (gauss * time_s) ** 2 / 4)
    response = (intensity * np.exp(-decay) * np.sin(turn)).sum(axis=1)
    gain = (-np.fft.rfft(response).imag).clip(min=0.0) + 0.0
    return as_array(np.fft.rfftfreq(_STEPS, _STEP_S)), as_array(gain / gain.max())


def gain_shape(shift_hz: ArrayLike) -> Array:
    """Raman gain of silica at a shift (either sign), its peak being 1.

    >>> gain_shape([0, 13.2e12, 35.4e12, 60e12]).round(3).tolist()
    [0.0, 1.0, 0.03, 0.001]
    """
    shifts_hz, gain = _shape()
    return np.interp(np.abs(as_array(shift_hz)), shifts_hz, gain)


def thermal_occupation(shift_hz: ArrayLike, temperature_k: float = ROOM_K) -> Array:
    """Mean number of quanta in a vibration; the shift must not be 0.

    >>> float(thermal_occupation(13.2e12).round(3))
    0.13
    """
    return 1 / np.expm1(PLANCK_J_S * np.abs(as_array(shift_hz)) / (BOLTZMANN_J_PER_K * temperature_k))


def gain_per_w_m(pump_hz: ArrayLike, signal_hz: ArrayLike) -> Array:
    """How a pump amplifies a signal of lower frequency, polarisations averaged, in 1/(W m).

    >>> f"{float(gain_per_w_m(206.2e12, 193.0e12)):.2e}"
    '3.80e-04'
    """
    pump, signal = as_array(pump_hz), as_array(signal_hz)
    reference_signal_hz = REFERENCE_PUMP_HZ - PEAK_SHIFT_HZ
    size = effective_area_m2(REFERENCE_PUMP_HZ, reference_signal_hz) / effective_area_m2(pump, signal)
    return PEAK_GAIN_PER_W_M * gain_shape(pump - signal) * size * signal / reference_signal_hz


def coefficient_per_m_hz(pump_hz: ArrayLike, noise_hz: ArrayLike, temperature_k: float = ROOM_K) -> Array:
    """Share of a pump's power that one metre scatters into one Hz at `noise_hz`, one way, both polarisations.

    Equal frequencies count as no scattering: there is Rayleigh light, which no filter could take away.

    >>> from sdqkd.physics.decibel import raman_per_km_nm
    >>> [f"{float(raman_per_km_nm(coefficient_per_m_hz(192.1e12, f), f)):.1e}" for f in (193.4e12, 228.85e12)]
    ['5.1e-09', '1.8e-12']
    """
    pump, noise = as_array(pump_hz), as_array(noise_hz)
    shift = np.where(pump == noise, 1.0, pump - noise)
    n = thermal_occupation(shift, temperature_k)
    stokes = gain_per_w_m(pump, noise) * (n + 1)
    # What a wave at the noise's frequency would lose to the pump, by which it is in balance with the pump's heat.
    anti_stokes = gain_per_w_m(noise, pump) * (noise / pump) * n
    return 2 * PLANCK_J_S * noise * np.where(pump == noise, 0.0, np.where(shift > 0, stokes, anti_stokes))


def forward_w(
    launch_w: ArrayLike,
    coefficient_per_m_hz: ArrayLike,
    bandwidth_hz: ArrayLike,
    length_m: ArrayLike,
    pump_per_m: ArrayLike,
    noise_per_m: ArrayLike | None = None,
) -> Array:
    """Noise at the far end of a fibre from light that runs the same way. One attenuation serves for both if equal.

    >>> from sdqkd.physics.decibel import nm_width_to_hz, per_m, raman_per_m_hz
    >>> b, width = raman_per_m_hz(2e-9, 193.4e12), nm_width_to_hz(0.12, 193.4e12)
    >>> [f"{p:.1e}" for p in forward_w(1e-3, b, width, [25e3, 80e3], per_m(0.2))]
    ['1.9e-12', '4.8e-13']
    """
    length, pump = as_array(length_m), as_array(pump_per_m)
    noise = pump if noise_per_m is None else as_array(noise_per_m)
    # The integral of exp(-pump z) exp(-noise (L - z)), written so that equal attenuations are no special case.
    reach_m = np.exp(-noise * length) * length * _mean_of_decay((pump - noise) * length)
    return as_array(launch_w) * as_array(coefficient_per_m_hz) * as_array(bandwidth_hz) * reach_m


def backward_w(
    launch_w: ArrayLike,
    coefficient_per_m_hz: ArrayLike,
    bandwidth_hz: ArrayLike,
    length_m: ArrayLike,
    pump_per_m: ArrayLike,
    noise_per_m: ArrayLike | None = None,
) -> Array:
    """Noise at the end where light is launched that runs against the quantum channel.

    >>> from sdqkd.physics.decibel import nm_width_to_hz, per_m, raman_per_m_hz
    >>> b, width = raman_per_m_hz(2e-9, 193.4e12), nm_width_to_hz(0.12, 193.4e12)
    >>> [f"{p:.1e}" for p in backward_w(1e-3, b, width, [25e3, 80e3], per_m(0.2))]
    ['2.3e-12', '2.6e-12']
    """
    length, pump = as_array(length_m), as_array(pump_per_m)
    noise = pump if noise_per_m is None else as_array(noise_per_m)
    reach_m = length * _mean_of_decay((pump + noise) * length)
    return as_array(launch_w) * as_array(coefficient_per_m_hz) * as_array(bandwidth_hz) * reach_m


def _mean_of_decay(exponent: Array) -> Array:
    """The mean of exp(-x) from 0 to the exponent: (1 - exp(-x)) / x, and 1 at 0."""
    small = np.abs(exponent) < 1e-9
    safe = np.where(small, 1.0, exponent)
    return np.where(small, 1.0, -np.expm1(-safe) / safe)
