"""MadQCI's Table II by leave-one-out: each link predicted from its vendor's other links."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sdqkd.coexistence.curves import SILENCE, Conditions, key_per_pulse
from sdqkd.coexistence.installation import Installation, install
from sdqkd.coexistence.noise import Filter, noise_at_receiver
from sdqkd.controller.inventory import load_network
from sdqkd.network.model import QkdLink
from sdqkd.profiles.profile import CvFigures, Profile, load_profiles

EXCESS_NOISES = tuple(float(x) for x in np.linspace(0.0, 0.1, 21))
LEAST_BPS = 1.0  # stands for no key where logarithms are taken


@dataclass(frozen=True)
class Measured:
    """A link of Table II. `noisy` beside its neighbours as the example assumes them, `quiet` without."""

    name: str
    vendor: str
    profile: Profile
    rate_bps: float
    quiet: Conditions
    noisy: Conditions


@dataclass(frozen=True)
class Prediction:
    """What the vendor's other links say of one: by loss alone, and with neighbours."""

    link: Measured
    by_loss_bps: float
    with_noise_bps: float


@dataclass(frozen=True)
class Fit:
    """Parameters of a vendor. `scale` in Bd turns key per pulse into bit/s."""

    scale: float
    cap_bps: float
    excess_noise: float | None

    def rate_bps(self, link: Measured, noisy: bool) -> float:
        """The rate of a link."""
        return min(self.cap_bps, self.scale * _per_pulse(link, noisy, self.excess_noise))


def measured(example: Path) -> tuple[Measured, ...]:
    """The links of a network file that were measured."""
    network = load_network(example.read_text("utf-8"), str(example)).network
    installation = install(network, load_profiles())
    links = (link for link in network.qkd_links.values() if link.calibration is not None)
    return tuple(_measured(installation, link) for link in links)


def _measured(installation: Installation, link: QkdLink) -> Measured:
    (found,) = installation.measurements[link.transmitter, link.receiver]
    module = installation.network.module(link.transmitter)
    profile = installation.profiles[module.profile]
    filters = Filter(profile.adjacent_isolation_db, profile.isolation_db)
    noise = noise_at_receiver(found.exposure, found.frequency_hz, filters)
    quiet = Conditions(found.loss_db, found.frequency_hz, SILENCE)
    return Measured(link.name, module.vendor, profile, found.rate_bps, quiet, quiet._replace(noise=noise))


def predictions(links: Sequence[Measured]) -> Iterator[Prediction]:
    """Each link from the others of its vendor."""
    for link in links:
        others = [other for other in links if other.vendor == link.vendor and other is not link]
        by_loss, with_noise = (fit(others, noisy).rate_bps(link, noisy) for noisy in (False, True))
        yield Prediction(link, by_loss, with_noise)


def fit(links: Sequence[Measured], noisy: bool) -> Fit:
    """Scale, cap and, for CV, excess noise with the least squares of the logarithms."""
    caps = [math.inf, *sorted({link.rate_bps for link in links})]
    coherent = isinstance(links[0].profile.figures, CvFigures)
    noises = EXCESS_NOISES if coherent else (None,)
    found = (_fitted(links, noisy, cap, excess) for cap, excess in itertools.product(caps, noises))
    return min(found, key=lambda one: one[0])[1]


def _fitted(links: Sequence[Measured], noisy: bool, cap_bps: float, excess: float | None) -> tuple[float, Fit]:
    """The best scale, found on a logarithmic raster: with a cap there is no formula."""
    per_pulse = np.array([_per_pulse(link, noisy, excess) for link in links])
    rates = np.log(np.array([link.rate_bps for link in links]))
    scales = np.logspace(3, 10, 1401)[:, None]
    errors = (np.log(np.minimum(cap_bps, scales * per_pulse).clip(min=LEAST_BPS)) - rates) ** 2
    best = int(errors.sum(axis=1).argmin())
    return float(errors[best].sum()), Fit(float(scales[best, 0]), cap_bps, excess)


def _per_pulse(link: Measured, noisy: bool, excess: float | None) -> float:
    profile = link.profile
    if excess is not None and isinstance(profile.figures, CvFigures):
        profile = replace(profile, figures=replace(profile.figures, excess_noise=excess))
    return key_per_pulse(profile, link.noisy if noisy else link.quiet)


def against_the_loss(links: Sequence[Measured]) -> Iterator[tuple[Measured, Measured, bool]]:
    """Pairs of one vendor where the link with less loss is slower, and whether the neighbours' noise says so."""
    for one, other in itertools.combinations(links, 2):
        near, far = sorted((one, other), key=lambda link: link.quiet.loss_db)
        if one.vendor == other.vendor and near.rate_bps < far.rate_bps and near.quiet.loss_db < far.quiet.loss_db:
            yield near, far, _per_pulse(near, True, None) < _per_pulse(far, True, None)
