"""Equipment profiles: the figures of one product, each with where it comes from.

A profile of a QKD module is a short TOML file in `data/`, named after the profile. Every figure is a table with a
`value`, a `status` (`public` or `assumed`) and a `source`. A new product is a new file and nothing else. What is
no QKD module is in `equipment`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from types import MappingProxyType
from typing import Any, Literal, cast

from sdqkd.errors import InputError
from sdqkd.profiles import equipment
from sdqkd.profiles.figures import (
    Provenance,
    check_spectrum,
    profile_texts,
    read_figures,
    read_text,
    read_toml,
    wrong,
)

Technology = Literal["DV", "CV"]

_TEXTS = ("vendor", "product", "technology")


@dataclass(frozen=True, slots=True)
class DvFigures:
    """What decoy-state BB84 needs: see `sdqkd.physics.bb84`. `filter_hz` is the width of the receiver's filter.

    `dark_counts` and `gate_s` are those of one gate; `efficiency` includes the loss inside the receiver.
    """

    clock_hz: float
    mean_photons: float
    efficiency: float
    dark_counts: float
    misalignment: float
    correction: float
    sifting: float
    gate_s: float
    filter_hz: float


@dataclass(frozen=True, slots=True)
class CvFigures:
    """What GG02 needs: see `sdqkd.physics.gg02`. `quadratures` that are measured: 1 is homodyne, 2 heterodyne."""

    clock_hz: float
    modulation: float
    efficiency: float
    excess_noise: float
    electronic_noise: float
    reconciliation: float
    quadratures: float


@dataclass(frozen=True, slots=True)
class Profile:
    """Figures of one product.

    Its light lies between `lower_hz` and `upper_hz`. At `reference_loss_db`, without other light, key comes at
    `reference_rate_bps`, and never faster than `cap_bps`. The isolations say how well the receiver, with the
    filters before it, keeps out light of the next channels (100 GHz away) and of all others. `provenance` is by
    the name of the figure.
    """

    name: str
    vendor: str
    product: str
    technology: Technology
    lower_hz: float
    upper_hz: float
    cap_bps: float
    reference_loss_db: float
    reference_rate_bps: float
    acquisition_s: float
    adjacent_isolation_db: float
    isolation_db: float
    figures: DvFigures | CvFigures
    provenance: Mapping[str, Provenance] = field(default_factory=dict)


ModuleProfile = Profile | equipment.OfThreeParties

_COMMON = (
    "lower_hz",
    "upper_hz",
    "cap_bps",
    "reference_loss_db",
    "reference_rate_bps",
    "acquisition_s",
    "adjacent_isolation_db",
    "isolation_db",
)
_KINDS: Mapping[str, type[DvFigures] | type[CvFigures]] = {"DV": DvFigures, "CV": CvFigures}


@functools.cache
def load_profiles() -> Mapping[str, Profile]:
    """All profiles that come with the program, by name. Raises InputError if one of their files is wrong."""
    return MappingProxyType({name: read_profile(name, text) for name, text in profile_texts()})


def profile_named(profiles: Mapping[str, Profile], name: str, path: str | None = None) -> Profile:
    """The profile of this name; InputError if there is none. `path` is where the name was written."""
    if name in equipment.load_equipment():
        other = equipment.load_equipment()[name]
        raise InputError(f"the profile '{name}' is of {other.article}, not of a QKD module", path=path)
    if name not in profiles:
        known = ", ".join(profiles) or "none"
        raise InputError(f"there is no equipment profile '{name}'; known are: {known}", path=path)
    return profiles[name]


def module_profile(profiles: Mapping[str, Profile], name: str, path: str | None = None) -> ModuleProfile:
    """The profile of a QKD module, be it one for links of two parties or of three; InputError if it is none."""
    return equipment.of_three_parties(name) or profile_named(profiles, name, path)


def read_profile(name: str, text: str) -> Profile:
    """Read the TOML text of a profile.

    Raises InputError, with the file's name, for broken TOML, a missing, unknown or malformed entry, and figures
    that contradict each other.
    """
    table = read_toml(name, text)
    texts = {key: read_text(name, table, key) for key in _TEXTS}
    kind = _KINDS.get(texts["technology"])
    if kind is None:
        raise wrong(name, f"technology is '{texts['technology']}', not DV or CV")
    own = tuple(one.name for one in fields(kind))
    unknown = sorted(set(table) - {*_TEXTS, *_COMMON, *own})
    if unknown:
        raise wrong(name, f"unknown entry '{unknown[0]}' for technology {texts['technology']}")
    read = read_figures(name, table, (*_COMMON, *own))
    common: dict[str, Any] = {key: read.values[key] for key in _COMMON}
    figures = kind(**{key: read.values[key] for key in own})
    profile = Profile(name=name, **cast(Any, texts | common), figures=figures, provenance=read.provenance)
    _check(profile)
    return profile


_SHARES = ("efficiency", "sifting", "reconciliation")  # above 0, at most 1
_POSITIVE = ("clock_hz", "mean_photons", "modulation", "gate_s", "filter_hz")


def _check(profile: Profile) -> None:
    """Refuse figures from which no rate can be computed."""
    check_spectrum(profile.name, profile.lower_hz, profile.upper_hz)
    if not 0 < profile.reference_rate_bps <= profile.cap_bps:
        raise wrong(profile.name, "'reference_rate_bps' must be above 0 and at most 'cap_bps'")
    figures = asdict(profile.figures)
    for key in figures.keys() & {*_SHARES, *_POSITIVE}:
        if not 0 < figures[key] <= (1 if key in _SHARES else float("inf")):
            raise wrong(profile.name, f"'{key}' must be above 0{' and at most 1' if key in _SHARES else ''}")
    if figures.get("misalignment", 0) >= 0.1:
        raise wrong(profile.name, "'misalignment' is a fraction and must be below 0.1: no key comes at 0.11")
    if figures.get("correction", 1) < 1:
        raise wrong(profile.name, "'correction' must be at least 1, which is Shannon's limit")
    if figures.get("quadratures", 1) not in (1, 2):
        raise wrong(profile.name, "'quadratures' must be 1 (homodyne) or 2 (heterodyne)")
