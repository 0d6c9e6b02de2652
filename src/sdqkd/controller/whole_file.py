"""Files of an operator that are written as a whole or not at all, also if the machine stops in between."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from sdqkd.errors import StoreError


def write_whole(file: Path, text: str) -> None:
    """Write a text into a new file, or over an old one, which keeps its mode and line ends. Raises StoreError."""
    place = file.resolve()  # a link stays a link
    half = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        try:
            _write(half, text, place)
            half.replace(place)
        except BaseException:
            with contextlib.suppress(OSError):
                half.unlink()
            raise
    except OSError as error:
        raise StoreError(f"{file}: cannot be written: {error.strerror}") from error


def _write(half: Path, text: str, place: Path) -> None:
    old = place.exists()
    line_end = "\r\n" if old and b"\r\n" in place.read_bytes() else "\n"
    with half.open("w", encoding="utf-8", newline=line_end) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if old:
        half.chmod(place.stat().st_mode & 0o7777)
