"""What has to change on which device, as a value: it can be printed, applied later, and refused when it is stale.

Only paths that the controller owns are compared and written. A leaf that is absent and one that holds its default
mean the same (RFC 7950 section 7.6.1), so that is no change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sdqkd.controller.change_json import change_to_json
from sdqkd.controller.intent import Desired
from sdqkd.schema.diff import Change, apply, diff
from sdqkd.schema.table import Schema, SchemaNode, load
from sdqkd.schema.tree import EMPTY, Container, Entries, Node, Path, get, put

FORMAT = 1  # of the JSON


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """The changes of one device. `base` and `result` are digests of what it owns to us before and after."""

    model_set: str
    base: str
    result: str
    changes: tuple[Change, ...] = ()

    @property
    def schema(self) -> Schema:
        """The model that the changes are made for."""
        return load(self.model_set)

    def to_json(self) -> dict[str, Any]:
        """The device's part of a plan as a JSON object."""
        return {
            "model-set": self.model_set,
            "base": self.base,
            "result": self.result,
            "changes": [change_to_json(self.schema, change) for change in self.changes],
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """How much a plan does: devices in all and with changes; entries and leafs to add, change and remove."""

    devices: int
    changed_devices: int
    add: int
    change: int
    remove: int

    def __str__(self) -> str:
        if not self.changed_devices:
            return f"no changes: all {self.devices} devices are in the desired state"
        counts = f"{self.add} to add, {self.change} to change, {self.remove} to remove"
        return f"{self.changed_devices} of {self.devices} devices change: {counts}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan for a whole network: every device in the order of the file, also those without changes."""

    network: str
    devices: Mapping[str, DevicePlan]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.changed

    @property
    def changed(self) -> tuple[str, ...]:
        """The devices with changes."""
        return tuple(name for name, device in self.devices.items() if device.changes)

    def summary(self) -> Summary:
        """Count what is to be done."""
        ops = [change.op for device in self.devices.values() for change in device.changes]
        counts = (ops.count(op) for op in ("add", "change", "remove"))
        return Summary(len(self.devices), len(self.changed), *counts)

    def to_json(self) -> dict[str, Any]:
        """The whole plan as a JSON object."""
        devices = [{"device": name, **device.to_json()} for name, device in self.devices.items()]
        return {"format": FORMAT, "network": self.network, "devices": devices}


def make_plan(network: str, desired: Mapping[str, Desired], running: Mapping[str, Container]) -> Plan:
    """What leads from the running configurations to the desired ones. Each desired device is in `running`."""
    return Plan(network, {name: _device_plan(wanted, running[name]) for name, wanted in desired.items()})


def _device_plan(wanted: Desired, running: Container) -> DevicePlan:
    schema = load(wanted.model_set)
    changes = differences(schema, running, wanted.tree, wanted.owned)
    base = digest(schema, running, wanted.owned)
    result = digest(schema, apply(schema, running, changes), wanted.owned)
    return DevicePlan(wanted.model_set, base, result, changes)


def differences(schema: Schema, old: Container, new: Container, owned: tuple[Path, ...]) -> tuple[Change, ...]:
    """The changes below the owned paths that mean something."""
    return tuple(change for change in diff(schema, old, new, owned) if not _only_default(schema, change))


def _only_default(schema: Schema, change: Change) -> bool:
    leaf = schema.node(change.path)
    if leaf.kind != "leaf" or change.op == "change":
        return False
    value = change.new if change.op == "add" else change.old
    return leaf.default == (value,)


def owned_part(schema: Schema, tree: Container, owned: tuple[Path, ...]) -> Container:
    """What a tree holds below the owned paths, and nothing else."""
    part = EMPTY
    for path in owned:
        node = get(tree, path)
        if node is not None:
            part = put(schema, part, path, node)
    return part


def digest(schema: Schema, tree: Container, owned: tuple[Path, ...]) -> str:
    """A SHA-256 of what a tree holds below the owned paths, in hexadecimal.

    The order of entries counts only where the model says that it does.
    """
    part = owned_part(schema, tree, owned)
    plain = {name: _plain(schema.data[name], node) for name, node in part.children.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _plain(schema_node: SchemaNode, node: Node) -> Any:
    if isinstance(node, str):
        return node
    if isinstance(node, tuple):
        return list(node) if schema_node.user_ordered else sorted(node)
    if isinstance(node, Entries):
        keys = node.entries if schema_node.user_ordered else sorted(node.entries)
        return [_plain(schema_node, node.entries[key]) for key in keys]
    return {name: _plain(schema_node.children[name], child) for name, child in node.children.items()}
