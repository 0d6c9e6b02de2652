"""Two validators that know nothing of pyang or of each other, libyang and yangson, loaded with a model set."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import oopt_gnpy_libyang as libyang
import pytest
from tools.yang_compiler.load import pyang_module_dir
from yangson import DataModel
from yangson.enumerations import ContentType
from yangson.exceptions import YangsonException

ROOT = Path(__file__).resolve().parents[2]
YANG = ROOT / "yang"
TABLES = ROOT / "bindings" / "sdqkd_bindings" / "schema"
Refusal = Callable[[str, dict[str, Any]], str | None]


def folders(yang_dir: Path) -> tuple[str, ...]:
    files = [*yang_dir.rglob("*.yang"), *pyang_module_dir().rglob("*.yang")]
    return tuple(sorted({str(file.parent) for file in files}))


def modules(table_file: Path) -> list[dict[str, Any]]:
    """Those of a table and of the tables that it includes; a module that any of them implements is implemented."""
    table = json.loads(table_file.read_text(encoding="utf-8"))
    rows = [*table["modules"]]
    for name in table.get("include", ()):
        rows += modules(table_file.with_name(f"{name}.json"))
    return list({row["name"]: row for row in sorted(rows, key=lambda row: row["implemented"])}.values())


@cache
def libyang_context(table_file: Path, yang_dir: Path = YANG) -> libyang.Context:
    context = libyang.Context(":".join(folders(yang_dir)), libyang.ContextOptions.DisableSearchCwd)
    for module in modules(table_file):
        if module["implemented"]:
            context.load_module(module["name"], module["revision"], module["features"])
    return context


@cache
def yangson_model(table_file: Path, yang_dir: Path = YANG, *, alone: bool = False) -> DataModel:
    """The model by way of a YANG library, RFC 7895, made from the table's list of modules.

    With `alone`, without the tables that it includes.
    """
    found = json.loads(table_file.read_text(encoding="utf-8"))["modules"] if alone else modules(table_file)
    revisions = {module["name"]: module["revision"] for module in found}
    entries = [
        {
            "name": module["name"],
            "revision": module["revision"],
            "namespace": module["namespace"],
            "conformance-type": "implement" if module["implemented"] else "import",
            "feature": module["features"],
            "deviation": [{"name": name, "revision": revisions[name]} for name in module["deviations"]],
        }
        for module in found
    ]
    library = {"ietf-yang-library:modules-state": {"module-set-id": table_file.stem, "module": entries}}
    return DataModel(json.dumps(library), folders(yang_dir))


def refusal_by_libyang(name: str, data: dict[str, Any]) -> str | None:
    context = libyang_context(TABLES / f"{name}.json")
    libyang.set_log_options(libyang.LogOptions.Store)
    strict, present = libyang.ParseOptions.Strict, libyang.ValidationOptions.Present
    try:
        context.parse_data(json.dumps(data), libyang.DataFormat.JSON, strict, present)
    except libyang.Error:
        return "; ".join(f"{error.data_path}: {error.message}" for error in context.errors())
    finally:
        context.clean_all_errors()
    return None


def refusal_by_yangson(name: str, data: dict[str, Any]) -> str | None:
    try:
        # What an agent must report about itself is not in such data.
        model = yangson_model(TABLES / f"{name}.json", alone=True)
        model.from_raw(data).validate(ctype=ContentType.all)
    except YangsonException as error:
        return str(error)
    return None


@pytest.fixture(params=[refusal_by_libyang, refusal_by_yangson], ids=["libyang", "yangson"])
def refusal(request: pytest.FixtureRequest) -> Refusal:
    """Why the data are not valid for the set of that name; None when they are."""
    return request.param


@pytest.fixture(params=[libyang_context, yangson_model], ids=["libyang", "yangson"])
def load_set(request: pytest.FixtureRequest) -> Callable[[Path], Any]:
    """Make a validator load the set of that table; it raises when it cannot."""
    return request.param


@pytest.fixture
def second_opinion() -> Callable[[Path, Path], DataModel]:
    """The model of a table and a folder of modules, as yangson understands it."""
    return yangson_model
