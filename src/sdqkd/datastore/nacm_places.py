"""Where a walk down a tree stands in the rules of one user for one kind of access: RFC 8341 section 3.4.5.

A `Place` belongs to a node of a tree. It knows the rules that still count there: those whose path has been walked
to its end, which hold here and below, and those whose path goes on. So nobody compares a rule with each node, and
nodes for which the same rules count share a place.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sdqkd.datastore.nacm_rules import ANY, Access, Rule
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Step
from sdqkd.schema.types import canonical

Keys = tuple[str, ...]

# Which nodes the model closes to whom no rule lets in.
_CLOSING: Mapping[Access, frozenset[str]] = {
    "read": frozenset({"default-deny-all"}),
    "exec": frozenset({"default-deny-all"}),
    **dict.fromkeys(("create", "update", "delete"), frozenset({"default-deny-all", "default-deny-write"})),
}


class _Reached(NamedTuple):
    """A rule of which `depth` steps have been walked. `order` is its place among the user's rules.

    `wanted` are the keys, by position, that the entry at hand must have for the last of these steps.
    """

    order: int
    rule: Rule
    depth: int
    wanted: tuple[tuple[int, str], ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the path has been walked to its end."""
        return self.depth == len(self.rule.path) and not self.wanted


@dataclass(frozen=True, slots=True)
class _Terms:
    """What all places of one user and one access have in common."""

    user: str
    default: bool
    closing: frozenset[str]
    top: Mapping[str, SchemaNode]
    resolve_prefix: Callable[[str], str | None]


class Place:
    """A node of a tree, as far as the rules tell nodes apart.

    `permitted`: whether the node itself may be accessed. For a list, what counts is the place of each entry.
    """

    __slots__ = (
        "_below", "_by_keys", "_closed", "_entries", "_identifiable", "_keyless", "_node", "_open", "_reached",
        "_terms", "permitted",
    )  # fmt: skip

    def __init__(
        self, terms: _Terms, node: SchemaNode | None, reached: Sequence[_Reached], *, closed: bool
    ) -> None:
        self._terms = terms
        self._node = node
        self._reached = _that_matter(reached)
        self._closed = closed
        self._below: dict[str, Place] = {}
        self._entries: dict[tuple[int, ...], Place] = {}
        self._by_keys = _by_keys([one for one in self._reached if one.wanted])
        self._keyless = [one for one in self._reached if not one.wanted]
        self._open: bool | None = None
        self._identifiable: bool | None = None
        self.permitted = self._decide()

    @property
    def open(self) -> bool:
        """Whether the node and whatever can be below it may be accessed. False may also mean: not known."""
        if self._open is None:
            self._open = self._is_open()
        return self._open

    @property
    def identifiable(self) -> bool:
        """Whether the node, and of an entry each key, may be accessed."""
        if self._identifiable is None:
            keys = self._node.keys if self._node else ()
            self._identifiable = self.permitted and all(self.step(key).permitted for key in keys)
        return self._identifiable

    @property
    def keyed(self) -> bool:
        """Whether entries, or values, differ."""
        return bool(self._by_keys)

    def below(self, node: SchemaNode) -> Place:
        """Give the place of a child; for a list or leaf-list, `entry` then tells the entries apart."""
        place = self._below.get(node.member)
        if place is None:
            place = self._below[node.member] = Place(
                self._terms, node, self._stepped(node), closed=self._closed or node.nacm in self._terms.closing
            )
        return place

    def entry(self, keys: Keys) -> Place:
        """Give the place of one entry of this list, or of one value of this leaf-list."""
        if not self._by_keys:
            return self
        found = [
            one
            for positions, by_values in self._by_keys
            for one in by_values.get(tuple([keys[at] for at in positions]), ())
        ]
        orders = tuple([one.order for one in found])
        if orders not in self._entries:
            reached = sorted([*self._keyless, *(one._replace(wanted=()) for one in found)])
            self._entries[orders] = Place(self._terms, self._node, reached, closed=self._closed)
        return self._entries[orders]

    def step(self, step: Step) -> Place:
        """Give the place one step of a path further. KeyError if the schema does not know it."""
        member = step if isinstance(step, str) else step[0]
        place = self.below(self._known[member])
        return place if isinstance(step, str) else place.entry(step[1])

    @property
    def _known(self) -> Mapping[str, SchemaNode]:
        return self._terms.top if self._node is None else self._node.children

    def _decide(self) -> bool:
        for one in self._reached:
            if one.holds and (one.rule.module == ANY or (self._node and one.rule.module == self._node.module)):
                return one.rule.permit
        return self._terms.default and not self._closed

    def _is_open(self) -> bool:
        if not self.permitted or self.keyed:
            return False
        if not self._reached:
            return not any(_closes(child, self._terms.closing) for child in self._known.values())
        if self._reached[0].holds and self._reached[0].rule.module == ANY:
            return True
        return all(self.below(child).open for child in self._known.values())

    def _stepped(self, node: SchemaNode) -> list[_Reached]:
        stepped = []
        for one in self._reached:
            if one.holds:
                stepped.append(one)
            elif (step := one.rule.path[one.depth]).leads_to(node):
                wanted = self._wanted(node, step.keys)
                if wanted is not None:
                    stepped.append(_Reached(one.order, one.rule, one.depth + 1, wanted))
        return stepped

    def _wanted(
        self, node: SchemaNode, keys: Sequence[tuple[str, str | None]]
    ) -> tuple[tuple[int, str], ...] | None:
        """Give the keys by position, in canonical form; None if no entry can have them."""
        names = node.keys or ((".",) if node.kind == "leaf-list" else ("",))
        wanted = []
        for name, value in keys:
            text = self._terms.user if value is None else value
            if name not in names:
                return None
            leaf = node if name == "." else node.children.get(name)
            if leaf is not None and leaf.type is not None:
                try:
                    text = canonical(
                        leaf.type, text, lambda prefix: self._terms.resolve_prefix(prefix or node.module)
                    )
                except ValueError:
                    return None
            wanted.append((names.index(name), text))
        return tuple(sorted(wanted))


def root(schema: Schema, rules: Sequence[Rule], user: str, access: Access, *, default: bool) -> Place:
    """Give the place of the whole datastore, for one user's rules in order and one access.

    `default` is what holds where no rule matches.
    """
    modules = {name: module.name for module in schema.modules for name in (module.prefix, module.name)}
    terms = _Terms(user, default, _CLOSING[access], schema.data, modules.get)
    reached = [_Reached(order, rule, 0) for order, rule in enumerate(rules) if rule.covers(access, "data")]
    return Place(terms, None, reached, closed=False)


@functools.cache
def _closes(node: SchemaNode, closing: frozenset[str]) -> bool:
    """Whether the model closes this node or one below it."""
    return node.nacm in closing or any(_closes(child, closing) for child in node.children.values())


def _that_matter(reached: Sequence[_Reached]) -> tuple[_Reached, ...]:
    """Leave out what comes after a rule that decides for every node here and below."""
    for at, one in enumerate(reached):
        if one.holds and one.rule.module == ANY:
            return tuple(reached[: at + 1])
    return tuple(reached)


def _by_keys(keyed: Sequence[_Reached]) -> list[tuple[tuple[int, ...], dict[Keys, list[_Reached]]]]:
    """Index by key values, so that an entry is not compared with each rule."""
    found: dict[tuple[int, ...], dict[Keys, list[_Reached]]] = {}
    for one in keyed:
        positions = tuple(at for at, _ in one.wanted)
        found.setdefault(positions, {}).setdefault(tuple(value for _, value in one.wanted), []).append(one)
    return list(found.items())
