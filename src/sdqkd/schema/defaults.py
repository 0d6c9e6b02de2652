"""Default values in use: RFC 7950 sections 7.6.1, 7.7.2 and 7.9.3, and how RFC 6243 reports them.

A tree holds what was set (basic mode `explicit`); what is in use beside that is worked out here. A default is in
use if its leaf is not there but what holds it is, if the cases that it lies in are those in use, and if its
conditions hold. These see other defaults, which are therefore found when they are asked for (RFC 7950 section
6.4.1); of those that depend on each other in a ring, none is there for the next.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

from sdqkd.schema.table import Expression, Schema, SchemaNode
from sdqkd.schema.tree import EMPTY, Container, Entries, Node, is_void
from sdqkd.schema.xpath import XPathError
from sdqkd.schema.xpath_eval import Budget, Evaluation, prepared
from sdqkd.schema.xpath_tree import Document, Place
from sdqkd.schema.xpath_values import to_boolean

# Conditions are the models', so this is no limit to anybody.
_STEPS = 10**9


def with_defaults(schema: Schema, tree: Container, *, config: bool = True, state: bool = True) -> Container:
    """`tree` with the defaults in use, of configuration and of state; it shares what gets none."""
    return _Filling(schema, tree, config, state).filled()


class DefaultsInUse:
    """`with_defaults` of configuration, which remembers the last tree: one that is read often changes seldom."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._last: tuple[Container, Container] = (EMPTY, EMPTY)

    def of(self, tree: Container) -> Container:
        """A configuration with the defaults in use."""
        if self._last[0] is not tree or tree is EMPTY:
            self._last = (tree, with_defaults(self._schema, tree, state=False))
        return self._last[1]


def without_defaults(schema: Schema, tree: Container) -> Container:
    """`tree` without the leafs that hold their default, keys excepted, and the containers that this empties."""
    return _trimmed(schema.data, tree)


def is_default(node: SchemaNode, value: Node) -> bool:
    """Whether a leaf or leaf-list holds the default that the model gives it."""
    if isinstance(value, str):
        return node.default == (value,)
    if not isinstance(value, tuple) or not node.default:
        return False
    return value == node.default if node.user_ordered else sorted(value) == sorted(node.default)


def _trimmed(known: Mapping[str, SchemaNode], tree: Container, keys: tuple[str, ...] = ()) -> Container:
    children: dict[str, Node] = {}
    for member, value in tree.children.items():
        node = known[member]
        left = _trimmed_value(node, value)
        # What was empty before was cut off there, and is shown.
        emptied = is_void(node, left) and not is_void(node, value)
        if member in keys or not (is_default(node, left) or emptied):
            children[member] = left
    return Container(children)


def _trimmed_value(node: SchemaNode, value: Node) -> Node:
    if isinstance(value, Container):
        return _trimmed(node.children, value)
    if isinstance(value, Entries):
        entries = value.entries.items()
        return Entries({keys: _trimmed(node.children, entry, node.keys) for keys, entry in entries})
    return value


class Accessible(Document):
    """A tree with the defaults in use and all containers without presence: what the conditions of a model see."""

    def __init__(self, schema: Schema, tree: Container) -> None:
        super().__init__(schema, tree)
        self._implied: dict[tuple[Place, str], Node | None] = {}
        self._asked: dict[tuple[Place, str], bool] = {}  # what is being worked out, and whether for good
        self._cases: dict[Place, Mapping[str, str]] = {}

    def names(self, place: Place) -> Iterator[str]:
        """The members that are there."""
        explicit = super().names(place)
        yield from explicit
        if not isinstance(place.value, str):
            for node in _implicable(self.schema, place.node):
                if node.member not in place.value.children and self.child(place, node.member) is not None:
                    yield node.member

    def child(self, place: Place, member: str) -> Node | None:
        """What is there under a name, set or not."""
        explicit = super().child(place, member)
        if explicit is not None or isinstance(place.value, str):
            return explicit
        key = (place, member)
        if key in self._implied:
            return self._implied[key]
        if key in self._asked:
            self._close_ring(key)
            return None
        self._asked[key] = True
        value = self._value(place, self.known(place)[member])
        if self._asked.pop(key):
            self._implied[key] = value
        return value

    def _close_ring(self, start: tuple[Place, str]) -> None:
        """What is found on the way from `start` back to it holds only for `start`."""
        on_the_way = False
        for key in self._asked:
            self._asked[key] &= not on_the_way
            on_the_way |= key == start

    def _value(self, place: Place, node: SchemaNode) -> Node | None:
        value = _implicit_value(node)
        if value is None or not self._is_chosen(place, node):
            return None
        return value if all(self._holds(place, node, value, condition) for condition in node.whens) else None

    def _is_chosen(self, place: Place, node: SchemaNode) -> bool:
        """Whether the cases that a node lies in are those in use."""
        if not node.choice:
            return True
        if place not in self._cases:
            self._cases[place] = self._cases_in_use(place)
        return all(self._cases[place].get(choice) == case for choice, case in _choices(node))

    def _cases_in_use(self, place: Place) -> Mapping[str, str]:
        """The case of each choice below a place: that of what is there, else the default one."""
        found = dict(self.schema.default_cases if place.node is None else place.node.default_cases)
        for member in super().names(place):
            found.update(_choices(self.known(place)[member]))
        return found

    def _holds(self, place: Place, node: SchemaNode, value: Node, condition: Expression) -> bool:
        text = value if isinstance(value, str) else EMPTY
        at = place if condition.above else Place(place, node, node.member, text)
        try:
            return to_boolean(Evaluation(self, prepared(self.schema, condition), at, Budget(_STEPS)).value())
        except XPathError:
            return False


def _implicit_value(node: SchemaNode) -> Node | None:
    """What a node holds when it was not set: the default, or nothing yet in a container without presence."""
    if node.kind == "leaf":
        return node.default[0] if node.default else None
    if node.kind == "leaf-list":
        return node.default or None
    return EMPTY if node.kind == "container" and not node.presence else None


def _choices(node: SchemaNode) -> Iterator[tuple[str, str]]:
    """The choices that a node lies in, by the names that `default_cases` has for them, and its case of each."""
    for depth, step in enumerate(node.choice):
        choice, _, case = step.partition("/")
        yield "/".join((*node.choice[:depth], choice)), case


@functools.cache
def _implicable(schema: Schema, above: SchemaNode | None) -> tuple[SchemaNode, ...]:
    """The children that can be there without having been set."""
    children = schema.data if above is None else above.children
    keys = () if above is None else above.keys
    return tuple(n for n in children.values() if _implicit_value(n) is not None and n.member not in keys)


class _Filling:
    """Adds defaults to one tree, those of the wanted kinds."""

    def __init__(self, schema: Schema, tree: Container, config: bool, state: bool) -> None:
        self._schema = schema
        self._wanted = (config, state)
        self._document = Accessible(schema, tree)

    def filled(self) -> Container:
        return self._children(self._document.root)

    def _children(self, place: Place) -> Container:
        """A container or entry with its defaults; itself if there are none."""
        assert isinstance(place.value, Container)
        added: dict[str, Node] = {}
        for node in _fillable(self._schema, place.node, *self._wanted):
            old = place.value.children.get(node.member)
            new = self._value(place, node, old)
            if new is not old and not is_void(node, new):
                assert new is not None
                added[node.member] = new
        return Container({**place.value.children, **added}) if added else place.value

    def _value(self, place: Place, node: SchemaNode, old: Node | None) -> Node | None:
        if node.kind in {"leaf", "leaf-list"}:
            return self._document.child(place, node.member) if old is None else old
        inside = self._document.members(place, node.member)
        if isinstance(old, Entries):
            entries = {made.step[1]: self._children(made) for made in inside if isinstance(made.step, tuple)}
            same = all(entry is old.entries[keys] for keys, entry in entries.items())
            return old if same else Entries(entries)
        return self._children(inside[0]) if inside else None


@functools.cache
def _fillable(schema: Schema, above: SchemaNode | None, config: bool, state: bool) -> tuple[SchemaNode, ...]:
    """The children that can get a default, or have something below that can."""
    children = schema.data if above is None else above.children
    keys = () if above is None else above.keys
    return tuple(n for n in children.values() if n.member not in keys and _can_hold(n, config, state))


@functools.cache
def _can_hold(node: SchemaNode, config: bool, state: bool) -> bool:
    if node.kind in {"leaf", "leaf-list"}:
        return bool(node.default) and (config if node.config else state)
    return any(
        _can_hold(child, config, state) for child in node.children.values() if child.member not in node.keys
    )
