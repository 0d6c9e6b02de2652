"""What a link does in the light that it meets: noise and rate put together, and in words why there is no key."""

from __future__ import annotations

from dataclasses import dataclass

from sdqkd.coexistence.curves import Anchor, Conditions, key_rate_bps, qber, snr_db
from sdqkd.coexistence.exposure import Exposure
from sdqkd.coexistence.installation import Measurement
from sdqkd.coexistence.noise import Filter, noise_at_receiver
from sdqkd.profiles.profile import Profile


@dataclass(frozen=True, slots=True)
class Performance:
    """Key rate in bit/s, and quality as the technology measures it: `qber` is a fraction.

    `why_no_key` is "" if there is key.
    """

    rate_bps: int
    qber: float | None
    snr_db: float | None
    why_no_key: str


def performance(
    profile: Profile,
    loss_db: float,
    frequency_hz: int,
    met: Exposure,
    measurement: Measurement | None,
    misalignment: float = 0.0,
) -> Performance:
    """What a pair of modules does at a loss, beside the classical light that it meets, and so much out of line."""
    filters = Filter(profile.adjacent_isolation_db, profile.isolation_db)
    now = Conditions(loss_db, frequency_hz, noise_at_receiver(met, frequency_hz, filters), misalignment)
    anchor = None if measurement is None else _anchor(measurement, filters)
    rate_bps = key_rate_bps(profile, now, anchor)
    why = "" if rate_bps else _why_no_key(profile, now, anchor)
    return Performance(rate_bps, qber(profile, now), snr_db(profile, now), why)


def _anchor(measurement: Measurement, filters: Filter) -> Anchor:
    noise = noise_at_receiver(measurement.exposure, measurement.frequency_hz, filters)
    return Anchor(measurement.rate_bps, Conditions(measurement.loss_db, measurement.frequency_hz, noise))


def _why_no_key(profile: Profile, now: Conditions, anchor: Anchor | None) -> str:
    """Name what there would be key without: misalignment, or else noise; or else the loss."""
    if now.misalignment and key_rate_bps(profile, now._replace(misalignment=0.0), anchor):
        return f"no key: too many errors, the modules are out of line by {100 * now.misalignment:.1f} %"
    if key_rate_bps(profile, Conditions(now.loss_db, now.frequency_hz), anchor):
        return f"no key: too much noise, most of it from {now.noise.most_from}"
    return f"no key at a loss of {now.loss_db:.2f} dB"
