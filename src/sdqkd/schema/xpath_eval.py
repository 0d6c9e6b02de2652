"""Evaluating XPath 1.0 over a data tree, with a bound on the work.

    evaluate(parse("/q:qkd_node//q:qkdl_id"), Document(schema, tree), names)

An entry whose keys are all given is looked up and not searched for, and `//name` looks only where the model can
have that name; everything else is done as XPath 1.0 says it.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from sdqkd.errors import RpcError
from sdqkd.schema.path import parse_path
from sdqkd.schema.table import Expression, Schema, SchemaNode
from sdqkd.schema.xpath import (
    Call,
    Expr,
    Filtered,
    Here,
    Names,
    NodeTest,
    Number,
    Operation,
    Path,
    Root,
    Step,
    Text,
    TooExpensiveError,
    Variable,
    XPathError,
    names_of,
    walk,
)
from sdqkd.schema.xpath_axes import AXES, REVERSE
from sdqkd.schema.xpath_compare import COMPARISONS, Comparison, Literals, member_types
from sdqkd.schema.xpath_functions import FUNCTIONS
from sdqkd.schema.xpath_parse import parse
from sdqkd.schema.xpath_plan import Stride, equalities, strides
from sdqkd.schema.xpath_tree import Document, Place
from sdqkd.schema.xpath_values import Value, divide, remainder, to_boolean, to_number

DEFAULT_BUDGET = 500_000  # steps, each of about a microsecond
_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "div": divide,
    "mod": remainder,
}


class Budget:
    """How much work may still be done, in steps."""

    def __init__(self, steps: int = DEFAULT_BUDGET) -> None:
        self._steps = steps
        self._left = steps

    def spend(self, steps: int) -> None:
        """Take note of work done. Raises TooExpensiveError when it is too much."""
        self._left -= steps
        if self._left < 0:
            raise TooExpensiveError(f"the expression takes more than {self._steps} steps: make it more specific")


class Prepared:
    """An expression with what its names mean, checked, to be evaluated as often as wanted.

    Raises XPathError for what no evaluation can do: unbound prefixes, unknown functions, variables.
    """

    def __init__(self, schema: Schema, expression: Expr, names: Names) -> None:
        _check(expression, names)
        self.expression = expression
        self.names = names
        self.literals = Literals(schema, names)
        self._schema = schema
        self._plans: dict[int, tuple[Stride, ...]] = {}
        self._named: dict[tuple[SchemaNode | None, int], list[SchemaNode]] = {}

    def plan(self, path: Path) -> tuple[Stride, ...]:
        """The steps of a path in it, as they are done."""
        if id(path) not in self._plans:
            self._plans[id(path)] = tuple(strides(path.steps))
        return self._plans[id(path)]

    def named(self, above: SchemaNode | None, known: Mapping[str, SchemaNode], test: NodeTest) -> list[SchemaNode]:
        """The schema nodes of `known`, which are those below `above`, that pass a test of names in it."""
        key = (above, id(test))
        if key not in self._named:
            self._named[key] = [node for node in known.values() if self.is_named(node, test)]
        return self._named[key]

    def is_named(self, node: SchemaNode, test: NodeTest) -> bool:
        """Whether a node passes a test of names."""
        return test.name in ("*", node.name) and self.names.admits(test, node.module)


@functools.cache
def prepared(schema: Schema, expression: Expression) -> Prepared:
    """An expression of a model. Raises XPathError."""
    return Prepared(schema, parse(expression.xpath), names_of(expression))


def _check(expression: Expr, names: Names) -> None:
    names.check(expression)
    for part in walk(expression):
        if isinstance(part, Variable):
            raise XPathError(f"there is no variable ${part.name}")
        if isinstance(part, Call):
            _check_call(part)


def _check_call(call: Call) -> None:
    function = FUNCTIONS.get(call.name)
    if function is None:
        raise XPathError(f"there is no function {call.name}()")
    given = len(call.arguments)
    if given < function.least or (function.most is not None and given > function.most):
        raise XPathError(f"{call.name}() cannot have {given} arguments")


def evaluate(
    expression: Expr, document: Document, names: Names, at: Place | None = None, budget: Budget | None = None
) -> Value:
    """The value of an expression, at the root if not elsewhere. Raises XPathError, TooExpensiveError."""
    ready = Prepared(document.schema, expression, names)
    return Evaluation(document, ready, at or document.root, budget or Budget()).value()


class _Frame(NamedTuple):
    """The context of an expression: a node, its position, and the size of the set in which it has it."""

    place: Place
    position: int = 1
    size: int = 1


class Evaluation:
    """One expression at one node of a document, which is `current`."""

    def __init__(self, document: Document, ready: Prepared, current: Place, budget: Budget) -> None:
        self.document = document
        self.current = current
        self.spend = budget.spend
        self._ready = ready
        self._budget = budget
        self._comparison = Comparison(ready.literals, self.text_of, self.spend)
        self._keys: dict[tuple[SchemaNode, int], tuple[str, ...] | None] = {}

    def value(self) -> Value:
        """Evaluate. Raises XPathError, TooExpensiveError."""
        return self._value(self._ready.expression, _Frame(self.current))

    # What functions ask

    def text_of(self, place: Place) -> str:
        """The string value of a node."""
        if isinstance(place.value, str):
            return place.value
        parts = []
        for below in self.document.descendants(place, self.spend):
            if below.is_text and isinstance(below.value, str):
                parts.append(below.value)
        return "".join(parts)

    def identity(self, text: str) -> str | None:
        """The `module:NAME` that an identity's name means here, None for none."""
        return self._ready.literals.identity(text)

    def referred(self, place: Place) -> list[Place]:
        """The nodes to which a leafref or instance-identifier leads: RFC 7950 section 10.3.1."""
        if place.node is None or place.node.type is None or not isinstance(place.value, str):
            return []
        found: list[Place] = []
        for leaf_type in member_types(place.node.type):
            if leaf_type.reference is not None:
                reference = prepared(self.document.schema, leaf_type.reference)
                nodes = Evaluation(self.document, reference, place, self._budget).value()
                found += [to for to in nodes if to.value == place.value] if isinstance(nodes, list) else []
            elif leaf_type.base == "instance-identifier":
                found += self._instance(place.value)
        return self._ordered(found)

    def _instance(self, text: str) -> list[Place]:
        try:
            path = parse_path(self.document.schema, text)
        except RpcError:
            return []
        at = [self.document.root]
        for step in path:
            member = step if isinstance(step, str) else step[0]
            at = [to for place in at for to in self.document.members(place, member) if to.step == step]
        return at

    # Expressions

    def _value(self, expression: Expr, frame: _Frame) -> Value:
        self.spend(1)
        if isinstance(expression, Path):
            return self._path(expression, frame)
        if isinstance(expression, Operation):
            return self._operation(expression, frame)
        if isinstance(expression, Call):
            return self._call(expression, frame)
        if isinstance(expression, Text | Number):
            return expression.value
        if isinstance(expression, Filtered):
            return self._filtered(expression, frame)
        assert isinstance(expression, Root | Here)  # `check` has refused variables
        return [self.document.root if isinstance(expression, Root) else frame.place]

    def _nodes(self, expression: Expr, frame: _Frame) -> list[Place]:
        value = self._value(expression, frame)
        if not isinstance(value, list):
            raise XPathError("nodes are wanted where the expression gives something else")
        return value

    def _filtered(self, expression: Filtered, frame: _Frame) -> list[Place]:
        nodes = self._nodes(expression.expression, frame)
        for predicate in expression.predicates:
            nodes = self._kept(nodes, predicate)
        return nodes

    def _call(self, call: Call, frame: _Frame) -> Value:
        if call.name == "position":
            return float(frame.position)
        if call.name == "last":
            return float(frame.size)
        function = FUNCTIONS[call.name]
        arguments: list[Value] = [self._value(argument, frame) for argument in call.arguments]
        if not arguments and function.of_context:
            arguments = [[frame.place]]
        return function.apply(self, arguments)

    def _operation(self, operation: Operation, frame: _Frame) -> Value:
        if operation.operator in {"or", "and"}:
            stop = operation.operator == "or"
            return any(to_boolean(self._value(one, frame)) is stop for one in operation.operands) is stop
        if operation.operator == "|":
            sets = [self._nodes(one, frame) for one in operation.operands]
            return self._ordered(place for nodes in sets for place in nodes)
        if operation.operator == "negate":
            return -to_number(self._value(operation.operands[0], frame), self.text_of)
        return self._chain(operation, frame)

    def _chain(self, operation: Operation, frame: _Frame) -> Value:
        """Binary operators in a row, which lean to the left: without recursion, as there may be many."""
        waiting = [operation]
        first = operation.operands[0]
        while isinstance(first, Operation) and (first.operator in _ARITHMETIC or first.operator in COMPARISONS):
            waiting.append(first)
            first = first.operands[0]
        value = self._value(first, frame)
        for one in reversed(waiting):
            self.spend(1)
            value = self._binary(one.operator, value, self._value(one.operands[1], frame))
        return value

    def _binary(self, name: str, a: Value, b: Value) -> Value:
        if name in _ARITHMETIC:
            return _ARITHMETIC[name](to_number(a, self.text_of), to_number(b, self.text_of))
        return self._comparison.holds(name, a, b)

    # Location paths

    def _path(self, path: Path, frame: _Frame) -> list[Place]:
        nodes = self._nodes(path.start, frame)
        # Nodes of one level stay in document order when each is replaced by its children.
        one_level = len(nodes) <= 1
        for stride in self._ready.plan(path):
            found = [self._step(place, stride) for place in nodes]
            downwards = stride.step.axis in {"child", "self"}
            if len(found) <= 1 or (one_level and downwards):
                nodes = [place for one in found for place in one]
            else:
                nodes = self._ordered(place for one in found for place in one)
            one_level = (one_level and downwards) or len(nodes) <= 1
        return nodes

    def _ordered(self, places: Iterable[Place]) -> list[Place]:
        found = list(dict.fromkeys(places))
        self.spend(2 * len(found))
        return sorted(found, key=self.document.order) if len(found) > 1 else found

    def _step(self, place: Place, stride: Stride) -> list[Place]:
        """What a step from one node selects, in document order."""
        step = stride.step
        found = self._children(place, step) if step.axis == "child" else self._on_axis(place, stride)
        self.spend(1 + len(found))
        for predicate in step.predicates:
            found = self._kept(found, predicate)
        return found[::-1] if step.axis in REVERSE else found

    def _kept(self, nodes: list[Place], predicate: Expr) -> list[Place]:
        """The nodes for which a predicate holds; their order is that of their positions."""
        if isinstance(predicate, Number):
            at = predicate.value
            return [nodes[int(at) - 1]] if at.is_integer() and 1 <= at <= len(nodes) else []
        kept = []
        for position, place in enumerate(nodes, 1):
            value = self._value(predicate, _Frame(place, position, len(nodes)))
            if value == position if isinstance(value, float) else to_boolean(value):
                kept.append(place)
        return kept

    def _on_axis(self, place: Place, stride: Stride) -> list[Place]:
        """The nodes of an axis that pass the test, the nearest first."""
        axis, test = stride.step.axis, stride.step.test
        if axis in {"descendant", "descendant-or-self"}:
            texts = test.kind != "name"
            nodes = self.document.descendants(place, self.spend, name=stride.towards, texts=texts)
            nodes = [place, *nodes] if axis == "descendant-or-self" else nodes
        else:
            nodes = list(AXES[axis](self.document, place))
            self.spend(len(nodes))
        return [node for node in nodes if self._passes(node, test)]

    def _passes(self, place: Place, test: NodeTest) -> bool:
        if test.kind == "name":
            return place.node is not None and not place.is_text and self._ready.is_named(place.node, test)
        return test.kind == "node" or (test.kind == "text" and place.is_text)

    def _children(self, place: Place, step: Step) -> list[Place]:
        """The children that pass the test, and of a list no more than the predicates can want."""
        document, test = self.document, step.test
        if test.kind != "name":
            return [child for child in document.children(place) if self._passes(child, test)]
        if place.is_text:
            return []
        wanted = self._ready.named(place.node, document.known(place), test)
        if len(wanted) != 1:
            members = {node.member for node in wanted}
            present = (member for member in document.names(place) if member in members)
            return [child for member in present for child in document.members(place, member)]
        keys = self._entry_keys(wanted[0], step) if wanted[0].keys and step.predicates else None
        if keys is None:
            return document.members(place, wanted[0].member)
        entry = document.entry(place, wanted[0], keys)
        return [entry] if entry is not None else []

    # Entries by their keys

    def _entry_keys(self, node: SchemaNode, step: Step) -> tuple[str, ...] | None:
        """The keys that the first predicates demand, None if they do not demand all."""
        at = (node, id(step))
        if at not in self._keys:
            self._keys[at] = self._demanded_keys(node, step)
        return self._keys[at]

    def _demanded_keys(self, node: SchemaNode, step: Step) -> tuple[str, ...] | None:
        demanded: dict[str, str] = {}
        for test, wanted in equalities(step.predicates):
            text = self._constant(wanted)
            for key in node.keys:
                leaf = node.children[key]
                if text is not None and leaf.type is not None and self._ready.is_named(leaf, test):
                    demanded.setdefault(key, self._ready.literals.value_of(leaf.type, text))
        keys = tuple(demanded[key] for key in node.keys if key in demanded)
        return keys if len(keys) == len(node.keys) else None

    def _constant(self, expression: Expr) -> str | None:
        """The one text that an expression is, wherever it stands; None if it may vary."""
        if isinstance(expression, Text):
            return expression.value
        if isinstance(expression, Path) and expression.start in (Root(), Call("current")):
            nodes = self._nodes(expression, _Frame(self.current))
            return self.text_of(nodes[0]) if len(nodes) == 1 else None
        return None
