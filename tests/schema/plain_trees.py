"""A schema of strings only, so that XPath over it is XPath over its XML; its random trees, random expressions.

Expressions bind the prefixes p and q to the two modules and have no names without a prefix.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

from lxml import etree

from sdqkd.schema.table import read_table
from sdqkd.schema.tree import Container, Entries, Node
from sdqkd.schema.xml import encode
from sdqkd.schema.xpath import Names
from sdqkd.schema.xpath_tree import Document, Place

_NAMESPACES = {"plain": "urn:p", "other": "urn:q"}
_PREFIXES = {"p": "plain", "q": "other"}
NAMES = Names(_PREFIXES)
NAMESPACES = {prefix: _NAMESPACES[module] for prefix, module in _PREFIXES.items()}
_VALUES = ["1", "2", "2.5", "-3", "a", "b", "a b", " a", "ab", "", "é", "<&"]
_AXES = [
    "ancestor", "ancestor-or-self", "attribute", "child", "descendant", "descendant-or-self", "following",
    "following-sibling", "parent", "preceding", "preceding-sibling", "self",
]  # fmt: skip
_LEAFS = ["leaf", "more"]


def _leaf(kind: str = "leaf", module: str = "plain") -> dict[str, Any]:
    return {"kind": kind, "module": module, "config": True, "type": {"base": "string"}}


def _inside(depth: int) -> dict[str, Any]:
    """The children at one level; names repeat from level to level and module to module."""
    found: dict[str, Any] = {"leaf": _leaf(), "more": _leaf("leaf-list"), "other:leaf": _leaf("leaf", "other")}
    if depth:
        inside = _inside(depth - 1)
        node = {"module": "plain", "config": True}
        found["box"] = {**node, "kind": "container", "children": inside}
        found["row"] = {**node, "kind": "list", "keys": ["key"], "children": {"key": _leaf(), **inside}}
        found["pair"] = {
            **node, "kind": "list", "keys": ["key", "leaf"], "children": {"key": _leaf(), **_inside(0)}
        }  # fmt: skip
    return found


def _module(name: str) -> dict[str, Any]:
    return {"name": name, "namespace": _NAMESPACES[name], "prefix": name[0], "implemented": True}


_TABLE = {
    "set": "plain",
    "modules": [_module("plain"), _module("other")],
    "identities": {},
    "data": {"plain:box": {"kind": "container", "module": "plain", "config": True, "children": _inside(2)}},
}
PLAIN = read_table(json.dumps(_TABLE))


def plain_tree(rng: Random) -> Container:
    """A random tree with the one top-level container."""
    return Container({"plain:box": Container({**_children(2, rng), "leaf": rng.choice(_VALUES)})})


def _children(depth: int, rng: Random) -> dict[str, Node]:
    found: dict[str, Node] = {name: rng.choice(_VALUES) for name in ("leaf", "other:leaf") if rng.random() < 0.5}
    if rng.random() < 0.5:
        found["more"] = tuple(dict.fromkeys(rng.choices(_VALUES, k=rng.randint(1, 3))))
    if depth and rng.random() < 0.5:
        found["box"] = Container(_children(depth - 1, rng) or {"leaf": "1"})
    for name, keys in (("row", ("key",)), ("pair", ("key", "leaf"))) if depth else ():
        entries = {}
        for _ in range(rng.randrange(4)):
            values = tuple(rng.choice(_VALUES) for _ in keys)
            inside = _children(depth - 1 if name == "row" else 0, rng)
            entries[values] = Container({**inside, **dict(zip(keys, values, strict=True))})
        if entries:
            found[name] = Entries(entries)
    order = rng.sample(list(found), len(found))
    return {name: found[name] for name in order}


def as_xml(tree: Container) -> etree._ElementTree:
    """The tree as lxml has it."""
    return etree.ElementTree(etree.fromstring(encode(PLAIN, tree)))


def elements(document: Document) -> list[Place]:
    """All places but texts and the root, in document order."""
    return [place for place in document.descendants(document.root) if not place.is_text]


class Expressions:
    """Random expressions, right by their form; some cannot be evaluated."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def any(self, depth: int = 3) -> str:
        return self._rng.choice([self.path, self.path, self.boolean, self.number, self.text])(depth)

    def path(self, depth: int) -> str:
        rng = self._rng
        if depth and rng.random() < 0.15:
            return f"({self.path(depth - 1)} | {self.path(depth - 1)}){self._predicates(depth)}"
        start = rng.choice(["", "", "/", "//", ".//", "../"])
        if depth and rng.random() < 0.1:
            start = f"({self.path(depth - 1)}){rng.choice(['/', '//'])}"
        steps = [self._step(depth) for _ in range(rng.choice([1, 1, 2, 2, 3]))]
        return start + "".join(step + rng.choice(["/", "/", "//"]) for step in steps[:-1]) + steps[-1]

    def _step(self, depth: int) -> str:
        rng = self._rng
        if rng.random() < 0.1:
            return rng.choice([".", ".."])
        axis = rng.choice(["", "", "", rng.choice(_AXES) + "::"])
        return axis + self._test() + self._predicates(depth)

    def _test(self) -> str:
        names = ["p:box", "p:row", "p:pair", "p:key", "p:leaf", "p:more", "q:leaf"]
        others = ["*", "p:*", "q:*", "node()", "text()"]
        return self._rng.choice(names if self._rng.random() < 0.75 else others)

    def _predicates(self, depth: int) -> str:
        rng = self._rng
        if not depth:
            return ""
        return "".join(f"[{self._predicate(depth - 1)}]" for _ in range(rng.choice([0, 0, 0, 1, 1, 2])))

    def _predicate(self, depth: int) -> str:
        rng = self._rng
        key = f"p:key = {self.literal()}"
        choices = [
            lambda: key,
            lambda: f"{key} and p:leaf = {self.literal()}",
            lambda: f"{self.literal()} = p:leaf",
            lambda: str(rng.randrange(4)),
            lambda: rng.choice(["last()", "position() = last()", "position() < 3", "last() - 1"]),
            lambda: self.any(depth),
        ]
        return rng.choice(choices)()

    def literal(self) -> str:
        return "'" + self._rng.choice(_VALUES) + "'"

    def boolean(self, depth: int) -> str:
        rng = self._rng
        if not depth:
            return rng.choice(["true()", "false()"])
        left, right = self.any(depth - 1), self.any(depth - 1)
        operator = rng.choice(["=", "!=", "<", "<=", ">", ">=", "or", "and", "="])
        functions = [
            f"not({left})", f"boolean({left})", f"contains({left}, {right})", f"starts-with({left}, {right})"
        ]  # fmt: skip
        return rng.choice([f"({left}) {operator} ({right})", rng.choice(functions)])

    def number(self, depth: int) -> str:
        rng = self._rng
        if not depth:
            return rng.choice(["0", "1", "2", "-1", "2.5", ".5", "1 div 0", "0 div 0"])
        left, right = self.any(depth - 1), self.any(depth - 1)
        functions = [
            f"count({self.path(depth - 1)})", f"sum({self.path(depth - 1)})", f"number({left})", f"floor({left})",
            f"ceiling({left})", f"round({left})", f"string-length({left})", f"- ({left})", "position()", "last()",
            "string-length()", "number()",
        ]  # fmt: skip
        operator = rng.choice(["+", "-", "*", "mod"])  # a third would have more digits than lxml prints
        return rng.choice([f"({left}) {operator} ({right})", rng.choice(functions)])

    def text(self, depth: int) -> str:
        rng = self._rng
        if not depth:
            return self.literal()
        a, b, c = (self.any(depth - 1) for _ in range(3))
        functions = [
            f"string({a})", f"concat({a}, {b})", f"concat({a}, {b}, {c})", f"substring-before({a}, {b})",
            f"substring-after({a}, {b})", f"substring({a}, {b})", f"substring({a}, {b}, {c})",
            f"normalize-space({a})", f"translate({a}, {b}, {c})", f"local-name({self.path(depth - 1)})",
            f"namespace-uri({self.path(depth - 1)})", f"name({self.path(depth - 1)})", "local-name()", "string()",
            "normalize-space()", "namespace-uri()", "name()",
        ]  # fmt: skip
        return rng.choice(functions)
