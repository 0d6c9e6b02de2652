"""Figures of physics: `python -m tools.bench physics`. How fast it is over a full C band, as arrays.

A C band is 96 classical channels 50 GHz apart; 96 quantum channels lie between them, 25 GHz beside each.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from sdqkd.physics import bb84, gg02
from sdqkd.physics.decibel import dbm_to_w, per_m, transmittance
from sdqkd.physics.four_wave_mixing import mixing_w
from sdqkd.physics.raman import backward_w, coefficient_per_m_hz, forward_w

from .report import table

CHANNELS = 96
RATES = 100_000
RUNS = 30
LENGTH_M = 20e3
ATTENUATION = float(per_m(0.2))
WIDTH_HZ = 15e9  # of a quantum receiver's filter
GATE_S = 1e-9
CLASSICAL_HZ = 191.35e12 + 50e9 * np.arange(CHANNELS)
QUANTUM_HZ = CLASSICAL_HZ + 25e9
LAUNCH_W = dbm_to_w(np.full(CHANNELS, -3.0))


def main(arguments: Sequence[str]) -> None:
    del arguments
    band_s, mixing_s = _timed(c_band), _timed(_mixing)
    losses = transmittance(np.linspace(0.0, 40.0, RATES))
    decoy_s = _timed(lambda: bb84.key_per_pulse(bb84.GYS, losses))
    coherent = gg02.Gg02(4.0, 0.6, 0.01, 0.05, 0.95)
    coherent_s = _timed(lambda: gg02.key_per_symbol(coherent, losses))
    figures = {
        "full C band, 96 x 96, both directions, keys [ms]": [1e3 * took for took in band_s],
        "pairs of channels, both ways each [million/s]": [1e-6 * CHANNELS**2 / took for took in band_s],
        "key rates, decoy BB84 [million/s]": [1e-6 * RATES / took for took in decoy_s],
        "key rates, GG02 [million/s]": [1e-6 * RATES / took for took in coherent_s],
        "four-wave mixing of 96 channels into one [ms]": [1e3 * took for took in mixing_s],
    }
    for line in table(figures):
        print(line)


def c_band() -> object:
    """Raman noise of every classical channel in every quantum channel, both ways, and key per pulse beside it."""
    scattered = coefficient_per_m_hz(CLASSICAL_HZ[:, None], QUANTUM_HZ)
    fibre = (WIDTH_HZ, LENGTH_M, ATTENUATION)
    noise_w = sum(way(LAUNCH_W[:, None], scattered, *fibre).sum(axis=0) for way in (forward_w, backward_w))
    counts = bb84.noise_counts(noise_w, QUANTUM_HZ, GATE_S, bb84.GYS.efficiency)
    return bb84.key_per_pulse(bb84.GYS, np.exp(-ATTENUATION * LENGTH_M), counts)


def _mixing() -> object:
    return mixing_w(CLASSICAL_HZ, LAUNCH_W, float(QUANTUM_HZ[0] + 25e9), 50e9, LENGTH_M, ATTENUATION)


def _timed(work: Callable[[], object]) -> list[float]:
    work()  # the first one loads and warms
    taken_s = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        taken_s.append(time.perf_counter() - start)
    return taken_s
