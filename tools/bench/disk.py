"""How long this disk takes to make a small change durable: part of every commit that survives a crash."""

from __future__ import annotations

import os
import time
from pathlib import Path

from .report import median

_RECORD = b"x" * 300


def append_ms(folder: Path, times: int = 30) -> float:
    """The median time of an append of 300 B and its flush, in ms."""
    taken_ms = []
    file = folder / "appended"
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for _ in range(times):
            start = time.perf_counter()
            os.write(handle, _RECORD)
            os.fdatasync(handle)
            taken_ms.append((time.perf_counter() - start) * 1000)
    finally:
        os.close(handle)
        file.unlink()
    return median(taken_ms)
