"""Equipment profiles: the figures of one product, each with where it comes from.

A profile is a short TOML file in `data/`, named after the profile. Every figure is a table with a `value`, a
`status` (`public` or `assumed`) and a `source`. A new product is a new file and nothing else.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal, cast

from sdqkd.errors import InputError

Technology = Literal["DV", "CV"]
Status = Literal["public", "assumed"]

_TEXTS = ("vendor", "product", "technology")
_FIGURES = ("cap_bps", "reference_loss_db", "reference_rate_bps", "no_key_loss_db", "acquisition_s")
_QUALITY: Mapping[str, str] = {"DV": "low_loss_qber", "CV": "low_loss_snr_db"}
_PARTS = {"value", "status", "source"}


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a figure comes from. `source` is a sentence for people."""

    status: Status
    source: str


@dataclass(frozen=True, slots=True)
class Profile:
    """Figures of one product.

    Key comes below `no_key_loss_db`; at `reference_loss_db` it comes at `reference_rate_bps`, and never faster
    than `cap_bps`. `low_loss_qber` is a fraction (DV only), `low_loss_snr_db` the signal-to-noise ratio (CV only),
    both where the loss is negligible. `provenance` is by the name of the figure.
    """

    name: str
    vendor: str
    product: str
    technology: Technology
    cap_bps: float
    reference_loss_db: float
    reference_rate_bps: float
    no_key_loss_db: float
    acquisition_s: float
    low_loss_qber: float | None = None
    low_loss_snr_db: float | None = None
    provenance: Mapping[str, Provenance] = field(default_factory=dict)


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
    if texts["technology"] not in _QUALITY:
        raise _wrong(name, f"technology is '{texts['technology']}', not DV or CV")
    figures = (*_FIGURES, _QUALITY[texts["technology"]])
    unknown = sorted(set(table) - {*_TEXTS, *figures})
    if unknown:
        raise _wrong(name, f"unknown entry '{unknown[0]}' for technology {texts['technology']}")
    entries = {key: _figure(name, table, key) for key in figures}
    values: dict[str, Any] = {key: value for key, (value, _) in entries.items()}
    provenance = MappingProxyType({key: where for key, (_, where) in entries.items()})
    profile = Profile(name=name, **cast(Any, texts | values), provenance=provenance)
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


def _check(profile: Profile) -> None:
    """Refuse figures from which no curve can be drawn."""
    if not 0 < profile.reference_rate_bps <= profile.cap_bps:
        raise _wrong(profile.name, "'reference_rate_bps' must be above 0 and at most 'cap_bps'")
    if profile.reference_loss_db >= profile.no_key_loss_db:
        raise _wrong(profile.name, "'reference_loss_db' must be below 'no_key_loss_db'")
    if profile.low_loss_qber is not None and profile.low_loss_qber >= 0.1:
        raise _wrong(profile.name, "'low_loss_qber' is a fraction and must be below 0.1: no key comes at 0.11")


def _wrong(name: str, message: str) -> InputError:
    return InputError(message, file=f"{name}.toml")
