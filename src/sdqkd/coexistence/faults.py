"""What is broken in a network, or has drifted: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Booster(NamedTuple):
    """An amplifier at the classical input of a fibre, at either end."""

    gain_db: float
    noise_figure_db: float


@dataclass(frozen=True, slots=True)
class Faults:
    """What is broken or has drifted.

    Fibres that are cut, and loss that came to others; parts that failed, as (device, part); by how many dB the
    lasers of parts send more than they are told; booster amplifiers that hiss into fibres; the share of wrong bits
    that QKD modules make because they are out of line. A part is an interface
    number, a port or a line. The modules that were `pulled` out are among those that failed.
    """

    cut: frozenset[str] = frozenset()
    added_loss_db: Mapping[str, float] = field(default_factory=dict)
    failed: frozenset[tuple[str, str]] = frozenset()
    pulled: frozenset[tuple[str, str]] = frozenset()
    drift_db: Mapping[tuple[str, str], float] = field(default_factory=dict)
    boosters: Mapping[str, Booster] = field(default_factory=dict)
    misalignment: Mapping[tuple[str, str], float] = field(default_factory=dict)
