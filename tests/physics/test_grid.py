"""The grid: examples are doctests; here are the laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.physics import grid


@given(st.integers(1, 72))
def test_channel_number_survives_the_way_to_hz_and_back(channel: int) -> None:
    assert grid.hz_to_channel(grid.channel_to_hz(channel)) == channel


@given(st.integers(178 * 10**6, 239 * 10**6))
def test_decimal_thz_survives_the_way_to_hz_and_back(mhz: int) -> None:
    frequency_hz = mhz * 10**6
    assert grid.thz_to_hz(grid.hz_to_thz(frequency_hz)) == frequency_hz


@pytest.mark.parametrize(
    ("channel", "thz", "nm"),
    [(32, "193.2", 1551.72), (34, "193.4", 1550.12), (37, "193.7", 1547.72), (38, "193.8", 1546.92)],
)
def test_published_channels(channel: int, thz: str, nm: float) -> None:
    frequency_hz = grid.channel_to_hz(channel)
    assert grid.hz_to_thz(frequency_hz) == thz
    assert round(grid.hz_to_nm(frequency_hz), 2) == nm


@pytest.mark.parametrize(("n", "channel"), [(0, 31), (16, 32), (48, 34), (8, None), (-16, 30)])
def test_the_flexible_grid_meets_the_channels_every_sixteen_steps(n: int, channel: int | None) -> None:
    assert grid.hz_to_channel(grid.slot_to_hz(n)) == channel


@pytest.mark.parametrize(
    ("text", "frequency_hz", "admitted"),
    [
        ("34", grid.channel_to_hz(34), True),
        ("34", grid.channel_to_hz(35), False),
        ("13-61", grid.channel_to_hz(61), True),
        ("32,37-38", grid.channel_to_hz(38), True),
        ("1310", grid.nm_to_hz(1310), True),
        ("1310", grid.channel_to_hz(34), False),
        ("1-72", grid.nm_to_hz(1310), False),
        ("1530-1565", grid.channel_to_hz(34), True),
    ],
)
def test_wavelength_ranges(text: str, frequency_hz: int, admitted: bool) -> None:
    assert grid.etsi_range_admits(text, frequency_hz) is admitted
