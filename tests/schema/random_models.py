"""Random YANG modules full of constraints, and random edits of trees of them.

Names are short and values few, so that references meet, keys collide and conditions come true now and then.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tools.yang_compiler.load import load
from tools.yang_compiler.sets import ModelSet
from tools.yang_compiler.table import write_table

from sdqkd.errors import ModelError
from sdqkd.schema.table import Schema, SchemaNode, read_table
from sdqkd.schema.tree import Container, Entries, Node, is_void
from sdqkd.schema.types import member_type
from sdqkd.schema.validate import Validator

_HEAD = 'module rnd { yang-version 1.1; namespace "urn:rnd"; prefix r; revision 2026-11-23;\n'
_VALUES = ["a", "b", "c"]
_MAX_DEPTH = 4


@dataclass(eq=False)
class Wanted:
    """A node of a module to be written. `choice` is the choice and the case that it stands in.

    `compared` says that it must be unique.
    """

    kind: str
    name: str
    parent: Wanted | None
    children: list[Wanted] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    choice: tuple[str, str] | None = None
    compared: bool = False

    @property
    def is_conditional(self) -> bool:
        return any(statement.startswith("when") for statement in self.statements)

    @property
    def is_implied(self) -> bool:
        """Whether it is a container that is there without being given."""
        return self.kind == "container" and not any(one.startswith("presence") for one in self.statements)

    def chain(self) -> list[Wanted]:
        """From the top to this node."""
        return [*(self.parent.chain() if self.parent and self.parent.kind != "module" else ()), self]


@functools.lru_cache(maxsize=8)
def random_schema(seed: int) -> Schema | None:
    """A schema that libyang takes; None if this seed gives none."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            schema = compile_module(random_module(Random(seed)), Path(folder))
            Validator(schema)
        except (ModelError, RecursionError):  # the latter of pyang, for references in circles
            return None
        return schema


def random_module(rng: Random) -> str:
    """The text of a module. It may be one that no compiler takes."""
    root = Wanted("module", "rnd", None)
    nodes: list[Wanted] = []
    _fill(root, rng, 0, nodes)
    for at, node in enumerate(nodes):
        # A condition looks only at nodes that were there before it, so that conditions make no circle.
        _constrain(node, rng, nodes[: max(1, at)], nodes)
    return _HEAD + "\n".join(_written(root)) + "\n}\n"


def compile_module(text: str, folder: Path) -> Schema:
    """Compile it as the project's own models are. Raises ModelError."""
    (folder / "rnd.yang").write_text(text, "utf-8")
    return read_table(write_table(load(ModelSet("rnd", ("rnd",)), folder)), (folder,))


def _fill(parent: Wanted, rng: Random, depth: int, nodes: list[Wanted]) -> None:
    kinds = ["leaf", "leaf", "leaf", "leaf-list"]
    if depth < _MAX_DEPTH:
        kinds += ["container", "list", "list"]
    if depth == 0:
        kinds = ["container", "container", "list"]
    for _ in range(rng.randint(1, 2) if depth == 0 else rng.randint(1, 4)):
        node = Wanted(rng.choice(kinds), f"n{len(nodes)}", parent)
        parent.children.append(node)
        nodes.append(node)
        if parent.kind != "module" and rng.random() < 0.2:
            node.choice = (f"ch{rng.randrange(2)}", f"cs{rng.randrange(2)}")
        if node.kind == "list":
            key = Wanted("leaf", f"n{len(nodes)}", node, statements=[_type(rng)])
            node.children.append(key)
            nodes.append(key)
            node.statements.append(f"key {key.name};")
        if node.kind in {"container", "list"}:
            _fill(node, rng, depth + 1, nodes)


def _type(rng: Random) -> str:
    return rng.choice(
        [
            "type enumeration { enum a; enum b; enum c; }",
            "type enumeration { enum a; enum b; enum c; }",
            'type uint8 { range "0..3"; }',
            "type boolean;",
        ]
    )


def _constrain(node: Wanted, rng: Random, before: list[Wanted], nodes: list[Wanted]) -> None:
    is_key = node.parent is not None and f"key {node.name};" in node.parent.statements
    if node.kind in {"leaf", "leaf-list"} and not node.statements:
        leafs = [other for other in nodes if other.kind == "leaf" and other is not node]
        if leafs and rng.random() < 0.25:
            require = "" if rng.random() < 0.9 else " require-instance false;"
            node.statements.append(f'type leafref {{ path "{_leafref(node, rng.choice(leafs), rng)}";{require} }}')
        else:
            node.statements.append(_type(rng))
    implied_in_vain = node.kind == "container" and _may_go_with_its_parent(node)
    if not is_key and rng.random() < 0.15 and not implied_in_vain:
        node.statements.append(f'when "{_truth(node, rng, before)}";')
    if rng.random() < 0.12:
        node.statements.append(f'must "{_truth(node, rng, nodes)}";')
    if not is_key:
        _EXTRAS[node.kind](node, rng)


def _of_leaf(node: Wanted, rng: Random) -> None:
    if rng.random() < 0.06:
        node.statements.append("mandatory true;")
    elif rng.random() < 0.25 and not _crashes_libyang(node):
        values = {"enumeration": _VALUES, "uint8": ["0", "1", "2"], "boolean": ["true", "false"]}
        kind = node.statements[0].split()[1].rstrip(";")
        if kind in values:
            node.statements.append(f"default {rng.choice(values[kind])};")


def _crashes_libyang(node: Wanted) -> bool:
    """A unique leaf with a default that is not always there, or a conditional one in what may go."""
    if node.is_conditional and _may_go_with_its_parent(node):
        return True
    return node.compared and (node.is_conditional or node.choice is not None or node.parent.kind == "container")


def _may_go_with_its_parent(node: Wanted) -> bool:
    """Whether containers that libyang adds, and takes away if their condition is false, are around the node.

    Were it conditional too and added with them, libyang would free it and judge its condition later: it crashed on
    one model in two thousand. No model of ours is like that: see `test_no_model_has_what_crashes_libyang`.
    """
    above = node.parent
    while above is not None and above.is_implied:
        if above.is_conditional:
            return True
        above = above.parent
    return False


def _of_leaf_list(node: Wanted, rng: Random) -> None:
    _limit(node, rng)
    if rng.random() < 0.4:
        node.statements.append("ordered-by user;")


def _of_list(node: Wanted, rng: Random) -> None:
    _limit(node, rng)
    if rng.random() < 0.4:
        node.statements.append("ordered-by user;")
    leafs = [child for child in node.children[1:] if child.kind == "leaf"]
    boxes = [child for child in node.children if child.kind == "container"]
    leafs += [leaf for box in boxes for leaf in box.children if leaf.kind == "leaf"]
    if leafs and rng.random() < 0.5:
        chosen = leafs[: rng.choice([1, 1, 2])]
        for leaf in chosen:
            leaf.compared = True
        names = [leaf.name if leaf.parent is node else f"{leaf.parent.name}/{leaf.name}" for leaf in chosen]
        node.statements.append(f'unique "{" ".join(names)}";')


def _of_container(node: Wanted, rng: Random) -> None:
    if rng.random() < 0.35:
        node.statements.append('presence "it is there";')


def _limit(node: Wanted, rng: Random) -> None:
    if rng.random() < 0.12:
        node.statements.append("max-elements 2;")
    elif rng.random() < 0.05:
        node.statements.append("min-elements 1;")


_EXTRAS: Mapping[str, Callable[[Wanted, Random], None]] = {
    "leaf": _of_leaf,
    "leaf-list": _of_leaf_list,
    "list": _of_list,
    "container": _of_container,
}


def _leafref(node: Wanted, to: Wanted, rng: Random) -> str:
    return _absolute(to, "r:") if rng.random() < 0.5 else _relative(node, to)


def _absolute(to: Wanted, prefix: str = "") -> str:
    return "".join(f"/{prefix}{node.name}" for node in to.chain())


def _relative(start: Wanted, to: Wanted) -> str:
    here, there = start.chain(), to.chain()
    common = 0
    while common < min(len(here), len(there)) - 1 and here[common] is there[common]:
        common += 1
    return "/".join([*[".."] * (len(here) - common), *(node.name for node in there[common:])])


def _path(start: Wanted, nodes: list[Wanted], rng: Random) -> str:
    to = rng.choice(nodes)
    style = rng.random()
    if style < 0.04:
        return f"//r:{to.name}"
    path = _absolute(to, rng.choice(["", "r:"])) if style < 0.3 else _relative(start, to)
    if to.kind == "list" and rng.random() < 0.6:
        leafs = [child for child in to.children if child.kind == "leaf"]
        chosen = rng.choice(leafs)
        value = rng.choice(["'a'", "1", f"current()/{_relative(start, rng.choice(nodes))}"])
        path += f"[{chosen.name} = {value}]"
        if rng.random() < 0.4:
            path += f"/{rng.choice(to.children).name}"
    if rng.random() < 0.03:
        # Not up to the root: libyang crashes on some expressions that take its value.
        path += rng.choice(["/*", "/node()", "" if to.parent.kind == "module" else "/.."])
    return path


def _truth(node: Wanted, rng: Random, nodes: list[Wanted]) -> str:
    def one() -> str:
        a = _path(node, nodes, rng)
        b = _path(node, nodes, rng)
        return rng.choice(
            [
                f"{a}",
                f"not({a})",
                f"{a} = 'a'",
                f"{a} != 'b'",
                f"{a} = {b}",
                f"not({a} = {b})",
                f"count({a}) < 2",
                f"count({a}) <= count({b})",
                f"sum({a}) < 4",
                f"string-length({a}) < 2",
                f"starts-with({a}, 'a')",
                f"string({a}) != 'c'",
                f"boolean({a}) or not({b})",
                f"count({a}[1]) < 2",
            ]
        )

    return one() if rng.random() < 0.7 else f"{one()} {rng.choice(['and', 'or'])} {one()}"


def _written(node: Wanted) -> Iterator[str]:
    loose = [child for child in node.children if child.choice is None]
    for child in loose:
        yield from _one(child)
    for choice in dict.fromkeys(child.choice[0] for child in node.children if child.choice):
        inside = [child for child in node.children if child.choice and child.choice[0] == choice]
        cases = list(dict.fromkeys(child.choice[1] for child in inside if child.choice))
        marks = [f"default {cases[0]};", "mandatory true;", "", ""]
        yield f"choice {choice} {{ {marks[len(inside) % 4]}"
        for case in cases:
            yield f"case {case} {{"
            for child in inside:
                if child.choice == (choice, case):
                    yield from _one(child)
            yield "}"
        yield "}"


def _one(node: Wanted) -> Iterator[str]:
    yield f"{node.kind} {node.name} {{ {' '.join(node.statements)}"
    yield from _written(node)
    yield "}"


def edited(known: Mapping[str, SchemaNode], tree: Container, rng: Random, keys: tuple[str, ...] = ()) -> Container:
    """The container after one random edit somewhere in it: something set, added, emptied or deleted."""
    free = [node for name, node in known.items() if name not in keys]
    if not free:
        return tree
    node = rng.choice(free)
    old = tree.children.get(node.member)
    new: Node | None
    if old is not None and rng.random() < 0.2:
        new = None
    elif node.kind == "leaf":
        new = _value(node, rng)
    elif node.kind == "leaf-list":
        new = tuple(dict.fromkeys(_value(node, rng) for _ in range(rng.randrange(3))))
    elif node.kind == "container":
        new = edited(node.children, old if isinstance(old, Container) else Container({}), rng)
    else:
        new = _edited_list(node, old if isinstance(old, Entries) else Entries({}), rng)
    children = {member: child for member, child in tree.children.items() if member != node.member}
    if new is not None and not is_void(node, new):
        # One case of a choice excludes the others.
        children = {m: child for m, child in children.items() if not _excludes(node, known[m])}
        children[node.member] = new
    # In a fixed order, so that keys stay first.
    return Container({member: children[member] for member in known if member in children})


def _excludes(node: SchemaNode, other: SchemaNode) -> bool:
    for mine, its in zip(node.choice, other.choice, strict=False):
        if mine.partition("/")[0] != its.partition("/")[0]:
            return False
        if mine != its:
            return True
    return False


def _edited_list(node: SchemaNode, old: Entries, rng: Random) -> Entries:
    entries = dict(old.entries)
    if entries and rng.random() < 0.2:
        del entries[rng.choice(list(entries))]
        return Entries(entries)
    keys = tuple(_value(node.children[key], rng) for key in node.keys)
    if entries and rng.random() < 0.5:
        keys = rng.choice(list(entries))
    entry = entries.get(keys, Container(dict(zip(node.keys, keys, strict=True))))
    for _ in range(rng.randint(0, 2)):
        entry = edited(node.children, entry, rng, node.keys)
    entries[keys] = entry
    if node.user_ordered and rng.random() < 0.3:
        order = list(entries)
        rng.shuffle(order)
        entries = {key: entries[key] for key in order}
    return Entries(entries)


def _value(node: SchemaNode, rng: Random) -> str:
    assert node.type is not None
    leaf_type = member_type(node.type, "")
    if leaf_type.base == "enumeration":
        return rng.choice(leaf_type.enums)
    return rng.choice(["true", "false"]) if leaf_type.base == "boolean" else str(rng.randrange(4))
