"""What the constraints of a schema read, so that a change is judged by what it can reach and nothing else.

A constraint is a `must`, a `when`, a leaf that refers to others, or what `unique` compares. What it reads is
worked out once, from the models alone: which schema nodes, and how high above its own node it climbs on the way
to them (the *apex*). As long as it stays inside one list entry, only a change in that entry can make it true or
false.

Where the text does not tell (`//`, any axis but child, parent and self, positions, deref, functions that are not
known here), the constraint counts as reading everything.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sdqkd.schema.table import NODE_INSTANCE, Expression, Schema, SchemaNode, Type
from sdqkd.schema.xpath import Call, Expr, Filtered, Here, NodeTest, Operation, Path, Root, Step, Text
from sdqkd.schema.xpath_parse import parse

Kind: TypeAlias = Literal["must", "when", "reference", "unique"]

# Functions that read no more than their arguments.
_PLAIN_FUNCTIONS = frozenset(
    {
        *("boolean", "not", "true", "false", "count", "string", "concat", "starts-with", "contains", "translate"),
        *("substring", "substring-before", "substring-after", "string-length", "normalize-space", "number", "sum"),
        *("floor", "ceiling", "round", "local-name", "name", "namespace-uri"),
        *("re-match", "derived-from", "derived-from-or-self", "enum-value", "bit-is-set"),
    }
)
_TRUTHS = frozenset({"or", "and", "=", "!=", "<", "<=", ">", ">="})
_TRUTH_FUNCTIONS = frozenset(
    {
        *("boolean", "not", "true", "false", "starts-with", "contains"),
        *("re-match", "derived-from", "derived-from-or-self", "bit-is-set"),
    }
)


@dataclass(frozen=True, slots=True)
class Read:
    """A schema node that is read, and the highest node on the way there; None stands for the root."""

    node: SchemaNode | None
    apex: SchemaNode | None


@dataclass(frozen=True, slots=True, eq=False)
class Constraint:
    """One constraint. `context` is the node whose instances it judges; `reads` is None for the whole document."""

    kind: Kind
    context: SchemaNode
    reads: frozenset[Read] | None


class _Everything(Exception):
    """What an expression reads cannot be told from its text."""


@functools.cache
def constraints(schema: Schema) -> tuple[Constraint, ...]:
    """The constraints on configuration, with all that can make them true or false.

    That includes what decides whether the nodes that they read exist: the conditions of these and, where a case
    of a choice brings defaults, the other cases. Numbers of elements are not among them: `reach` looks at these.
    """
    own = {node: list(_own(schema, node)) for node in config_nodes(schema.data.values())}
    # The conditions of each node, without what these depend on in their turn.
    whens = {node: _joined(reads for kind, reads in found if kind == "when") for node, found in own.items()}
    closure = _Closure(schema, whens)
    return tuple(
        Constraint(kind, node, closure.of(node, reads)) for node, found in own.items() for kind, reads in found
    )


def config_nodes(nodes: Iterable[SchemaNode]) -> Iterator[SchemaNode]:
    """Configuration nodes and all below them."""
    for node in nodes:
        if node.config:
            yield node
            yield from config_nodes(node.children.values())


def ancestors(node: SchemaNode | None) -> Iterator[SchemaNode]:
    """The node and all above it, from the inside."""
    while node is not None:
        yield node
        node = node.parent


def _own(schema: Schema, node: SchemaNode) -> Iterator[tuple[Kind, frozenset[Read] | None]]:
    """The constraints on a node, each with what it reads itself."""
    for kind, expression in _expressions(node):
        yield kind, _reads(schema, node, expression)
    if node.unique:
        leafs = [functools.reduce(_child, name.split("/"), node) for names in node.unique for name in names]
        yield "unique", frozenset(Read(leaf, node.parent) for leaf in leafs)


def _child(node: SchemaNode, name: str) -> SchemaNode:
    return node.children[name]


def _expressions(node: SchemaNode) -> Iterator[tuple[Kind, Expression | None]]:
    """The expressions on a node; None for an instance-identifier, which may name anything."""
    for when in node.whens:
        yield "when", when
    for must in node.musts:
        yield "must", must
    if node.type is not None:
        for reference in _references(node.type):
            yield "reference", reference


def _references(leaf_type: Type) -> Iterator[Expression | None]:
    if leaf_type.base == "leafref" and leaf_type.require_instance:
        yield leaf_type.reference
    if leaf_type.base == "instance-identifier" and leaf_type.name != NODE_INSTANCE and leaf_type.require_instance:
        yield None
    for member in leaf_type.types:
        yield from _references(member)


def _joined(several: Iterable[frozenset[Read] | None]) -> frozenset[Read] | None:
    found: set[Read] = set()
    for reads in several:
        if reads is None:
            return None
        found |= reads
    return frozenset(found)


def _reads(schema: Schema, node: SchemaNode, expression: Expression | None) -> frozenset[Read] | None:
    if expression is None:
        return None
    context = node.parent if expression.above else node
    try:
        # ValueError: an expression that cannot be read here may still be one that libyang reads.
        return _Reader(schema, expression, Read(context, context)).all_reads()
    except (_Everything, ValueError):
        return None


class _Reader:
    """Walks an expression over the schema instead of over data, and notes where it comes by."""

    def __init__(self, schema: Schema, expression: Expression, context: Read) -> None:
        self._schema = schema
        self._expression = expression
        self._context = context
        self._found: set[Read] = {context}

    def all_reads(self) -> frozenset[Read]:
        """Every place that the value of the expression depends on."""
        self._places(parse(self._expression.xpath), {self._context})
        return frozenset(self._found)

    def _places(self, expression: Expr, contexts: set[Read]) -> set[Read]:
        """The places of the nodes that an expression gives, if it gives nodes."""
        if isinstance(expression, Here):
            return contexts
        if isinstance(expression, Root):
            return {Read(None, None)}
        if isinstance(expression, Path):
            return self._path(expression, contexts)
        if isinstance(expression, Filtered):
            places = self._places(expression.expression, contexts)
            return self._filtered(places, expression.predicates)
        if isinstance(expression, Call):
            return self._call(expression, contexts)
        if isinstance(expression, Operation):
            found = [self._values(operand, contexts) for operand in expression.operands]
            return set().union(*found) if expression.operator == "|" else set()
        # A number, a text; a variable has no value, so it is an error wherever it stands.
        return set()

    def _values(self, expression: Expr, contexts: set[Read]) -> set[Read]:
        """As `_places`; the text of a node that is no leaf is that of all below it."""
        places = self._places(expression, contexts)
        for place in places:
            self._note_below(place)
        return places

    def _note_below(self, place: Read) -> None:
        if place.node is None:
            raise _Everything
        self._found.update(Read(node, place.apex) for node in config_nodes([place.node]))

    def _call(self, call: Call, contexts: set[Read]) -> set[Read]:
        if call.name == "current":
            return {self._context}
        if call.name not in _PLAIN_FUNCTIONS:
            raise _Everything
        for argument in call.arguments:
            self._values(argument, contexts)
        if not call.arguments:
            # string(), number() and others of their kind are about the context node.
            for place in contexts if call.name not in {"true", "false"} else ():
                self._note_below(place)
        return set()

    def _path(self, path: Path, contexts: set[Read]) -> set[Read]:
        places = self._places(path.start, contexts)
        for step in path.steps:
            places = self._filtered(self._step(step, places), step.predicates)
        return places

    def _step(self, step: Step, places: set[Read]) -> set[Read]:
        if step.axis == "parent":
            found = {_above(place) for place in places if place.node is not None}
        elif step.axis == "self":
            found = places
        elif step.axis == "child" and step.test.kind != "text":
            found = {Read(node, place.apex) for place in places for node in self._children(place)}
        elif step.axis in {"child", "attribute"}:
            # The text of a leaf: that is read already. Nodes have no attributes here.
            return set()
        else:
            raise _Everything
        found = {place for place in found if self._admits(step.test, place.node)}
        self._found |= found
        return found

    def _children(self, place: Read) -> Iterable[SchemaNode]:
        children = self._schema.data if place.node is None else place.node.children
        return children.values()

    def _admits(self, test: NodeTest, node: SchemaNode | None) -> bool:
        if test.kind != "name":
            return True
        if node is None or test.name not in {"*", node.name}:
            return False
        # A name without a prefix may mean several modules where a grouping is used: any of them.
        return test.prefix is None or self._expression.prefixes.get(test.prefix, node.module) == node.module

    def _filtered(self, places: set[Read], predicates: Iterable[Expr]) -> set[Read]:
        for predicate in predicates:
            if not _is_truth(predicate):
                raise _Everything
            self._values(predicate, places)
        return places


def _is_truth(predicate: Expr) -> bool:
    """False for a predicate that may be a number and so a position."""
    if isinstance(predicate, Operation):
        return predicate.operator in _TRUTHS or predicate.operator == "|"
    if isinstance(predicate, Call):
        return predicate.name in _TRUTH_FUNCTIONS
    return isinstance(predicate, (Path, Text, Filtered))


def _above(place: Read) -> Read:
    assert place.node is not None
    parent = place.node.parent
    return Read(parent, parent if place.apex is place.node else place.apex)


def _higher(a: SchemaNode | None, b: SchemaNode | None) -> SchemaNode | None:
    """Of two nodes on one way to the root, the one nearer to it."""
    if a is None or b is None:
        return None
    return a if any(node is a for node in ancestors(b)) else b


class _Closure:
    """Adds to what is read all that decides whether it exists."""

    def __init__(self, schema: Schema, whens: dict[SchemaNode, frozenset[Read] | None]) -> None:
        self._schema = schema
        self._whens = whens

    def of(self, context: SchemaNode, reads: frozenset[Read] | None) -> frozenset[Read] | None:
        """The reads of a constraint on `context`, closed; None if they are everything."""
        if reads is None:
            return None
        # The node itself may come and go as a default.
        waiting = [*reads, Read(context, context)]
        found: set[Read] = set(reads)
        while waiting:
            read = waiting.pop()
            more = self._decisive(read)
            if more is None:
                return None
            waiting += more - found
            found |= more
        return frozenset(found)

    def _decisive(self, read: Read) -> set[Read] | None:
        """What decides, beside itself, whether a node is there: from it up to where its entry begins."""
        found: set[Read] = set()
        for node in ancestors(read.node):
            if node.kind == "list":
                break  # its entries are there because somebody made them, never as defaults
            whens = self._whens.get(node, frozenset())
            if whens is None:
                return None
            found |= {Read(when.node, _higher(when.apex, read.apex)) for when in whens}
            found |= {
                Read(below, _higher(node.parent, read.apex))
                for sibling in _siblings_in_choice(self._schema, node)
                for below in config_nodes([sibling])
            }
        return found


def _siblings_in_choice(schema: Schema, node: SchemaNode) -> Iterator[SchemaNode]:
    """The nodes of the outermost choice that a node lies in, itself among them."""
    if not node.choice:
        return
    name = node.choice[0].partition("/")[0]
    for sibling in (schema.data if node.parent is None else node.parent.children).values():
        if sibling.choice and sibling.choice[0].partition("/")[0] == name:
            yield sibling
