"""Every model set loads in validators that are not the one it was compiled with, and every module is in a set."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sdqkd.schema.table import SchemaNode, load

ROOT = Path(__file__).resolve().parents[2]
SETS = tomllib.loads((ROOT / "yang/model-sets.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SETS)
def test_set_loads(load_set: Callable[[Path], Any], name: str) -> None:
    assert load_set(ROOT / "bindings/sdqkd_bindings/schema" / f"{name}.json")


def test_every_module_is_in_a_set() -> None:
    listed = {module for model_set in SETS.values() for module in model_set["modules"]}
    assert {file.stem for file in (ROOT / "yang").rglob("*.yang")} <= listed


def _implied(node: SchemaNode) -> bool:
    return node.kind == "container" and not node.presence


def _crashing(node: SchemaNode, may_go: bool = False) -> Iterator[SchemaNode]:
    """The conditional nodes that libyang adds by itself in a container that may go for its own condition.

    It frees them with the container, and may judge their condition after that.
    """
    if may_go and node.has_when and (node.default or _implied(node)):
        yield node
    inside = _implied(node) and (may_go or node.has_when)
    for child in node.children.values():
        yield from _crashing(child, inside)


@pytest.mark.parametrize("name", SETS)
def test_no_model_has_what_crashes_libyang(name: str) -> None:
    assert [node.name for top in load(name).data.values() for node in _crashing(top)] == []
