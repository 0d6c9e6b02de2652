"""An agent in a process of its own, which can be killed and weighed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ncclient import manager
from tests.agent.ssh_client import log_in

ROOT = Path(__file__).parents[2]
AT_ONCE_S = 2.0  # of its own computing: a second is promised, and a busy machine's processors are slower
PATIENCE_S = 10.0  # for all else: a busy machine may keep it from computing


class Child:
    """Serves a small node from a folder. The options are those of `agent.service.Limits`."""

    def __init__(self, folder: Path, **limits: float) -> None:
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tests.agent.serve_small_node", str(folder), json.dumps(limits)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
        self.key_file = folder / "client"
        self.said: dict[str, Any] = json.loads(_pipe(self.process.stdout).readline() or "{}")

    @property
    def complaint(self) -> str:
        """What a child that did not start has said."""
        assert not self.said
        return _pipe(self.process.stderr).read()

    @property
    def resident_mib(self) -> float:
        """The memory that it has now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    @property
    def busy_s(self) -> float:
        """How long it has computed."""
        times = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")

    @contextmanager
    def serves_at_once(self) -> Iterator[None]:
        """Raises AssertionError if it makes somebody wait meanwhile, by computing or otherwise."""
        begun, busy_s = time.monotonic(), self.busy_s
        yield
        assert self.busy_s - busy_s < AT_ONCE_S
        assert time.monotonic() - begun < PATIENCE_S

    def log_in(self) -> manager.Manager:
        return log_in(self.said["port"], self.said["host-key"], self.key_file)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        _pipe(self.process.stdout).close()
        _pipe(self.process.stderr).close()


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
