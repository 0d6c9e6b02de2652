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


@pytest.mark.parametrize("number", ["nan", "inf", "soon"])
def test_times_are_numbers(sdqkd: Run, number: str) -> None:
    for option in ("--period", "--dead-time"):
        done = sdqkd("schedule", MADQCI, option, number)
        assert done.code == 1
        assert f"Invalid value for '{option}'" in done.err


def test_says_why_there_is_nothing(sdqkd: Run) -> None:
    short = sdqkd("schedule", MADQCI, "--period", "100")
    assert (
        "a period of 100 s has no room for the turns that all pairs need, each with 120 s without key" in short.out
    )
    unswitched = sdqkd("schedule", MADQCI.parents[1] / "one-strand" / "network.yaml")
    assert unswitched.code == 0
    assert "there is nothing to share" in unswitched.out
    assert "the worst pair" not in unswitched.out


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
