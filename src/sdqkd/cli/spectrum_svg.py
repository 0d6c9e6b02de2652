"""A spectrum as an SVG drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lxml import etree

from sdqkd.cli.spectrum_axes import (
    MARKS,
    THIRD_PARTY_MARK,
    Axes,
    Stretch,
    axes_of,
    mark,
    noise_dbm,
    position,
    title,
)
from sdqkd.physics.grid import hz_to_thz
from sdqkd.planning.fibre_light import LEAST_DBM, FibreLight, Line, View

NAMESPACE = "http://www.w3.org/2000/svg"
WIDTH, LEFT, PLOT, HEIGHT = 820, 56, 740, 200
HEAD, FOOT, LEGEND_HEIGHT = 30, 46, 46
_ROOM_FOR_TWO = 130  # labels of the axis
COLOURS: Mapping[str, str] = {
    "Q": "#a01a7d",
    "S": "#0e7c86",
    "D": "#2c5aa0",
    "C": "#2e7d32",
    "E": "#b26a00",
    THIRD_PARTY_MARK: "#b3261e",
}
NAMES: Mapping[str, str] = {mark: role.replace("-", " ") for role, mark in MARKS.items()} | {"T": "third party"}
REST = (
    "dotted: Raman noise at the receiving end, in 12.5 GHz; dashed: off, or on the other strand; shaded: filters"
)
NOISE_COLOUR = "#777777"

Element = etree._Element


def write_svg(file: Path, lights: Sequence[FibreLight], labels: Mapping[str, str]) -> None:
    """Draw all views of all fibres, one below the other. Raises OSError."""
    file.write_bytes(svg(lights, labels))


def svg(lights: Sequence[FibreLight], labels: Mapping[str, str]) -> bytes:
    """The drawing; the same for the same light."""
    count = sum(len(light.views) for light in lights)
    height = count * (HEAD + HEIGHT + FOOT) + LEGEND_HEIGHT
    root = etree.fromstring(f'<svg xmlns="{NAMESPACE}"/>')
    root.set("viewBox", f"0 0 {WIDTH} {height}")
    _set(root, width=WIDTH, height=height)
    _set(root, font_family="Helvetica, Arial, sans-serif", font_size=11)
    _add(root, "rect", width=WIDTH, height=height, fill="#ffffff")
    top = 0
    for light in lights:
        axes = axes_of(light)
        for view in light.views:
            _draw(
                _add(root, "g", transform=f"translate({LEFT} {top + HEAD})"),
                light,
                view,
                axes,
                title(view, labels),
            )
            top += HEAD + HEIGHT + FOOT
    _legend(_add(root, "g", transform=f"translate({LEFT} {top + 14})"))
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True))


def _draw(group: Element, light: FibreLight, view: View, axes: Axes, heading: str) -> None:
    _text(group, heading, x=0, y=-10, font_weight="bold")
    _filters(group, light, axes)
    _levels(group, axes)
    for stretch in axes.stretches:
        _noise(group, view, stretch, axes)
    for line in view.elsewhere:
        _line(group, line, view.level_dbm(line), axes, dashed=True)
    for line in view.lines:
        _line(group, line, view.level_dbm(line), axes, dashed=not line.active)


def _levels(group: Element, axes: Axes) -> None:
    for level_dbm in axes.levels_dbm():
        y = _y(axes, level_dbm)
        _add(group, "line", x1=0, x2=PLOT, y1=y, y2=y, stroke="#dddddd", stroke_width=0.6)
        _text(group, f"{level_dbm:.0f}", x=-6, y=float(y) + 4, text_anchor="end", fill="#444444")
    _text(group, "dBm", x=-6, y=HEIGHT + 16, text_anchor="end", fill="#444444")
    for stretch in axes.stretches:
        left, right = stretch.left * PLOT, stretch.right * PLOT
        _add(group, "line", x1=f"{left:.1f}", x2=f"{right:.1f}", y1=HEIGHT, y2=HEIGHT, stroke="#000000")
        edges = [(left, stretch.lower_hz, "start"), (right, stretch.upper_hz, "end")]
        for edge, hz, anchor in edges[: 2 if right - left > _ROOM_FOR_TWO else 1]:
            _text(group, _thz(hz), x=f"{edge:.1f}", y=HEIGHT + 34, text_anchor=anchor, fill="#444444", font_size=9)


def _filters(group: Element, light: FibreLight, axes: Axes) -> None:
    for port, band in light.passbands:
        for stretch in axes.stretches:
            low, high = max(band.lower_hz, stretch.lower_hz), min(band.upper_hz, stretch.upper_hz)
            if low < high:
                x, end = stretch.place(low) * PLOT, stretch.place(high) * PLOT
                found = _add(group, "rect", x=f"{x:.1f}", y=0, width=f"{end - x:.1f}", height=HEIGHT)
                _set(found, fill="#f1f1e6", stroke="#ffffff", stroke_width=1)
                etree.SubElement(found, f"{{{NAMESPACE}}}title").text = f"filter {port}"


def _noise(group: Element, view: View, stretch: Stretch, axes: Axes) -> None:
    levels = noise_dbm(view, stretch)
    if min(levels) > LEAST_DBM:
        places = zip(stretch.points_hz(), levels, strict=True)
        points = " ".join(f"{stretch.place(hz) * PLOT:.1f},{_y(axes, level)}" for hz, level in places)
        _add(group, "polyline", points=points, fill="none", stroke=NOISE_COLOUR, stroke_dasharray="1.5 2")


def _line(group: Element, line: Line, level_dbm: float, axes: Axes, *, dashed: bool) -> None:
    place = axes.place(line.frequency_hz)
    if place is None:
        return
    x, y, colour = f"{place * PLOT:.1f}", _y(axes, level_dbm), COLOURS[mark(line)]
    drawn = _add(group, "line", x1=x, x2=x, y1=HEIGHT, y2=y, stroke=colour, stroke_width=3)
    if dashed:
        _set(drawn, stroke_dasharray="5 4", stroke_width=2)
    state = "" if line.active else " (off)"
    name = f"{line.name}{state}: {hz_to_thz(line.frequency_hz)} THz, {level_dbm:.1f} dBm"
    etree.SubElement(drawn, f"{{{NAMESPACE}}}title").text = name
    _text(group, mark(line), x=x, y=float(y) - 4, text_anchor="middle", fill=colour, font_weight="bold")
    _text(group, position(line.frequency_hz), x=x, y=HEIGHT + 14, text_anchor="middle", fill=colour)


def _legend(group: Element) -> None:
    x = 0
    for letter, name in NAMES.items():
        _text(group, f"{letter} {name}", x=x, y=0, fill=COLOURS[letter])
        x += 30 + 7 * len(name)
    _text(group, REST, x=0, y=17, fill="#444444")


def _y(axes: Axes, level_dbm: float) -> str:
    return f"{(1 - axes.height(level_dbm)) * HEIGHT:.1f}"


def _thz(frequency_hz: float) -> str:
    return f"{frequency_hz / 1e12:.2f} THz"


def _text(parent: Element, text: str, **attributes: object) -> None:
    _add(parent, "text", **attributes).text = text


def _add(parent: Element, name: str, **attributes: object) -> Element:
    return _set(etree.SubElement(parent, f"{{{NAMESPACE}}}{name}"), **attributes)


def _set(element: Element, **attributes: object) -> Element:
    for key, value in attributes.items():
        element.set(key.replace("_", "-"), str(value))
    return element
