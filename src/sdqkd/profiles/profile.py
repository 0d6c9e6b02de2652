"""Equipment profiles: the figures of one product, each with where it comes from.

A profile is a short TOML file in `data/`, named after the profile. Every figure is a table with a `value`, a
`status` (`public` or `assumed`) and a `source`. A new product is a new file and nothing else.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal, cast

from sdqkd.errors import InputError

Technology = Literal["DV", "CV"]
Status = Literal["public", "assumed"]

_TEXTS = ("vendor", "product", "technology")
_PARTS = {"value", "status", "source"}


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a figure comes from. `source` is a sentence for people."""

    status: Status
    source: str


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

    At `reference_loss_db`, without other light, key comes at `reference_rate_bps`, and never faster than
    `cap_bps`. The isolations say how well the receiver, with the filters before it, keeps out light of the next
    channels (100 GHz away) and of all others. `provenance` is by the name of the figure.
    """

    name: str
    vendor: str
    product: str
    technology: Technology
    cap_bps: float
    reference_loss_db: float
    reference_rate_bps: float
    acquisition_s: float
    adjacent_isolation_db: float
    isolation_db: float
    figures: DvFigures | CvFigures
    provenance: Mapping[str, Provenance] = field(default_factory=dict)


_COMMON = (
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
    found = {
        file.name.removesuffix(".toml"): file.read_text("utf-8")
        for file in files(__package__).joinpath("data").iterdir()
        if file.name.endswith(".toml")
    }
    return MappingProxyType({name: read_profile(name, found[name]) for name in sorted(found)})


def profile_named(profiles: Mapping[str, Profile], name: str, path: str | None = None) -> Profile:
    """The profile of this name; InputError if there is none. `path` is where the name was written."""
    if name not in profiles:
        known = ", ".join(profiles) or "none"
        raise InputError(f"there is no equipment profile '{name}'; known are: {known}", path=path)
    return profiles[name]


def read_profile(name: str, text: str) -> Profile:
    """Read the TOML text of a profile.

    Raises InputError, with the file's name, for broken TOML, a missing, unknown or malformed entry, and figures
    that contradict each other.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _wrong(name, f"broken TOML: {error}") from error
    texts = {key: _text(name, table, key) for key in _TEXTS}
    kind = _KINDS.get(texts["technology"])
    if kind is None:
        raise _wrong(name, f"technology is '{texts['technology']}', not DV or CV")
    own = tuple(one.name for one in fields(kind))
    unknown = sorted(set(table) - {*_TEXTS, *_COMMON, *own})
    if unknown:
        raise _wrong(name, f"unknown entry '{unknown[0]}' for technology {texts['technology']}")
    entries = {key: _figure(name, table, key) for key in (*_COMMON, *own)}
    common: dict[str, Any] = {key: entries[key][0] for key in _COMMON}
    provenance = MappingProxyType({key: where for key, (_, where) in entries.items()})
    figures = kind(**{key: entries[key][0] for key in own})
    profile = Profile(name=name, **cast(Any, texts | common), figures=figures, provenance=provenance)
    _check(profile)
    return profile


def _text(name: str, table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise _wrong(name, f"'{key}' must be a text")
    return value


def _figure(name: str, table: Mapping[str, Any], key: str) -> tuple[float, Provenance]:
    figure = table.get(key)
    if not isinstance(figure, dict) or set(figure) != _PARTS:
        raise _wrong(name, f"'{key}' must be a table with value, status and source")
    value, status, source = figure["value"], figure["status"], figure["source"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise _wrong(name, f"the value of '{key}' must be a number and not negative")
    if status not in ("public", "assumed"):
        raise _wrong(name, f"the status of '{key}' must be public or assumed")
    if not isinstance(source, str) or not source:
        raise _wrong(name, f"'{key}' has no source")
    return float(value), Provenance(status, source)


_SHARES = ("efficiency", "sifting", "reconciliation")  # above 0, at most 1
_POSITIVE = ("clock_hz", "mean_photons", "modulation", "gate_s", "filter_hz")


def _check(profile: Profile) -> None:
    """Refuse figures from which no rate can be computed."""
    if not 0 < profile.reference_rate_bps <= profile.cap_bps:
        raise _wrong(profile.name, "'reference_rate_bps' must be above 0 and at most 'cap_bps'")
    figures = asdict(profile.figures)
    for key in figures.keys() & {*_SHARES, *_POSITIVE}:
        if not 0 < figures[key] <= (1 if key in _SHARES else float("inf")):
            raise _wrong(profile.name, f"'{key}' must be above 0{' and at most 1' if key in _SHARES else ''}")
    if figures.get("misalignment", 0) >= 0.1:
        raise _wrong(profile.name, "'misalignment' is a fraction and must be below 0.1: no key comes at 0.11")
    if figures.get("correction", 1) < 1:
        raise _wrong(profile.name, "'correction' must be at least 1, which is Shannon's limit")
    if figures.get("quadratures", 1) not in (1, 2):
        raise _wrong(profile.name, "'quadratures' must be 1 (homodyne) or 2 (heterodyne)")


def _wrong(name: str, message: str) -> InputError:
    return InputError(message, file=f"{name}.toml")
