"""Where the agents' logs go: who did what into a file of the run directory, what went wrong to stderr."""

from __future__ import annotations

import logging
import os
import time
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from sdqkd.errors import StoreError

# Who logs in can write to it by being refused, so it must end somewhere: 256 MiB in all.
_PART_BYTES = 32 * 2**20
_OLD_PARTS = 7


class _PrivateFile(RotatingFileHandler):
    """Begins a new file when one is full, and keeps the last ones as `FILE.1` (the newest) to `FILE.7`.

    Only its owner can read them. It counts what it writes; its base class asks the system for each line.
    """

    _written_bytes = 0  # to the file that is open
    _troubled = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, and see that the system has it. If it does not take it, that is said once on stderr.

        A few KiB that a full disk refused are kept, and written with the first line that it takes again.
        """
        try:
            line = f"{self.format(record)}\n".encode()
            if self._written_bytes + len(line) > self.maxBytes:
                self.doRollover()
            self.stream = stream = self.stream or self._open()
            stream.buffer.write(line)
            stream.flush()
            self._written_bytes += len(line)
        except OSError as error:
            self._tell(f"cannot be written, so lines may be lost: {error.strerror}", troubled=True)
        except Exception:
            self.handleError(record)
        else:
            self._tell("is written again", troubled=False)

    def _tell(self, what: str, *, troubled: bool) -> None:
        if troubled != self._troubled:
            self._troubled = troubled
            logging.getLogger("sdqkd.logs").warning("%s: the audit log %s", self.baseFilename, what)

    def _open(self) -> TextIOWrapper:
        handle = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._written_bytes = os.fstat(handle).st_size
        return TextIOWrapper(os.fdopen(handle, "ab"), encoding="utf-8")


class _Stamped(logging.Formatter):
    """Begins each line with the time of day, which is worked out once a second."""

    _second = -1
    _shown = ""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        second = int(record.created)
        if second != self._second:
            self._shown = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(second))
            self._second = second
        return self._shown


def start_logs(audit_file: Path) -> None:
    """Write the audit log to a file that only its owner reads, what went wrong to stderr. Raises StoreError."""
    try:
        audit = _PrivateFile(audit_file, maxBytes=_PART_BYTES, backupCount=_OLD_PARTS)
    except OSError as error:
        raise StoreError(f"{audit_file}: the audit log cannot be written: {error.strerror}") from error
    audit.setFormatter(_Stamped("%(asctime)s %(message)s"))
    logger = logging.getLogger("sdqkd.audit")
    logger.setLevel(logging.INFO)
    logger.addHandler(audit)
    logger.propagate = False
    problems = logging.StreamHandler()
    problems.setLevel(logging.WARNING)
    problems.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logging.getLogger("sdqkd").addHandler(problems)
