"""The compiled ETSI modules are, row for row, what ETSI GS QKD 015 V2.1.1 publishes."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tools.yang_compiler.load import load
from tools.yang_compiler.sets import ModelSet

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "src/sdqkd/conformance/published"  # the kit holds other servers to the same tables
Row = dict[str, str]


def published(kind: str) -> list[Row]:
    with (DATA / f"etsi-qkd-015-v2.1.1.{kind}.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture(scope="module")
def modules() -> dict[str, Any]:
    loaded = load(ModelSet("etsi", ("etsi-qkd-node-types", "etsi-qkd-sdn-node")), ROOT / "yang")
    return {module.arg: module for module in loaded.modules}


def rows_below(statement: Any, path: str) -> Iterator[Row]:
    for child in statement.i_children:
        yield row(child, f"{path}/{child.arg}")
        yield from rows_below(child, f"{path}/{child.arg}") if hasattr(child, "i_children") else ()


def row(node: Any, path: str) -> Row:
    type_statement = node.search_one("type")
    return {
        "path": path,
        "kind": node.keyword,
        "config": {True: "true", False: "false", None: "-"}[node.i_config],
        "type": type_text(type_statement) if type_statement else "",
        "mandatory": argument(node, "mandatory"),
        "default": argument(node, "default"),
        "key": argument(node, "key"),
    }


def argument(statement: Any, keyword: str) -> str:
    found = statement.search_one(keyword)
    return found.arg if found else ""


def type_text(statement: Any) -> str:
    if typedef := statement.i_typedef:
        return f"{typedef.main_module().i_prefix}:{typedef.arg}"
    restrictions = [f" {part.keyword}={part.arg}" for part in statement.substmts if part.keyword != "pattern"]
    return statement.arg + "".join(restrictions)


def types_of(module: Any) -> Iterator[Row]:
    for statement in module.substmts:
        if statement.keyword == "identity":
            text, pattern = argument(statement, "base"), ""
        elif statement.keyword == "typedef":
            text = type_text(statement.search_one("type"))
            pattern = argument(statement.search_one("type"), "pattern")
        else:
            continue
        yield {
            "statement": statement.keyword,
            "name": statement.arg,
            "base_or_type": text,
            "pattern": pattern,
        }


def test_nodes_are_those_of_the_standard(modules: dict[str, Any]) -> None:
    assert list(rows_below(modules["etsi-qkd-sdn-node"], "")) == published("nodes")


def test_types_are_those_of_the_standard(modules: dict[str, Any]) -> None:
    assert list(types_of(modules["etsi-qkd-node-types"])) == published("types")


def test_location_is_empty_by_default(modules: dict[str, Any]) -> None:
    (node,) = (child for child in modules["etsi-qkd-sdn-node"].i_children if child.keyword == "container")
    (location,) = (child for child in node.i_children if child.arg == "qkdn_location_id")
    assert location.search_one("default").arg == ""


def test_namespaces_and_prefixes_are_those_of_the_standard(modules: dict[str, Any]) -> None:
    names = {name: (m.search_one("namespace").arg, m.i_prefix) for name, m in modules.items()}
    assert names == {
        "etsi-qkd-node-types": ("urn:etsi:qkd:yang:etsi-qkd-node-types", "etsi-qkdn-types"),
        "etsi-qkd-sdn-node": ("urn:etsi:qkd:yang:etsi-qkd-node", "etsi-qkdn"),
    }


def test_revisions_keep_the_published_history(modules: dict[str, Any]) -> None:
    for module in modules.values():
        assert [revision.arg for revision in module.search("revision")][-2:] == ["2022-01-30", "2020-09-30"]


def test_vendors_leave_every_published_node_in_place() -> None:
    """A set of ours may add nodes to the standard's; its deviations take none away."""
    table = json.loads((ROOT / "bindings/sdqkd_bindings/schema/qkd-node.json").read_text(encoding="utf-8"))
    top = {
        name.removeprefix("etsi-qkd-sdn-node:"): node
        for name, node in {**table["data"], **table["notifications"]}.items()
    }
    assert set(paths_below(top)) >= {row["path"] for row in published("nodes")}


def paths_below(children: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, node in children.items():
        yield f"{path}/{name}"
        yield from paths_below(node.get("children", {}), f"{path}/{name}")
