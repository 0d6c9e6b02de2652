"""The text of docs/physics.md around the tables."""

from __future__ import annotations

from pathlib import Path

from tools.physics_table.published import rows
from tools.physics_table.rows import percent, table
from tools.physics_table.table_two import Measured, against_the_loss, measured, predictions

from sdqkd.profiles.profile import load_profiles

HEAD = """# The physics, and how well it does

Written by `python -m tools.physics_table`; change the program or the published points, not this file.

The functions are in `src/sdqkd/physics`, over NumPy arrays, in SI units; the docstring of each names its source.
The emulated network computes with them what its devices report. Its rates are scaled through what was measured on
a link (`calibration` in the network file), so they are exact there and follow the model when anything changes. The
tables here use no scaling but the one that they name.

## Published points

One set of figures for each system, never tuned for a point. An error is ours against published.

"""

TABLE_TWO = """
## Table II of MadQCI, each link from its vendor's other links

Fitted on the other links of the vendor by least squares of logarithms: one scale, a cap if that helps, and for CV
the excess noise. Published inputs: loss, rate, number of neighbours. Assumed: all else in the profile, and for
"with neighbours" the frequencies and launch powers of `examples/madqci/network.yaml`, which are marked `inferred`.

"""

MISSED = """
## What is not reproduced, and why

- **Record of 2.38 Mb/s (Patel 2014).** The loss at which it was measured is not among the facts that we have.
- **80 km beside terabit channels (arXiv 1610.04475).** Number, frequencies and powers of the channels are missing.
- **Rates of Patel 2014.** Ours is too high at 25 km and ends too soon: launch powers of the experiment's longer
  distances and the efficiencies are not known to us, and nothing was tuned.
- **Absolute rates of CV systems.** The symbol rate is not known, so only how they fall with the loss counts. That
  is steeper than ours: finite keys, and noise that grows with the loss, are not in the model.
- **Key of a finite number of pulses or symbols.** All rates here are the limit of infinitely many.
- **Distrito-Concepcion-CV.** With the neighbours that the example assumes, the model has no key there at 20.1 dB:
  the assumed launch powers are too high for it, or its route is quieter. The emulated network keeps the measured
  rate as long as neither loss nor noise grows, and gives no key beyond.
- **Raman scattering close to the pump.** The published 1e-9 /(km nm) within about 1 nm of a pump is below ours.
- **Absolute rates of two emitters at a hub.** The experiments' detectors, intensities and shares of the bases are
  not known to us, and two of them count finite keys. What needs none of that, the gains and errors of the hub, is
  held against a calculation from the beam splitter on (`tests/physics/test_mdi.py`).
- **ID Quantique's rates** are capped by the device, and decoy BB84 may only stand in for its protocol.
"""


def document(example: Path) -> str:
    """The whole document."""
    links = measured(example)
    header = ("source", "what", "published", "ours", "error", "inputs published", "inputs assumed")
    parts = [HEAD, table(header, [row.cells() for row in rows()]), "\n", TABLE_TWO, _leave_one_out(links), "\n"]
    parts += ["\n## Pairs that loss cannot explain\n\n", _pairs(links), MISSED, _figures()]
    return "".join(parts)


def _leave_one_out(links: tuple[Measured, ...]) -> str:
    found = [
        (
            one.link.name,
            f"{one.link.quiet.loss_db:.2f}",
            _kbps(one.link.rate_bps),
            _kbps(one.by_loss_bps),
            percent(one.by_loss_bps, one.link.rate_bps),
            _kbps(one.with_noise_bps),
            percent(one.with_noise_bps, one.link.rate_bps),
        )
        for one in predictions(links)
    ]
    names = ("link", "loss [dB]", "published [kb/s]", "by loss alone", "error", "with neighbours", "error")
    return table(names, found)


def _pairs(links: tuple[Measured, ...]) -> str:
    lines = [
        f"- **{near.name}** ({near.quiet.loss_db:g} dB, {_kbps(near.rate_bps)} kb/s) is slower than {far.name}"
        f" ({far.quiet.loss_db:g} dB, {_kbps(far.rate_bps)} kb/s). The assumed neighbours"
        f" {'put them in this order too' if explained else 'do not explain it'}."
        for near, far, explained in against_the_loss(links)
    ]
    return "\n".join(lines) + "\n"


# The profiles that the tables above count on; docs/equipment.md has all.
_OF_THE_TABLES = ("huawei-cv-qkd", "idquantique-c-band", "idquantique-o-band", "toshiba")


def _figures() -> str:
    rows_ = [
        (profile.product, figure, where.status, where.source)
        for profile in load_profiles().values()
        if profile.name in _OF_THE_TABLES
        for figure, where in profile.provenance.items()
    ]
    heading = "\n## Where the figures of the equipment come from\n\n"
    return heading + table(("product", "figure", "status", "source"), rows_) + "\n"


def _kbps(rate_bps: float) -> str:
    return f"{rate_bps / 1000:,.2f}"
