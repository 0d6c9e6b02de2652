"""What a pair of modules makes of loss and noise: key rate, error rate, signal-to-noise ratio.

The laws are those of `physics`, the figures those of the profile. A rate is scaled through one point that is known
(`Anchor`): a measured link with the noise that it had then, or the profile's reference, where there was none.
"""

from __future__ import annotations

from typing import NamedTuple

from sdqkd.coexistence.noise import Noise
from sdqkd.physics import bb84, gg02
from sdqkd.physics.bb84 import Bb84
from sdqkd.physics.decibel import ratio_to_db, transmittance
from sdqkd.physics.gg02 import Gg02
from sdqkd.physics.rates import anchored_bps, capped_bps
from sdqkd.profiles.profile import CvFigures, DvFigures, Profile

SILENCE = Noise()
_MORE = 1 + 1e-9  # what rounding may add to a noise that did not change


class Conditions(NamedTuple):
    """What the light of a link meets. Its frequency is that of the quantum channel.

    `misalignment` is the share of wrong bits that DV modules make beyond what their profile says.
    """

    loss_db: float
    frequency_hz: int
    noise: Noise = SILENCE
    misalignment: float = 0.0


class Anchor(NamedTuple):
    """A point that a curve passes through: a rate, and the conditions in which it was measured."""

    rate_bps: float
    conditions: Conditions


def key_rate_bps(profile: Profile, now: Conditions, anchor: Anchor | None = None) -> int:
    """Secret key rate, never rising with loss or noise, and exactly the anchor's rate in the anchor's conditions.

    It is at most the profile's cap, or the anchor's rate where that is more. An anchor in conditions in which the
    model has no key says that this pair makes key so far, and no farther.
    """
    reference = Conditions(profile.reference_loss_db, now.frequency_hz)
    known = anchor or Anchor(profile.reference_rate_bps, reference)
    through = key_per_pulse(profile, known.conditions)
    if through <= 0:
        return round(known.rate_bps) if _no_worse(now, known.conditions) else 0
    rate_bps = anchored_bps(key_per_pulse(profile, now), through, known.rate_bps)
    return round(float(capped_bps(rate_bps, max(profile.cap_bps, known.rate_bps))))


def key_per_pulse(profile: Profile, now: Conditions) -> float:
    """Secret bits per pulse or symbol, by the law of the technology."""
    through = transmittance(now.loss_db)
    if isinstance(profile.figures, DvFigures):
        return float(bb84.key_per_pulse(_bb84(profile.figures, now), through, _counts(profile.figures, now)))
    return float(gg02.key_per_symbol(_gg02(profile.figures), through, _excess(now)))


def qber(profile: Profile, now: Conditions) -> float | None:
    """Quantum bit error rate of DV modules, a fraction; None for CV."""
    if not isinstance(profile.figures, DvFigures):
        return None
    pair = _bb84(profile.figures, now)
    return float(bb84.qber(pair, transmittance(now.loss_db), _counts(profile.figures, now)))


def snr_db(profile: Profile, now: Conditions) -> float | None:
    """Signal-to-noise ratio of CV modules in dB; None for DV."""
    if not isinstance(profile.figures, CvFigures):
        return None
    ratio = gg02.signal_to_noise(_gg02(profile.figures), transmittance(now.loss_db), _excess(now))
    return float(ratio_to_db(ratio))


def _no_worse(now: Conditions, then: Conditions) -> bool:
    louder = now.noise.w_per_hz > then.noise.w_per_hz * _MORE or now.noise.leaked_w > then.noise.leaked_w * _MORE
    return now.loss_db <= then.loss_db and now.misalignment <= then.misalignment and not louder


def _counts(figures: DvFigures, now: Conditions) -> float:
    noise_w = now.noise.w_per_hz * figures.filter_hz + now.noise.leaked_w
    return float(bb84.noise_counts(noise_w, now.frequency_hz, figures.gate_s, figures.efficiency))


def _excess(now: Conditions) -> float:
    photons = gg02.noise_photons(now.noise.w_per_hz, now.frequency_hz)
    return float(gg02.excess_noise(photons, transmittance(now.loss_db)))


def _bb84(figures: DvFigures, now: Conditions) -> Bb84:
    return Bb84(
        mean_photons=figures.mean_photons,
        efficiency=figures.efficiency,
        dark_counts=figures.dark_counts,
        misalignment=min(0.5, figures.misalignment + now.misalignment),
        correction=figures.correction,
        sifting=figures.sifting,
    )


def _gg02(figures: CvFigures) -> Gg02:
    return Gg02(
        modulation=figures.modulation,
        efficiency=figures.efficiency,
        excess_noise=figures.excess_noise,
        electronic_noise=figures.electronic_noise,
        reconciliation=figures.reconciliation,
        detection="homodyne" if figures.quadratures == 1 else "heterodyne",
    )
