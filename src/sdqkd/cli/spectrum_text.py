"""A spectrum in letters: lines as columns, noise as dots, filters as brackets below the axis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.table import Table
from rich.text import Text

from sdqkd.cli.spectrum_axes import THIRD_PARTY_MARK, Axes, axes_of, mark, noise_dbm, position, title
from sdqkd.physics.grid import hz_to_nm, hz_to_thz
from sdqkd.planning.fibre_light import LEAST_DBM, FibreLight, Line, View

LABELS = 6  # columns of the level axis
STYLES: Mapping[str, str] = {
    "Q": "bold magenta",
    "S": "cyan",
    "D": "blue",
    "C": "green",
    "E": "yellow",
    THIRD_PARTY_MARK: "red",
}
LEGEND = (
    "Q quantum, S synchronisation, D distillation, C data in the clear, E encrypted data, T third party;"
    " : is off, or on the other strand; . noise of Raman scattering at the receiving end, in 12.5 GHz;"
    " [=] what the filters pass"
)


def drawing(light: FibreLight, labels: Mapping[str, str], width: int) -> Iterator[Text]:
    """All views of a fibre, one below the other, none wider than `width`."""
    axes = axes_of(light)
    columns = max(20, min(width, 120) - LABELS - 2)
    for view in light.views:
        yield Text(title(view, labels), style="bold")
        grid = _grid(view, axes, columns)
        named = {_row(axes, level): level for level in axes.levels_dbm()}
        for row, cells in enumerate(grid):
            label = f"{named[row]:.0f}" if row in named else ""
            yield _coloured(f"{label:>{LABELS - 1}} |", cells)
        yield Text(f"{'dBm':>{LABELS - 1}} +" + "-" * columns)
        yield Text(" " * (LABELS + 1) + _bands(light, axes, columns))
        yield Text(" " * (LABELS + 1) + _positions(view, axes, columns))


def table(light: FibreLight, labels: Mapping[str, str]) -> Table:
    """Every line of every view, one a row."""
    found = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("", "channel", "to", "strand"):
        found.add_column(heading, overflow="fold")
    for heading in ("number", "[THz]", "[nm]", "into fibre\n[dBm]", "out of it\n[dBm]", "noise\n[dBm]"):
        found.add_column(heading, justify="right", no_wrap=True)
    for view in light.views:
        for line in view.lines:
            end = view.far if line.outgoing else view.near
            found.add_row(mark(line), _name(line), labels[end], view.strand, *_figures(line))
    return found


def _figures(line: Line) -> tuple[str, ...]:
    noise = "" if line.noise_dbm is None else f"{line.noise_dbm:.1f}"
    where = (position(line.frequency_hz), hz_to_thz(line.frequency_hz), f"{hz_to_nm(line.frequency_hz):.2f}")
    return (*where, f"{line.enters_dbm:.1f}", f"{line.leaves_dbm:.1f}", noise)


def _name(line: Line) -> str:
    return line.name if line.active else f"{line.name} (off)"


def _grid(view: View, axes: Axes, columns: int) -> list[list[str]]:
    grid = [[" "] * columns for _ in range(axes.steps + 1)]
    for stretch in axes.stretches:
        for frequency_hz, level_dbm in zip(stretch.points_hz(), noise_dbm(view, stretch), strict=True):
            if level_dbm > LEAST_DBM:
                grid[_row(axes, level_dbm)][_column(stretch.place(frequency_hz), columns)] = "."
    for line, dashed in (*((one, True) for one in view.elsewhere), *((one, not one.active) for one in view.lines)):
        place = axes.place(line.frequency_hz)
        if place is not None:
            column, top = _column(place, columns), _row(axes, view.level_dbm(line))
            for row in range(top + 1, len(grid)):
                grid[row][column] = ":" if dashed else "|"
            grid[top][column] = mark(line).lower() if dashed else mark(line)
    return grid


def _coloured(label: str, cells: list[str]) -> Text:
    text = Text(label)
    for cell in cells:
        text.append(cell, style=STYLES.get(cell.upper(), ""))
    text.rstrip()
    return text


def _bands(light: FibreLight, axes: Axes, columns: int) -> str:
    cells = [" "] * columns
    for _, band in light.passbands:
        for stretch in axes.stretches:
            low, high = max(band.lower_hz, stretch.lower_hz), min(band.upper_hz, stretch.upper_hz)
            if low < high:
                first, last = _column(stretch.place(low), columns), _column(stretch.place(high), columns)
                cells[first : last + 1] = (
                    ["["] + ["="] * max(0, last - first - 1) + (["]"] if last > first else [])
                )
    return "".join(cells).rstrip()


def _positions(view: View, axes: Axes, columns: int) -> str:
    """Where lines lie, as far as there is room; a number never runs into its neighbour."""
    cells = [" "] * (columns + 8)
    for line in sorted((*view.lines, *view.elsewhere), key=lambda line: line.frequency_hz):
        place, text = axes.place(line.frequency_hz), position(line.frequency_hz)
        first = max(0, _column(place or 0.0, columns) - len(text) // 2)
        if place is not None and all(cell == " " for cell in cells[max(0, first - 1) : first + len(text) + 1]):
            cells[first : first + len(text)] = list(text)
    return "".join(cells[:columns]).rstrip()


def _row(axes: Axes, level_dbm: float) -> int:
    return round((1 - axes.height(level_dbm)) * axes.steps)


def _column(place: float, columns: int) -> int:
    return min(columns - 1, max(0, round(place * (columns - 1))))
