"""`sdqkd schedule`: turns, rates and the gap."""

from __future__ import annotations

import pytest
from tests.cli.conftest import MADQCI, Run


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
