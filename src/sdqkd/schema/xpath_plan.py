"""What an expression allows an evaluation to skip: pure questions about its form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sdqkd.schema.xpath import Call, Expr, Here, NodeTest, Number, Operation, Path, Step, Text, walk
from sdqkd.schema.xpath_functions import FUNCTIONS

_NUMERIC = frozenset({"+", "-", "*", "div", "mod", "negate"})


_EVERYWHERE = Step("descendant-or-self", NodeTest("node"))


class Stride(NamedTuple):
    """A step as it is done: of what is below a node, only what leads to elements named `towards` counts."""

    step: Step
    towards: str | None = None


def strides(steps: Sequence[Step]) -> Iterator[Stride]:
    """The steps, `//name` as `descendant::name` where position does not matter: it is the same and much less."""
    at = 0
    while at < len(steps):
        step, following = steps[at], steps[at + 1] if at + 1 < len(steps) else None
        if step != _EVERYWHERE or following is None or following.axis != "child":
            yield Stride(step, _name(step.test) if step.axis == "descendant" else None)
        elif any(map(_is_positional, following.predicates)):
            yield Stride(step, _name(following.test))
        else:
            yield Stride(Step("descendant", following.test, following.predicates), _name(following.test))
            at += 1
        at += 1


def _name(test: NodeTest) -> str | None:
    return test.name if test.kind == "name" and test.name != "*" else None


def _is_positional(predicate: Expr) -> bool:
    """Whether a predicate may ask for the position of a node, or be a number, which does."""
    if isinstance(predicate, Call) and FUNCTIONS[predicate.name].returns == "number":
        return True
    if isinstance(predicate, Operation) and predicate.operator in _NUMERIC:
        return True
    calls = (part.name for part in walk(predicate) if isinstance(part, Call))
    return isinstance(predicate, Number) or not {"position", "last"}.isdisjoint(calls)


def equalities(predicates: Sequence[Expr]) -> Iterator[tuple[NodeTest, Expr]]:
    """Each `name = value` of the leading predicates that say nothing else.

    After any other predicate, or beside it, the position among all the nodes could matter.
    """
    for predicate in predicates:
        parts: tuple[Expr, ...] = (predicate,)
        if isinstance(predicate, Operation) and predicate.operator == "and":
            parts = predicate.operands
        found = [pair for part in parts if (pair := _equality(part)) is not None]
        if len(found) < len(parts):
            return
        yield from found


def _equality(expression: Expr) -> tuple[NodeTest, Expr] | None:
    if not isinstance(expression, Operation) or expression.operator != "=":
        return None
    for left, right in (expression.operands, expression.operands[::-1]):
        if isinstance(left, Path) and isinstance(left.start, Here) and len(left.steps) == 1:
            step = left.steps[0]
            named = step.axis == "child" and step.test.kind == "name" and step.test.name != "*"
            if named and not step.predicates and isinstance(right, Text | Number | Path):
                return step.test, right
    return None
