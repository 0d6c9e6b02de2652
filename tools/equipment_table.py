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
key; the hub has none. In a network file that is an `mdi-hub`, with an `emitter` for each that is plugged in and a
`pair` for each link: see [network-file.md](network-file.md), `examples/mdi-hub/network.yaml`, and for the reasons
[decision 10](decisions/0010-three-parties.md). The modules are those of an SD-QKD node: an `interface` with the
profile of an `mdi-emitter` (role TRANSMITTER), and at the hub one `interface` for each input, with the profile of
the `mdi-hub` (role RECEIVER). All have the technology DV-QKD.

The hub's clock is that of its emitters. `overlap` is how far two independent lasers interfere. A hub measures one
pair at a time, so pairs share its time alike; `reference_rate_bps` is that of a pair that has the hub to itself.
`most_length_m` is what was published, and nothing counts on it: the losses decide.

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
