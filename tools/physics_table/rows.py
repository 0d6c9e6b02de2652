"""A row of the table, and how numbers are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Value = float | str | tuple[float, float]


@dataclass(frozen=True)
class Row:
    """A published value and ours. `given` are the inputs that were published, `assumed` those that were not."""

    source: str
    what: str
    published: Value
    ours: Value
    unit: str
    given: str
    assumed: str = ""

    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        return (
            self.source,
            self.what,
            f"{shown(self.published)} {self.unit}".strip(),
            f"{shown(self.ours)} {self.unit}".strip(),
            self._error(),
            self.given or "none",
            self.assumed or "nothing",
        )

    def _error(self) -> str:
        if isinstance(self.published, float) and isinstance(self.ours, float):
            return percent(self.ours, self.published)
        return "-"


def shown(value: Value) -> str:
    """Four digits, or a range."""
    if isinstance(value, tuple):
        return f"{shown(value[0])} to {shown(value[1])}"
    if isinstance(value, str):
        return value
    return f"{value:.2f}" if 1000 <= value < 10_000 else f"{value:.3g}"


def percent(ours: float, published: float) -> str:
    """By how much ours is off."""
    error = 100 * (ours / published - 1)
    return f"{0.0:+.1f} %" if abs(error) < 0.05 else f"{error:+.1f} %"


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table of Markdown."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, ("---",) * len(header), *rows))
