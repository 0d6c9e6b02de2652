"""The schema table of a model set, as the program reads it at run time. Its format: docs/models.md."""

from __future__ import annotations

import json
from typing import Any

from .load import LoadedSet, Statement
from .nodes import NodeWriter, member, nacm
from .types import identity_name

NOT_DATA = ("rpc", "notification")


def write_table(loaded: LoadedSet) -> str:
    """The table as JSON text, the same for the same models wherever and whenever it is made."""
    writer = NodeWriter(loaded)
    table: dict[str, Any] = {
        "set": loaded.model_set.name,
        **({"include": list(loaded.model_set.include)} if loaded.model_set.include else {}),
        "modules": [_module(loaded, module, implemented=True) for module in loaded.modules]
        + [_module(loaded, module, implemented=False) for module in loaded.imported],
        "identities": _identities(loaded),
        "data": {},
        "default-cases": {},
        "rpcs": {},
        "notifications": {},
    }
    for module in loaded.modules:
        table["data"] |= writer.members(module, lambda child: child.keyword not in NOT_DATA)
        table["default-cases"] |= writer.default_cases(module, None)
        table["rpcs"] |= {
            member(child, None): _rpc(writer, child) for child in module.i_children if child.keyword == "rpc"
        }
        table["notifications"] |= writer.members(module, lambda child: child.keyword == "notification")
    return json.dumps(table, indent=1, ensure_ascii=False) + "\n"


def _rpc(writer: NodeWriter, statement: Statement) -> dict[str, Any]:
    closed = nacm(statement)
    return {**writer.operation(statement), **({"nacm": closed} if closed else {})}


def _module(loaded: LoadedSet, module: Statement, *, implemented: bool) -> dict[str, Any]:
    version = module.search_one("yang-version")
    return {
        "name": module.arg,
        "revision": module.i_latest_revision or "",
        "namespace": module.search_one("namespace").arg,
        "prefix": module.i_prefix,
        "file": loaded.file_of(module),
        "implemented": implemented,
        "features": list(loaded.model_set.features.get(module.arg, ())),
        "deviations": _deviated_by(loaded, module),
        "yang-version": version.arg if version else "1",
        **({"submodules": parts} if (parts := _submodules(loaded, module)) else {}),
    }


def _submodules(loaded: LoadedSet, module: Statement) -> list[dict[str, str]]:
    """All submodules, also those that only others of them include."""
    parts = [
        part
        for part in loaded.context.modules.values()
        if part.keyword == "submodule" and part.search_one("belongs-to").arg == module.arg
    ]
    return [
        {"name": part.arg, "revision": part.i_latest_revision or "", "file": loaded.file_of(part)}
        for part in sorted(parts, key=lambda part: str(part.arg))
    ]


def _deviated_by(loaded: LoadedSet, module: Statement) -> list[str]:
    return [
        other.arg
        for other in loaded.modules
        if any(deviation.i_target_node.main_module() is module for deviation in other.search("deviation"))
    ]


def _identities(loaded: LoadedSet) -> dict[str, list[str]]:
    """Every identity that can be a value: those of implemented modules, RFC 7950 section 9.10.2."""
    return {
        identity_name(identity): _ancestors(identity)
        for module in loaded.modules
        for identity in module.i_identities.values()
        if not hasattr(identity, "i_not_implemented")
    }


def _ancestors(identity: Statement) -> list[str]:
    found: dict[str, None] = {}
    for base in identity.search("base"):
        found[identity_name(base.i_identity)] = None
        found |= dict.fromkeys(_ancestors(base.i_identity))
    return list(found)
