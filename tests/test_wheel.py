"""What is installed from a wheel must be whole: the models and the compiled tables are package data."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_wheel_holds_models_and_bindings(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*build, "--no-build-isolation", "--wheel-dir", str(tmp_path), str(ROOT)], check=True)
    (wheel,) = tmp_path.glob("sdqkd-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    models = {f"sdqkd/yang/{file.relative_to(ROOT / 'yang')}" for file in (ROOT / "yang").rglob("*.yang")}
    compiled = {
        str(file.relative_to(ROOT / "bindings"))
        for file in (ROOT / "bindings").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert len(models) > 5
    assert len(compiled) > 5
    assert models <= names
    assert compiled <= names
