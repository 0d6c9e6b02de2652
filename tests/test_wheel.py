"""What is installed from a wheel must be whole: models, compiled tables, profiles and cases are package data."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_wheel_holds_all_that_the_program_reads(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*build, "--no-build-isolation", "--wheel-dir", str(tmp_path), str(ROOT)], check=True)
    (wheel,) = tmp_path.glob("sdqkd-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    models = {f"sdqkd/yang/{file.relative_to(ROOT / 'yang')}" for file in (ROOT / "yang").rglob("*.yang")}
    for wanted in (models, _files(ROOT / "bindings"), _files(ROOT / "src")):
        assert len(wanted) > 5
        assert wanted <= names


def _files(folder: Path) -> set[str]:
    """All files below a folder, as a wheel names them, but for what Python and tools leave there."""
    found = (file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
    return {str(file) for file in found if not {"__pycache__", "sdqkd.egg-info"} & set(file.parts)}
