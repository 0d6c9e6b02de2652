"""The paths of access control rules: node-instance-identifier of RFC 8341, in canonical text.

An instance-identifier, but keys may be left out, which then stand for all entries; a key may be the user's own
name, `$USER`; and "/" is everything. A step names a module only where it changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Container, Entries, get, put

_USER = "$USER"
_RULES = ("ietf-netconf-acm:nacm", "rule-list")
_STEP = re.compile(r"""/(?:([\w.\-]+):)?([\w.\-]+)((?:\[(?:[^\]'"]|'[^']*'|"[^"]*")*\])*)""")
_PREDICATE = re.compile(r"""\[(?:([1-9][0-9]*)|([\w.\-]+)=('[^']*'|"[^"]*"|\$USER))\]""")


@dataclass(frozen=True, slots=True)
class RuleStep:
    """One node of a rule's path. `keys` are names and values; without a value it is the user's name.

    The name is `.` for the value of a leaf-list, "" for the position in a list without keys.
    """

    module: str
    name: str
    keys: tuple[tuple[str, str | None], ...] = ()

    def leads_to(self, node: SchemaNode) -> bool:
        """Whether this is a step to that node, its keys aside."""
        return self.name == node.name and self.module == node.module


RulePath: TypeAlias = tuple[RuleStep, ...]


def parse_rule_path(text: str) -> RulePath:
    """Read a canonical path; "/" has no steps. ValueError if it is none."""
    steps: list[RuleStep] = []
    at, module = 0, ""
    while at < len(text) and text != "/":
        match = _STEP.match(text, at)
        if match is None:
            raise ValueError(f"{text!r} is not the path of a rule")
        module = match[1] or module
        steps.append(RuleStep(module, match[2], tuple(map(_key, _PREDICATE.finditer(match[3])))))
        at = match.end()
    return tuple(steps)


def _key(match: re.Match[str]) -> tuple[str, str | None]:
    if match[1]:
        return "", match[1]
    return match[2], None if match[3] == _USER else match[3][1:-1]


def without_partial_keys(schema: Schema, text: str) -> str:
    """`text` without the keys of an entry of which it names only some: libyang would refuse such a path."""
    pieces: list[str] = []
    known: Mapping[str, SchemaNode] = schema.data
    for match in _STEP.finditer(text):
        # An action or notification at the end has no keys; what nobody knows is libyang's to refuse.
        node = known.get(f"{match[1]}:{match[2]}" if match[1] else match[2])
        given = {predicate[2] for predicate in _PREDICATE.finditer(match[3])}
        partial = node is not None and given < set(node.keys)
        pieces.append(match[0].removesuffix(match[3]) if partial else match[0])
        known = node.children if node else {}
    return "".join(pieces) or text


def with_judgeable_rules(schema: Schema, tree: Container) -> Container:
    """`tree` with such paths in its rules as libyang understands; the same tree if all are."""
    lists = get(tree, _RULES)
    if not isinstance(lists, Entries):
        return tree
    for name, rule_list in lists.entries.items():
        rules = rule_list.children.get("rule")
        for rule, entry in rules.entries.items() if isinstance(rules, Entries) else ():
            path = entry.children.get("path")
            if isinstance(path, str) and (judgeable := without_partial_keys(schema, path)) != path:
                place = (_RULES[0], (_RULES[1], name), ("rule", rule), "path")
                tree = put(schema, tree, place, judgeable)
    return tree
