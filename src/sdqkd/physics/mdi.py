"""Secret key of measurement-device-independent QKD: two emitters, and a hub that measures their light together.

Source: Lo, Curty and Qi, Phys. Rev. Lett. 108, 130503 (2012), for the protocol and its key rate; the gains and
yields of two losses that may differ are those of Ma and Razavi, Phys. Rev. A 86, 062319 (2012), and of Xu, Curty,
Qi and Lo, New J. Phys. 15, 113007 (2013): weak coherent pulses of random phase, a hub of four modes (two
detectors with two polarisations or time bins) that knows two Bell states, infinitely many decoys and pulses. Key
comes from the one basis (Z), and the other (X) says how much of it is secret.

Two lasers are never quite alike: of their overlap falls what interferes in X, and nothing in Z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sdqkd.physics.bb84 import NOISE_ERROR, entropy
from sdqkd.physics.decibel import Array, as_array


@dataclass(frozen=True, slots=True)
class Mdi:
    """Two emitters alike, and a hub.

    `mean_photons` that an emitter sends a pulse; `efficiency` includes the hub's loss. `dark_counts` are per gate
    and mode. `misalignment` is the share of wrong bits in either basis, `overlap` that of the two lights that
    interferes (1 if they are alike). `correction` is f, what error correction costs beyond Shannon's limit.
    """

    mean_photons: float
    efficiency: float
    dark_counts: float
    misalignment: float
    overlap: float = 1.0
    correction: float = 1.16


@dataclass(frozen=True, slots=True)
class _Light:
    """What arrives: transmittances with the hub's, and counts per gate and mode that no signal makes."""

    first: Array
    second: Array
    dark: Array


def gain(pair: Mdi, first: ArrayLike, second: ArrayLike, noise_counts: ArrayLike = 0.0) -> Array:
    """Bell states that are announced per pulse of signal states in Z. `first` and `second` are transmittances.

    >>> pair = Mdi(mean_photons=0.5, efficiency=0.5, dark_counts=1e-7, misalignment=0.01)
    >>> float(gain(pair, 0.1, 0.1).round(7)), float(gain(pair, 0.0, 0.0).round(12))
    (0.000301, 0.0)
    """
    right, wrong = _counts(pair, _light(pair, first, second, noise_counts))
    return right + wrong


def qber(pair: Mdi, first: ArrayLike, second: ArrayLike, noise_counts: ArrayLike = 0.0) -> Array:
    """Error rate of the sifted key (Z), a fraction; 1/2 if nothing is announced."""
    right, wrong = _counts(pair, _light(pair, first, second, noise_counts))
    errors = pair.misalignment * right + (1 - pair.misalignment) * wrong
    return _ratio(errors, right + wrong)


def key_per_pulse(pair: Mdi, first: ArrayLike, second: ArrayLike, noise_counts: ArrayLike = 0.0) -> Array:
    """Secret bits per pulse of which both emitters choose Z, never negative.

    `first` and `second` are the transmittances from either emitter to the hub. `noise_counts` come on top of the
    dark counts, per gate and mode.

    >>> pair = Mdi(mean_photons=0.5, efficiency=0.5, dark_counts=1e-7, misalignment=0.01)
    >>> [f"{k:.1e}" for k in key_per_pulse(pair, [0.1, 0.01, 1e-4], [0.1, 0.01, 1e-4])]
    ['7.7e-05', '7.6e-07', '3.8e-11']
    """
    light = _light(pair, first, second, noise_counts)
    single, error = _single_photons(pair, light)
    gain_11 = pair.mean_photons**2 * np.exp(-2 * pair.mean_photons) * single
    right, wrong = _counts(pair, light)
    lost = pair.correction * (right + wrong) * entropy(qber(pair, first, second, noise_counts))
    return as_array((gain_11 * (1 - entropy(error)) - lost).clip(min=0.0))


def dip_visibility(first: ArrayLike, second: ArrayLike, overlap: ArrayLike = 1.0) -> Array:
    """Depth of the dip in coincidences of two coherent lights that meet, a fraction: 1/2 at most.

    Hong, Ou and Mandel, Phys. Rev. Lett. 59, 2044 (1987), for light of random phase: 2ab/(a+b)^2.

    >>> dip_visibility([1.0, 0.1], [1.0, 1.0]).round(3).tolist()
    [0.5, 0.165]
    """
    a, b = as_array(first), as_array(second)
    total = a + b
    none = total <= 0
    return as_array(np.where(none, 0.0, as_array(overlap) * 2 * a * b / np.where(none, 1.0, total) ** 2))


def _light(pair: Mdi, first: ArrayLike, second: ArrayLike, noise_counts: ArrayLike) -> _Light:
    dark = 1 - (1 - pair.dark_counts) * (1 - as_array(noise_counts).clip(0.0, 1.0))
    return _Light(as_array(first) * pair.efficiency, as_array(second) * pair.efficiency, as_array(dark))


def _counts(pair: Mdi, light: _Light) -> tuple[Array, Array]:
    """Announcements per pulse in Z where the two bits differ, as a Bell state says, and where they are alike."""
    a, b = light.first * pair.mean_photons, light.second * pair.mean_photons
    quiet = 1 - light.dark
    still = quiet**2 * np.exp(-(a + b) / 2)
    right = 2 * still * -np.expm1(np.log1p(-light.dark) - a / 2) * -np.expm1(np.log1p(-light.dark) - b / 2)
    wrong = 2 * light.dark * still * (np.i0(np.sqrt(a * b)) - quiet * np.exp(-(a + b) / 2))
    return as_array(right), as_array(wrong)


def _single_photons(pair: Mdi, light: _Light) -> tuple[Array, Array]:
    """Of pulses of one photon from either: the share that is announced, and its errors in X."""
    a, b, dark = light.first, light.second, light.dark
    both = a * b / 2
    darkly = (2 * a + 2 * b - 3 * a * b) * dark + 4 * (1 - a) * (1 - b) * dark**2
    single = (1 - dark) ** 2 * (both + darkly)
    unlike = pair.misalignment + (1 - 2 * pair.misalignment) * (1 - pair.overlap) / 2
    errors = NOISE_ERROR * single - (NOISE_ERROR - unlike) * (1 - dark) ** 2 * both
    return as_array(single), _ratio(errors, single)


def _ratio(errors: Array, counts: Array) -> Array:
    none = counts <= 0
    return as_array(np.where(none, NOISE_ERROR, errors / np.where(none, 1.0, counts)).clip(max=NOISE_ERROR))
