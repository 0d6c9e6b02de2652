"""Schema nodes: pyang's expanded statements become the NODEs of the table, choices and cases flattened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .conditions import Expression, musts, whens
from .load import LoadedSet, Statement
from .types import canonical_default, compile_type

Node = dict[str, Any]
OPERATIONS = ("rpc", "action")
NACM = "ietf-netconf-acm"


class NodeWriter:
    """Writes the nodes of one loaded set. Nodes of modules that the set only imports are left out."""

    def __init__(self, loaded: LoadedSet) -> None:
        self._context = loaded.context
        self._implemented = {module.arg for module in loaded.modules}

    def members(self, parent: Statement, wanted: Callable[[Statement], bool] = lambda _: True) -> dict[str, Node]:
        """The children of a node, or of a module, by member name."""
        module = None if parent.keyword == "module" else parent.main_module().arg
        found = self._flatten(parent, module, (), ())
        return {
            member(child, module): self._node(child, choice, conditions)
            for child, choice, conditions in found
            if wanted(child)
        }

    def default_cases(self, parent: Statement, module: str | None, above: str = "") -> dict[str, str]:
        """The default case of each choice below a node that has one, by the choice's name (`outer/case/inner`)."""
        found: dict[str, str] = {}
        for choice in parent.i_children:
            if choice.keyword != "choice" or choice.main_module().arg not in self._implemented:
                continue
            name = above + member(choice, module)
            cases = {case.arg: case for case in choice.i_children if case.main_module().arg in self._implemented}
            default = _argument(choice, "default")
            if default is not None and (case := cases.get(default.rpartition(":")[2])):
                found[name] = member(case, module)
            for case in cases.values():
                found |= self.default_cases(case, module, f"{name}/{member(case, module)}/")
        return found

    def operation(self, statement: Statement) -> dict[str, dict[str, Node]]:
        """Input and output of an rpc or action; either may be empty."""
        parts = {child.keyword: child for child in statement.i_children}
        return {name: self.members(parts[name]) if name in parts else {} for name in ("input", "output")}

    def _flatten(
        self, parent: Statement, module: str | None, choice: tuple[str, ...], conditions: tuple[Expression, ...]
    ) -> Iterator[tuple[Statement, tuple[str, ...], tuple[Expression, ...]]]:
        for child in parent.i_children:
            if child.main_module().arg not in self._implemented:
                continue
            when = (*conditions, *whens(child))
            if child.keyword != "choice":
                yield child, choice, when
                continue
            for case in child.i_children:
                inside = (*choice, f"{member(child, module)}/{member(case, module)}")
                yield from self._flatten(case, module, inside, (*when, *whens(case)))

    def _node(self, statement: Statement, choice: tuple[str, ...], conditions: tuple[Expression, ...]) -> Node:
        keyword = statement.keyword
        node: Node = {
            "kind": keyword,
            "module": statement.main_module().arg,
            "config": bool(statement.i_config),
        }
        if keyword in ("leaf", "leaf-list"):
            node |= self._value(statement)
        elif keyword in OPERATIONS:
            node |= self.operation(statement)
        elif keyword == "list":
            node |= _list(statement)
        node["user-ordered"] = _argument(statement, "ordered-by") == "user"
        node["min"] = int(_argument(statement, "min-elements") or 0)
        node["max"] = int((_argument(statement, "max-elements") or "0").replace("unbounded", "0"))
        node["presence"] = statement.search_one("presence") is not None
        node["mandatory"] = _argument(statement, "mandatory") == "true"
        node["choice"] = list(choice)
        node["when"] = list(conditions)
        node["must"] = musts(statement)
        node["nacm"] = nacm(statement)
        if keyword in ("container", "list", "notification"):
            node["default-cases"] = self.default_cases(statement, statement.main_module().arg)
            node["children"] = self.members(statement)
        return {name: value for name, value in node.items() if value}

    def _value(self, statement: Statement) -> Node:
        default = _defaults(statement)
        return {
            "type": compile_type(self._context, statement),
            "default": default,
            "units": _inherited(statement, "units"),
        }


def nacm(statement: Statement) -> str:
    """The extension of RFC 8341 by which a node, rpc or notification is closed to whom no rule lets in."""
    names = ("default-deny-all", "default-deny-write")
    return next((name for name in names if statement.search_one((NACM, name))), "")


def member(statement: Statement, parent_module: str | None) -> str:
    """The member name of RFC 7951 section 4: the module is named where it changes."""
    module = statement.main_module().arg
    return str(statement.arg) if module == parent_module else f"{module}:{statement.arg}"


def _argument(statement: Statement, keyword: str) -> str | None:
    found = statement.search_one(keyword)
    return None if found is None else str(found.arg)


def _list(statement: Statement) -> Node:
    return {
        "keys": [key.arg for key in statement.i_key],
        "unique": [[_relative(leaf, statement) for leaf in leafs] for _, leafs in statement.i_unique],
    }


def _relative(leaf: Statement, top: Statement) -> str:
    """The path of `leaf` below the list `top`, in member names."""
    steps: list[str] = []
    at = leaf
    while at is not top:
        above = at.parent
        while above.keyword in ("choice", "case"):
            above = above.parent
        steps.insert(0, member(at, above.main_module().arg))
        at = above
    return "/".join(steps)


def _inherited(statement: Statement, keyword: str) -> str | None:
    """The argument of a property that a leaf takes from its nearest typedef when it has none of its own."""
    found = _nearest(statement, keyword)
    return str(found[-1].arg) if found else None


def _nearest(statement: Statement, keyword: str) -> list[Statement]:
    at = statement
    while at is not None:
        if found := at.search(keyword):
            return list(found)
        at = at.search_one("type").i_typedef
    return []


def _defaults(statement: Statement) -> list[str]:
    """Default values in canonical form. A typedef's default yields to mandatory (RFC 7950 7.6.1)."""
    if _argument(statement, "mandatory") == "true" or int(_argument(statement, "min-elements") or 0):
        return []
    type_statement = statement.search_one("type")
    return [canonical_default(type_statement, default) for default in _nearest(statement, "default")]
