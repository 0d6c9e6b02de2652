"""Profiles of what is no QKD module of a link of two parties: transponders, encryptors, and hubs with emitters.

They are TOML files like those of QKD modules, in `data/equipment/`; the `kind` says which figures they have.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import ClassVar

from sdqkd.profiles.figures import (
    Provenance,
    check_spectrum,
    profile_texts,
    read_figures,
    read_text,
    read_toml,
    wrong,
)

_TEXTS = ("kind", "vendor", "product")
_PIECE = ("name", "vendor", "product", "provenance")


@dataclass(frozen=True, slots=True)
class Piece:
    """Equipment of whatever kind. `provenance` is by the name of the figure."""

    article: ClassVar[str] = "something else"

    name: str
    vendor: str
    product: str
    provenance: Mapping[str, Provenance] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transponder(Piece):
    """What sends and receives classical channels: where it can be tuned to, and its power limits.

    Between `sensitivity_dbm` and `overload_dbm` its receiver works.
    """

    article: ClassVar[str] = "a transponder"

    lower_hz: float
    upper_hz: float
    line_rate_bps: float
    least_launch_dbm: float
    most_launch_dbm: float
    sensitivity_dbm: float
    overload_dbm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Encryptor(Piece):
    """What protects traffic with keys. It consumes `key_bits` a direction and time; `layer` is OSI's."""

    article: ClassVar[str] = "an encryptor"

    layer: float
    line_rate_bps: float
    key_bits: float
    rekey_interval_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MdiHub(Piece):
    """A hub that measures the light of two emitters at a time (measurement-device-independent QKD).

    `emitters` can be plugged in; two at a time make key. `reference_rate_bps` is the key rate of a pair at
    `reference_loss_db` from either emitter to the hub, while it measures no other pair. For `efficiency`,
    `dark_counts`, `overlap` and `correction` see `sdqkd.physics.mdi`; the isolations are those of QKD modules.
    """

    article: ClassVar[str] = "a hub for links of three parties"

    lower_hz: float
    upper_hz: float
    emitters: float
    clock_hz: float
    efficiency: float
    dark_counts: float
    overlap: float
    correction: float
    gate_s: float
    filter_hz: float
    adjacent_isolation_db: float
    isolation_db: float
    acquisition_s: float
    most_length_m: float
    reference_loss_db: float
    reference_rate_bps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MdiEmitter(Piece):
    """What stands at a user of a hub: it sends, at the hub's clock, and detects nothing."""

    article: ClassVar[str] = "an emitter for links of three parties"

    lower_hz: float
    upper_hz: float
    mean_photons: float
    misalignment: float


KINDS: Mapping[str, type[Transponder] | type[Encryptor] | type[MdiHub] | type[MdiEmitter]] = {
    "transponder": Transponder,
    "encryptor": Encryptor,
    "mdi-hub": MdiHub,
    "mdi-emitter": MdiEmitter,
}
Equipment = Transponder | Encryptor | MdiHub | MdiEmitter
OfThreeParties = MdiHub | MdiEmitter


def of_three_parties(name: str) -> OfThreeParties | None:
    """The profile of this name, if it is one of modules that serve links of three parties."""
    found = load_equipment().get(name)
    return found if isinstance(found, MdiHub | MdiEmitter) else None


@functools.cache
def load_equipment() -> Mapping[str, Equipment]:
    """All that comes with the program, by name. Raises InputError if one of the files is wrong."""
    return MappingProxyType({name: read_equipment(name, text) for name, text in profile_texts("equipment")})


def read_equipment(name: str, text: str) -> Equipment:
    """Read the TOML text of a profile.

    Raises InputError, with the file's name, for broken TOML, an unknown kind, a missing, unknown or malformed
    entry, and limits that contradict each other.
    """
    table = read_toml(name, text)
    texts = {key: read_text(name, table, key) for key in _TEXTS}
    kind = KINDS.get(texts.pop("kind"))
    if kind is None:
        raise wrong(name, f"the kind is not one of {', '.join(KINDS)}")
    own = [one.name for one in fields(kind) if one.name not in _PIECE]
    unknown = sorted(set(table) - {*_TEXTS, *own})
    if unknown:
        raise wrong(name, f"unknown entry '{unknown[0]}' for {kind.article}")
    read = read_figures(name, table, own)
    found = kind(name=name, **texts, **read.values, provenance=read.provenance)  # type: ignore[arg-type]
    _check(found)
    return found


def _check(one: Equipment) -> None:
    if isinstance(one, Encryptor):
        if one.layer not in (1, 2, 3):
            raise wrong(one.name, "'layer' must be 1, 2 or 3")
        return
    check_spectrum(one.name, one.lower_hz, one.upper_hz)
    if isinstance(one, MdiHub):
        _check_hub(one)
    elif isinstance(one, MdiEmitter):
        if one.mean_photons <= 0 or one.misalignment >= 0.1:
            raise wrong(one.name, "'mean_photons' must be above 0, and 'misalignment' below 0.1")
    elif one.least_launch_dbm > one.most_launch_dbm:
        raise wrong(one.name, "'least_launch_dbm' is more than 'most_launch_dbm': no power is left")
    elif one.sensitivity_dbm >= one.overload_dbm:
        raise wrong(one.name, "'sensitivity_dbm' is not below 'overload_dbm': its receiver would never work")


def _check_hub(hub: MdiHub) -> None:
    if not (0 < hub.efficiency <= 1 and hub.emitters >= 2):
        raise wrong(hub.name, "'efficiency' must be above 0 and at most 1, and two emitters the least")
    if not (0 < hub.overlap <= 1 and hub.correction >= 1):
        raise wrong(hub.name, "'overlap' must be above 0 and at most 1, and 'correction' at least 1")
    if min(hub.clock_hz, hub.gate_s, hub.filter_hz, hub.reference_rate_bps) <= 0:
        raise wrong(hub.name, "clock, gate, filter and reference rate must be above 0")
