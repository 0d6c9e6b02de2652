"""Published points, what our functions say to the same inputs, and which inputs had to be assumed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from tools.physics_table.rows import Row

from sdqkd.physics import bb84, gg02, mdi
from sdqkd.physics.bb84 import GYS, Bb84
from sdqkd.physics.decibel import (
    Array,
    dbm_to_w,
    nm_width_to_hz,
    per_m,
    raman_per_km_nm,
    raman_per_m_hz,
    transmittance,
)
from sdqkd.physics.gg02 import Gg02
from sdqkd.physics.grid import channel_to_hz, hz_to_nm
from sdqkd.physics.mdi import Mdi
from sdqkd.physics.raman import backward_w, coefficient_per_m_hz, forward_w
from sdqkd.profiles.equipment import MdiEmitter, MdiHub, load_equipment
from sdqkd.profiles.profile import CvFigures, DvFigures, load_profiles

C34_HZ = float(channel_to_hz(34))
O_BAND_HZ = 228.85e12
FIBRE_DB_PER_KM = 0.2
DATA_SENSITIVITY_DBM = -28.0  # of a 1 Gb/s receiver. Assumed.


def rows() -> Iterator[Row]:
    """All points, in the order of the document."""
    yield from _grid()
    yield from _raman()
    yield _gys()
    yield from _toshiba()
    yield from _continuous()
    yield from _three_parties()


def _grid() -> Iterator[Row]:
    for channel, nm in ((32, 1551.72), (34, 1550.12), (37, 1547.72), (38, 1546.92)):
        ours = round(hz_to_nm(channel_to_hz(channel)), 2)
        yield Row("ITU-T G.694.1", f"wavelength of channel {channel}", nm, ours, "nm", "channel number")


def _raman() -> Iterator[Row]:
    b, width_hz = raman_per_m_hz(2e-9, C34_HZ), nm_width_to_hz(0.12, C34_HZ)
    given = "1 mW, b = 2e-9 /(km nm), 0.12 nm, 0.2 dB/km"
    for km, forward, backward in ((25, 1.9, 2.3), (80, 0.48, 2.6)):
        for name, law, published in (("forward", forward_w, forward), ("backward", backward_w, backward)):
            ours = float(law(1e-3, b, width_hz, km * 1e3, per_m(FIBRE_DB_PER_KM))) * 1e12
            yield Row("Raman check figures", f"{name}, {km} km", published, ours, "pW", given)
    shifts_hz = np.array([-2.0, -1.0, 1.0, 2.0]) * 1e12
    found = raman_per_km_nm(coefficient_per_m_hz(C34_HZ + shifts_hz, C34_HZ), C34_HZ) * 1e9
    yield Row(
        "Raman in the C band", "b, pump 1 or 2 THz away", (1.0, 5.0), (float(found.min()), float(found.max())),
        "times 1e-9 /(km nm)", "", "peak gain 0.38 /(W km), shape of silica, 293 K",
    )  # fmt: skip
    near, far = coefficient_per_m_hz(C34_HZ - 1e12, C34_HZ), coefficient_per_m_hz(C34_HZ, O_BAND_HZ)
    ratio = float(raman_per_km_nm(near, C34_HZ) / raman_per_km_nm(far, O_BAND_HZ))
    yield Row(
        "Raman, 1310 nm beside the C band", "how many times less than inside it", "far less", ratio,
        "", "", "as above",
    )  # fmt: skip


def _gys() -> Row:
    km = np.arange(100.0, 180.0, 0.05)
    reach = float(km[bb84.key_per_pulse(GYS, transmittance(0.21 * km)) > 0].max())
    given = "0.21 dB/km, 4.5 % efficiency, 1.7e-6 dark counts, 3.3 % misalignment, f = 1.22"
    return Row("Gobby, Yuan, Shields 2004", "reach of decoy BB84", 142.0, reach, "km", given, "0.48 photons")


def _toshiba() -> Iterator[Row]:
    figures = load_profiles()["toshiba"].figures
    assert isinstance(figures, DvFigures)
    assumed = "profile toshiba: 10 % efficiency, 1e-5 dark counts, 1.5 % misalignment, 0.1 ns gate"
    km = np.arange(1.0, 200.0, 0.25)
    dim_dbm = DATA_SENSITIVITY_DBM + FIBRE_DB_PER_KM * km
    dim = _rate_bps(figures, km, dbm_to_w(dim_dbm))
    yield Row(
        "Patel 2012", "reach beside 1 Gb/s, both directions", 90.0, float(km[dim > 0].max()), "km",
        "0.12 nm, 1 GHz", f"{assumed}; data arrives with {DATA_SENSITIVITY_DBM:.0f} dBm",
    )  # fmt: skip
    bright = _rate_bps(figures, km, np.full_like(km, 1e-3))
    both = f"{assumed}; one laser each way"
    at_25 = float(bright[np.abs(km - 25).argmin()]) / 1e3
    yield Row("Patel 2014", "rate at 25 km beside 0 dBm", 445.0, at_25, "kb/s", "25 km, 0 dBm, 1 GHz", both)
    yield Row("Patel 2014", "reach", 70.0, float(km[bright > 0].max()), "km", "1 GHz", f"{both}, 0 dBm")
    quiet = float(bb84.key_per_pulse(_pair(figures), transmittance(14.5))) * figures.clock_hz / 1e3
    yield Row("Sasaki 2011 (Tokyo, Toshiba)", "rate at 14.5 dB", 304.0, quiet, "kb/s", "14.5 dB, 1 GHz", assumed)


def _rate_bps(figures: DvFigures, km: Array, launch_w: Array) -> Array:
    """Key rate of Toshiba's figures at distances, with a data laser of this power at each end."""
    a, length_m = per_m(FIBRE_DB_PER_KM), km * 1e3
    b = coefficient_per_m_hz(C34_HZ - 1e12, C34_HZ)
    noise_w = forward_w(launch_w, b, figures.filter_hz, length_m, a)
    noise_w = noise_w + backward_w(launch_w, b, figures.filter_hz, length_m, a)
    counts = bb84.noise_counts(noise_w, C34_HZ, figures.gate_s, figures.efficiency)
    return bb84.key_per_pulse(_pair(figures), transmittance(FIBRE_DB_PER_KM * km), counts) * figures.clock_hz


def _pair(figures: DvFigures) -> Bb84:
    return Bb84(
        figures.mean_photons, figures.efficiency, figures.dark_counts, figures.misalignment,
        figures.correction, figures.sifting,
    )  # fmt: skip


def _continuous() -> Iterator[Row]:
    figures = load_profiles()["huawei-cv-qkd"].figures
    assert isinstance(figures, CvFigures)
    pair = Gg02(
        figures.modulation,
        figures.efficiency,
        figures.excess_noise,
        figures.electronic_noise,
        figures.reconciliation,
    )
    assumed = "profile huawei-cv-qkd: variance 4, 60 % efficiency, excess noise 0.02, beta 0.95, homodyne"
    clock = f"{assumed}, {figures.clock_hz / 1e6:.0f} MBd"
    per_symbol = {
        loss_db: float(gg02.key_per_symbol(pair, transmittance(loss_db))) for loss_db in (4.1, 5.5, 6.7, 8.9)
    }
    for loss_db, mbps in ((5.5, 1.12), (4.1, 2.05), (6.7, 0.90), (8.9, 0.23)):
        ours = per_symbol[loss_db] * figures.clock_hz / 1e6
        yield Row("CV, arXiv 2402.18881", f"rate at {loss_db} dB", mbps, ours, "Mb/s", "loss", clock)
    for loss_db, mbps in ((6.7, 0.90), (8.9, 0.23)):
        ours = per_symbol[loss_db] / per_symbol[4.1]
        what = f"rate at {loss_db} dB, in units of that at 4.1 dB"
        yield Row("CV, arXiv 2402.18881", what, mbps / 2.05, ours, "", "losses", assumed)
    reach_db = np.arange(1.0, 60.0, 0.1)
    most = float(reach_db[gg02.key_per_symbol(pair, transmittance(reach_db)) > 0].max())
    noisy = replace(pair, excess_noise=0.05)
    least = float(reach_db[gg02.key_per_symbol(noisy, transmittance(reach_db)) > 0].max())
    yield Row(
        "CV, arXiv 2305.08156", "loss at which there is key", "at least 15.4", (least, most), "dB", "15.4 dB",
        f"{assumed}; the lower value with an excess noise of 0.05; infinitely many symbols",
    )  # fmt: skip


def _three_parties() -> Iterator[Row]:
    """Experiments with two emitters and a hub in the middle of the loss that is given."""
    hub, emitter = load_equipment()["qbird-falqon"], load_equipment()["qbird-emitter"]
    assert isinstance(hub, MdiHub)
    assert isinstance(emitter, MdiEmitter)
    pair = Mdi(
        emitter.mean_photons, hub.efficiency, hub.dark_counts, emitter.misalignment, hub.overlap, hub.correction
    )
    assumed = (
        "profile qbird-falqon: 50 % efficiency, 1e-7 dark counts, 96 % overlap; 0.4 photons, 1 % misalignment;"
        " hub in the middle, every pulse for key, infinitely many"
    )
    for source, what, loss_db, clock_hz, published in (
        ("Wei 2020 (arXiv 1911.00690)", "rate of two emitters over 36 dB", 36.0, 1.25e9, 31.0),
        ("Zheng 2021 (Adv. Photon. 3, 055002)", "rate of two emitters over 24 dB", 24.0, 125e6, 6166.0),
    ):
        ours = _in_the_middle(pair, loss_db) * clock_hz
        yield Row(source, what, published, ours, "bit/s", f"{loss_db:g} dB, {clock_hz / 1e6:g} MHz", assumed)
    found = _in_the_middle(replace(pair, efficiency=0.25), FIBRE_DB_PER_KM * 50) * 1e6
    yield Row(
        "Cao 2020 (Phys. Rev. Appl. 14, 011001)", "key per pulse of two emitters over 50 km", 2.923, found,
        "times 1e-6", "50 km, 25 % efficiency", f"{assumed.replace('50 % efficiency, ', '')}; 0.2 dB/km",
    )  # fmt: skip


def _in_the_middle(pair: Mdi, loss_db: float) -> float:
    each = transmittance(loss_db / 2)
    return float(mdi.key_per_pulse(pair, each, each))
