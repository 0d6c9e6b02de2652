"""RFC 8341 section 3.4.5 for one node at a time, and random rules and trees to try it on. Slow and plain."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import get_args

from tests.datastore.vault import vault_schema

from sdqkd.datastore.nacm_rules import Access, AccessRules, Kind, Rule, RuleList
from sdqkd.schema.rule_path import RulePath, RuleStep
from sdqkd.schema.table import SchemaNode
from sdqkd.schema.tree import Container, Entries, Node, Path, Step, is_void

SCHEMA = vault_schema()
ME, GROUP = "ana", "mine"
WRITES: tuple[Access, ...] = ("create", "update", "delete")
# Few values, so that trees have much in common and rules often match.
_VALUES = {"uint8": ("1", "2"), "uint16": ("1", "2"), "identityref": ("vault:IRON",), "string": (ME, "b", "c")}


@dataclass(frozen=True)
class Oracle:
    """The rules and whom they are for."""

    rules: AccessRules

    def permits(self, access: Access, path: Path) -> bool:
        """Steps 3 to 12, with nothing remembered from one node to the next."""
        chain = _chain(path)
        groups = {name for name, users in self.rules.groups.items() if ME in users}
        if groups:
            for rule_list in self.rules.rule_lists:
                if "*" in rule_list.groups or groups & rule_list.groups:
                    for rule in rule_list.rules:
                        if _matches(rule, access, path, chain):
                            return rule.permit
        closing = {"default-deny-all"} | ({"default-deny-write"} if access in WRITES else set())
        if any(node.nacm in closing for node in chain):
            return False
        return self.rules.read if access == "read" else self.rules.write

    def shows(self, path: Path) -> bool:
        """Whether the node and all above may be read, with the keys of the entries among them."""
        for length in range(1, len(path) + 1):
            head = path[:length]
            node = _chain(head)[-1]
            keys = node.keys if node.kind == "list" else ()
            if not all(self.permits("read", part) for part in (head, *((*head, key) for key in keys))):
                return False
        return True

    def denied(self, old: Container, new: Container) -> set[tuple[Access, Path]]:
        """Each node whose creation, deletion or update is denied; what is displaced needs no right."""
        before, after = dict(nodes(old)), dict(nodes(new))
        changes: list[tuple[Access, Path]] = [("create", path) for path in after if path not in before]
        changes += [("delete", path) for path in before if path not in after and not _displaced(path, after)]
        changes += [("update", path) for path in before if path in after and before[path] != after[path]]
        return {(access, path) for access, path in changes if not self.permits(access, path)}

    def allows_order(self, old: Container, new: Container) -> bool:
        """Whether moves of entries that may be updated lead from one order to the other, for each list."""
        for place in {(*path[:-1], path[-1][0]) for path in dict(nodes(new)) if isinstance(path[-1], tuple)}:
            if not _chain(place)[-1].user_ordered:
                continue
            orders = [[path for path in dict(nodes(tree)) if _listed(path) == place] for tree in (old, new)]
            start, goal = ([path for path in one if path in orders[1 - at]] for at, one in enumerate(orders))
            if not self._reaches(tuple(start), tuple(goal)):
                return False
        return True

    def _reaches(self, start: tuple[Path, ...], goal: tuple[Path, ...]) -> bool:
        seen, todo = {start}, [start]
        for order in todo:
            for moved, to in itertools.product(order, range(len(order))):
                if self.permits("update", moved):
                    rest = [path for path in order if path != moved]
                    after = (*rest[:to], moved, *rest[to:])
                    if after not in seen:
                        seen.add(after)
                        todo.append(after)
        return goal in seen


def nodes(tree: Container) -> Iterator[tuple[Path, str | None]]:
    """All nodes but non-presence containers; a leaf with its value."""
    yield from _nodes(SCHEMA.data, tree, ())


def _nodes(known: Mapping[str, SchemaNode], tree: Container, above: Path) -> Iterator[tuple[Path, str | None]]:
    for member, value in tree.children.items():
        node = known[member]
        if isinstance(value, str):
            yield (*above, member), value
        elif isinstance(value, tuple):
            yield from (((*above, (member, (item,))), None) for item in value)
        elif isinstance(value, Container):
            if node.presence:
                yield (*above, member), None
            yield from _nodes(node.children, value, (*above, member))
        else:
            for keys, entry in value.entries.items():
                yield (*above, (member, keys)), None
                yield from _nodes(node.children, entry, (*above, (member, keys)))


def _chain(path: Path) -> list[SchemaNode]:
    found: list[SchemaNode] = []
    for step in path:
        known = found[-1].children if found else SCHEMA.data
        found.append(known[step if isinstance(step, str) else step[0]])
    return found


def _matches(rule: Rule, access: Access, path: Path, chain: list[SchemaNode]) -> bool:
    if rule.module not in ("*", chain[-1].module) or access not in rule.accesses:
        return False
    if rule.kind == "any":
        return True
    if rule.kind != "data" or len(rule.path) > len(path):
        return False
    return all(_leads(step, own, node) for step, own, node in zip(rule.path, path, chain, strict=False))


def _leads(step: RuleStep, own: Step, node: SchemaNode) -> bool:
    if (step.module, step.name) != (node.module, node.name):
        return False
    keys = own[1] if isinstance(own, tuple) else ()
    values = dict(zip(node.keys or (".",), keys, strict=False))
    return all(values.get(name) == (ME if value is None else value) for name, value in step.keys)


def _displaced(path: Path, after: Mapping[Path, str | None]) -> bool:
    node = _chain(path)[-1]
    others = {"vault:vault": {"key": ("pin", "digits"), "pin": ("key",), "digits": ("key",)}}
    rivals = others["vault:vault"].get(node.name, ()) if node.choice else ()
    return any((*path[:-1], rival) in after for rival in rivals)


def _listed(path: Path) -> Path | None:
    return (*path[:-1], path[-1][0]) if isinstance(path[-1], tuple) else None


def random_rules(rng: Random) -> AccessRules:
    """Some rules, most of which matter to `ME`."""
    lists = tuple(
        RuleList(
            frozenset(rng.choice([(GROUP,), ("*",), ("others",), (GROUP, "others")])),
            tuple(_rule(rng) for _ in range(rng.randrange(6))),
        )
        for _ in range(rng.randrange(4))
    )
    users = frozenset({rng.choice([ME, ME, ME, "somebody else"])})
    return AccessRules(read=rng.random() < 0.7, write=rng.random() < 0.7, groups={GROUP: users}, rule_lists=lists)


def _rule(rng: Random) -> Rule:
    kind: Kind = rng.choice(["any", "data", "data", "data", "operation", "notification"])
    accesses = frozenset(access for access in get_args(Access) if rng.random() < 0.6)
    module = rng.choice(["*", "*", "*", "vault", "annex", "ietf-netconf-acm"])
    return Rule(kind, module, accesses, rng.random() < 0.5, path=_path(rng) if kind == "data" else ())


def _path(rng: Random) -> RulePath:
    steps: list[RuleStep] = []
    known = SCHEMA.data
    while known and rng.random() < 0.85:
        pool = [node for node in known.values() if node.module != "ietf-netconf-acm"]
        # Lists, their keys and ordered values are where most can go wrong.
        often = [node for node in pool if node.keys or node.name in ("place", "turn")]
        node = rng.choice([*pool, *often, *often])
        names = node.keys or ((".",) if node.kind == "leaf-list" else ())
        keys = tuple((name, _key(node, name, rng)) for name in names if rng.random() < 0.5)
        steps.append(RuleStep(node.module, node.name, keys))
        known = node.children
    return tuple(steps)


def _key(node: SchemaNode, name: str, rng: Random) -> str | None:
    leaf = node if name == "." else node.children[name]
    values = _values(leaf)
    return None if ME in values and rng.random() < 0.3 else rng.choice(values)


def _values(leaf: SchemaNode) -> tuple[str, ...]:
    assert leaf.type is not None
    return _VALUES[leaf.type.base]


def random_tree(rng: Random) -> Container:
    """Some configuration of vault and annex."""
    return _random({name: node for name, node in SCHEMA.data.items() if "nacm" not in name}, rng)


def _random(known: Mapping[str, SchemaNode], rng: Random) -> Container:
    found: dict[str, Node] = {}
    case = rng.choice(["by-key", "by-pin"])
    for member, node in known.items():
        wrong_case = bool(node.choice) and not node.choice[0].endswith(case)
        if not node.config or wrong_case or rng.random() < 0.3:
            continue
        value = _random_node(node, rng)
        if not is_void(node, value):
            found[member] = value
    return Container(found)


def _random_node(node: SchemaNode, rng: Random) -> Node:
    if node.kind == "leaf":
        return rng.choice(_values(node))
    if node.kind == "leaf-list":
        return tuple(rng.sample(_values(node), rng.randrange(len(_values(node)) + 1)))
    if node.kind == "container":
        return _random(node.children, rng)
    every = list(itertools.product(*(_values(node.children[key]) for key in node.keys)))
    inside = {member: child for member, child in node.children.items() if member not in node.keys}
    return Entries(
        {
            keys: Container({**dict(zip(node.keys, keys, strict=True)), **_random(inside, rng).children})
            for keys in rng.sample(every, rng.randrange(min(3, len(every)) + 1))
        }
    )


def reordered(tree: Container, rng: Random) -> Container:
    """The same tree with its lists and leaf-lists in another order."""
    found: dict[str, Node] = {}
    for member, value in tree.children.items():
        if isinstance(value, Container):
            found[member] = reordered(value, rng)
        elif isinstance(value, Entries):
            order = rng.sample(list(value.entries), len(value.entries))
            found[member] = Entries({keys: reordered(value.entries[keys], rng) for keys in order})
        else:
            found[member] = tuple(rng.sample(value, len(value))) if isinstance(value, tuple) else value
    return Container(found)


def mixed(a: Node | None, b: Node | None, rng: Random) -> Node | None:
    """A tree with parts of both, which it shares with them."""
    if not isinstance(a, Container) or not isinstance(b, Container) or rng.random() < 0.3:
        return rng.choice([a, b])
    members = [*a.children, *(member for member in b.children if member not in a.children)]
    parts = {member: mixed(a.children.get(member), b.children.get(member), rng) for member in members}
    return Container({member: part for member, part in parts.items() if part is not None})
