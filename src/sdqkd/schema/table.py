"""The compiled schema of one kind of device: what `tools/compile_models.py` made of the YANG modules.

A schema is a tree of `SchemaNode`, one for each data node that a device of the *model set* knows, with
its type resolved. Choices and cases are not nodes: their children stand in the parent and name them.
Nothing here changes after loading.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from sdqkd.errors import ModelError

BINDINGS_PACKAGE = "sdqkd_bindings"
# A typedef of RFC 8341: a string for YANG, but its prefixes mean modules as in an instance-identifier.
NODE_INSTANCE = "node-instance-identifier"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A `pattern` statement: an XSD regular expression over the whole text; `invert` is RFC 7950 9.4.6."""

    regex: str
    invert: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """An XPath expression of a model: a `when`, a `must`, the path of a leafref.

    `module` is that of names without a prefix, `prefixes` gives the modules of the others; `above` says that
    the expression starts at the parent and not at the node itself.
    """

    xpath: str
    module: str
    prefixes: Mapping[str, str] = field(default_factory=dict)
    above: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Type:
    """The type of a leaf, resolved through its typedefs (RFC 7950 section 9).

    `base` is the built-in type, `name` the outermost typedef. `range` and `length` are inclusive pairs of
    texts; `identities` are all `module:NAME` that an identityref admits; `target` is what a leafref takes, whose
    `reference` leads there; `enum_values` are the numbers of `enums`.
    """

    base: str
    name: str = ""
    fraction_digits: int = 0
    range: tuple[tuple[str, str], ...] = ()
    length: tuple[tuple[str, str], ...] = ()
    patterns: tuple[Pattern, ...] = ()
    enums: tuple[str, ...] = ()
    enum_values: tuple[int, ...] = ()
    bits: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    identities: frozenset[str] = frozenset()
    types: tuple[Type, ...] = ()
    path: str = ""
    reference: Expression | None = None
    target: Type | None = None
    require_instance: bool = True


@dataclass(slots=True, eq=False, repr=False)
class SchemaNode:
    """One data node (or notification, action, RPC input or output) of a schema.

    `member` is the name under which the parent holds it (RFC 7951: `module:name` where the module differs
    from the parent's), `tag` its XML name as lxml writes it. `children` are data nodes in schema order,
    `by_tag` the same by XML name; `operations` are actions and nested notifications. `choice` names the
    choices and cases that the node lies in, outermost first, each as `choice/case`; `default_cases` gives the
    default case of choices among the children, by the choice's name (an inner one's is `outer/case/inner`).
    `whens` must all hold for an instance to exist. A `max` of None is no limit. `nacm` is `default-deny-all` or
    `default-deny-write` where the model says so (RFC 8341).
    """

    kind: str
    module: str
    name: str
    member: str
    tag: str
    parent: SchemaNode | None
    config: bool = True
    children: dict[str, SchemaNode] = field(default_factory=dict)
    by_tag: dict[str, SchemaNode] = field(default_factory=dict)
    operations: dict[str, SchemaNode] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    user_ordered: bool = False
    min: int = 0
    max: int | None = None
    presence: bool = False
    mandatory: bool = False
    default: tuple[str, ...] = ()
    choice: tuple[str, ...] = ()
    whens: tuple[Expression, ...] = ()
    musts: tuple[Expression, ...] = ()
    default_cases: Mapping[str, str] = field(default_factory=dict)
    units: str = ""
    type: Type | None = None
    nacm: str = ""

    def __repr__(self) -> str:
        return f"<SchemaNode {self.schema_path}>"

    @property
    def has_when(self) -> bool:
        """True if there are conditions on its existence."""
        return bool(self.whens)

    @property
    def namespace(self) -> str:
        """The XML namespace of the node's module."""
        return self.tag[1:].partition("}")[0]

    @property
    def schema_path(self) -> str:
        """The path without keys, `/module:name/name/…`, for messages and tables."""
        above = self.parent.schema_path if self.parent is not None else ""
        return f"{above}/{self.member}"


@dataclass(frozen=True, slots=True)
class SubmoduleInfo:
    """A part of a module in a file of its own, given as in `ModuleInfo`."""

    name: str
    revision: str
    file: str


@dataclass(frozen=True, slots=True)
class ModuleInfo:
    """One YANG module of a model set. `file` is relative to `yang/`, "" if the module comes with pyang."""

    name: str
    revision: str
    namespace: str
    prefix: str
    file: str
    implemented: bool
    features: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()
    yang_version: str = "1"
    submodules: tuple[SubmoduleInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class Rpc:
    """An RPC of a model: `input` and `output` hold the parameters as children; `nacm` as in `SchemaNode`."""

    name: str
    input: SchemaNode
    output: SchemaNode
    nacm: str = ""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Schema:
    """Everything that a device of one model set knows. `model_dirs` are where its modules are found."""

    name: str
    modules: tuple[ModuleInfo, ...]
    identities: Mapping[str, tuple[str, ...]]
    data: Mapping[str, SchemaNode]
    by_tag: Mapping[str, SchemaNode]
    rpcs: Mapping[str, Rpc]
    notifications: Mapping[str, SchemaNode]
    model_dirs: tuple[FilePath, ...] = ()
    default_cases: Mapping[str, str] = field(default_factory=dict)
    _namespaces: Mapping[str, str] = field(default_factory=dict)
    _modules: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Schema {self.name}>"

    def namespace_of(self, module: str) -> str:
        """The XML namespace of a module; KeyError if the set does not have it."""
        return self._namespaces[module]

    def module_of(self, namespace: str) -> str | None:
        """The module whose XML namespace this is, None if the set has none."""
        return self._modules.get(namespace)

    def node(self, path: Iterable[str | tuple[str, tuple[str, ...]]]) -> SchemaNode:
        """The schema node of a path or of a sequence of member names; KeyError if there is none."""
        node: SchemaNode | None = None
        for step in path:
            name = step if isinstance(step, str) else step[0]
            node = (self.data if node is None else node.children)[name]
        if node is None:
            raise KeyError("/")
        return node


@functools.cache
def load(set_name: str, *, alone: bool = False) -> Schema:
    """The schema of a model set, such as `qkd-node`, with the sets that it includes unless `alone`.

    A device's set includes what every agent implements: the whole is what a client meets. Raises ModelError if
    the set was not compiled.
    """
    with _readable():
        table = json.loads(_compiled(set_name))
        for included in () if alone else table.get("include", ()):
            table = _joined(table, json.loads(_compiled(included)))
        return _Reader(table).schema((model_dir(),))


def set_names() -> tuple[str, ...]:
    """The model sets that were compiled, in the order of the alphabet."""
    return tuple(sorted(file.stem for folder in _table_dirs() for file in folder.glob("*.json")))


def _compiled(set_name: str) -> str:
    for folder in _table_dirs():
        file = folder / f"{set_name}.json"
        if file.is_file():
            return file.read_text("utf-8")
    raise ModelError(f"no compiled schema for the model set '{set_name}': run `make bindings` or reinstall")


def model_dir() -> FilePath:
    """The folder of our YANG modules: package data when installed, `yang/` in a checkout."""
    package = FilePath(__file__).resolve().parent.parent
    for folder in (package / "yang", package.parent.parent / "yang"):
        if folder.is_dir():
            return folder
    raise ModelError("the folder of YANG modules is missing: reinstall sdqkd")


def _table_dirs() -> list[FilePath]:
    # Not imported: its __init__ may need pyangbind, which the program itself does not.
    spec = importlib.util.find_spec(BINDINGS_PACKAGE)
    return [FilePath(folder) / "schema" for folder in (spec.submodule_search_locations or ())] if spec else []


def read_table(text: str, model_dirs: Sequence[FilePath] = ()) -> Schema:
    """Read a compiled table (JSON text) by itself, without the sets that it includes.

    `model_dirs` are searched for YANG modules when libyang loads them. Raises ModelError if the text is not
    such a table.
    """
    with _readable():
        return _Reader(json.loads(text)).schema(tuple(model_dirs))


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"not a compiled schema table: {error!r}; compile the models again") from error


def _joined(table: Mapping[str, Any], included: Mapping[str, Any]) -> dict[str, Any]:
    """Both tables as one. No module is implemented in both, but what one imports the other may implement."""
    modules = {module["name"]: module for module in table["modules"]}
    for module in included["modules"]:
        if module["implemented"] or module["name"] not in modules:
            modules[module["name"]] = module
    parts = ("identities", "data", "default-cases", "rpcs", "notifications")
    joined = {part: {**table.get(part, {}), **included.get(part, {})} for part in parts}
    return {**table, **joined, "modules": list(modules.values())}


class _Reader:
    """Builds one `Schema` from the decoded table."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.table = table
        self.namespaces = {module["name"]: module["namespace"] for module in table["modules"]}
        self.derived: dict[str, set[str]] = {}
        for identity, ancestors in table["identities"].items():
            for ancestor in ancestors:
                self.derived.setdefault(ancestor, set()).add(identity)

    def schema(self, model_dirs: tuple[FilePath, ...]) -> Schema:
        table = self.table
        data = self._children(table["data"], None)
        return Schema(
            name=table["set"],
            modules=tuple(_module(row) for row in table["modules"]),
            identities={name: tuple(above) for name, above in table["identities"].items()},
            data=data,
            by_tag={node.tag: node for node in data.values()},
            rpcs={name: self._rpc(name, row) for name, row in table.get("rpcs", {}).items()},
            notifications=self._children(table.get("notifications", {}), None),
            model_dirs=model_dirs,
            default_cases=table.get("default-cases", {}),
            _namespaces=self.namespaces,
            _modules={namespace: name for name, namespace in self.namespaces.items()},
        )

    def _rpc(self, member: str, row: Mapping[str, Any]) -> Rpc:
        module, _, name = member.partition(":")
        parts = [self._parameters(kind, module, row.get(kind, {}), None) for kind in ("input", "output")]
        return Rpc(name, parts[0], parts[1], row.get("nacm", ""))

    def _parameters(
        self, kind: str, module: str, rows: Mapping[str, Any], parent: SchemaNode | None
    ) -> SchemaNode:
        tag = f"{{{self.namespaces[module]}}}{kind}"
        return self._filled(SchemaNode(kind, module, kind, kind, tag, parent, config=False), rows)

    def _children(self, rows: Mapping[str, Any], parent: SchemaNode | None) -> dict[str, SchemaNode]:
        return {member: self._node(member, row, parent) for member, row in rows.items()}

    def _node(self, member: str, row: Mapping[str, Any], parent: SchemaNode | None) -> SchemaNode:
        name = member.rpartition(":")[2]
        module = row["module"]
        node = SchemaNode(
            kind=row["kind"],
            module=module,
            name=name,
            member=member,
            tag=f"{{{self.namespaces[module]}}}{name}",
            parent=parent,
            config=row.get("config", False),
            keys=tuple(row.get("keys", ())),
            unique=tuple(tuple(names) for names in row.get("unique", ())),
            user_ordered=row.get("user-ordered", False),
            min=row.get("min", 0),
            max=row.get("max"),
            presence=row.get("presence", False),
            mandatory=row.get("mandatory", False),
            default=tuple(row.get("default", ())),
            choice=tuple(row.get("choice", ())),
            whens=tuple(_expression(condition) for condition in row.get("when", ())),
            musts=tuple(_expression(condition) for condition in row.get("must", ())),
            default_cases=row.get("default-cases", {}),
            units=row.get("units", ""),
            type=self._type(row["type"]) if "type" in row else None,
            nacm=row.get("nacm", ""),
        )
        # RFC 7950 section 7.15: an action has both, whether or not the model says so.
        for kind in ("input", "output") if node.kind == "action" else ():
            node.operations[kind] = self._parameters(kind, module, row.get(kind, {}), node)
        return self._filled(node, row.get("children", {}))

    def _filled(self, node: SchemaNode, rows: Mapping[str, Any]) -> SchemaNode:
        for member, child in self._children(rows, node).items():
            if child.kind in {"action", "notification"}:
                node.operations[member] = child
            else:
                node.children[member] = child
                node.by_tag[child.tag] = child
        return node

    def _type(self, row: Mapping[str, Any]) -> Type:
        bases = tuple(row.get("bases", ()))
        admitted = [self.derived.get(base, set()) for base in bases]
        return Type(
            base="instance-identifier" if row.get("name") == NODE_INSTANCE else row["base"],
            name=row.get("name", ""),
            fraction_digits=row.get("fraction-digits", 0),
            range=tuple((low, high) for low, high in row.get("range", ())),
            length=tuple((low, high) for low, high in row.get("length", ())),
            patterns=tuple(Pattern(p["regex"], p.get("invert", False)) for p in row.get("patterns", ())),
            enums=tuple(row.get("enums", ())),
            enum_values=tuple(row.get("enum-values", range(len(row.get("enums", ()))))),
            bits=tuple(row.get("bits", ())),
            bases=bases,
            # RFC 7950 9.10.2: derived from *all* the bases.
            identities=frozenset(set.intersection(*admitted)) if admitted else frozenset(),
            types=tuple(self._type(member) for member in row.get("types", ())),
            path=row.get("path", ""),
            reference=_expression(row["reference"]) if "reference" in row else None,
            target=self._type(row["target"]) if "target" in row else None,
            require_instance=row.get("require-instance", True),
        )


def _expression(row: Mapping[str, Any]) -> Expression:
    return Expression(row["xpath"], row["module"], row.get("prefixes", {}), row.get("above", False))


def _module(row: Mapping[str, Any]) -> ModuleInfo:
    return ModuleInfo(
        name=row["name"],
        revision=row.get("revision", ""),
        namespace=row["namespace"],
        prefix=row["prefix"],
        file=row.get("file", ""),
        implemented=row.get("implemented", False),
        features=tuple(row.get("features", ())),
        deviations=tuple(row.get("deviations", ())),
        yang_version=row.get("yang-version", "1"),
        submodules=tuple(SubmoduleInfo(**part) for part in row.get("submodules", ())),
    )
