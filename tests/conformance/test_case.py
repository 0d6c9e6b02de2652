"""The files of cases and target models: what is shipped can be read, and what is wrong is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdqkd.conformance.case import read_section, read_target, shipped_sections, shipped_targets
from sdqkd.conformance.runner import select
from sdqkd.errors import InputError

SECTION = """
section: mine
title: My cases
rfc: RFC 1
cases:
  - id: one
    title: a case
    steps: [{STEP}]
"""


def section(tmp_path: Path, step: str) -> Path:
    file = tmp_path / "mine.yaml"
    file.write_text(SECTION.replace("{STEP}", step), "utf-8")
    return file


def test_what_is_shipped_can_be_read() -> None:
    sections = shipped_sections()
    ids = [case.id for one in sections for case in one.cases]
    assert len(ids) == len(set(ids)) > 250
    assert all(case.title and case.rfc for one in sections for case in one.cases)
    assert {target.name for target in shipped_targets()} == {"etsi-qkd-015", "sdqkd-conformance"}


@pytest.mark.parametrize(
    ("patterns", "some", "none"),
    [
        (["edit-config/*"], "edit-config/merge", "locks/lock-running"),
        (["locks"], "locks/lock-running", "edit-config/merge"),
        (["8641"], "push/on-change", "edit-config/merge"),
        (["RFC 6243*"], "with-defaults/trim", "edit-config/merge"),
        ([], "edit-config/merge", "nobody"),
    ],
)
def test_cases_are_selected(patterns: list[str], some: str, none: str) -> None:
    ids = {case.id for one in select(shipped_sections(), patterns) for case in one.cases}
    assert some in ids
    assert none not in ids


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("{wait: 1, edit: x}", "case mine/one: a step has one verb"),
        ("{nothing: x}", "not nothing"),
        ("{wait: 1, filter: x}", "case mine/one: 'wait' does not take filter"),
        ("[", "cannot be read"),
    ],
)
def test_a_wrong_step_is_said(tmp_path: Path, step: str, says: str) -> None:
    file = section(tmp_path, step)
    with pytest.raises(InputError, match=says) as caught:
        read_section(file)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- a list", "no mapping"),
        ("section: mine", "has the keys section, not cases"),
        (SECTION.replace("title: a case", "titel: a case"), "case mine/one: unknown titel"),
        (SECTION.replace("    title: a case\n", ""), "case mine/one: title is missing"),
        (SECTION + "  - {id: one, title: again, steps: []}", "mine/one is there twice"),
    ],
)
def test_a_wrong_section_is_said(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text.replace("{STEP}", "{wait: 0}"), "utf-8")
    with pytest.raises(InputError, match=says):
        read_section(file)


def test_a_wrong_target_is_said(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    with pytest.raises(InputError, match="cannot be read"):
        read_target(file)
    file.write_text("name: mine", "utf-8")
    with pytest.raises(InputError, match="has the keys name"):
        read_target(file)
