"""Thresholds of a QKD node's notifications, as `sdqkd-notification-settings` configures them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sdqkd.schema.tree import Container, get

TOP = "sdqkd-notification-settings:notification-settings"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The defaults are those of the module. Changes and loads are fractions."""

    min_interval: timedelta = timedelta(seconds=10)
    rate_change: float = 0.1
    qber_warning_percent: float = 5.0
    qber_critical_percent: float = 9.0
    qber_hysteresis_percent: float = 0.5
    load_ratio: float = 1.0
    load_hysteresis: float = 0.1


DEFAULTS = Thresholds()


def thresholds_of(tree: Container) -> Thresholds:
    """The thresholds that a valid configuration sets."""
    if TOP not in tree.children:
        return DEFAULTS

    def number(container: str, leaf: str, default: float) -> float:
        value = get(tree, (TOP, container, leaf))
        return float(value) if isinstance(value, str) else default

    interval = get(tree, (TOP, "min-interval"))
    return Thresholds(
        timedelta(seconds=int(interval)) if isinstance(interval, str) else DEFAULTS.min_interval,
        number("key-rate", "change", DEFAULTS.rate_change * 100) / 100,
        number("error-rate", "warning", DEFAULTS.qber_warning_percent),
        number("error-rate", "critical", DEFAULTS.qber_critical_percent),
        number("error-rate", "hysteresis", DEFAULTS.qber_hysteresis_percent),
        number("load", "ratio", DEFAULTS.load_ratio * 100) / 100,
        number("load", "hysteresis", DEFAULTS.load_hysteresis * 100) / 100,
    )
