"""Help and wrong usage."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import MADQCI, Run

from sdqkd.cli.main import COMMANDS


def test_help_lists_every_command(sdqkd: Run) -> None:
    done = sdqkd("--help")
    assert done.code == 0
    assert all(name in done.out for name in COMMANDS)


@pytest.mark.parametrize(
    "name", [*(name for name in COMMANDS if name != "keys"), "keys accept-host", "keys client"]
)
def test_every_command_has_help_and_json(sdqkd: Run, name: str) -> None:
    done = sdqkd(*name.split(), "--help")
    assert done.code == 0
    assert "--json" in done.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["plan"],
        ["plan", "--frobnicate"],
        ["plan", "a", "b"],
        ["agent", str(MADQCI)],
        ["emulate", str(MADQCI), "--authorized", "nobody"],
        ["agent", str(MADQCI), "quintin-qkd", "--port", "70000"],
        ["agent", str(MADQCI), "quintin-qkd", "--role", "friend=king"],
        ["emulate", str(MADQCI), "--role", "viewer"],
        ["watch", str(MADQCI), "--poll", "nan"],
    ],
)
def test_wrong_usage_is_an_error_without_traceback(sdqkd: Run, arguments: list[str]) -> None:
    done = sdqkd(*arguments)
    assert done.code == 1
    assert done.out == ""
    assert "Usage" in done.err or "Error" in done.err
    assert "Traceback" not in done.err


def test_help_imports_neither_ssh_nor_models() -> None:
    """What makes `--help` slow would be seen here; the time itself is measured in tools/bench."""
    heavy = "asyncssh lxml rich yaml oopt_gnpy_libyang cryptography numpy"
    program = (
        "import sys\nfrom sdqkd.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print('loaded:', [name for name in '{heavy}'.split() if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_a_missing_file_is_named(sdqkd: Run, tmp_path: Path) -> None:
    for command in ("validate", "plan", "apply", "status", "demo", "emulate"):
        done = sdqkd(command, tmp_path / "none.yaml")
        assert done.code == 1
        assert "none.yaml" in done.err
        assert "Traceback" not in done.err
