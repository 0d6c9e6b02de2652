"""How key rate, error rate and signal-to-noise ratio follow from loss. Emulated, simple and in one place.

With the transmittance T = 10^(-loss/10):

- *DV*, after decoy BB84: signal counts go with T, noise counts N do not depend on it. The error rate is
  (e T + N/2) / (T + N) with the profile's error rate e at low loss, the rate goes with
  (T + N) (1 - 2 h(error rate)), h the binary entropy. N is such that the rate vanishes at the profile's
  `no_key_loss_db`, where the error rate is 11 %.
- *CV*, after reverse reconciliation over a lossy channel: the rate goes with log2((1 - n T0) / (1 - n T)), n the
  receiver's efficiency and T0 the transmittance at `no_key_loss_db`; the signal-to-noise ratio goes with T.

A curve is scaled through one point that is known (`Anchor`): a measured link, or the profile's reference.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from sdqkd.profiles.profile import Profile

ERROR_LIMIT = 0.11002786443835955  # 1 - 2 h(e) vanishes here
CV_EFFICIENCY = 0.6


class Anchor(NamedTuple):
    """A point that a curve passes through."""

    loss_db: float
    rate_bps: float


def key_rate_bps(profile: Profile, loss_db: float, anchor: Anchor | None = None) -> int:
    """Secret key rate at a loss, never rising with it, and exactly the anchor's rate at the anchor's loss.

    It is at most the profile's cap, or the anchor's rate where that is more. An anchor beyond the profile's
    reach says that this pair reaches so far, and no farther.
    """
    at = anchor or Anchor(profile.reference_loss_db, profile.reference_rate_bps)
    through = _shape(profile, at.loss_db)
    if through <= 0:
        return round(at.rate_bps) if loss_db <= at.loss_db else 0
    rate_bps = at.rate_bps * (_shape(profile, loss_db) / through)
    return round(min(rate_bps, max(profile.cap_bps, at.rate_bps)))


def qber(profile: Profile, loss_db: float) -> float | None:
    """Quantum bit error rate of DV modules, a fraction; None for CV.

    >>> from sdqkd.profiles.profile import load_profiles
    >>> round(qber(load_profiles()["toshiba"], 2.0), 4), round(qber(load_profiles()["toshiba"], 26.0), 4)
    (0.0304, 0.11)
    """
    if profile.low_loss_qber is None:
        return None
    signal, noise = _transmittance(loss_db), _noise(profile, profile.low_loss_qber)
    return (profile.low_loss_qber * signal + noise / 2) / (signal + noise)


def snr_db(profile: Profile, loss_db: float) -> float | None:
    """Signal-to-noise ratio of CV modules in dB; None for DV."""
    return None if profile.low_loss_snr_db is None else profile.low_loss_snr_db - loss_db


def _shape(profile: Profile, loss_db: float) -> float:
    """The rate in units of its own: positive and falling below the profile's reach, 0 from there on."""
    if loss_db >= profile.no_key_loss_db:
        return 0.0
    error = qber(profile, loss_db)
    if error is None or profile.low_loss_qber is None:
        reach = CV_EFFICIENCY * _transmittance(profile.no_key_loss_db)
        return math.log2((1 - reach) / (1 - CV_EFFICIENCY * _transmittance(loss_db)))
    counts = _transmittance(loss_db) + _noise(profile, profile.low_loss_qber)
    return counts * max(0.0, 1 - 2 * _binary_entropy(error))


def _noise(profile: Profile, low_loss_qber: float) -> float:
    """Noise counts in units of the signal counts without loss."""
    reach = _transmittance(profile.no_key_loss_db)
    return reach * (ERROR_LIMIT - low_loss_qber) / (0.5 - ERROR_LIMIT)


def _transmittance(loss_db: float) -> float:
    return float(10 ** (-loss_db / 10))


def _binary_entropy(p: float) -> float:
    return 0.0 if p in (0.0, 1.0) else -p * math.log2(p) - (1 - p) * math.log2(1 - p)
