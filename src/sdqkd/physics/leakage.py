"""Classical light that gets into a quantum receiver without being scattered: filters leak, amplifiers hiss."""

from __future__ import annotations

from numpy.typing import ArrayLike

from sdqkd.physics.decibel import Array, as_array, db_to_ratio, photon_energy_j, transmittance


def crosstalk_w(arriving_w: ArrayLike, isolation_db: ArrayLike) -> Array:
    """What filters of an isolation let through of light on other channels; isolations of filters in a row add up.

    >>> [f"{p:.0e}" for p in crosstalk_w([1e-3, 1e-4], 80.0)]
    ['1e-11', '1e-12']
    """
    return as_array(arriving_w) * transmittance(isolation_db)


def amplifier_noise_w_per_hz(frequency_hz: ArrayLike, gain_db: ArrayLike, noise_figure_db: ArrayLike) -> Array:
    """Amplified spontaneous emission behind an amplifier, both polarisations: h f (F G - 1), none without gain.

    Source: Desurvire, Erbium-Doped Fiber Amplifiers, section 2.4; Baney et al., Opt. Fiber Technol. 6, 122 (2000).
    A noise figure of an amplifier with high gain is at least 3 dB.

    >>> f"{float(amplifier_noise_w_per_hz(193.4e12, 20.0, 5.0)):.1e}"
    '4.0e-17'
    """
    gain, figure = db_to_ratio(gain_db), db_to_ratio(noise_figure_db)
    return photon_energy_j(frequency_hz) * as_array((figure * gain - 1).clip(min=0.0))
