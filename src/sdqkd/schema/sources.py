"""The text of the YANG modules: our own from `yang/`, the others from the installed pyang."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path as FilePath

from sdqkd.errors import ModelError
from sdqkd.schema.table import ModuleInfo, Schema, SubmoduleInfo


def parts(schema: Schema) -> Iterator[tuple[ModuleInfo, ModuleInfo | SubmoduleInfo]]:
    """Every module and submodule, after the module that it belongs to."""
    for module in schema.modules:
        yield module, module
        for part in module.submodules:
            yield module, part


def source(schema: Schema, module: ModuleInfo | SubmoduleInfo) -> str:
    """The text of a module or submodule of the schema. Raises ModelError if its file cannot be read."""
    try:
        return _file(schema, module).read_text("utf-8")
    except (OSError, UnicodeError) as error:
        raise ModelError(f"the text of the module {module.name} is missing: reinstall sdqkd") from error


def pyang_folders() -> list[FilePath]:
    """The folders of the modules that the installed pyang carries."""
    return sorted({file.parent for file in _pyang_files().values()})


def _file(schema: Schema, module: ModuleInfo | SubmoduleInfo) -> FilePath:
    name = f"{module.name}.yang"
    if not module.file:
        return _pyang_files().get(name, FilePath(name))
    folders = [folder for folder in schema.model_dirs if (folder / module.file).is_file()]
    return folders[0] / module.file if folders else FilePath(module.file)


@functools.cache
def _pyang_files() -> dict[str, FilePath]:
    files = distribution("pyang").files or ()
    return {file.name: FilePath(str(file.locate())).resolve() for file in files if file.suffix == ".yang"}
