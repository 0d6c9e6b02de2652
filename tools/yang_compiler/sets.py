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
    """One table of `model-sets.toml`.

    `python` names the module of typed classes, if there shall be one; `include` are sets that whoever loads
    the table also gets.
    """

    name: str
    modules: tuple[str, ...]
    features: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    deviations: tuple[str, ...] = ()
    python: str | None = None
    include: tuple[str, ...] = ()


def read_sets(yang_dir: Path) -> tuple[ModelSet, ...]:
    """Every model set, in the order of the file. Raises `ModelError` for a table that makes no sense."""
    file = yang_dir / FILE_NAME
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"{FILE_NAME}: {error}") from error
    model_sets = {name: _model_set(name, table) for name, table in tables.items()}
    for model_set in model_sets.values():
        _check_includes(model_set, model_sets)
    return tuple(model_sets.values())


def _check_includes(model_set: ModelSet, known: Mapping[str, ModelSet]) -> None:
    """A module is implemented in one way only, RFC 7950 section 5.6.5; and a set is looked up in one step."""
    for name in model_set.include:
        other = known.get(name)
        if other is None or other.include:
            raise ModelError(
                f"{FILE_NAME}: set {model_set.name} includes {name}, which is no set without includes"
            )
        if both := set(model_set.modules) & set(other.modules):
            raise ModelError(f"{FILE_NAME}: {', '.join(sorted(both))}: in set {model_set.name} and in {name}")


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
        tuple(table.get("include", ())),
    )
    if strangers := (set(model_set.features) | set(model_set.deviations)) - set(model_set.modules):
        raise ModelError(f"{FILE_NAME}: set {name} does not implement {', '.join(sorted(strangers))}")
    return model_set
