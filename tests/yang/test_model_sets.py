"""Every model set loads in validators that are not the one it was compiled with, and every module is in a set."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETS = tomllib.loads((ROOT / "yang/model-sets.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SETS)
def test_set_loads(load_set: Callable[[Path], Any], name: str) -> None:
    assert load_set(ROOT / "bindings/sdqkd_bindings/schema" / f"{name}.json")


def test_every_module_is_in_a_set() -> None:
    listed = {module for model_set in SETS.values() for module in model_set["modules"]}
    assert {file.stem for file in (ROOT / "yang").rglob("*.yang")} <= listed
