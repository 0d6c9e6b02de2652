"""Figures of equipment as its files give them: a value, whether it is public or assumed, and its source."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, Literal

from sdqkd.errors import InputError

Status = Literal["public", "assumed"]

_PARTS = {"value", "status", "source"}
_ENDING = ".toml"
_LOWEST_HZ, _HIGHEST_HZ = 178.0e12, 239.0e12  # U to O band, as the models have it


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a figure comes from. `source` is a sentence for people."""

    status: Status
    source: str


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one file by name: their values, and where each comes from."""

    values: Mapping[str, float]
    provenance: Mapping[str, Provenance]


def profile_texts(*folder: str) -> Iterator[tuple[str, str]]:
    """Name and text of every profile of a folder below `data` that comes with the program, in order."""
    place: Traversable = files(__package__).joinpath("data", *folder)
    found = (file for file in place.iterdir() if file.name.endswith(_ENDING))
    for file in sorted(found, key=lambda file: file.name):
        yield file.name.removesuffix(_ENDING), file.read_text("utf-8")


def read_toml(name: str, text: str) -> Mapping[str, Any]:
    """The entries of a profile's file. Raises InputError for broken TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise wrong(name, f"broken TOML: {error}") from error


def read_text(name: str, table: Mapping[str, Any], key: str) -> str:
    """An entry that is a text. Raises InputError if it is not, or empty."""
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise wrong(name, f"'{key}' must be a text")
    return value


def read_figures(name: str, table: Mapping[str, Any], keys: Iterable[str]) -> Figures:
    """The named figures. Raises InputError for one that is missing or malformed, or is below its unit's zero."""
    found = {key: _figure(name, table, key) for key in keys}
    return Figures(
        MappingProxyType({key: value for key, (value, _) in found.items()}),
        MappingProxyType({key: where for key, (_, where) in found.items()}),
    )


def check_spectrum(name: str, lower_hz: float, upper_hz: float) -> None:
    """Refuse, with InputError, what is no stretch of spectrum that a fibre carries."""
    if not _LOWEST_HZ <= lower_hz <= upper_hz <= _HIGHEST_HZ:
        raise wrong(name, "'lower_hz' to 'upper_hz' must be a stretch of spectrum from O to U band")


def wrong(name: str, message: str) -> InputError:
    """What is wrong with a profile's file."""
    return InputError(message, file=f"{name}{_ENDING}")


def _figure(name: str, table: Mapping[str, Any], key: str) -> tuple[float, Provenance]:
    figure = table.get(key)
    if not isinstance(figure, dict) or set(figure) != _PARTS:
        raise wrong(name, f"'{key}' must be a table with value, status and source")
    value, status, source = figure["value"], figure["status"], figure["source"]
    lowest = float("-inf") if key.endswith("_dbm") else 0  # of all units only dBm has values below nothing
    if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value < float("inf"):
        raise wrong(name, f"the value of '{key}' must be a number{'' if lowest else ' and not negative'}")
    if value == float("-inf"):
        raise wrong(name, f"the value of '{key}' must be a number")
    if status not in ("public", "assumed"):
        raise wrong(name, f"the status of '{key}' must be public or assumed")
    if not isinstance(source, str) or not source:
        raise wrong(name, f"'{key}' has no source")
    return float(value), Provenance(status, source)
