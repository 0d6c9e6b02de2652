"""The typed classes of a model set, written by pyangbind."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

from pyangbind.plugin import pybind

from .load import LoadedSet

HEADER = '"""Typed classes of the model set {name}, made by tools/compile_models.py. Not for editing."""\n'


def write_classes(loaded: LoadedSet) -> str:
    """Python source with one class for each module of the set that lives in the model folder."""
    modules = [module for module in loaded.modules if loaded.file_of(module)]
    loaded.context.opts = _options()
    loaded.context.errors.clear()
    text = io.StringIO()
    saved = dict(pybind.class_map)
    try:
        pybind.build_pybind(loaded.context, modules, text)
    finally:  # pyangbind keeps the types of earlier runs and refuses to meet them again
        pybind.class_map.clear()
        pybind.class_map.update(saved)
    return HEADER.format(name=loaded.model_set.name) + text.getvalue()


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
