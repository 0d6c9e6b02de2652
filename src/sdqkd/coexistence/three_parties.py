"""What a hub and two emitters make of both losses and of the classical light beside both ways.

The law is that of `physics.mdi`, the figures those of the profiles; a rate is scaled through a pair that was
measured, or through the hub's reference. Noise of both arms reaches every mode of the hub; of unpolarised noise,
a mode gets half of what comes in its gate. A hub measures one pair at a time, so pairs share its time alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sdqkd.coexistence.exposure import Exposure
from sdqkd.coexistence.installation import PairMeasurement
from sdqkd.coexistence.noise import Filter, Noise, noise_at_receiver
from sdqkd.network.model import ModuleEnd
from sdqkd.physics import mdi
from sdqkd.physics.bb84 import noise_counts
from sdqkd.physics.decibel import photon_energy_j, transmittance, w_to_dbm
from sdqkd.physics.mdi import Mdi
from sdqkd.physics.rates import anchored_bps
from sdqkd.profiles.equipment import MdiEmitter, MdiHub

_PER_MODE = 0.5  # of unpolarised noise
_NO_KEY_BPS = 0.5  # what rounds to none
_MORE = 1 + 1e-9  # what rounding may add to a noise that did not change


class ArmConditions(NamedTuple):
    """What the light of one emitter meets on its way to the hub."""

    loss_db: float
    met: Exposure = ()


class PairConditions(NamedTuple):
    """What the light of both emitters meets. `misalignment` is the share of wrong bits beyond the profiles'."""

    first: ArmConditions
    second: ArmConditions
    frequency_hz: int
    misalignment: float = 0.0


class PairAnchor(NamedTuple):
    """A rate that was measured, and the conditions in which it was, while the hub measured no other pair."""

    rate_bps: float
    conditions: PairConditions


@dataclass(frozen=True, slots=True)
class PairPerformance:
    """Key rate in bit/s while the pair is measured `time_share` of the time, and what the hub sees of it.

    Only the rate is less for the share: coincidences are those while it is measured. `qber` and `visibility` are
    fractions. `why_no_key` is "" if there is key.
    """

    rate_bps: int
    qber: float
    coincidences_per_s: float
    visibility: float
    why_no_key: str


def pair_performance(
    hub: MdiHub, emitter: MdiEmitter, now: PairConditions, anchor: PairAnchor | None, time_share: float
) -> PairPerformance:
    """What a hub makes of two emitters, `time_share` of its time."""
    pair, counts = _pair(hub, emitter, now.misalignment), _counts(hub, now)
    through = _transmittances(now)
    rate_bps = round(_rate_bps(hub, emitter, now, anchor) * time_share)
    return PairPerformance(
        rate_bps=rate_bps,
        qber=float(mdi.qber(pair, *through, counts)),
        coincidences_per_s=float(mdi.gain(pair, *through, counts)) * hub.clock_hz,
        visibility=float(mdi.dip_visibility(*through, hub.overlap)),
        why_no_key="" if rate_bps else _why_no_key(hub, emitter, now, anchor, _NO_KEY_BPS / time_share),
    )


def anchor_of(measured: PairMeasurement, first: ModuleEnd, second: ModuleEnd) -> PairAnchor:
    """What was measured between two emitters, in their order."""
    arms = [ArmConditions(measured.arms[end].loss_db, measured.arms[end].exposure) for end in (first, second)]
    return PairAnchor(measured.rate_bps, PairConditions(arms[0], arms[1], measured.frequency_hz))


def emitted_dbm(hub: MdiHub, emitter: MdiEmitter, frequency_hz: int) -> float:
    """Mean power that an emitter sends, at the hub's clock."""
    return float(w_to_dbm(emitter.mean_photons * hub.clock_hz * photon_energy_j(frequency_hz)))


def noise_of_arm(hub: MdiHub, arm: ArmConditions, frequency_hz: int) -> Noise:
    """Noise that comes to the hub with the light of one emitter."""
    return noise_at_receiver(arm.met, frequency_hz, Filter(hub.adjacent_isolation_db, hub.isolation_db))


def _rate_bps(hub: MdiHub, emitter: MdiEmitter, now: PairConditions, anchor: PairAnchor | None) -> float:
    """Key rate while the hub measures no other pair; exactly the anchor's in the anchor's conditions."""
    arm = ArmConditions(hub.reference_loss_db)
    known = anchor or PairAnchor(hub.reference_rate_bps, PairConditions(arm, arm, now.frequency_hz))
    through = _key_per_pulse(hub, emitter, known.conditions)
    if through <= 0:
        return known.rate_bps if _no_worse(hub, now, known.conditions) else 0.0
    return float(anchored_bps(_key_per_pulse(hub, emitter, now), through, known.rate_bps))


def _key_per_pulse(hub: MdiHub, emitter: MdiEmitter, now: PairConditions) -> float:
    pair = _pair(hub, emitter, now.misalignment)
    return float(mdi.key_per_pulse(pair, *_transmittances(now), _counts(hub, now)))


def _pair(hub: MdiHub, emitter: MdiEmitter, misalignment: float) -> Mdi:
    return Mdi(
        mean_photons=emitter.mean_photons,
        efficiency=hub.efficiency,
        dark_counts=hub.dark_counts,
        misalignment=min(0.5, emitter.misalignment + misalignment),
        overlap=hub.overlap,
        correction=hub.correction,
    )


def _transmittances(now: PairConditions) -> tuple[float, float]:
    return float(transmittance(now.first.loss_db)), float(transmittance(now.second.loss_db))


def _counts(hub: MdiHub, now: PairConditions) -> float:
    noise_w = sum(_noise_w(hub, noise) for noise in _noises(hub, now))
    return float(noise_counts(noise_w * _PER_MODE, now.frequency_hz, hub.gate_s, hub.efficiency))


def _noises(hub: MdiHub, now: PairConditions) -> tuple[Noise, Noise]:
    return noise_of_arm(hub, now.first, now.frequency_hz), noise_of_arm(hub, now.second, now.frequency_hz)


def _noise_w(hub: MdiHub, noise: Noise) -> float:
    return noise.w_per_hz * hub.filter_hz + noise.leaked_w


def _no_worse(hub: MdiHub, now: PairConditions, then: PairConditions) -> bool:
    quieter = all(
        _noise_w(hub, one) <= _noise_w(hub, other) * _MORE
        for one, other in zip(_noises(hub, now), _noises(hub, then), strict=True)
    )
    nearer = now.first.loss_db <= then.first.loss_db and now.second.loss_db <= then.second.loss_db
    return quieter and nearer and now.misalignment <= then.misalignment


def _why_no_key(
    hub: MdiHub, emitter: MdiEmitter, now: PairConditions, anchor: PairAnchor | None, none_bps: float
) -> str:
    """Name what there would be key without: misalignment, or else noise; or else the losses."""
    if now.misalignment and _rate_bps(hub, emitter, now._replace(misalignment=0.0), anchor) > none_bps:
        return f"no key: too many errors, the emitters are out of line by {100 * now.misalignment:.1f} %"
    first, second = now.first, now.second
    quiet = now._replace(first=first._replace(met=()), second=second._replace(met=()))
    if _rate_bps(hub, emitter, quiet, anchor) > none_bps:
        worst = max(_noises(hub, now), key=lambda noise: _noise_w(hub, noise))
        return f"no key: too much noise, most of it from {worst.most_from}"
    return f"no key at losses of {first.loss_db:.2f} and {second.loss_db:.2f} dB to the hub"
