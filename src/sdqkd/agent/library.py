"""The YANG library: RFC 8525, and its deprecated form of RFC 7895. While an agent runs it never changes."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sdqkd.schema.json import decode
from sdqkd.schema.table import ModuleInfo, Schema, SubmoduleInfo
from sdqkd.schema.tree import Container

_EVERYTHING = "all"  # the name of our only module set, and of our only datastore schema


@dataclass(frozen=True, slots=True)
class Library:
    """The state to report. `content_id` is the same for the same contents, after a restart too."""

    content_id: str
    tree: Container


@functools.cache
def library(schema: Schema, datastores: tuple[str, ...]) -> Library:
    """Give the library of an agent with these datastores, named as in ietf-datastores: `running` …"""
    contents = {
        "module-set": [_module_set(schema, datastores)],
        "schema": [{"name": _EVERYTHING, "module-set": [_EVERYTHING]}],
        "datastore": [{"name": f"ietf-datastores:{name}", "schema": _EVERYTHING} for name in datastores],
    }
    content_id = hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()[:16]
    document = {
        "ietf-yang-library:yang-library": contents | {"content-id": content_id},
        "ietf-yang-library:modules-state": {"module-set-id": content_id, "module": _flat(schema, datastores)},
    }
    return Library(content_id, decode(schema, document, state=True))


def features(module: ModuleInfo, datastores: Sequence[str]) -> tuple[str, ...]:
    """Give the features of a module that an agent with these datastores has."""
    startup = module.name == "ietf-netconf" and "startup" in datastores
    return (*module.features, "startup") if startup else module.features


def _module_set(schema: Schema, datastores: Sequence[str]) -> dict[str, Any]:
    implemented = [
        _identified(module)
        | {"namespace": module.namespace}
        | _some("submodule", [_identified(part) for part in module.submodules])
        | _some("feature", features(module, datastores))
        | _some("deviation", module.deviations)
        for module in schema.modules
        if module.implemented
    ]
    imported = [
        {"name": module.name, "revision": module.revision, "namespace": module.namespace}
        | _some("submodule", [_identified(part) for part in module.submodules])
        for module in schema.modules
        if not module.implemented
    ]
    return {"name": _EVERYTHING, "module": implemented} | _some("import-only-module", imported)


def _flat(schema: Schema, datastores: Sequence[str]) -> list[dict[str, Any]]:
    revisions = {module.name: module.revision for module in schema.modules}
    return [
        {
            "name": module.name,
            "revision": module.revision,
            "namespace": module.namespace,
            "conformance-type": "implement" if module.implemented else "import",
        }
        | _some("feature", features(module, datastores))
        | _some("deviation", [{"name": name, "revision": revisions[name]} for name in module.deviations])
        | _some("submodule", [{"name": part.name, "revision": part.revision} for part in module.submodules])
        for module in schema.modules
    ]


def _identified(module: ModuleInfo | SubmoduleInfo) -> dict[str, Any]:
    # A module without a revision has no such leaf, except where it is a key.
    return {"name": module.name} | ({"revision": module.revision} if module.revision else {})


def _some(name: str, items: Sequence[Any]) -> dict[str, list[Any]]:
    return {name: list(items)} if items else {}
