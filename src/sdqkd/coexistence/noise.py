"""From the classical light that a quantum channel meets to the noise at its receiver.

Assumed, as no data sheet of the network says it: a modulated channel and what is mixed from several fills 50 GHz;
a fibre throws -32 dB of the light back (Rayleigh scattering of a long fibre); between a booster amplifier that
is put in as a fault and the quantum channels stands a multiplexer with an isolation of 30 dB (of amplifiers in the
network file, the file says it). How well a receiver keeps other channels out is
in its profile. A coherent receiver sees nothing but its own frequency, so what leaks through filters does not
reach it.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from sdqkd.coexistence.exposure import Exposure, Guest, Stretch
from sdqkd.physics.decibel import Array, as_array, dbm_to_w, transmittance
from sdqkd.physics.four_wave_mixing import mixing_w
from sdqkd.physics.leakage import amplifier_noise_w_per_hz, crosstalk_w
from sdqkd.physics.raman import backward_w, coefficient_per_m_hz, forward_w

CHANNEL_WIDTH_HZ = 50e9
RETURN_LOSS_DB = 32.0
BOOSTER_ISOLATION_DB = 30.0
_NEPER_DB = 10 / np.log(10)


class Filter(NamedTuple):
    """How well a receiver keeps light of other channels out: of the next ones (100 GHz), and of all others."""

    adjacent_isolation_db: float
    isolation_db: float


class Noise(NamedTuple):
    """Noise at a receiver's input, both polarisations: spread over the spectrum, and leaked through its filters.

    `most_from` says whose light makes most of it, "" if there is none.
    """

    w_per_hz: float = 0.0
    leaked_w: float = 0.0
    most_from: str = ""


@functools.lru_cache(maxsize=4096)
def noise_at_receiver(exposure: Exposure, frequency_hz: int, filters: Filter) -> Noise:
    """Noise that everything on the way adds up to. Powers of independent sources add."""
    spread = leaked = 0.0
    worst = ("", 0.0)
    for stretch in exposure:
        for guests, directed in ((stretch.ahead, _ahead), (stretch.against, _against)):
            if guests:
                densities, leaks = directed(stretch, guests, frequency_hz, filters)
                spread, leaked = spread + float(densities.sum()), leaked + float(leaks.sum())
                shares = densities * CHANNEL_WIDTH_HZ + leaks
                worst = max(worst, (_who(guests[int(shares.argmax())], stretch), float(shares.max())), key=_size)
        for density, what in _of_all(stretch, frequency_hz):
            spread += density
            worst = max(worst, (f"{what} in fibre {stretch.fibre}", density * CHANNEL_WIDTH_HZ), key=_size)
    return Noise(spread, leaked, worst[0])


def _ahead(stretch: Stretch, guests: tuple[Guest, ...], frequency_hz: int, filters: Filter) -> tuple[Array, Array]:
    """What guests that run along add at the receiver: density in W/Hz and leaked power in W, of each."""
    hz, launch_w = _light(guests)
    after = transmittance(stretch.after_db)
    scattered = forward_w(
        launch_w, coefficient_per_m_hz(hz, frequency_hz), 1.0, stretch.length_m, _attenuation(stretch)
    )
    arriving_w = launch_w * transmittance(stretch.loss_db) * after
    return _sorted_out(scattered * after, arriving_w, hz, frequency_hz, filters)


def _against(
    stretch: Stretch, guests: tuple[Guest, ...], frequency_hz: int, filters: Filter
) -> tuple[Array, Array]:
    """The same of guests that come towards the quantum channel: they start where it leaves the fibre."""
    hz, launch_w = _light(guests)
    after = transmittance(stretch.after_db)
    scattered = backward_w(
        launch_w, coefficient_per_m_hz(hz, frequency_hz), 1.0, stretch.length_m, _attenuation(stretch)
    )
    arriving_w = launch_w * transmittance(RETURN_LOSS_DB) * after
    return _sorted_out(scattered * after, arriving_w, hz, frequency_hz, filters)


def _sorted_out(
    density: Array, arriving_w: Array, hz: Array, frequency_hz: int, filters: Filter
) -> tuple[Array, Array]:
    """Count light on the quantum channel's own frequency as density, and filter all other light."""
    away_hz = np.abs(hz - frequency_hz)
    own = away_hz < CHANNEL_WIDTH_HZ
    isolation_db = np.where(away_hz < 150e9, filters.adjacent_isolation_db, filters.isolation_db)
    leaked_w = np.where(own, 0.0, crosstalk_w(arriving_w, isolation_db))
    return density + np.where(own, arriving_w / CHANNEL_WIDTH_HZ, 0.0), leaked_w


def _of_all(stretch: Stretch, frequency_hz: int) -> tuple[tuple[float, str], ...]:
    """Density in W/Hz at the receiver of what no single channel makes, and what it is."""
    after = float(transmittance(stretch.after_db))
    made = []
    if len(stretch.ahead) > 1:
        hz, launch_w = _light(stretch.ahead)
        attenuation = _attenuation(stretch)
        mixed = mixing_w(hz, launch_w, frequency_hz, CHANNEL_WIDTH_HZ, stretch.length_m, attenuation)
        made.append((mixed / CHANNEL_WIDTH_HZ * after, "four-wave mixing"))
    if stretch.booster is not None:
        hiss = amplifier_noise_w_per_hz(frequency_hz, *stretch.booster) * transmittance(BOOSTER_ISOLATION_DB)
        made.append((float(hiss * transmittance(stretch.loss_db)) * after, "noise of the amplifier"))
    ways = ((stretch.hiss, stretch.loss_db), (stretch.back_hiss, RETURN_LOSS_DB))
    for one, loss_db in ((one, loss_db) for several, loss_db in ways for one in several):
        amplifier = one.amplifier
        if amplifier.amplifies(frequency_hz):
            hiss = amplifier_noise_w_per_hz(frequency_hz, amplifier.gain_db, amplifier.noise_figure_db)
            lost_db = one.lost_db(frequency_hz) + loss_db
            made.append((float(hiss * transmittance(lost_db)) * after, f"noise of the amplifier {amplifier.name}"))
    return tuple(made)


def _light(guests: tuple[Guest, ...]) -> tuple[Array, Array]:
    return as_array([guest.frequency_hz for guest in guests]), dbm_to_w([guest.power_dbm for guest in guests])


def _attenuation(stretch: Stretch) -> float:
    """Attenuation in 1/m. The file gives one loss for a fibre, so pump and noise are taken to lose alike."""
    return stretch.loss_db / _NEPER_DB / stretch.length_m if stretch.length_m > 0 else 0.0


def _who(guest: Guest, stretch: Stretch) -> str:
    return f"{guest.name} ({guest.power_dbm:.1f} dBm into fibre {stretch.fibre})"


def _size(share: tuple[str, float]) -> float:
    return share[1]
