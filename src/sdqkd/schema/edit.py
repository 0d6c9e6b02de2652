"""edit-config: a request applied to a tree gives a new tree (RFC 6241 section 7.2, RFC 7950 sections 7 and 8.3).

The old tree is not touched; what the request does not change is shared, and a request that changes nothing gives
the old tree itself. What only a whole tree can tell (must, when, mandatory …) is the part of `validate`; the nodes
that a request makes inapplicable are `Validator.settle`'s.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sdqkd.errors import RpcError
from sdqkd.schema import problems
from sdqkd.schema.attributes import (
    DEFAULT_OPERATIONS,
    Operation,
    bad_attribute,
    insertion_of,
    is_marked_default,
    marks_defaults,
    missing_neighbour,
    operation_of,
    refuse_attributes,
    with_attributes_below,
)
from sdqkd.schema.changes import changes_to_xml
from sdqkd.schema.effort import Effort
from sdqkd.schema.elements import Element, Reading, is_content
from sdqkd.schema.path import format_path
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import EMPTY, Container, Node, Path, is_void
from sdqkd.schema.working import Working
from sdqkd.schema.xml import Decoder

__all__ = ["Edited", "Part", "changes_to_xml", "edit", "edit_noting"]

MAX_MOVES = 10_000_000  # entries passed by all those inserted in one request; in the order of half a second
_WRITING = frozenset({"merge", "replace", "create"})
_ERASING = frozenset({"delete", "remove"})
# Those that need to know what is there.
_STRICT = frozenset({"create", "delete", "none"})
_STRICT_OR_ERASING = _STRICT | _ERASING


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a request: of the elements in `children` only those children. None of these elements holds text.

    `marks_defaults` says whether the whole request does.
    """

    children: Mapping[Element, Sequence[Element]]
    marks_defaults: bool


@dataclass(frozen=True, slots=True)
class Edited:
    """The tree after a request, and the nodes with a `when` that the request gave."""

    tree: Container
    _reading: Reading = field(repr=False)
    _conditional: list[Element] = field(repr=False)

    def named(self) -> frozenset[Path]:
        """The paths of the nodes with a `when` that the request wrote: what `Validator.settle` may not delete."""
        return frozenset(map(self._reading.path_of, self._conditional))


def edit(schema: Schema, tree: Container, config: Element, default_operation: Operation = "merge") -> Container:
    """The tree after the request `config` (a <config> element).

    Raises RpcError with tag and path: `data-exists`, `data-missing`, `missing-element` (a list key),
    `unknown-element`, `unknown-namespace`, `invalid-value`, `bad-element`, `bad-attribute`,
    `unknown-attribute`, `missing-attribute`.
    """
    return edit_noting(schema, tree, config, default_operation).tree


def edit_noting(
    schema: Schema,
    tree: Container,
    config: Element,
    default_operation: Operation = "merge",
    part: Part | None = None,
) -> Edited:
    """As `edit`, or only a `part` of the request, and keeps what `Validator.settle` needs to know of it."""
    if default_operation not in DEFAULT_OPERATIONS:
        message = f"the default operation '{default_operation}' is not merge, replace or none"
        raise RpcError("invalid-value", message, type="protocol", info={"bad-element": "default-operation"})
    editor = _Editor(Reading(schema, schema.by_tag, config), part)
    # A request to replace replaces the whole datastore, not only what it names (RFC 6241 section 7.2).
    start = EMPTY if default_operation == "replace" else tree
    editor.refuse_text(config)
    refuse_attributes(editor.reading, config)
    after = editor.children(schema.by_tag, schema.data, start, config, default_operation)
    return Edited(after, editor.reading, editor.conditional)


@functools.cache
def _has_choice_below(node: SchemaNode) -> bool:
    return any(child.choice or _has_choice_below(child) for child in node.children.values())


def _marked(reading: Reading, part: Part | None) -> bool:
    if part is not None:
        return part.marks_defaults
    return reading.top is not None and marks_defaults(reading.top)


class _Editor:
    """Applies one request. Each method takes the operation that the element has or inherits."""

    def __init__(self, reading: Reading, part: Part | None) -> None:
        self.reading = reading
        self._part = part
        self.moves = Effort(MAX_MOVES, "too many entries are to be inserted among too many: send fewer at a time")
        self.conditional: list[Element] = []
        self._decoder = Decoder(reading, False, self.conditional)
        self._marks_defaults = _marked(reading, part)

    def children(
        self,
        known: Mapping[str, SchemaNode],
        siblings: Mapping[str, SchemaNode],
        old: Container,
        above: Element,
        inherited: Operation,
        keys: tuple[str, ...] = (),
    ) -> Container:
        """The container `old` after what `above` holds; `keys` are the members that only name a list entry."""
        working = Working(old)
        chosen: dict[SchemaNode, Element] = {}
        for element in above if self._part is None else self._part.children.get(above, above):
            node = known.get(element.tag)
            if node is None:
                if is_content(element):
                    raise self.reading.unknown(element, known)
                continue
            operation = operation_of(self.reading, element, inherited)
            if not node.config:
                raise problems.is_state(self.reading.schema, self.reading.path_of(element), node)
            if node.member in keys:
                self._key(node, element, operation, inherited, working)
                continue
            if self._marks_defaults and is_marked_default(self.reading, node, element, operation):
                self._unset(node, element, operation, working)
                continue
            if node.has_when and operation in _WRITING:
                self.conditional.append(element)
            self._apply(node, element, operation, working)
            if node.choice and operation in _WRITING and working.holds(node):
                chosen[node] = element
        if chosen:
            self._drop_other_cases(siblings, chosen, working)
        return working.finished()

    def refuse_text(self, element: Element) -> None:
        """Raises RpcError if text stands between the elements that an element holds."""
        if self._part is None or element not in self._part.children:
            self.reading.refuse_text(element)

    def _drop_other_cases(
        self, siblings: Mapping[str, SchemaNode], chosen: Mapping[SchemaNode, Element], working: Working
    ) -> None:
        """What is written in one case of a choice deletes the other cases (RFC 7950 section 7.9)."""
        if pair := problems.first_conflict(chosen):
            raise problems.two_cases(self.reading.schema, self.reading.path_of(chosen[pair[1]]), *pair)
        for member in working.members():
            sibling = siblings[member]
            if sibling.choice and any(problems.first_conflict((sibling, node)) for node in chosen):
                working.drop(sibling)

    def _apply(self, node: SchemaNode, element: Element, operation: Operation, working: Working) -> None:
        if node.kind == "list":
            self._entry(node, element, operation, working)
        elif node.kind == "leaf-list":
            self._leaf_list_value(node, element, operation, working)
        else:
            self._once(node, element, (), working)
            if node.kind == "leaf" and operation not in _STRICT_OR_ERASING:
                working.set(node, self.reading.value(node, element))
            else:
                working.set(node, self._single(node, element, operation, working.get(node)))

    def _unset(self, node: SchemaNode, element: Element, operation: Operation, working: Working) -> None:
        """Let a leaf or value be the default that it is marked as."""
        value = self.reading.value(node, element)
        self._once(node, element, (value,) if node.kind == "leaf-list" else (), working)
        exists = value in working.values(node) if node.kind == "leaf-list" else working.get(node) is not None
        if operation == "create":
            self._refuse(node, element, operation, exists=exists)
        if node.kind == "leaf-list":
            working.set_value(node, value, present=False)
        else:
            working.set(node, None)

    def _single(self, node: SchemaNode, element: Element, operation: Operation, old: Node | None) -> Node | None:
        """A leaf or container after the operation, None if it goes."""
        if operation in _STRICT:
            self._refuse(node, element, operation, exists=old is not None)
        if operation in _ERASING:
            return None
        if node.kind != "container":
            return old if operation == "none" else self.reading.value(node, element)
        start = old if isinstance(old, Container) and operation not in {"replace", "create"} else EMPTY
        self.refuse_text(element)
        new = self.children(node.by_tag, node.children, start, element, operation)
        return None if is_void(node, new) else new

    def _refuse(self, node: SchemaNode, element: Element, operation: Operation, *, exists: bool) -> None:
        """Raises RpcError if the operation does not fit what is there (RFC 6241 section 7.2)."""
        if operation == "create" and exists:
            raise self._error("data-exists", f"{node.name} exists already", element)
        # A non-presence container means nothing by itself, so its level is always there (RFC 7950 7.5.1).
        implied = operation == "none" and node.kind == "container" and not node.presence
        if operation in {"delete", "none"} and not exists and not implied:
            raise self._error("data-missing", f"{node.name} does not exist", element)

    def _entry(self, node: SchemaNode, element: Element, operation: Operation, working: Working) -> None:
        keys = self.reading.keys(node, element)
        self._once(node, element, keys, working)
        entries = working.entries(node)
        old = entries.get(keys)
        if operation in _STRICT:
            self._refuse(node, element, operation, exists=old is not None)
        if operation in _ERASING:
            working.set_entry(node, keys, None)
            return
        self.refuse_text(element)
        if old is None or operation == "replace":
            old = Container(dict(zip(node.keys, keys, strict=True)))
            if operation in _WRITING and self._is_plain(node, element):
                inside = self._decoded(node, element, old, operation)
                working.set_entry(node, keys, Container({**old.children, **inside.children}))
                self._insert(node, element, keys, working)
                return
        new = self.children(node.by_tag, node.children, old, element, operation, node.keys)
        working.set_entry(node, keys, new)
        self._insert(node, element, keys, working)

    def _is_plain(self, node: SchemaNode, element: Element) -> bool:
        """Whether the element of a new entry only says what there is, so that nothing needs to be weighed."""
        if self._part is not None or self._marks_defaults or _has_choice_below(node):
            return False
        return element not in self._attributed

    def _decoded(self, node: SchemaNode, element: Element, keys: Container, operation: Operation) -> Container:
        """What a new entry says that is plain. Of several mistakes, the one that would be told if it were not."""
        try:
            return self._decoder.children(node.by_tag, element)
        except RpcError:
            self.children(node.by_tag, node.children, keys, element, operation, node.keys)
            raise

    @functools.cached_property
    def _attributed(self) -> frozenset[Element]:
        return with_attributes_below(self.reading.top) if self.reading.top is not None else frozenset()

    def _leaf_list_value(self, node: SchemaNode, element: Element, operation: Operation, working: Working) -> None:
        value = self.reading.value(node, element)
        self._once(node, element, (value,), working)
        values = working.values(node)
        if operation in _STRICT:
            self._refuse(node, element, operation, exists=value in values)
        if operation in _ERASING:
            working.set_value(node, value, present=False)
            return
        working.set_value(node, value, present=True)
        self._insert(node, element, (value,), working)

    def _insert(self, node: SchemaNode, element: Element, keys: tuple[str, ...], working: Working) -> None:
        insertion = insertion_of(self.reading, node, element)
        if insertion is None:
            return
        self.moves.spend(len(working.entries(node) if node.kind == "list" else working.values(node)))
        if not working.move(node, keys, insertion):
            raise missing_neighbour(self.reading, node, element)

    def _key(
        self, node: SchemaNode, element: Element, operation: Operation, inherited: Operation, working: Working
    ) -> None:
        self._once(node, element, (), working)
        if operation != inherited and operation in _ERASING:
            message = f"the key {node.name} cannot be deleted without its entry"
            raise bad_attribute(self.reading, element, "operation", message)

    def _once(self, node: SchemaNode, element: Element, keys: tuple[str, ...], working: Working) -> None:
        if not working.first_time(node, keys):
            raise problems.given_twice(self.reading.schema, self.reading.path_of(element), node)

    def _error(self, tag: str, message: str, element: Element) -> RpcError:
        return RpcError(tag, message, path=format_path(self.reading.path_of(element), self.reading.schema))
