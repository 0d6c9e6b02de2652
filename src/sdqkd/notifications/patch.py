"""Changes as the edits of a YANG patch: RFC 8072 section 2, as RFC 8641 section 3.7 uses it.

Nodes are named as RESTCONF names them (RFC 8040 section 3.5.3): `/module:top/list=key1,key2/leaf`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import quote

from sdqkd.schema.diff import Change, diff
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Container, Entries, Node, Path, get
from sdqkd.schema.xml import encode, encode_one

Operation: TypeAlias = Literal["create", "delete", "insert", "move", "replace"]
_OPERATIONS: dict[str, Operation] = {"add": "create", "remove": "delete", "change": "replace"}
_Keys: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit. `point` is the node that an inserted or moved one comes after, "" for the first place."""

    operation: Operation
    target: str
    value: str = ""
    point: str | None = None


def target_of(schema: Schema, path: Path) -> str:
    """A path as RESTCONF has it, "/" for the root."""
    parts = []
    for step in path:
        name, keys = (step, ()) if isinstance(step, str) else step
        parts.append("/" + name + ("=" + ",".join(quote(key, safe="") for key in keys) if keys else ""))
    return "".join(parts) or "/"


def patch(edits: Sequence[Edit], patch_id: str) -> Container:
    """The content of `datastore-changes` in push-change-update."""
    entries: dict[_Keys, Container] = {}
    for number, edit in enumerate(edits, 1):
        leafs: dict[str, Node] = {
            "edit-id": f"edit{number}",
            "operation": edit.operation,
            "target": edit.target,
        }
        if edit.point is not None:
            leafs |= {"point": edit.point, "where": "after"} if edit.point else {"where": "first"}
        if edit.value:
            leafs["value"] = edit.value
        entries[(f"edit{number}",)] = Container(leafs)
    return Container({"yang-patch": Container({"patch-id": patch_id, "edit": Entries(entries)})})


def edits_of(schema: Schema, old: Container, new: Container, changes: Iterable[Change]) -> list[Edit]:
    """What turns `old` into `new`; `changes` are their `diff`, or those of a part of them."""
    return list(dict.fromkeys(_Writer(schema, old, new).edits(changes)))


class _Writer:
    def __init__(self, schema: Schema, old: Container, new: Container) -> None:
        self._schema = schema
        self._old = old
        self._new = new
        self._orders: dict[Path, dict[_Keys, _Keys | None]] = {}  # by list: what comes before each entry

    def edits(self, changes: Iterable[Change]) -> Iterator[Edit]:
        for change in changes:
            yield from self._edits(change)

    def _edits(self, change: Change) -> Iterator[Edit]:
        nameless = self._nameless(change.path)
        if nameless is not None:
            yield self._replaced(nameless)
            return
        node = self._schema.node(change.path)
        last = change.path[-1]
        if isinstance(last, str) and node.kind == "leaf-list":
            yield from self._values(node, change)
        elif isinstance(last, str) and node.kind == "list":
            yield from self._reordered(node, change)
        elif node.user_ordered and change.op == "add":
            yield self._inserted(node, change.path, "insert", change.new)
        else:
            value = self._xml(node, change.path, change.new) if change.new is not None else ""
            yield Edit(_OPERATIONS[change.op], target_of(self._schema, change.path), value)

    def _nameless(self, path: Path) -> Path | None:
        """Where the path must end since what is below has no name: above a list without keys, or a set of values
        that may hold one twice."""
        for length in range(1, len(path) + 1):
            node = self._schema.node(path[:length])
            if (node.kind == "list" and not node.keys) or (node.kind == "leaf-list" and not node.config):
                return path[: length - 1]
        return None

    def _replaced(self, path: Path) -> Edit:
        target = target_of(self._schema, path)
        if not path:
            return Edit("replace", target, encode(self._schema, self._new).decode())
        now = get(self._new, path)
        if now is None:
            return Edit("delete", target)
        return Edit("replace", target, self._xml(self._schema.node(path), path, now))

    def _xml(self, node: SchemaNode, path: Path, value: Node) -> str:
        last = path[-1]
        if isinstance(last, tuple):
            value = Entries({last[1]: value}) if isinstance(value, Container) else (last[1][0],)
        return encode_one(self._schema, node, value).decode()

    def _values(self, node: SchemaNode, change: Change) -> Iterator[Edit]:
        """A leaf-list of a configuration, value by value."""
        old: list[_Keys] = [(value,) for value in _values(change.old)]
        new: list[_Keys] = [(value,) for value in _values(change.new)]
        if node.user_ordered:
            yield from self._order(node, change.path, old, new)
            return
        before, after = set(old), set(new)
        for value in old:
            if value not in after:
                yield Edit("delete", target_of(self._schema, _entry(change.path, value)))
        for value in new:
            if value not in before:
                path = _entry(change.path, value)
                yield Edit("create", target_of(self._schema, path), self._xml(node, path, value[0]))

    def _reordered(self, node: SchemaNode, change: Change) -> Iterator[Edit]:
        """A list whose order is the user's: its entries' places, then what has changed inside of them."""
        old = change.old.entries if isinstance(change.old, Entries) else {}
        new = change.new.entries if isinstance(change.new, Entries) else {}
        yield from self._order(node, change.path, list(old), list(new))
        for keys, entry in new.items():
            if keys in old and old[keys] is not entry:
                inside = diff(self._schema, self._old, self._new, [_entry(change.path, keys)])
                yield from self.edits(inside)

    def _order(self, node: SchemaNode, path: Path, old: list[_Keys], new: list[_Keys]) -> Iterator[Edit]:
        wanted, known = set(new), set(old)
        for keys in old:
            if keys not in wanted:
                yield Edit("delete", target_of(self._schema, _entry(path, keys)))
        # As a client does it: one by one from the front, what is not moved staying in its order behind.
        staying = [keys for keys in old if keys in wanted]
        moved: set[_Keys] = set()
        front = 0
        for keys in new:
            while front < len(staying) and staying[front] in moved:
                front += 1
            if front < len(staying) and staying[front] == keys:
                front += 1
                continue
            moved.add(keys)
            entry = _entry(path, keys)
            if keys in known:
                yield self._inserted(node, entry, "move", None)
            else:
                yield self._inserted(node, entry, "insert", get(self._new, entry))

    def _inserted(self, node: SchemaNode, path: Path, operation: Operation, value: Node | None) -> Edit:
        before = self._before(*_split(path))
        point = "" if before is None else target_of(self._schema, _entry(path, before))
        text = "" if value is None else self._xml(node, path, value)
        return Edit(operation, target_of(self._schema, path), text, point)

    def _before(self, path: Path, keys: _Keys) -> _Keys | None:
        """The entry that comes before this one in the new tree; `path` is that of the list."""
        if path not in self._orders:
            whole = get(self._new, path)
            order: list[_Keys] = [(value,) for value in _values(whole)]
            if isinstance(whole, Entries):
                order = list(whole.entries)
            self._orders[path] = dict(zip(order, (None, *order), strict=False))
        return self._orders[path][keys]


def _entry(path: Path, keys: _Keys) -> Path:
    """The path of an entry of the list at `path`, or beside the entry at `path`."""
    last = path[-1]
    return (*path[:-1], (last if isinstance(last, str) else last[0], keys))


def _split(path: Path) -> tuple[Path, _Keys]:
    """The path of the list, and the keys of its entry, at `path`."""
    last = path[-1]
    return ((*path[:-1], last), ()) if isinstance(last, str) else ((*path[:-1], last[0]), last[1])


def _values(node: Node | None) -> tuple[str, ...]:
    return node if isinstance(node, tuple) else ()
