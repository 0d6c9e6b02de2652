"""The typed classes of a model set, written by pyangbind."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from pyangbind.plugin import pybind

from sdqkd.errors import ModelError

from .load import LoadedSet, Statement

HEADER = '"""Typed classes of the model set {name}, made by tools/compile_models.py. Not for editing."""\n'


def write_classes(loaded: LoadedSet) -> str:
    """Python source with one class for each module of the set that lives in the model folder.

    Raises `ModelError` for what pyangbind cannot do, or would do wrong without a word.
    """
    modules = [module for module in loaded.modules if loaded.file_of(module)]
    _check_names(loaded, modules)
    loaded.context.opts = _options()
    text = io.StringIO()
    saved = dict(pybind.class_map)
    try:
        with _without_operations(modules):
            pybind.build_pybind(loaded.context, modules, text)
    except (Exception, SystemExit) as error:  # its own faults come as any exception, or as an exit
        raise ModelError(f"set {loaded.model_set.name}: pyangbind cannot make classes: {error!r}") from error
    finally:  # it keeps the types of earlier runs and refuses to meet them again
        pybind.class_map.clear()
        pybind.class_map.update(saved)
    return HEADER.format(name=loaded.model_set.name) + text.getvalue()


@contextmanager
def _without_operations(modules: list[Statement]) -> Iterator[None]:
    """Hide actions and notifications of data nodes: the classes are for data, and pyangbind knows no actions."""
    before: list[tuple[Statement, list[Statement]]] = []

    def hide(statement: Statement) -> None:
        children = getattr(statement, "i_children", [])
        kept = [child for child in children if child.keyword not in ("action", "notification")]
        if len(kept) < len(children) and statement.keyword != "module":
            before.append((statement, children))
            statement.i_children = kept
        for child in kept:
            hide(child)

    for module in modules:
        hide(module)
    try:
        yield
    finally:
        for statement, children in before:
            statement.i_children = children


def _check_names(loaded: LoadedSet, modules: list[Statement]) -> None:
    """Pyangbind looks a module's own types and identities up without their module."""
    times = Counter(name for module in (*loaded.modules, *loaded.imported) for name in _names(module))
    if twice := {name for module in modules for name in _names(module) if times[name] > 1}:
        fault = "pyangbind would confuse types or identities that share a name"
        raise ModelError(f"set {loaded.model_set.name}: {fault}: {', '.join(sorted(twice))}")


def _names(module: Statement) -> set[str]:
    return {*module.i_typedefs, *module.i_identities}


def _options() -> Any:
    return SimpleNamespace(
        use_xpathhelper=False,
        split_class_dir=None,
        pybind_interested_exts=[],
        use_extmethods=False,
        build_rpcs=False,
        build_notifications=False,
        generate_presence=True,
    )
