"""`sdqkd spectrum`: the light in the fibres of a link, to the terminal, as JSON, and as SVG."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree
from tests.cli.conftest import MADQCI, THREE_SITES, Run
from tests.cli.test_terminal import on_a_terminal, rendered

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SVG = "{http://www.w3.org/2000/svg}"


def test_a_link_in_letters(sdqkd: Run) -> None:
    done = sdqkd("spectrum", EXAMPLES / "quintin-quijote" / "network.yaml", "Quintin-Quijote-IDQ")
    assert done.code == 0, done.err
    assert "fibre quintin-quijote: 24.1 km, 6.27 dB, scheme bidi" in done.out
    assert "classical strand: outgoing from Quintín to Quijote" in done.out
    assert "quantum strand: outgoing from Quintín to Quijote" in done.out
    assert "\x1b" not in done.out
    assert max(map(len, done.out.splitlines())) <= 320


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_it_fits_a_terminal_in_colour_or_without(columns: int) -> None:
    file = str(EXAMPLES / "quijote-quevedo" / "network.yaml")
    code, written = on_a_terminal(columns, "spectrum", file, "quijote-quevedo")
    lines = rendered(written, columns)
    assert code == 0, lines
    assert b"\x1b[" in written
    assert any(line.endswith("+" + "-" * (min(columns, 120) - 8)) for line in lines)
    assert not any("…" in line for line in lines)
    plain = on_a_terminal(columns, "spectrum", file, "quijote-quevedo", env={"NO_COLOR": "1"})[1]
    assert b"\x1b[3" not in plain


def test_as_json(sdqkd: Run) -> None:
    done = sdqkd("spectrum", MADQCI, "Distrito-Concepcion-CV", "--json")
    assert done.code == 0, done.err
    assert [one["fibre"] for one in done.json["fibres"]] == ["distrito-norte", "concepcion-norte"]
    (view, *_) = done.json["fibres"][0]["views"]
    line = next(line for line in view["lines"] if line["name"] == "Distrito-Norte-IDQ")
    assert (line["role"], line["channel"], line["frequency-thz"], line["active"]) == ("quantum", 32, "193.2", True)
    assert line["enters-dbm"] > line["leaves-dbm"]
    assert view["raman-dbm"]["193.2"] < -60


def test_the_drawings_of_the_documentation_are_what_the_command_draws(sdqkd: Run, tmp_path: Path) -> None:
    for example, name, site in (
        ("quijote-quevedo", "quijote-quevedo", "Quijote"),
        ("quintin-quijote", "quintin-quijote", "Quijote"),
        ("one-strand", "alfa-bravo", "Alfa"),
    ):
        file = tmp_path / f"{example}.svg"
        done = sdqkd("spectrum", EXAMPLES / example / "network.yaml", name, "--site", site, "--svg", file)
        assert done.code == 0, done.err
        assert file.read_bytes() == (ROOT / "docs" / f"spectrum-{example}.svg").read_bytes()
        root = etree.fromstring(file.read_bytes())
        assert root.tag == f"{SVG}svg"
        titles = [title.text or "" for title in root.iter(f"{SVG}title")]
        assert any("THz" in title and "dBm" in title for title in titles)


def test_what_is_not_there(sdqkd: Run, tmp_path: Path) -> None:
    done = sdqkd("spectrum", THREE_SITES, "nowhere")
    assert done.code == 1
    assert "there is no QKD link, classical channel or fibre 'nowhere'" in done.err
    done = sdqkd("spectrum", THREE_SITES, "alfa-bravo", "--site", "Charlie")
    assert done.code == 1
    assert "no fibre of 'alfa-bravo' ends at a site 'Charlie'; they end at Alfa, Bravo" in done.err
    done = sdqkd("spectrum", THREE_SITES, "alfa-bravo", "--svg", tmp_path / "no" / "x.svg")
    assert done.code == 1
    assert "the drawing cannot be written" in done.err
