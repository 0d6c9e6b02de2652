"""Every input of the corpora, and every one that ever broke something, in the normal tests: see `__main__.py`."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fuzz import targets
from tests.fuzz.__main__ import CORPUS, mutated
from tests.fuzz.targets import TARGETS, Wrong

INPUTS = [(target, file) for target in TARGETS for file in sorted((CORPUS / target).iterdir())]
NAMES = [f"{target}-{file.name}" for target, file in INPUTS]


@pytest.mark.parametrize(
    ("target", "file"), [pytest.param(*each, id=f"{each[0]}-{each[1].name}") for each in INPUTS]
)
def test_an_input_breaks_nothing(target: str, file: Path) -> None:
    TARGETS[target](file.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_changed_inputs_break_nothing(target: str) -> None:
    chance = random.Random(1)
    seeds = [file.read_bytes() for kind, file in INPUTS if kind == target]
    for _ in range(300):
        TARGETS[target](mutated(chance, seeds))


def test_the_fuzzer_can_tell_that_something_broke(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.targets.frame_chunks", lambda message: b"\n#1\nx\n##\n")
    with pytest.raises(Wrong):
        TARGETS["framing"](b"\x00a]]>]]>")


def test_a_failure_inside_an_agent_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise KeyError("inside")

    monkeypatch.setattr("sdqkd.agent.operations.perform", fail)
    with pytest.raises(Wrong, match="get failed with KeyError"):
        TARGETS["agent"](b"<get/>")
    monkeypatch.undo()
    targets._servers.clear()  # its session was left in the middle


def test_the_command_says_how_many_inputs_ran(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz", "framing", "--blind", "--seconds", "1"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    name, inputs, *rest = done.stdout.split()
    assert (name, rest[-2:]) == ("framing:", ["nothing", "broke"])
    assert int(inputs) > 100
