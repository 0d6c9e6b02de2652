"""`sdqkd routes`: what could be set up between switched modules."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import MADQCI, THREE_SITES, Run

from sdqkd.cli.routes import channel_name


def test_madqci(sdqkd: Run) -> None:
    done = sdqkd("routes", MADQCI, "--json")
    assert done.code == 0
    assert (done.json["combinations"], done.json["paths"], done.json["inferred-modules"]) == (49, 17, 10)
    assert len(done.json["options"]) == 49


@pytest.mark.parametrize(
    ("frequency_hz", "said"),
    [(193_400_000_000_000, "34"), (228_849_205_000_000, "1310 nm"), (193_406_250_000_000, "193.40625 THz")],
)
def test_a_channel_is_named_as_people_do(frequency_hz: int, said: str) -> None:
    assert channel_name(frequency_hz) == said


def test_table_says_what_is_inferred(sdqkd: Run) -> None:
    done = sdqkd("routes", MADQCI, "--all", "--dark", "distrito-norte")
    assert done.code == 0
    assert "no key" in done.out
    assert "inferred" in done.out


def test_unknown_fibre(sdqkd: Run) -> None:
    done = sdqkd("routes", THREE_SITES, "--dark", "nowhere")
    assert done.code == 1
    assert "there is no fibre 'nowhere'" in done.err


def test_a_guard_band_of_the_file_is_kept(sdqkd: Run, tmp_path: Path) -> None:
    text, fibre = MADQCI.read_text("utf-8"), "    - name: quijote-quiron\n"
    assert text.count(fibre) == 1
    network = tmp_path / "network.yaml"
    network.write_text(text.replace(fibre, f"{fibre}      guard-band-ghz: 1100\n"), "utf-8")
    routes = sdqkd("routes", network, "--all", "--json").json
    assert routes["combinations"] < 49
    refused = [one for one in routes["options"] if "under 1100 GHz" in one["obstacle"]]
    assert refused
    assert {one["channel"] for one in refused} == {34}
    assert sdqkd("switch", network, "Quijote", "Quiron", "--channel", "37", "--dry-run").code == 0
    done = sdqkd("switch", network, "Quijote", "Quiron", "--channel", "34", "--dry-run")
    assert done.code == 1
    assert "quijote-quiron-c24 on channel 24 is too close in fibre quijote-quiron: under 1100 GHz" in done.err
