"""Set one value in the text of a YAML file that a person wrote: all else stays as it is, comments too. Pure.

Where the value stands already, its text is replaced. Where it does not, a line is added to a mapping in block
style, or a part to one between braces. What this cannot do safely is refused; who calls looks at what the file
then means.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import yaml

Step: TypeAlias = "str | tuple[str, str]"  # a name, or one entry of a list: `list=key` and the value of the key


class CannotEditError(ValueError):
    """The text has no place where this could be written safely; `str()` says why."""


def set_value(text: str, steps: Sequence[Step], value: str) -> str:
    """The text with `value` at the place that the steps lead to from the top; the last step is a name.

    The entry of the list `device` whose `name` is alfa is `("device=name", "alfa")`. Raises CannotEditError.
    """
    node = _composed(text)
    for step in steps[:-1]:
        node = _inside(node, step)
    name = steps[-1]
    if not isinstance(node, yaml.MappingNode) or not isinstance(name, str):
        raise CannotEditError(f"there is no place for {name}")
    found = _value(node, name)
    if found is None:
        return _added(text, node, name, value)
    if not isinstance(found, yaml.ScalarNode):
        raise CannotEditError(f"{name} holds no single value")
    return _spliced(text, found, scalar(value))


def rename(text: str, steps: Sequence[Step], new: str) -> str:
    """The text with another name for the value that the steps lead to. Raises CannotEditError."""
    node = _composed(text)
    for step in steps[:-1]:
        node = _inside(node, step)
    if isinstance(node, yaml.MappingNode):
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == steps[-1]:
                return _spliced(text, key, new)
    raise CannotEditError(f"there is no {steps[-1]}")


def names_at(text: str, steps: Sequence[Step]) -> tuple[str, ...]:
    """The names in the mapping that the steps lead to. Raises CannotEditError."""
    node = _composed(text)
    for step in steps:
        node = _inside(node, step)
    if not isinstance(node, yaml.MappingNode):
        raise CannotEditError("it holds no names with values")
    return tuple(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))


def _composed(text: str) -> yaml.Node | None:
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise CannotEditError("it is no YAML any more") from error
    return node


def _inside(node: yaml.Node | None, step: Step) -> yaml.Node:
    listed, wanted = (step, "") if isinstance(step, str) else step
    name, _, key = listed.partition("=")
    below = _value(node, name) if isinstance(node, yaml.MappingNode) else None
    if below is None:
        raise CannotEditError(f"there is no {name}")
    return _entry(below, key, wanted) if key else below


def _entry(items: yaml.Node, key: str, wanted: str) -> yaml.Node:
    entries: list[yaml.Node] = items.value if isinstance(items, yaml.SequenceNode) else []
    for entry in entries:
        found = _value(entry, key) if isinstance(entry, yaml.MappingNode) else None
        if isinstance(found, yaml.ScalarNode) and found.value == wanted:
            return entry
    raise CannotEditError(f"there is no entry {wanted}")


def _value(node: yaml.MappingNode, name: str) -> yaml.Node | None:
    """What stands under a name, with its module or without."""
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value.rpartition(":")[2] == name:
            return value  # type: ignore[no-any-return]
    return None


def _added(text: str, node: yaml.MappingNode, name: str, value: str) -> str:
    part = f"{name}: {scalar(value)}"
    if node.flow_style:
        at = node.end_mark.index - 1
        if text[at] != "}" or not node.value:
            raise CannotEditError(f"there is no place for {name}")
        end = node.value[-1][1].end_mark.index
        return f"{text[:end]}, {part}{text[end:]}"
    first = node.value[0][0]
    at, indent = first.start_mark.index, " " * first.start_mark.column
    # The first name stays the first: it is what people look for. So the line goes before the second.
    if len(node.value) > 1:
        second = node.value[1][0]
        at, indent = second.start_mark.index, " " * second.start_mark.column
    return f"{text[:at]}{part}\n{indent}{text[at:]}"


def _spliced(text: str, node: yaml.Node, new: str) -> str:
    return text[: node.start_mark.index] + new + text[node.end_mark.index :]


def scalar(value: str) -> str:
    """A value as text that YAML gives back as it is, wherever it stands."""
    plain = value and all(letter.isalnum() or letter in "+-._/:@" for letter in value)
    if plain and value[0] not in "-:@" and ": " not in value and not value.endswith(":"):
        return value
    if value and value[0] == "-" and value[1:2].isdigit() and plain:
        return value
    escaped = value.replace("'", "''")
    return f"'{escaped}'"


def insert_entry(text: str, steps: Sequence[Step], lines: Sequence[str]) -> str:
    """The text with one more entry in the list that the steps lead to, before its first. Raises CannotEditError.

    `lines` are those of the entry in block style, without the dash and its indentation.
    """
    node = _composed(text)
    for step in steps:
        node = _inside(node, step)
    if not isinstance(node, yaml.SequenceNode) or node.flow_style or not node.value:
        raise CannotEditError(f"there is no place for another entry of {steps[-1]}")
    at = text.rfind("\n", 0, node.value[0].start_mark.index) + 1
    dash = text[at : node.value[0].start_mark.index]
    if dash.strip() != "-":
        raise CannotEditError(f"there is no place for another entry of {steps[-1]}")
    entry = "".join(f"{' ' * len(dash) if number else dash}{line}\n" for number, line in enumerate(lines))
    return text[:at] + entry + text[at:]
