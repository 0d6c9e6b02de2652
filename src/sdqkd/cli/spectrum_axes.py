"""Axes of a spectrum: a broken frequency axis, for the O band is far from the C band, and a level axis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sdqkd.physics.grid import hz_to_channel, hz_to_nm
from sdqkd.planning.fibre_light import LEAST_DBM, FibreLight, Line, View

MARGIN_HZ = 150e9
BREAK_HZ = 2e12  # what lies farther apart is drawn apart
POINTS = 121  # of the noise, in each stretch
_STEP_DB = 10

MARKS: Mapping[str, str] = {
    "quantum": "Q",
    "synchronisation": "S",
    "distillation": "D",
    "classical-data": "C",
    "encrypted-data": "E",
}
THIRD_PARTY_MARK = "T"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of the frequency axis, drawn from `left` to `right`, which are shares of the whole width."""

    lower_hz: float
    upper_hz: float
    left: float
    right: float

    def place(self, frequency_hz: float) -> float:
        """Where a frequency is drawn, a share of the whole width."""
        share = (frequency_hz - self.lower_hz) / (self.upper_hz - self.lower_hz)
        return self.left + share * (self.right - self.left)

    def points_hz(self) -> list[float]:
        """Where the noise is computed."""
        return [self.lower_hz + (self.upper_hz - self.lower_hz) * i / (POINTS - 1) for i in range(POINTS)]


@dataclass(frozen=True, slots=True)
class Axes:
    """Both axes of all views of one fibre, so that they can be compared."""

    stretches: tuple[Stretch, ...]
    lowest_dbm: float
    highest_dbm: float

    def place(self, frequency_hz: float) -> float | None:
        """Where a frequency is drawn, a share of the whole width; None if it is not."""
        return next(
            (s.place(frequency_hz) for s in self.stretches if s.lower_hz <= frequency_hz <= s.upper_hz), None
        )

    def height(self, level_dbm: float) -> float:
        """How high a level is drawn, a share of the whole height; 0 for all below the axis."""
        share = (level_dbm - self.lowest_dbm) / (self.highest_dbm - self.lowest_dbm)
        return min(1.0, max(0.0, share))

    @property
    def steps(self) -> int:
        """How many times 10 dB the level axis covers."""
        return round((self.highest_dbm - self.lowest_dbm) / _STEP_DB)

    def levels_dbm(self) -> list[float]:
        """The levels that the axis names."""
        step_db = 2 * _STEP_DB if self.steps > 6 else _STEP_DB
        return [self.highest_dbm - i * step_db for i in range(self.steps * _STEP_DB // step_db + 1)]


def axes_of(light: FibreLight) -> Axes:
    """Axes on which all lines of a fibre, and the noise beside its quantum channels, have a place."""
    lines = [line for view in light.views for line in (*view.lines, *view.elsewhere)]
    stretches = _stretches(sorted(line.frequency_hz for line in lines))
    levels = [view.level_dbm(line) for view in light.views for line in (*view.lines, *view.elsewhere)]
    levels += [
        level for view in light.views for s in stretches for level in noise_dbm(view, s) if level > LEAST_DBM
    ]
    return Axes(
        tuple(stretches),
        _STEP_DB * (min(levels, default=0.0) // _STEP_DB) - _STEP_DB,
        _STEP_DB * (max(levels, default=0.0) // _STEP_DB + 1),
    )


def noise_dbm(view: View, stretch: Stretch) -> list[float]:
    """The noise at `stretch.points_hz()`."""
    return [float(level) for level in view.noise_dbm(stretch.points_hz())]


def title(view: View, labels: Mapping[str, str]) -> str:
    """What a view shows, in words."""
    near, far = labels[view.near], labels[view.far]
    way = f"outgoing from {near} to {far}" if view.outgoing else f"ingoing to {near} from {far}"
    return f"{view.fibre}, {view.strand}: {way}"


def mark(line: Line) -> str:
    """The letter of a line."""
    return THIRD_PARTY_MARK if line.third_party else MARKS[line.role]


def position(frequency_hz: int) -> str:
    """A channel number, or nanometres where there is none."""
    number = hz_to_channel(frequency_hz)
    return str(number) if number is not None else f"{hz_to_nm(frequency_hz):.0f} nm"


def _stretches(frequencies_hz: Sequence[int]) -> list[Stretch]:
    """Stretches around frequencies in order, at least a tenth of the width each, with gaps between."""
    groups: list[list[float]] = []
    for frequency_hz in frequencies_hz:
        if groups and frequency_hz - groups[-1][1] <= BREAK_HZ:
            groups[-1][1] = frequency_hz
        else:
            groups.append([frequency_hz, frequency_hz])
    edges = [(low - MARGIN_HZ, high + MARGIN_HZ) for low, high in groups]
    return list(_laid_out(edges))


def _laid_out(edges: Sequence[tuple[float, float]]) -> Iterable[Stretch]:
    whole = sum(high - low for low, high in edges)
    shares = [max(0.1, (high - low) / whole) for low, high in edges]
    gap = 0.03
    room = (1 - gap * (len(edges) - 1)) / sum(shares) if edges else 0.0
    left = 0.0
    for (low, high), share in zip(edges, shares, strict=True):
        yield Stretch(low, high, left, left + share * room)
        left += share * room + gap
