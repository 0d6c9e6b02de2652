"""Trees from YAML files that people write: every value is text until the schema says what it is.

So `7.470`, `on` and `0123` mean what the model makes of them, not what YAML would. Names and identities may go
without their module where only one fits. The line of every node is kept, for errors that are found later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from sdqkd.errors import InputError, InputErrors, RpcError
from sdqkd.schema import problems
from sdqkd.schema.elements import leaf_reader
from sdqkd.schema.path import format_path
from sdqkd.schema.table import Schema, SchemaNode, Type
from sdqkd.schema.tree import EMPTY, Container, Entries, Node, Path, is_void

MAX_DEPTH = 100
# Nodes that aliases may repeat in all, so that a short file cannot stand for a huge one.
MAX_REPEATED = 100_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A file as a tree, and the line (from 1) of each node by its instance path."""

    tree: Container
    lines: Mapping[str, int] = field(repr=False)


def read_yaml(schema: Schema, text: str, file: str) -> YamlDocument:
    """Read the text of `file`, which names it in errors.

    Raises InputError, InputErrors if several things are wrong: broken YAML, more than one document, a key
    that is given twice, an unknown name, a value that its leaf does not take. Aliases that make a huge file of a
    short one end the reading: they are then the only thing that is told.
    """
    root = _compose(text, file)
    if root is None:
        raise InputError("the file is empty", file)
    reader = _Reader(schema, file)
    tree = reader.container(schema.data, root, ())
    if reader.errors:
        reader.errors.sort(key=lambda error: error.line or 0)
        raise reader.errors[0] if len(reader.errors) == 1 else InputErrors(reader.errors)
    return YamlDocument(tree, reader.lines)


def _compose(text: str, file: str) -> yaml.Node | None:
    try:
        _refuse_depth(text, file)
        node: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = "; ".join(part for part in (error.context, error.problem) if part)
        raise InputError(f"not YAML: {what}", file, mark.line + 1 if mark else None) from error
    except yaml.YAMLError as error:
        raise InputError(f"not YAML: {str(error).splitlines()[0]}", file) from error
    return node


def _refuse_depth(text: str, file: str) -> None:
    # Composing recurses, in C too; events come one by one.
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise InputError("nested too deeply", file, _line(event))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Reader:
    """Reads one file. A mistake is noted and what it spoils is left out, so that all are told at once."""

    def __init__(self, schema: Schema, file: str) -> None:
        self.schema = schema
        self.file = file
        self.errors: list[InputError] = []
        self.lines: dict[str, int] = {}
        self._seen: set[int] = set()
        self._repeated = 0

    def container(self, known: Mapping[str, SchemaNode], source: yaml.Node, path: Path) -> Container:
        self._place(source, path)
        if _is_nothing(source):
            return EMPTY
        if not isinstance(source, yaml.MappingNode):
            self._note(source, path, f"{_name(path)} holds names with values here, such as `name: value`")
            return EMPTY
        found: dict[str, Node] = {}
        chosen: dict[SchemaNode, yaml.Node] = {}
        for key, value in source.value:
            node = self._named(known, key, path)
            if node is None:
                continue
            below: Path = (*path, node.member)
            if node.member in found:
                self._note(key, below, f"{node.name} is given twice")
                continue
            if node.choice:
                chosen[node] = key
            child = self._child(node, value, below)
            self.lines[format_path(below, self.schema)] = _line(key)
            if child is not None and not is_void(node, child):
                found[node.member] = child
        if len(chosen) > 1 and (pair := problems.first_conflict(chosen)):
            self._refuse(chosen[pair[1]], problems.two_cases(self.schema, (*path, pair[1].member), *pair))
        return Container(found)

    def _named(self, known: Mapping[str, SchemaNode], key: yaml.Node, path: Path) -> SchemaNode | None:
        """The node that a key of a mapping names; None, and a note, if there is none."""
        if not isinstance(key, yaml.ScalarNode):
            self._note(key, path, "a name belongs before the colon, and no list or mapping")
            return None
        name = key.value
        nodes = [known[name]] if name in known else [node for node in known.values() if node.name == name]
        if len(nodes) == 1 and nodes[0].config:
            return nodes[0]
        if len(nodes) == 1:
            self._refuse(key, problems.is_state(self.schema, (*path, nodes[0].member), nodes[0]))
        elif nodes:
            self._note(key, path, f"'{name}' may be {' or '.join(node.member for node in nodes)}: name one")
        elif name == "<<":
            self._note(key, path, "merge keys (<<) are not supported; repeat the values")
        else:
            self._refuse(key, problems.unknown_element(self.schema, path, name, known))
        return None

    def _child(self, node: SchemaNode, source: yaml.Node, path: Path) -> Node | None:
        self._count(source)
        if node.kind == "container":
            return self.container(node.children, source, path)
        if node.kind in {"list", "leaf-list"}:
            if _is_nothing(source):
                return None
            if not isinstance(source, yaml.SequenceNode):
                self._note(source, path, f"{node.name} is a list: write each item on a line with `- ` before it")
                return None
            read = self._entries if node.kind == "list" else self._values
            return read(node, source.value, path)
        return self._leaf(node, source, path)

    def _entries(self, node: SchemaNode, items: list[yaml.Node], path: Path) -> Entries:
        entries: dict[tuple[str, ...], Container] = {}
        first_lines: dict[tuple[str, ...], int] = {}
        for item in items:
            self._count(item)
            keys = self._keys(node, item, path)
            if keys is None:
                continue
            place: Path = (*path[:-1], (node.member, keys))
            if keys in entries:
                shown = f"{node.name} {' '.join(keys)}"
                self._note(item, place, f"{shown} is given twice, first in line {first_lines[keys]}")
                continue
            first_lines[keys] = _line(item)
            entry = self.container(node.children, item, place)
            entries[keys] = Container({**dict(zip(node.keys, keys, strict=True)), **entry.children})
        return Entries(entries)

    def _keys(self, node: SchemaNode, item: yaml.Node, path: Path) -> tuple[str, ...] | None:
        if not isinstance(item, yaml.MappingNode):
            self._note(item, path, f"an entry of {node.name} needs its names: `- {node.keys[0]}: …`")
            return None
        given = {key.value: value for key, value in item.value if isinstance(key, yaml.ScalarNode)}
        keys = []
        for key in node.keys:
            source = given.get(key, given.get(f"{node.module}:{key}"))
            if source is None:
                self._refuse(item, problems.missing_key(self.schema, path[:-1], node, key))
                return None
            value = self._leaf(node.children[key], source, (*path, key))
            if value is None:
                return None
            keys.append(value)
        return tuple(keys)

    def _values(self, node: SchemaNode, items: list[yaml.Node], path: Path) -> tuple[str, ...]:
        values: dict[str, None] = {}
        for item in items:
            self._count(item)
            value = self._leaf(node, item, path)
            if value is None:
                continue
            place: Path = (*path[:-1], (node.member, (value,)))
            if value in values:
                self._refuse(item, problems.given_twice(self.schema, place, node))
            values[value] = None
            self._place(item, place)
        return tuple(values)

    def _leaf(self, node: SchemaNode, source: yaml.Node, path: Path) -> str | None:
        if not isinstance(source, yaml.ScalarNode):
            self._note(source, path, f"{node.name} takes one value")
            return None
        assert node.type is not None
        if _is_nothing(source) and node.type.base != "empty":
            self._note(source, path, f"{node.name} has no value")
            return None
        try:
            return _canonical(node, source.value)
        except ValueError as error:
            self._note(source, path, str(error))
            return None

    def _count(self, source: yaml.Node) -> None:
        """Raise InputError once aliases have repeated too many nodes."""
        self._repeated += id(source) in self._seen
        self._seen.add(id(source))
        if self._repeated > MAX_REPEATED:
            raise InputError("aliases repeat too much", self.file, _line(source))

    def _place(self, source: yaml.Node, path: Path) -> None:
        self.lines.setdefault(format_path(path, self.schema), _line(source))

    def _note(self, source: yaml.Node, path: Path, message: str) -> None:
        self.errors.append(InputError(message, self.file, _line(source), format_path(path, self.schema)))

    def _refuse(self, source: yaml.Node, error: RpcError) -> None:
        self.errors.append(InputError(error.message, self.file, _line(source), error.path))


def _line(source: yaml.Node | yaml.Event) -> int:
    return source.start_mark.line + 1 if source.start_mark else 0


def _is_nothing(source: yaml.Node) -> bool:
    """True for a value that is not there at all; quotes around nothing are an empty text."""
    return isinstance(source, yaml.ScalarNode) and source.value == "" and not source.style


def _name(path: Path) -> str:
    if not path:
        return "the file"
    name = path[-1] if isinstance(path[-1], str) else path[-1][0]
    return name.rpartition(":")[2]


def _canonical(node: SchemaNode, text: str) -> str:
    """The canonical value; an identity's module may be left out if only one identity has that name."""
    assert node.type is not None
    convert, _ = leaf_reader(node)
    try:
        return convert(text, lambda prefix: prefix or node.module)
    except ValueError:
        found = [identity for identity in _identities(node.type) if identity.endswith(f":{text.strip()}")]
        if len(found) != 1:
            raise
        return convert(found[0], lambda prefix: prefix)


def _identities(leaf_type: Type) -> frozenset[str]:
    if leaf_type.target is not None:
        return _identities(leaf_type.target)
    return leaf_type.identities.union(*map(_identities, leaf_type.types))
