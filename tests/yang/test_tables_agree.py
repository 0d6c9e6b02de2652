"""The compiled tables say what yangson, which has its own YANG compiler, makes of the same modules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "tools" / "data"
TABLES = [
    *((file, ROOT / "yang") for file in sorted((ROOT / "bindings/sdqkd_bindings/schema").glob("*.json"))),
    *((file, FIXTURES / "yang") for file in sorted(FIXTURES.rglob("schema/*shop.json"))),  # no submodules
]
KINDS = {
    "ContainerNode": "container",
    "ListNode": "list",
    "LeafNode": "leaf",
    "LeafListNode": "leaf-list",
    "AnydataNode": "anydata",
    "AnyxmlNode": "anyxml",
}
Row = tuple[str, dict[str, Any]]


def told_by_table(parent: Mapping[str, Any], path: str = "") -> Iterator[Row]:
    for name, node in parent.get("children", {}).items():
        if node["kind"] not in KINDS.values():
            continue
        yield (
            f"{path}/{name}",
            {
                "kind": node["kind"],
                "config": node.get("config", False),
                "keys": node.get("keys", []),
                "mandatory": node.get("mandatory", False) and name not in parent.get("keys", []),
                "base": node["type"]["base"].replace("-", "") if "type" in node else None,
                "has default": "default" in node,
            },
        )
        yield from told_by_table(node, f"{path}/{name}")


def told_by_yangson(parent: Any, path: str = "") -> Iterator[Row]:
    for node in parent.data_children():
        kind = KINDS.get(type(node).__name__)
        if kind is None:
            continue
        keys = [name for name, _ in getattr(node, "keys", [])]
        is_key = node.name in [name for name, _ in getattr(parent, "keys", [])] and node.ns == parent.ns
        base = type(node.type).__name__.removesuffix("Type").lower() if kind.startswith("leaf") else None
        yield (
            f"{path}/{node.iname()}",
            {
                "kind": kind,
                "config": node.config,
                "keys": keys,
                "mandatory": kind == "leaf" and node.mandatory and not is_key,
                "base": base,
                "has default": kind.startswith("leaf") and not is_key and node.default is not None,
            },
        )
        if kind in ("container", "list"):
            yield from told_by_yangson(node, f"{path}/{node.iname()}")


@pytest.mark.parametrize(("table", "yang_dir"), TABLES, ids=[file.stem for file, _ in TABLES])
def test_table_agrees_with_yangson(
    table: Path, yang_dir: Path, second_opinion: Callable[[Path, Path], Any]
) -> None:
    compiled = json.loads(table.read_text(encoding="utf-8"))
    data = compiled["data"]
    for name in compiled.get("include", ()):
        data |= json.loads(table.with_name(f"{name}.json").read_text(encoding="utf-8"))["data"]
    assert dict(told_by_table({"children": data})) == dict(told_by_yangson(second_opinion(table, yang_dir).schema))
