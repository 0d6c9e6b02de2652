"""The difference of two trees as a sequence of changes, with no opinion on how they are applied.

A change is about a leaf, a leaf-list, a list entry, a presence container or a container in a case; other
containers and lists mean nothing by themselves and are looked into. The order of a list counts only where the
model says that it is the user's: where more has changed than its end, one change holds the list before and after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sdqkd.errors import RpcError
from sdqkd.schema.draft import Draft
from sdqkd.schema.path import format_path
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import EMPTY, Container, Entries, Node, Path, get

_KEPT_ANSWERS = 2
_KEPT_CHANGES = 4096


@dataclass(frozen=True, slots=True)
class Change:
    """One change: what was at `path`, and what shall be. `old` is None for `add`, `new` for `remove`."""

    op: Literal["add", "change", "remove"]
    path: Path
    old: Node | None
    new: Node | None


def diff(schema: Schema, old: Container, new: Container, below: Sequence[Path] = ()) -> tuple[Change, ...]:
    """What turns `old` into `new`; with `below`, only at and below these paths. KeyError for unknown paths."""
    if not below:
        return _LAST.changes(schema, old, new)
    changes: list[Change] = []
    for path in _outermost(below):
        node = schema.node(path)
        before, after = get(old, path), get(new, path)
        if isinstance(path[-1], tuple):
            changes += _entry(node, path, before, after)
        else:
            changes += _node(node, path, before, after)
    return tuple(changes)


def same(schema: Schema, a: Container, b: Container) -> bool:
    """True if the trees mean the same: where the model gives no order, order does not count."""
    return a is b or not _LAST.changes(schema, a, b)


def apply(schema: Schema, tree: Container, changes: Sequence[Change]) -> Container:
    """`tree` after the changes. Raises RpcError `operation-failed` if it is not what a change was made for."""
    draft = Draft(schema, tree)
    for change in changes:
        # Changes of one diff never overlap, so the tree that they were made for is the one to compare with.
        if not _equal(schema.node(change.path), get(tree, change.path), change.old):
            message = "the configuration has changed here since the change was planned"
            raise RpcError("operation-failed", message, path=format_path(change.path, schema))
        if change.new is None:
            draft.remove(change.path)
        else:
            draft.put(change.path, change.new)
    return draft.finish()


def invert(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes that undo these."""
    opposite: dict[str, Literal["add", "change", "remove"]] = {"add": "remove", "remove": "add"}
    return tuple(
        Change(opposite.get(change.op, "change"), change.path, change.new, change.old)
        for change in reversed(changes)
    )


class _Last:
    """The last answers: an edit and its commit ask six times what turns one tree into another.

    A tree never changes, so the answer stays right. It is no longer than what one request brings, or is not kept.
    """

    def __init__(self) -> None:
        self._known: tuple[tuple[Schema, Container, Container, tuple[Change, ...]], ...] = ()

    def changes(self, schema: Schema, old: Container, new: Container) -> tuple[Change, ...]:
        for known_schema, known_old, known_new, changes in self._known:
            if known_new is new and known_old is old and known_schema is schema:
                return changes
        found = tuple(_container(schema.data, (), old, new))
        if len(found) <= _KEPT_CHANGES:
            self._known = ((schema, old, new, found), *self._known[: _KEPT_ANSWERS - 1])
        return found


_LAST = _Last()


def _outermost(paths: Sequence[Path]) -> list[Path]:
    """The paths without those that lie below another."""
    return [
        path
        for at, path in enumerate(paths)
        if not any(
            path[: len(other)] == other and (len(other) < len(path) or before < at)
            for before, other in enumerate(paths)
        )
    ]


def _container(known: Mapping[str, SchemaNode], path: Path, old: Container, new: Container) -> Iterator[Change]:
    if old is new:
        return
    for member, before in old.children.items():
        after = new.children.get(member)
        if after is not before:
            yield from _node(known[member], (*path, member), before, after)
    for member, after in new.children.items():
        if member not in old.children:
            yield from _node(known[member], (*path, member), None, after)


def _node(node: SchemaNode, path: Path, old: Node | None, new: Node | None) -> Iterator[Change]:
    # A container in a case comes and goes as one, since an edit that named it would choose its case.
    stands_alone = (node.presence or bool(node.choice)) and (old is None or new is None)
    if node.kind == "container" and not stands_alone:
        yield from _container(node.children, path, _inside(old), _inside(new))
    elif node.kind == "list":
        yield from _list(node, path, old, new)
    elif not _equal(node, old, new):
        yield _change(path, old, new)


def _list(node: SchemaNode, path: Path, old: Node | None, new: Node | None) -> Iterator[Change]:
    before = old.entries if isinstance(old, Entries) else {}
    after = new.entries if isinstance(new, Entries) else {}
    if not node.keys or (node.user_ordered and not _same_order(list(before), list(after))):
        if not _equal(node, old, new):
            yield _change(path, old, new)
        return
    above, member = path[:-1], node.member
    # Backwards, so that the inverse adds them forwards.
    gone = before.keys() - after.keys()
    for keys in reversed([keys for keys in before if keys in gone]) if gone else ():
        yield _change((*above, (member, keys)), before[keys], None)
    for keys, entry in after.items():
        was = before.get(keys)
        # Nearly all entries of a long list are the same, and that must cost next to nothing.
        if was is not entry:
            yield from _entry(node, (*above, (member, keys)), was, entry)


def _entry(node: SchemaNode, path: Path, old: Node | None, new: Node | None) -> Iterator[Change]:
    if isinstance(old, Container) and isinstance(new, Container):
        yield from _container(node.children, path, old, new)
    elif old is not new:
        yield _change(path, old, new)


def _change(path: Path, old: Node | None, new: Node | None) -> Change:
    return Change("add" if old is None else "remove" if new is None else "change", path, old, new)


def _inside(node: Node | None) -> Container:
    return node if isinstance(node, Container) else EMPTY


def _same_order(old: list[tuple[str, ...]], new: list[tuple[str, ...]]) -> bool:
    """True if only the ends differ, so that removing there and adding there gives the new order."""
    common = 0
    while common < min(len(old), len(new)) and old[common] == new[common]:
        common += 1
    return set(old[common:]).isdisjoint(new[common:])


def _equal(node: SchemaNode, a: Node | None, b: Node | None) -> bool:
    """True if both nodes mean the same."""
    if a is b:
        return True
    if isinstance(a, Container) and isinstance(b, Container):
        return next(_container(node.children, (), a, b), None) is None
    if isinstance(a, Entries) and isinstance(b, Entries):
        return _equal_lists(node, a, b)
    if isinstance(a, tuple) and isinstance(b, tuple) and node.config and not node.user_ordered:
        return len(a) == len(b) and set(a) == set(b)
    return a == b


def _equal_lists(node: SchemaNode, a: Entries, b: Entries) -> bool:
    if a.entries.keys() != b.entries.keys():
        return False
    if (node.user_ordered or not node.keys) and list(a.entries) != list(b.entries):
        return False
    return all(_equal(node, entry, b.entries[keys]) for keys, entry in a.entries.items())
