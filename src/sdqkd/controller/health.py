"""Whether a network bears a change: what its links and channels did before it, and what they do now. Pure.

A link that a change makes has to come up. One that it does not touch must not become worse than the limits of the
network file allow: a change elsewhere in the same fibre can do that. One without key before has nothing to lose.
What was read before and cannot be read now counts as lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sdqkd.controller.readings import ChannelReading, LinkReading
from sdqkd.network.model import HealthLimits

Value = float | str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be. `subject` is a QKD link or optical channel by name, `end` a device.

    `before` is None for what was not there before, `now` for what cannot be read; `threshold` is what is demanded.
    """

    subject: str
    end: str
    quantity: str
    before: Value
    now: Value
    threshold: Value
    unit: str = ""
    reason: str = ""

    def __str__(self) -> str:
        before = "" if self.before is None else f", before {self._told(self.before)}"
        reason = f" ({self.reason})" if self.reason else ""
        now = "is not reported" if self.now is None else f"is {self._told(self.now)}{reason}"
        bound = f"; demanded is {self._told(self.threshold)}"
        return f"{self.subject} at {self.end}: {self.quantity} {now}{before}{bound}"

    def _told(self, value: Value) -> str:
        if not isinstance(value, float | int):
            return str(value)
        number = f"{round(value):,}" if self.unit == "bit/s" else f"{value:.2f}"
        return f"{number} {self.unit}".strip()

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Watched:
    """A QKD link on trial, or a classical channel: at which devices it is read, and what it has to keep to.

    `made`: the change makes it, or makes it anew, so what it did before does not count; `only_shares`: only
    because its hub measures other pairs, so without key before it has nothing to lose. `acquisition_s` is how
    long it may then take to come up.
    """

    subject: str
    ends: tuple[str, ...]
    made: bool
    limits: HealthLimits
    demand_bps: int | None = None
    acquisition_s: float = 0.0
    only_shares: bool = False

    @property
    def demanded_bps(self) -> float:
        """Least key rate in bit/s that the demand asks for, 0 without one."""
        return (self.demand_bps or 0) * self.limits.minimum_rate_percent_of_demand / 100


LinkEnds = Mapping[str, LinkReading | None]  # by device
ChannelEnds = Mapping[str, ChannelReading | None]


def unreadable(watched: Watched, before: LinkEnds) -> Iterator[Finding]:
    """What a link that the change does not touch would have to report so that it can be watched."""
    for end, reading in before.items():
        silent = reading is not None and reading.key_rate_bps is None and reading.status in ("", "ACTIVE")
        if silent and not watched.made:
            yield Finding(watched.subject, end, "key rate", None, None, "a reading", "bit/s")


def link_findings(watched: Watched, before: LinkEnds, now: LinkEnds) -> Iterator[Finding]:
    """What is wrong with a link at its ends."""
    for end in watched.ends:
        was, found = before.get(end), now.get(end)
        dark = was is not None and not was.key_rate_bps
        if watched.made and not (watched.only_shares and dark):
            yield from _not_up(watched, end, found)
        elif was is not None and was.key_rate_bps:
            yield from _worse(watched, end, was, found)


def _not_up(watched: Watched, end: str, now: LinkReading | None) -> Iterator[Finding]:
    """What a link that is made lacks. A node that reports no status must report a key rate all the same."""
    subject, reason = watched.subject, now.reason if now else ""
    if now is None or (now.status and now.status != "ACTIVE"):
        yield Finding(subject, end, "status", None, now.status if now else None, "ACTIVE", reason=reason)
        return
    least_bps = max(1.0, watched.demanded_bps)
    if now.key_rate_bps is None or now.key_rate_bps < least_bps:
        yield Finding(subject, end, "key rate", None, now.key_rate_bps, least_bps, "bit/s")
    ceiling = watched.limits.qber_ceiling_percent
    if now.qber_percent is not None and now.qber_percent > ceiling:
        yield Finding(subject, end, "QBER", None, now.qber_percent, ceiling, "%")


def _worse(watched: Watched, end: str, was: LinkReading, now: LinkReading | None) -> Iterator[Finding]:
    """In what a link that had key falls short of what it did."""
    subject, limits = watched.subject, watched.limits
    if now is None:
        yield Finding(subject, end, "status", was.status, None, was.status)
        return
    floor_bps = _rate_floor_bps(watched, was)
    if now.key_rate_bps is None or now.key_rate_bps < floor_bps:
        yield Finding(subject, end, "key rate", was.key_rate_bps, now.key_rate_bps, floor_bps, "bit/s", now.reason)
    if was.status == "ACTIVE" != now.status:
        yield Finding(subject, end, "status", was.status, now.status or None, was.status, "", now.reason)
    if was.module_status == "ENABLED" != now.module_status:
        yield Finding(subject, end, "status of the module", "ENABLED", now.module_status or None, "ENABLED")
    if was.qber_percent is not None:
        ceiling = max(limits.qber_ceiling_percent, was.qber_percent)
        if now.qber_percent is None or now.qber_percent > ceiling:
            yield Finding(subject, end, "QBER", was.qber_percent, now.qber_percent, ceiling, "%")
    if was.snr_db is not None:
        floor_db = was.snr_db - limits.snr_drop_db
        if now.snr_db is None or now.snr_db < floor_db:
            yield Finding(subject, end, "signal-to-noise ratio", was.snr_db, now.snr_db, floor_db, "dB")
    if was.loss_db is not None:
        ceiling_db = was.loss_db + limits.power_drop_db
        if now.loss_db is None or now.loss_db > ceiling_db:
            yield Finding(subject, end, "loss", was.loss_db, now.loss_db, ceiling_db, "dB")


def _rate_floor_bps(watched: Watched, was: LinkReading) -> float:
    rate_bps = was.key_rate_bps or 0
    floor_bps = rate_bps * watched.limits.minimum_rate_percent_of_before / 100
    return max(floor_bps, watched.demanded_bps) if rate_bps >= watched.demanded_bps else floor_bps


def channel_findings(watched: Watched, before: ChannelEnds, now: ChannelEnds) -> Iterator[Finding]:
    """What is wrong with a classical channel at its two ends.

    What must not fall is the power that arrives of what the peer sends: if that is told to send less, it may.
    """
    for end, peer in zip(watched.ends, reversed(watched.ends), strict=True):
        was, found = before.get(end), now.get(end)
        if not watched.made and (was is None or was.status != "up"):
            continue
        status = found.status if found else None
        if status != "up":
            yield Finding(watched.subject, end, "status", was.status if was else None, status, "up")
        elif not watched.made and was is not None:
            yield from _dimmer(watched, end, _loss_db(was, before.get(peer)), _loss_db(found, now.get(peer)))


def _dimmer(watched: Watched, end: str, was_db: float | None, now_db: float | None) -> Iterator[Finding]:
    if was_db is None:
        return
    ceiling_db = was_db + watched.limits.power_drop_db
    if now_db is None or now_db > ceiling_db:
        yield Finding(watched.subject, end, "loss", was_db, now_db, ceiling_db, "dB")


def _loss_db(here: ChannelReading | None, peer: ChannelReading | None) -> float | None:
    """What is lost between what the peer sends and what arrives here."""
    if here is None or peer is None or here.received_power_dbm is None or peer.launch_power_dbm is None:
        return None
    return peer.launch_power_dbm - here.received_power_dbm
