"""What a command does not need it does not load: a thousand agents share what one process takes."""

import subprocess
import sys

import pytest

LOADED = "import sys, sdqkd.cli.agent, sdqkd.cli.emulate; print(*({*sys.argv[1:]} & {*sys.modules}))"


@pytest.mark.parametrize("package", ["numpy", "scipy"])
def test_agents_are_served_without(package: str) -> None:
    done = subprocess.run([sys.executable, "-c", LOADED, package], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
