"""The audit log on disk: bounded, and nobody else's to read."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from sdqkd.cli import logs
from sdqkd.errors import StoreError

AUDIT = logging.getLogger("sdqkd.audit")


@pytest.fixture(autouse=True)
def loggers_as_before() -> Iterator[None]:
    before = {logger: (logger.handlers[:], logger.level, logger.propagate) for logger in _loggers()}
    yield
    for logger, (handlers, level, propagate) in before.items():
        for handler in [one for one in logger.handlers if one not in handlers]:
            logger.removeHandler(handler)
            handler.close()
        logger.setLevel(level)
        logger.propagate = propagate


def _loggers() -> tuple[logging.Logger, ...]:
    return AUDIT, logging.getLogger("sdqkd")


def test_it_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_PART_BYTES", 1000)
    file = tmp_path / "audit.log"
    logs.start_logs(file)
    for number in range(1000):
        AUDIT.info("refusal %d", number)
    parts = sorted(tmp_path.iterdir())
    assert len(parts) == 1 + 7
    assert all(part.stat().st_size <= 1000 and part.stat().st_mode & 0o777 == 0o600 for part in parts)
    assert "refusal 999" in file.read_text("utf-8")


def test_it_goes_on_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "audit.log"
    file.write_text("before\n", "utf-8")
    logs.start_logs(file)
    AUDIT.info("after")
    assert file.read_text("utf-8").splitlines()[0] == "before"
    assert "after" in file.read_text("utf-8")


def test_where_it_cannot_be_written_nothing_starts(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the audit log cannot be written"):
        logs.start_logs(tmp_path / "nowhere" / "audit.log")


def test_what_was_there_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_PART_BYTES", 1000)
    file = tmp_path / "audit.log"
    file.write_text("é" * 490 + "\n", "utf-8")
    logs.start_logs(file)
    AUDIT.info("after")
    assert file.read_text("utf-8").count("\n") == 1
    assert file.with_name("audit.log.1").stat().st_size == 981


def test_each_line_says_its_own_second(tmp_path: Path) -> None:
    file = tmp_path / "audit.log"
    logs.start_logs(file)
    moments = [0.0, 0.9, 1.0, 86_400.5, 0.5]
    for moment in moments:
        record = AUDIT.makeRecord(AUDIT.name, logging.INFO, __file__, 0, "x", (), None)
        record.created = moment
        AUDIT.handle(record)
    shown = [datetime.fromisoformat(line.split()[0]).timestamp() for line in file.read_text("utf-8").splitlines()]
    assert shown == [int(moment) for moment in moments]


_FULL_FOR_A_WHILE = """
import logging, resource, sys
from pathlib import Path
from sdqkd.cli.logs import start_logs

audit = logging.getLogger("sdqkd.audit")
start_logs(Path(sys.argv[1]))
audit.info("before")
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (50, most))
for number in range(3):
    audit.info("meanwhile %d", number)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
audit.info("after")
"""


def test_a_full_disk_is_told_once_and_tears_no_line(tmp_path: Path) -> None:
    file = tmp_path / "audit.log"
    done = subprocess.run(
        [sys.executable, "-c", _FULL_FOR_A_WHILE, str(file)], capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines() == [
        f"WARNING: {file}: the audit log cannot be written, so lines may be lost: File too large",
        f"WARNING: {file}: the audit log is written again",
    ]
    said = [line.split(" ", 1)[1] for line in file.read_text("utf-8").splitlines()]
    assert said == ["before", "meanwhile 0", "meanwhile 1", "meanwhile 2", "after"]
