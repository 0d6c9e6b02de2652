"""Secret key of Gaussian-modulated coherent states (GG02), reverse reconciliation, against collective attacks.

Sources: Grosshans and Grangier, Phys. Rev. Lett. 88, 057902 (2002); Lodewyck et al., Phys. Rev. A 76, 042305
(2007), for homodyne detection; Fossier et al., J. Phys. B 42, 114014 (2009), for heterodyne detection; Kumar, Qin
and Alleaume, New J. Phys. 17, 043027 (2015), for noise from classical channels. The detector is trusted: its loss
and noise are not the eavesdropper's. Variances are in units of shot noise; key is in the limit of infinitely many
symbols.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from sdqkd.physics.decibel import Array, as_array, photon_energy_j

Detection = Literal["homodyne", "heterodyne"]


@dataclass(frozen=True, slots=True)
class Gg02:
    """A pair of modules. `excess_noise` is at the channel's input, `electronic_noise` at the detector's output.

    `reconciliation` is beta, the share of the mutual information that error correction saves.
    """

    modulation: float
    efficiency: float
    excess_noise: float
    electronic_noise: float
    reconciliation: float
    detection: Detection = "homodyne"


def noise_photons(noise_w_per_hz: ArrayLike, frequency_hz: ArrayLike) -> Array:
    """Photons in the one mode that the local oscillator sees, from light of both polarisations.

    >>> float(noise_photons(1.28e-22, 193.4e12).round(6))
    0.000499
    """
    return as_array(noise_w_per_hz) / 2 / photon_energy_j(frequency_hz)


def excess_noise(photons_at_receiver: ArrayLike, transmittance: ArrayLike) -> Array:
    """Excess noise at the channel's input from photons in the receiver's mode.

    >>> float(excess_noise(0.0005, 0.1))
    0.01
    """
    return 2 * as_array(photons_at_receiver) / as_array(transmittance)


def signal_to_noise(pair: Gg02, transmittance: ArrayLike, added_noise: ArrayLike = 0.0) -> Array:
    """Ratio of the variances that modulation and all noise have at the receiver, for one quadrature.

    >>> pair = Gg02(4.0, 0.6, 0.01, 0.05, 0.95)
    >>> float(signal_to_noise(pair, 0.1).round(3))
    0.228
    """
    v, chi_total = _variances(pair, as_array(transmittance), as_array(added_noise))[:2]
    return (v - 1) / (1 + chi_total)


def key_per_symbol(pair: Gg02, transmittance: ArrayLike, added_noise: ArrayLike = 0.0) -> Array:
    """Secret bits per symbol, never negative. `added_noise` comes on top of the pair's excess noise.

    The transmittance must be above 0.

    >>> pair = Gg02(4.0, 0.6, 0.01, 0.05, 0.95)
    >>> key_per_symbol(pair, [1.0, 0.1, 0.01]).round(4).tolist()
    [0.7315, 0.022, 0.0019]
    """
    t, added = np.broadcast_arrays(as_array(transmittance), as_array(added_noise))
    v, chi_total, chi_line, chi_detector = _variances(pair, t, added)
    mutual = np.log2((v + chi_total) / (1 + chi_total))
    if pair.detection == "homodyne":
        mutual = mutual / 2
    return (pair.reconciliation * mutual - _holevo(pair, t, v, chi_line, chi_detector)).clip(min=0.0)


def _variances(pair: Gg02, t: Array, added: Array) -> tuple[float, Array, Array, float]:
    """Variance of the states; noise at the channel's input, in all and of the line; noise of the detector."""
    chi_line = 1 / t - 1 + pair.excess_noise + added
    if pair.detection == "homodyne":
        chi_detector = (1 + pair.electronic_noise) / pair.efficiency - 1
    else:
        chi_detector = (2 - pair.efficiency + 2 * pair.electronic_noise) / pair.efficiency
    return 1 + pair.modulation, chi_line + chi_detector / t, chi_line, chi_detector


def _holevo(pair: Gg02, t: Array, v: float, chi_line: Array, chi_detector: float) -> Array:
    """What an eavesdropper can know of the receiver's data: from the symplectic eigenvalues before and after."""
    a = v**2 * (1 - 2 * t) + 2 * t + t**2 * (v + chi_line) ** 2
    b = (t * (v * chi_line + 1)) ** 2
    root_b = np.sqrt(b)
    scale = t * (v + chi_line + chi_detector / t)
    if pair.detection == "homodyne":
        c = (a * chi_detector + v * root_b + t * (v + chi_line)) / scale
        d = root_b * (v + root_b * chi_detector) / scale
    else:
        cross = 2 * chi_detector * (v * root_b + t * (v + chi_line)) + 2 * t * (v**2 - 1)
        c = (a * chi_detector**2 + b + 1 + cross) / scale**2
        d = ((v + root_b * chi_detector) / scale) ** 2
    return _entropies(a, b) - _entropies(c, d)


def _entropies(total: Array, product: Array) -> Array:
    """Entropy of the two modes whose eigenvalues have this sum of squares and this product of squares."""
    root = np.sqrt((total**2 - 4 * product).clip(min=0.0))
    larger = (total + root) / 2
    # The smaller one through the product: the difference would lose all its digits.
    return _thermal_entropy(np.sqrt(larger)) + _thermal_entropy(np.sqrt(product / larger))


def _thermal_entropy(eigenvalue: Array) -> Array:
    """Entropy in bits of a mode with this symplectic eigenvalue; 0 for the vacuum's 1."""
    n = ((eigenvalue - 1) / 2).clip(min=1e-18)
    return as_array((n + 1) * np.log2(n + 1) - n * np.log2(n))
