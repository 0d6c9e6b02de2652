"""Where the agents' logs go: who did what into a file of the run directory, what went wrong to stderr."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from sdqkd.errors import StoreError


def start_logs(audit_file: Path) -> None:
    """Write the audit log to a file that only its owner reads, what went wrong to stderr. Raises StoreError."""
    try:
        # Opened here first, for its mode: logging would make it readable to others.
        os.close(os.open(audit_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        audit = logging.FileHandler(audit_file, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{audit_file}: the audit log cannot be written: {error.strerror}") from error
    audit.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    logger = logging.getLogger("sdqkd.audit")
    logger.setLevel(logging.INFO)
    logger.addHandler(audit)
    logger.propagate = False
    problems = logging.StreamHandler()
    problems.setLevel(logging.WARNING)
    problems.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logging.getLogger("sdqkd").addHandler(problems)
