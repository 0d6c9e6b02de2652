"""`sdqkd validate`, with right and wrong files. What each rule says is tested in tests/controller."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import MADQCI, Run

SPOILED = {
    "unknown device": ("device: quijote-qkd, interface: 1}", "device: quixote-qkd, interface: 1}", "quixote-qkd"),
    "duplicate link": ("name: Quintin-Quijote-CV", "name: Quintin-Quijote-IDQ", "given twice"),
    "impossible channel": ("channel: 38", "channel: 99", "'99'"),
    "channel that no filter passes": ("      channel: 38\n", "      channel: 36\n", "36"),
    "broken YAML": ("  site:\n", "  site: [\n", "not YAML"),
}


def test_madqci_is_valid(sdqkd: Run) -> None:
    done = sdqkd("validate", MADQCI)
    assert (done.code, done.err) == (0, "")
    assert "26 QKD modules" in done.out


def test_counts_as_json(sdqkd: Run) -> None:
    counts = sdqkd("validate", MADQCI, "--json").json["counts"]
    assert counts["sites"] == 9
    assert counts["devices"] == 36
    assert counts["active QKD links"] == 13


@pytest.mark.parametrize("name", SPOILED)
def test_a_wrong_file_is_refused_with_its_place(sdqkd: Run, tmp_path: Path, name: str) -> None:
    old, new, said = SPOILED[name]
    text = MADQCI.read_text("utf-8")
    assert old in text
    file = tmp_path / "network.yaml"
    file.write_text(text.replace(old, new, 1), "utf-8")
    done = sdqkd("validate", file)
    assert done.code == 1
    assert done.out == ""
    assert f"{file}:" in done.err
    assert said in done.err
    assert "Traceback" not in done.err


def test_an_error_as_json_has_file_line_and_path(sdqkd: Run, tmp_path: Path) -> None:
    file = tmp_path / "network.yaml"
    file.write_text(MADQCI.read_text("utf-8").replace("channel: 38", "channel: 99", 2), "utf-8")
    done = sdqkd("validate", file, "--json")
    assert done.code == 1
    error, _ = done.json["errors"]
    assert error["file"] == str(file)
    assert "channel: 99" in file.read_text("utf-8").splitlines()[error["line"] - 1]
    assert error["path"] == "/sdqkd-network:network/qkd-link[name='Quijote-Quiron-CV']/channel"
    assert "'99'" in error["message"]


def test_a_file_without_a_network_is_none(sdqkd: Run, tmp_path: Path) -> None:
    file = tmp_path / "network.yaml"
    file.write_text("{}\n", "utf-8")
    done = sdqkd("validate", file)
    assert done.code == 1
    assert "no network" in done.err
    assert "Traceback" not in done.err
