"""Plans as lines for people: a sign and a text each. Colour is the terminal's business, not ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from sdqkd.controller.guarantee import TEXTS
from sdqkd.controller.plan import DevicePlan, Plan
from sdqkd.network.model import Network
from sdqkd.schema.diff import Change
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Container, Entries, Node, Path, walk

Sign = Literal["", "+", "~", "-"]
Line = tuple[Sign, str]

_SIGNS: Mapping[str, Sign] = {"add": "+", "change": "~", "remove": "-"}
_INDENT = "    "


def names_of(network: Network) -> Mapping[str, str]:
    """What stands behind the identifiers of a network: names of links and devices by UUID."""
    links = {link.link_id: link.name for link in network.qkd_links.values()}
    return links | {device.device_id: device.name for device in network.devices.values()}


def plan_lines(plan: Plan, names: Mapping[str, str]) -> Iterator[Line]:
    """The changes of all devices. A line with an empty sign heads a device; `names` are put in place of UUIDs.

    The head says so if a device does not undo by itself what is not confirmed.
    """
    for device in plan.changed:
        guarantee = plan.devices[device].guarantee
        yield "", device if guarantee in (None, "confirmed") else f"{device} ({TEXTS[guarantee]})"
        yield from device_lines(plan.devices[device], names)


def device_lines(device: DevicePlan, names: Mapping[str, str]) -> Iterator[Line]:
    """The changes of one device: a list entry with its leafs below it, or a leaf with old and new value."""
    schema = device.schema
    for change in device.changes:
        yield from _change_lines(schema, change, names)


def _change_lines(schema: Schema, change: Change, names: Mapping[str, str]) -> Iterator[Line]:
    sign, where = _SIGNS[change.op], _place(change.path, names)
    schema_node = schema.node(change.path)
    node = change.old if change.new is None else change.new
    if isinstance(node, Container):
        yield sign, where
        for path, text in _leafs(schema, change.path, node, names):
            yield sign, f"{_INDENT}{path}: {text}"
    elif change.op == "change":
        old, new = (_shown(schema, schema_node, side, names) for side in (change.old, change.new))
        yield sign, f"{where}: {old} -> {new}"
    else:
        yield sign, f"{where}: {_shown(schema, schema_node, node, names)}"


def _leafs(schema: Schema, above: Path, entry: Container, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    keys = {(key,) for key in schema.node(above).keys}
    for path, node in walk(entry):
        if not isinstance(node, Container) and path not in keys:
            yield _place(path, names), _shown(schema, schema.node((*above, *path)), node, names)


def _place(path: Path, names: Mapping[str, str]) -> str:
    """The path without modules and top containers, from the first list on; keys by the names that people gave."""
    first = next((at for at, step in enumerate(path) if isinstance(step, tuple)), 0)
    return "/".join(_step(step, names) for step in path[first:])


def _step(step: str | tuple[str, tuple[str, ...]], names: Mapping[str, str]) -> str:
    if isinstance(step, str):
        return _local(step)
    return f"{_local(step[0])} {', '.join(names.get(key, key) for key in step[1])}"


def _shown(schema: Schema, schema_node: SchemaNode, node: Node | None, names: Mapping[str, str]) -> str:
    if isinstance(node, Entries):
        return ", ".join(names.get(key, key) for keys in node.entries for key in keys)
    if isinstance(node, tuple):
        return ", ".join(_value(schema, value, names) for value in node)
    text = _value(schema, node if isinstance(node, str) else "", names)
    return f"{text} {schema_node.units}" if schema_node.units else text


def _value(schema: Schema, value: str, names: Mapping[str, str]) -> str:
    return names.get(value) or (_local(value) if value in schema.identities else value)


def _local(name: str) -> str:
    return name.rpartition(":")[2]
