"""Starts a command again whenever it ends, until terminated: `python keep_running.py PID_FILE COMMAND…`.

Killing the process whose id is in the file is thus a restart. Ends, with its command, when its parent does.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG = 1  # of prctl(2)


def main(pid_file: Path, command: list[str]) -> None:
    running: list[int] = []

    def stop(_signal: int, _frame: FrameType | None) -> None:
        for pid in running:
            os.kill(pid, signal.SIGKILL)
        # Not sys.exit: the main thread is inside wait() and holds its lock.
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    for _ in range(50):  # no more: a command that cannot run at all
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        running[:] = [process.pid]
        pid_file.write_text(str(process.pid))
        process.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
