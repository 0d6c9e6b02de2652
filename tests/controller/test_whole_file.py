from __future__ import annotations

import stat
from pathlib import Path

import pytest

from sdqkd.controller.whole_file import write_whole
from sdqkd.errors import StoreError


def test_an_old_file_keeps_its_place_mode_and_line_ends(tmp_path: Path) -> None:
    file, link = tmp_path / "network.yaml", tmp_path / "link.yaml"
    file.write_bytes(b"a\r\nb\r\n")
    file.chmod(0o640)
    link.symlink_to(file)
    write_whole(link, "c\nd\n")
    assert link.is_symlink()
    assert file.read_bytes() == b"c\r\nd\r\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert {found.name for found in tmp_path.iterdir()} == {"network.yaml", "link.yaml"}


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"gone/plan\.json: cannot be written: No such file"):
        write_whole(tmp_path / "gone" / "plan.json", "{}")
    file = tmp_path / "plan.json"
    file.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "half of a pair: \ud800")
    assert file.read_text() == "old"
    assert [*tmp_path.iterdir()] == [file]
