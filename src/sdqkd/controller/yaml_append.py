"""Add entries to a list in the text of a YAML file that a person wrote: all else stays as it is. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import yaml

from sdqkd.controller.yaml_edit import CannotEditError, scalar

Value: TypeAlias = "str | Sequence[Value] | Mapping[str, Value]"


def append_entries(text: str, top: str, name: str, entries: Sequence[Mapping[str, Value]]) -> str:
    """The text with entries, one a line, at the end of the list `name` below `top`; the list is made if need be.

    Raises CannotEditError if the list, or what it stands in, is not in block style.
    """
    if not entries:
        return text
    try:
        document = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise CannotEditError("it is no YAML") from error
    holder = _block(_value(document, top), yaml.MappingNode, top)
    found = _value(holder, name)
    column = holder.start_mark.column
    if found is None:
        after, indent, lines = _last_line(holder), column + 2, [f"{' ' * column}{name}:"]
    else:
        items = _block(found, yaml.SequenceNode, name)
        after, indent, lines = _last_line(items), items.start_mark.column, []
    lines += [f"{' ' * indent}- {_flow(entry)}" for entry in entries]
    existing = text.splitlines()
    return "\n".join([*existing[: after + 1], *lines, *existing[after + 1 :]]) + "\n"


def _value(node: yaml.Node | None, name: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        raise CannotEditError(f"there is no place for {name}")
    found = (value for key, value in node.value if key.value.rpartition(":")[2] == name)
    return next(found, None)


def _block(node: yaml.Node | None, kind: type[yaml.CollectionNode], name: str) -> yaml.CollectionNode:
    if not isinstance(node, kind) or node.flow_style or not node.value:
        raise CannotEditError(f"{name} is not written as a block with one thing a line")
    return node


def _last_line(node: yaml.Node) -> int:
    """The line, from 0, on which the last thing in a node ends. A block itself ends where the next one begins."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    end: yaml.Mark = node.end_mark
    return end.line - 1 if end.column == 0 and end.line > node.start_mark.line else end.line


def _flow(value: Value) -> str:
    if isinstance(value, str):
        return scalar(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_flow(inside)}" for name, inside in value.items()) + "}"
    return "[" + ", ".join(map(_flow, value)) + "]"
