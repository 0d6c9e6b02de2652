"""An agent in a process of its own, which can be killed and weighed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

from ncclient import manager
from tests.agent.ssh_client import log_in

ROOT = Path(__file__).parents[2]


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

    def clock_s(self) -> float:
        """Seconds that stand still while we or the child wait for a processor: what others do is not its fault."""
        pids = (os.getpid(), self.process.pid)
        queued_ns = sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) for pid in pids)
        return time.monotonic() - queued_ns / 1e9

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
