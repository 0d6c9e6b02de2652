"""Parse and validate the modules of one model set: features pruned, augments and deviations applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import distribution
from os import pathsep
from pathlib import Path
from typing import Any

from pyang import context, error, repository

from sdqkd.errors import ModelError

from .sets import ModelSet

Statement = Any  # a pyang statement; pyang carries no types


@dataclass(frozen=True, slots=True)
class LoadedSet:
    """A model set after pyang's work. `modules` are the implemented ones, `imported` the others by name."""

    model_set: ModelSet
    context: Any
    modules: tuple[Statement, ...]
    imported: tuple[Statement, ...]
    yang_dir: Path

    def file_of(self, module: Statement) -> str:
        """The module's file relative to the model folder; empty when the module comes with pyang."""
        file = Path(module.pos.ref).resolve()
        root = self.yang_dir.resolve()
        return file.relative_to(root).as_posix() if file.is_relative_to(root) else ""


class _Features(dict[str, Sequence[str]]):
    """Enabled features by module. Every module is in it: what the set does not list is off."""

    def __contains__(self, module: object) -> bool:
        return True

    def __missing__(self, module: str) -> Sequence[str]:
        return ()


def pyang_module_dir() -> Path:
    """The folder of the IETF and IANA modules that the installed pyang carries."""
    for file in distribution("pyang").files or ():
        if file.name == "ietf-inet-types.yang":
            return Path(str(file.locate())).resolve().parent.parent
    raise ModelError("the installed pyang carries no IETF modules")


def load(model_set: ModelSet, yang_dir: Path) -> LoadedSet:
    """Compile one set. Raises `ModelError` naming each fault with its file and line."""
    folders = (yang_dir, pyang_module_dir())
    ctx = context.Context(repository.FileRepository(pathsep.join(map(str, folders)), use_env=False))
    ctx.features = _Features(model_set.features)
    ctx.yin_module_map = {}
    modules = [ctx.search_module(error.Position(model_set.name), name) for name in model_set.modules]
    _raise_faults(ctx, yang_dir)
    ctx.validate()
    _raise_faults(ctx, yang_dir)
    every = [module for module in ctx.modules.values() if module.keyword == "module"]
    for module in every:
        module.prune()
    imported = sorted((module for module in every if module not in modules), key=lambda module: module.arg)
    loaded = LoadedSet(model_set, ctx, tuple(modules), tuple(imported), yang_dir)
    _check_features(loaded)
    _check_deviations(loaded)
    _check_targets(loaded)
    return loaded


def _raise_faults(ctx: Any, yang_dir: Path) -> None:
    faults = []
    for position, tag, arguments in ctx.errors:
        if not error.is_warning(error.err_level(tag)):
            place = str(position).removeprefix(f"{yang_dir}/")
            faults.append(f"{place}: {error.err_to_str(tag, arguments)}")
    if faults:
        raise ModelError("\n".join(sorted(set(faults))))
    ctx.errors.clear()


def _check_features(loaded: LoadedSet) -> None:
    for module in loaded.modules:
        for feature in loaded.model_set.features.get(module.arg, ()):
            statement = module.i_features.get(feature)
            if statement is None or hasattr(statement, "i_not_implemented"):
                fault = "does not exist" if statement is None else "depends on a feature that is off"
                raise ModelError(f"set {loaded.model_set.name}: feature {module.arg}:{feature} {fault}")


def _check_deviations(loaded: LoadedSet) -> None:
    found = {module.arg for module in loaded.modules if module.search_one("deviation")}
    if wrong := found ^ set(loaded.model_set.deviations):
        raise ModelError(
            f"set {loaded.model_set.name}: `deviations` must list exactly the modules with deviations; "
            f"look at {', '.join(sorted(wrong))}"
        )


def _check_targets(loaded: LoadedSet) -> None:
    """What a module augments or deviates must be implemented too, RFC 7950 section 5.6.5."""
    for module in loaded.modules:
        for statement in [*module.search("augment"), *module.search("deviation")]:
            if statement.i_target_node.main_module() not in loaded.modules:
                target = statement.i_target_node.main_module().arg
                raise ModelError(f"set {loaded.model_set.name}: {module.arg} changes {target}: list that too")
