"""Write docs/equipment.md, every equipment profile: `python -m tools.equipment_table`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from sdqkd.profiles.equipment import KINDS, Equipment, load_equipment
from sdqkd.profiles.profile import Profile, load_profiles

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "equipment.md"

HEAD = """# Equipment profiles

Written by `python -m tools.equipment_table`; change the program or the profiles, not this file.

One short TOML file each: QKD modules in `src/sdqkd/profiles/data`, all else in its folder `equipment`. Every
figure says whether it is public, and where, or assumed, and why so. Units are in the names; a figure without
a unit is a number. "MadQCI" is the paper "A blueprint for large-scale quantum-network deployments". A product
of which nothing is public but its name and kind has assumed figures throughout: measure a link, write what
came out as `calibration` into the network file, and the emulation and the forecasts go through that point.

A network file names the profile of a QKD module in its `interface`, that of a transponder or encryptor in the
`device`. A transponder's profile bounds the frequencies and launch powers of its channels.

"""

MDI = """## Links of three parties

A hub of measurement-device-independent QKD measures the light of two emitters, and the two emitters have the
key; the hub has none. **A network file cannot say that yet**, and a profile of a hub is refused as that of a
QKD module. What stands in the way, from the outside in:

- The model's `qkd-link` has one transmitter, one receiver and one list of fibres, and the two must be of the
  same profile. Here light takes two ways, which end at a third party, and key is at the two ends from which
  light comes.
- ETSI GS QKD 015's `qkd_link` has a local and a remote end. Emitter and emitter can be the two ends, as a
  link of type PHYS between two transmitters; the hub, and which of its ports measure whom, has no place in
  that model.
- The law of key rates is another one: it needs both losses and how well two independent lasers interfere. The
  profile has the figures of the hub, and `sdqkd.physics` has no function for them.
- `coexistence` follows light from a transmitter to a receiver, and `planning` chooses one path a link. Both
  would take a pair of paths which end at one hub.

What can be said today: the fibres to a hub, its multiplexers, and the classical channels beside them, so
`sdqkd spectrum` draws those fibres, without the emitters' light.

"""


def document() -> str:
    """The whole text."""
    profiles, equipment = load_profiles(), load_equipment()
    parts = [HEAD, _table(profiles, equipment), "\n", MDI, "## Figures\n"]
    parts += [_figures(one) for one in (*profiles.values(), *equipment.values())]
    return "".join(parts)


def _table(profiles: Mapping[str, Profile], equipment: Mapping[str, Equipment]) -> str:
    lines = ["| profile | vendor | product | kind | public figures |", "| --- | --- | --- | --- | --- |"]
    kinds = {kind: name for name, kind in KINDS.items()}
    lines += [_row(one, f"{one.technology}-QKD") for one in profiles.values()]
    lines += [_row(one, kinds[type(one)]) for one in equipment.values()]
    return "\n".join(lines) + "\n"


def _row(one: Profile | Equipment, kind: str) -> str:
    public = sum(where.status == "public" for where in one.provenance.values())
    return f"| `{one.name}` | {one.vendor} | {one.product} | {kind} | {public} of {len(one.provenance)} |"


def _figures(one: Profile | Equipment) -> str:
    lines = [f"\n### {one.name}\n", "| figure | value | status | source |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {name} | {value:g} | {one.provenance[name].status} | {one.provenance[name].source} |"
        for name, value in _values(one)
    ]
    return "\n".join(lines) + "\n"


def _values(one: Profile | Equipment) -> Iterator[tuple[str, float]]:
    own = asdict(one.figures) if isinstance(one, Profile) else {}
    for name in one.provenance:
        yield name, own[name] if name in own else getattr(one, name)


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
