"""The command line as a person runs it: real processes, real files, real SSH on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

MADQCI = Path(__file__).parents[2] / "examples" / "madqci" / "network.yaml"
THREE_SITES = Path(__file__).parents[1] / "controller" / "data" / "network.yaml"


@dataclass(frozen=True)
class Done:
    """What one run came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Done]


@pytest.fixture
def sdqkd(tmp_path: Path) -> Run:
    """Run the command in an empty folder."""

    def run(*arguments: str | Path, cwd: Path = tmp_path, env: dict[str, str] | None = None) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "sdqkd", *map(str, arguments)],
            check=False,
            capture_output=True,
            text=True,
            cwd=cwd,
            env=os.environ | {"XDG_STATE_HOME": str(tmp_path / "state")} | (env or {}),
            timeout=120,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@dataclass
class Emulation:
    """A running `sdqkd emulate`."""

    process: subprocess.Popen[str]
    run_dir: Path

    @property
    def inventory(self) -> Path:
        return self.run_dir / "inventory.yaml"

    def device(self, name: str) -> dict[str, Any]:
        """What the inventory says of a device; change it and `write` it elsewhere."""
        devices = yaml.safe_load(self.inventory.read_text("utf-8"))["inventory"]["device"]
        return next(device for device in devices if device["name"] == name)

    def inventory_with(self, name: str, **changes: Any) -> Path:
        """A copy of the inventory in which one device is said to be elsewhere, or another."""
        document = yaml.safe_load(self.inventory.read_text("utf-8"))
        for device in document["inventory"]["device"]:
            if device["name"] == name:
                device.update({key.replace("_", "-"): value for key, value in changes.items()})
        copy = self.run_dir / "changed-inventory.yaml"
        copy.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
        return copy

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=30)
        return self.process.returncode


def emulate(network: Path, run_dir: Path, *options: str) -> Emulation:
    """Start an emulation; it listens when this returns."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sdqkd", "emulate", str(network), "--run-dir", str(run_dir), "--json", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    if not process.stdout.readline():
        pytest.fail(f"no emulation: {process.communicate()[1]}")
    return Emulation(process, run_dir)


@pytest.fixture
def three_sites(tmp_path: Path) -> Iterator[Emulation]:
    """Three sites in their factory configuration."""
    emulation = emulate(THREE_SITES, tmp_path / "emulation")
    yield emulation
    if emulation.process.poll() is None:
        emulation.stop()
