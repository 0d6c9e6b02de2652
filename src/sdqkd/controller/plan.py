"""What has to change on which device, as a value: it can be printed, saved, applied later, refused, reversed.

Only paths that the controller owns are compared and written. A leaf that is absent and one that holds its default
mean the same (RFC 7950 section 7.6.1), so that is no change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sdqkd.controller.change_json import change_from_json, change_to_json
from sdqkd.controller.guarantee import TEXTS, Guarantee
from sdqkd.controller.intent import Desired
from sdqkd.errors import InputError, ModelError, RpcError
from sdqkd.schema.diff import Change, apply, diff, invert
from sdqkd.schema.table import Schema, SchemaNode, load
from sdqkd.schema.tree import EMPTY, Container, Entries, Node, Path, get, put

FORMAT = 1  # of the JSON

_NOTHING = object()  # what a leaf with its default counts for


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """The changes of one device. `base` and `result` are digests of what it owns to us before and after.

    `guarantee` says how safely it can be changed, None if it was not asked. `models` stands for the YANG modules
    that it had (`models.models_id`), "" if it does not say: a plan for others is stale.
    """

    model_set: str
    base: str
    result: str
    changes: tuple[Change, ...] = ()
    guarantee: Guarantee | None = None
    models: str = ""

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
            **({"guarantee": self.guarantee} if self.guarantee else {}),
            **({"models": self.models} if self.models else {}),
        }

    def reverse(self) -> DevicePlan:
        """What leads back."""
        return replace(self, base=self.result, result=self.base, changes=invert(self.changes))


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

    def reverse(self) -> Plan:
        """The plan that leads back."""
        return Plan(self.network, {name: device.reverse() for name, device in self.devices.items()})

    @classmethod
    def from_json(cls, document: Any, file: str | None = None) -> Plan:
        """Read what `to_json` gave. Raises InputError, with the name of the file, if the object is no plan."""
        try:
            if document["format"] != FORMAT:
                raise ValueError(f"its format is {document['format']}, not {FORMAT}")
            devices = {str(device["device"]): _device_from_json(device) for device in document["devices"]}
            return cls(str(document["network"]), devices)
        except (KeyError, TypeError, ValueError, AttributeError, RpcError, ModelError) as error:
            reason = f"{error} is missing or not known" if isinstance(error, KeyError) else str(error)
            raise InputError(f"this is no plan: {reason}", file) from None


def _device_from_json(device: Any) -> DevicePlan:
    schema = load(device["model-set"])
    changes = tuple(change_from_json(schema, change) for change in device["changes"])
    guarantee = device.get("guarantee")
    if guarantee is not None and guarantee not in TEXTS:
        raise ValueError(f"there is no guarantee '{guarantee}'")
    base, result, models = str(device["base"]), str(device["result"]), str(device.get("models", ""))
    return DevicePlan(schema.name, base, result, changes, guarantee, models)


def make_plan(
    network: str,
    desired: Mapping[str, Desired],
    running: Mapping[str, Container],
    guarantees: Mapping[str, Guarantee] | None = None,
    models: Mapping[str, str] | None = None,
) -> Plan:
    """What leads from the running configurations to the desired ones. Each desired device is in `running`.

    `guarantees` says how safely devices can be changed, `models` which modules they have (`models.models_id`),
    of those that were asked.
    """
    safe, has = guarantees or {}, models or {}
    devices = {
        name: replace(device_plan(wanted, running[name]), guarantee=safe.get(name), models=has.get(name, ""))
        for name, wanted in desired.items()
    }
    return Plan(network, devices)


def device_plan(wanted: Desired, running: Container) -> DevicePlan:
    """What leads one device from what it holds to what is wanted of it."""
    schema = load(wanted.model_set)
    changes = differences(schema, running, wanted.tree, wanted.owned)
    base = digest(schema, running, wanted.owned)
    result = digest(schema, apply(schema, running, changes), wanted.owned) if changes else base
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

    The order of entries counts only where the model says that it does, and a leaf that holds its default is as
    good as absent: so two trees have one digest if there are no `differences`.
    """
    part = owned_part(schema, tree, owned)
    plain = {name: _plain(schema.data[name], node) for name, node in part.children.items()}
    plain = {name: value for name, value in plain.items() if value is not _NOTHING}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _plain(schema_node: SchemaNode, node: Node) -> Any:
    if isinstance(node, str):
        is_default = schema_node.kind == "leaf" and schema_node.default == (node,)
        return _NOTHING if is_default else node
    if isinstance(node, tuple):
        return list(node) if schema_node.user_ordered else sorted(node)
    if isinstance(node, Entries):
        keys = node.entries if schema_node.user_ordered else sorted(node.entries)
        return [_plain_container(schema_node, node.entries[key]) for key in keys]
    plain = _plain_container(schema_node, node)
    return plain if plain or schema_node.presence or schema_node.choice else _NOTHING


def _plain_container(schema_node: SchemaNode, node: Container) -> dict[str, Any]:
    plain = {name: _plain(schema_node.children[name], child) for name, child in node.children.items()}
    return {name: value for name, value in plain.items() if value is not _NOTHING}
