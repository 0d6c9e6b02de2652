"""Where a channel lies: channel numbers, frequencies and wavelengths (ITU-T G.694.1).

Frequencies are in Hz as integers: every position of the grid is a whole number of Hz, so equality is exact.
"""

from __future__ import annotations

SPEED_OF_LIGHT_M_PER_S = 299_792_458
CENTRE_HZ = 193_100_000_000_000  # G.694.1 counts its steps from here
STEP_HZ = 6_250_000_000  # of the flexible grid's centres, G.694.1 clause 7
CHANNEL_0_HZ = 190_000_000_000_000  # the industry's numbering, which G.694.1 does not have
CHANNEL_STEP_HZ = 100_000_000_000
BANDS_NM = (
    (1260, 1360, "O"),
    (1360, 1460, "E"),
    (1460, 1530, "S"),
    (1530, 1565, "C"),
    (1565, 1625, "L"),
    (1625, 1675, "U"),
)


def channel_to_hz(channel: int) -> int:
    """Centre of a 100 GHz channel by its industry number N: 190.0 + 0.1 N THz.

    >>> channel_to_hz(34)
    193400000000000
    """
    return CHANNEL_0_HZ + channel * CHANNEL_STEP_HZ


def hz_to_channel(frequency_hz: int) -> int | None:
    """The industry's channel number of a frequency, or None if it is not the centre of a channel (1 to 72).

    >>> hz_to_channel(193_700_000_000_000), hz_to_channel(193_750_000_000_000)
    (37, None)
    """
    channel, rest = divmod(frequency_hz - CHANNEL_0_HZ, CHANNEL_STEP_HZ)
    return channel if rest == 0 and 1 <= channel <= 72 else None


def slot_to_hz(n: int) -> int:
    """Centre of slot n of the flexible grid, G.694.1 clause 7.

    >>> slot_to_hz(48)
    193400000000000
    """
    return CENTRE_HZ + n * STEP_HZ


def on_grid(frequency_hz: int) -> bool:
    """Whether a channel may lie there: on G.694.1's finest grid or at a CWDM wavelength of G.694.2.

    Both count from 1460 nm to 1625 nm (S to L band); elsewhere everything may.

    >>> on_grid(channel_to_hz(34)), on_grid(nm_to_hz(1550.12)), on_grid(nm_to_hz(1551)), on_grid(nm_to_hz(1310))
    (True, False, True, True)
    """
    if band_of(frequency_hz) not in ("S", "C", "L"):
        return True
    coarse = (nm_to_hz(wavelength_nm) for wavelength_nm in range(1271, 1612, 20))
    return (frequency_hz - CENTRE_HZ) % STEP_HZ == 0 or frequency_hz in coarse


def nm_to_hz(wavelength_nm: float) -> int:
    """Frequency of a wavelength in vacuum, to the nearest MHz, which is as fine as the models can say it.

    >>> nm_to_hz(1310)
    228849205000000
    """
    return round(SPEED_OF_LIGHT_M_PER_S / wavelength_nm * 1e9 / 1e6) * 1_000_000


def hz_to_nm(frequency_hz: int) -> float:
    """Wavelength in vacuum of a frequency, in nm.

    >>> round(hz_to_nm(193_400_000_000_000), 2)
    1550.12
    """
    return SPEED_OF_LIGHT_M_PER_S / frequency_hz * 1e9


def band_of(frequency_hz: int) -> str | None:
    """The spectral band (ITU-T G-series Supplement 39) of a frequency, None beyond O to U.

    >>> band_of(193_400_000_000_000), band_of(228_849_205_000_000), band_of(100)
    ('C', 'O', None)
    """
    wavelength_nm = hz_to_nm(frequency_hz)
    for lower_nm, upper_nm, band in BANDS_NM:
        if lower_nm <= wavelength_nm < upper_nm:
            return band
    return None


def thz_to_hz(text: str) -> int:
    """Frequency from a decimal text in THz with at most six digits after the point; exact.

    >>> thz_to_hz("193.4"), thz_to_hz("228.849205")
    (193400000000000, 228849205000000)
    """
    whole, _, fraction = text.partition(".")
    return int(whole) * 10**12 + int(fraction.ljust(12, "0")[:12] or "0")


def hz_to_thz(frequency_hz: int) -> str:
    """A frequency as canonical decimal64 text in THz, at least one digit after the point.

    >>> hz_to_thz(193_400_000_000_000), hz_to_thz(193_000_000_000_000)
    ('193.4', '193.0')
    """
    whole, rest = divmod(frequency_hz, 10**12)
    return f"{whole}.{f'{rest:012d}'.rstrip('0') or '0'}"


def etsi_wavelength(frequency_hz: int) -> str:
    """What `phys_wavelength` says: a channel number where there is one, else whole nanometres.

    ETSI GS QKD 015 leaves open which of the two is meant; numbers below 1000 are channels here.

    >>> etsi_wavelength(193_400_000_000_000), etsi_wavelength(228_849_205_000_000)
    ('34', '1310')
    """
    channel = hz_to_channel(frequency_hz)
    return str(channel) if channel is not None else str(round(hz_to_nm(frequency_hz)))


def etsi_range_admits(wavelength_range: str, frequency_hz: int) -> bool:
    """Whether a `wavelength-range-type` such as `34,37-38` or `1260-1360` covers a frequency.

    A range whose numbers lie below 1000 counts channels, any other nanometres.

    >>> etsi_range_admits("34,37-38", channel_to_hz(37)), etsi_range_admits("34,37-38", channel_to_hz(35))
    (True, False)
    >>> etsi_range_admits("1260-1360", nm_to_hz(1310))
    True
    """
    for part in wavelength_range.split(","):
        lower, _, upper = part.partition("-")
        low, high = int(lower), int(upper or lower)
        position = hz_to_channel(frequency_hz) if high < 1000 else round(hz_to_nm(frequency_hz))
        if position is not None and low <= position <= high:
            return True
    return False
