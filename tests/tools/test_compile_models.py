"""The command: what it writes, what it calls stale, and that nothing but the models decides its output."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = Path(__file__).parent / "data" / "yang"


def compile_models(
    *arguments: str | Path, root: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(root / "tools" / "compile_models.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=environment.pop("cwd", None),
        env={**os.environ, **environment},
    )


def test_bindings_are_up_to_date() -> None:
    run = compile_models("--check")
    assert (run.returncode, run.stdout) == (0, ""), run.stdout


def test_place_locale_and_hash_seed_do_not_matter(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(ROOT / "tools", copy / "tools")
    shutil.copytree(ROOT / "yang", copy / "yang")
    compile_models("--bindings", tmp_path / "here", PYTHONHASHSEED="1")
    compile_models(root=copy, cwd=str(tmp_path), LC_ALL="C", PYTHONUTF8="0", PYTHONHASHSEED="2")
    here, there = contents(tmp_path / "here"), contents(copy / "bindings")
    assert here
    assert here == there


def contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Path]:
    """A copy of the fixture models, and bindings freshly made from it."""
    models, bindings = tmp_path / "yang", tmp_path / "bindings"
    shutil.copytree(FIXTURES, models)
    run = compile_models("--yang", models, "--bindings", bindings)
    assert run.returncode == 0, run.stderr
    return models, bindings


def test_check_names_stale_missing_and_leftover_files(made: tuple[Path, Path]) -> None:
    models, bindings = made
    schema = bindings / "sdqkd_bindings/schema"
    (schema / "shop.json").write_text("{}", encoding="utf-8")
    (schema / "depot.json").unlink()
    (schema / "gone.json").write_text("{}", encoding="utf-8")
    run = compile_models("--check", "--yang", models, "--bindings", bindings)
    assert run.returncode == 1
    assert run.stdout.splitlines() == [
        "stale: sdqkd_bindings/schema/depot.json",
        "stale: sdqkd_bindings/schema/gone.json",
        "stale: sdqkd_bindings/schema/shop.json",
    ]
    assert not (schema / "depot.json").exists()


def test_second_run_writes_only_what_changed(made: tuple[Path, Path]) -> None:
    models, bindings = made
    assert compile_models("--yang", models, "--bindings", bindings).stdout == ""
    leftover = bindings / "sdqkd_bindings/schema/gone.json"
    leftover.write_text("{}", encoding="utf-8")
    run = compile_models("--yang", models, "--bindings", bindings)
    assert run.stdout == "removed: sdqkd_bindings/schema/gone.json\n"
    assert not leftover.exists()


def test_broken_models_write_nothing(made: tuple[Path, Path]) -> None:
    models, bindings = made
    (models / "shop.yang").write_text("module shop {\n  nonsense;\n", encoding="utf-8")
    before = {file: file.read_bytes() for file in bindings.rglob("*.json")}
    run = compile_models("--yang", models, "--bindings", bindings)
    assert run.returncode == 1
    assert "shop.yang:2" in run.stderr
    assert "Traceback" not in run.stderr
    assert {file: file.read_bytes() for file in bindings.rglob("*.json")} == before


def test_help_tells_what_check_does() -> None:
    run = compile_models("--help")
    assert run.returncode == 0
    assert "--check" in run.stdout
