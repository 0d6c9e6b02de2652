"""XPath 1.0 expressions as trees, for evaluation (`xpath_eval`) and for whoever asks what an expression reads.

`xpath_parse.parse` makes them. Abbreviations are written out: `//` is the step descendant-or-self::node(), `..`
is parent::node(), `@` the attribute axis. Names keep their prefixes; what these mean is said by `Names`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lxml import etree

from sdqkd.schema.table import Expression, Schema

Axis: TypeAlias = Literal[
    "ancestor",
    "ancestor-or-self",
    "attribute",
    "child",
    "descendant",
    "descendant-or-self",
    "following",
    "following-sibling",
    "namespace",
    "parent",
    "preceding",
    "preceding-sibling",
    "self",
]
Kind: TypeAlias = Literal["name", "node", "text", "comment", "processing-instruction"]
Operator: TypeAlias = Literal[
    "or", "and", "=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "div", "mod", "negate", "|"
]


class XPathError(ValueError):
    """An expression that cannot be read or evaluated; `str()` of it is a sentence for people."""


class NotNodesError(XPathError):
    """Nodes are wanted, and the expression gives a string, a number or a boolean."""


class TooExpensiveError(XPathError):
    """The expression needs more work than it is given."""


@dataclass(frozen=True, slots=True)
class NodeTest:
    """What a step asks of a node: its kind, or (kind `name`) an element's name, `*` for any."""

    kind: Kind
    name: str = "*"
    prefix: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a location path. `predicates` filter one after the other."""

    axis: Axis
    test: NodeTest
    predicates: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Here:
    """The context node, where a relative location path starts."""


@dataclass(frozen=True, slots=True)
class Root:
    """The root of the document, where an absolute location path starts."""


@dataclass(frozen=True, slots=True)
class Path:
    """A location path: steps from `Here`, from `Root`, or from the nodes that another expression gives."""

    start: Expr
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Filtered:
    """An expression in parentheses, or a call, with predicates."""

    expression: Expr
    predicates: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """Operators between operands: any number of them for `or`, `and` and `|`, one for `negate`, else two."""

    operator: Operator
    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function call. `name` has its prefix, if it was written with one; no such function is known."""

    name: str
    arguments: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """`$name`. NETCONF binds no variables, so evaluation refuses it."""

    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """A string in quotes."""

    value: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float


Expr: TypeAlias = "Here | Root | Path | Filtered | Operation | Call | Variable | Text | Number"


def parts(expression: Expr) -> tuple[Expr, ...]:
    """The expressions right inside another: operands, arguments, predicates, the start of a path."""
    if isinstance(expression, Path):
        return (expression.start, *(predicate for step in expression.steps for predicate in step.predicates))
    if isinstance(expression, Filtered):
        return (expression.expression, *expression.predicates)
    if isinstance(expression, Operation):
        return expression.operands
    return expression.arguments if isinstance(expression, Call) else ()


def walk(expression: Expr) -> Iterator[Expr]:
    """The expression and all inside it, from outside to inside."""
    waiting = [expression]
    while waiting:
        found = waiting.pop()
        yield found
        waiting += reversed(parts(found))


@dataclass(frozen=True, slots=True)
class Names:
    """What the names of an expression mean.

    `modules` gives the module of each bound prefix, None for a namespace that the schema does not have.
    `default` is the module of names without a prefix, None if they stand for those of every module.
    """

    modules: Mapping[str, str | None]
    default: str | None = None

    def check(self, expression: Expr) -> None:
        """Raise XPathError if a node's name has a prefix that is not bound."""
        for path in walk(expression):
            for step in path.steps if isinstance(path, Path) else ():
                if step.test.prefix is not None and step.test.prefix not in self.modules:
                    raise XPathError(f"the prefix '{step.test.prefix}' is not bound to a namespace")

    def admits(self, test: NodeTest, module: str) -> bool:
        """Whether a test, whose prefix is bound, admits names of a module."""
        wanted = self.default if test.prefix is None else self.modules[test.prefix]
        return wanted == module or (test.prefix is None and (wanted is None or test.name == "*"))


def names_at(schema: Schema, element: etree._Element) -> Names:
    """The names of an expression that a client wrote on an element: RFC 6241 section 8.9.

    A prefix is what is in scope there. A name without one is in no namespace for XPath 1.0, as no node here
    is; it stands for every module's, as an element without a namespace does in a subtree filter.
    """
    bound = {prefix: schema.module_of(uri) for prefix, uri in element.nsmap.items() if prefix}
    return Names(bound)


def names_of(expression: Expression) -> Names:
    """The names of an expression of a model: RFC 7950 section 6.4.1."""
    return Names(expression.prefixes, expression.module)
