"""`sdqkd schedule`: turns, rates and the gap."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import MADQCI, Run, emulate


def test_madqci(sdqkd: Run) -> None:
    done = sdqkd("schedule", MADQCI, "--json")
    assert done.code == 0
    assert len(done.json["pairs"]) == 7
    assert sum(turn["dead-s"] + turn["key-s"] for turn in done.json["turns"]) == pytest.approx(3600, rel=1e-3)
    assert done.json["gap"] < 0.001


def test_says_how_good_it_is(sdqkd: Run) -> None:
    done = sdqkd("schedule", MADQCI, "--period", "14400", "--dead-time", "60")
    assert done.code == 0
    assert "60 s dead" in done.out
    assert "no schedule has more than" in done.out


def test_runs_its_turns_and_goes_back(sdqkd: Run, tmp_path: Path) -> None:
    emulation = emulate(MADQCI, tmp_path / "emulation")
    try:
        at = ("--inventory", emulation.inventory)
        assert sdqkd("apply", MADQCI, *at).code == 0
        done = sdqkd("schedule", MADQCI, "--period", "4", "--dead-time", "0", "--run", "1", *at)
        assert done.code == 0, done.err
        assert "turn 1: set up as" in done.err
        assert "as the file wants it: set up as" in done.err
        assert sdqkd("plan", MADQCI, *at).code == 0
    finally:
        emulation.stop()
