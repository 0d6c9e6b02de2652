"""A kill before or in the middle of any step of a commit towards the disk leaves the old or the new."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACES = ("rack 1", "rack 2", "rack 3", "rack 4")


@pytest.mark.parametrize(("least_bytes", "steps"), [(64 * 1024, 6), (1, 20)], ids=["append", "fold"])
def test_a_kill_at_any_step_leaves_the_old_or_the_new(tmp_path: Path, least_bytes: int, steps: int) -> None:
    command = [sys.executable, "-m", "tests.agent.mortal", str(tmp_path), str(least_bytes)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lives = [json.loads(line) for line in done.stdout.splitlines()]
    for life in lives:
        answered = len(life["answered"])
        assert tuple(life["answered"]) == PLACES[1 : 1 + answered]
        # What was answered is there; what was not may be.
        assert life["found"] in PLACES[answered : answered + 2], life
    for torn in (False, True):
        survived = [life["survived"] for life in lives if life["torn"] == torn]
        assert len(survived) > steps
        assert survived.index(True) == len(survived) - 1
