"""Model sets: what one kind of device implements, as `yang/model-sets.toml` lists them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from sdqkd.errors import ModelError

FILE_NAME = "model-sets.toml"


@dataclass(frozen=True, slots=True)
class ModelSet:
    """One table of `model-sets.toml`. `python` names the module of typed classes, if there shall be one."""

    name: str
    modules: tuple[str, ...]
    features: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    deviations: tuple[str, ...] = ()
    python: str | None = None


def read_sets(yang_dir: Path) -> tuple[ModelSet, ...]:
    """Every model set, in the order of the file. Raises `ModelError` for a table that makes no sense."""
    file = yang_dir / FILE_NAME
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"{FILE_NAME}: {error}") from error
    return tuple(_model_set(name, table) for name, table in tables.items())


def _model_set(name: str, table: Mapping[str, object]) -> ModelSet:
    known = {entry.name for entry in fields(ModelSet)} - {"name"}
    if not isinstance(table, dict) or not table.get("modules") or set(table) - known:
        raise ModelError(f"{FILE_NAME}: set {name} needs `modules`, and may hold only {', '.join(sorted(known))}")
    model_set = ModelSet(
        name,
        tuple(table["modules"]),
        {module: tuple(features) for module, features in table.get("features", {}).items()},
        tuple(table.get("deviations", ())),
        table.get("python"),
    )
    if strangers := (set(model_set.features) | set(model_set.deviations)) - set(model_set.modules):
        raise ModelError(f"{FILE_NAME}: set {name} does not implement {', '.join(sorted(strangers))}")
    return model_set
