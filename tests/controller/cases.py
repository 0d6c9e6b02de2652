"""Cases kept as data: a text, edits that spoil it, and what must be said of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Complaint:
    """One error that is expected: `line` and `path` of it, and what its message contains."""

    line: int
    path: str | None
    message: str


@dataclass(frozen=True)
class Case:
    """`edits` are pairs of a text that occurs once, and what to put in its place."""

    name: str
    edits: tuple[tuple[str, str], ...]
    complaints: tuple[Complaint, ...]

    def spoil(self, text: str) -> str:
        for find, put in self.edits:
            assert text.count(find) == 1, f"{find!r} occurs {text.count(find)} times"
            text = text.replace(find, put)
        return text


def read_cases(file: Path) -> list[Case]:
    return [_case(row) for row in yaml.safe_load(file.read_text("utf-8"))]


def _case(row: dict[str, Any]) -> Case:
    edits = tuple((edit["find"], edit["put"]) for edit in row["edits"])
    complaints = tuple(Complaint(c["line"], c.get("path"), c["message"]) for c in row["complaints"])
    return Case(row["name"], edits, complaints)
