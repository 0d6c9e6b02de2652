"""RFC 8407: every module is clean but for the exceptions that tests/data/lint-exceptions.tsv gives reasons for."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINT = (
    "--lint",  # brings --strict and --canonical
    "--lint-ensure-hyphenated-names",
    "--lint-modulename-prefix=sdqkd",
    "--lint-modulename-prefix=etsi",
    "--lint-modulename-prefix=ietf",
    "--msg-template={file}\t{line}\t{code}\t{msg}",
)


def findings(folder: Path) -> list[tuple[str, str, str]]:
    """(module, code, the whole message) for each finding of pyang in the modules below `folder`."""
    files = [str(file) for file in sorted(folder.rglob("*.yang"))]
    command = [sys.executable, "-m", "pyang", *LINT, "-p", str(folder), *files]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    lines = [line.split("\t") for line in run.stderr.splitlines()]
    assert all(len(line) == 4 for line in lines), run.stderr
    return [(Path(file).stem, code, f"{file}:{line}: {message}") for file, line, code, message in lines]


def exceptions() -> set[tuple[str, str]]:
    with (ROOT / "tests/data/lint-exceptions.tsv").open(encoding="utf-8", newline="") as file:
        return {(row["module"], row["code"]) for row in csv.DictReader(file, delimiter="\t") if row["reason"]}


def test_modules_are_clean_but_for_documented_exceptions() -> None:
    found = findings(ROOT / "yang")
    undocumented = [message for module, code, message in found if (module, code) not in exceptions()]
    assert undocumented == []


def test_every_documented_exception_still_occurs() -> None:
    assert exceptions() - {(module, code) for module, code, _ in findings(ROOT / "yang")} == set()


def test_lint_sees_what_is_wrong(tmp_path: Path) -> None:
    text = 'module sdqkd-bad { namespace "urn:x"; prefix x; container Top { leaf a { type string; } } }'
    (tmp_path / "sdqkd-bad.yang").write_text(text, encoding="utf-8")
    assert {"LINT_MISSING_REQUIRED_SUBSTMT", "LINT_NOT_HYPHENATED"} <= {code for _, code, _ in findings(tmp_path)}
