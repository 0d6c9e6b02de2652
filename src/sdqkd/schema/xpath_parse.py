"""Reading XPath 1.0: from text to the trees of `xpath`.

Deep nesting is refused, so that nothing which walks the tree runs out of stack.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import NamedTuple, NoReturn, cast, get_args

from sdqkd.schema.xpath import (
    Axis,
    Call,
    Expr,
    Filtered,
    Here,
    Kind,
    NodeTest,
    Number,
    Operation,
    Operator,
    Path,
    Root,
    Step,
    Text,
    Variable,
    XPathError,
)

MAX_LENGTH = 20_000  # characters
MAX_DEPTH = 40  # brackets in brackets
_REMEMBERED_LENGTH = 500
_SHOWN = 30

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d*)?|\.\d+)|(?P<text>"[^"]*"|'[^']*')"""
    r"""|(?P<name>[^\W\d][\w.\-]*(?::(?!:)(?:[^\W\d][\w.\-]*|\*))?)"""
    r"""|(?P<sign>\.\.|::|//|!=|<=|>=|[.@$/|+\-=<>()\[\],*]))""",
)
_END = "the end"
# After these, a name or star is not an operator (XPath 1.0 section 3.7).
_OPENING = frozenset({"@", "::", "(", "[", ",", "/", "//", "|", "+", "-", "=", "!=", "<", "<=", ">", ">="})
_WORDS = frozenset({"and", "or", "mod", "div"})
_KINDS = frozenset(get_args(Kind)) - {"name"}
_AXES = frozenset(get_args(Axis))
_EVERYWHERE = Step("descendant-or-self", NodeTest("node"))
# From loosest to tightest; all are left-associative.
_BINARY: tuple[frozenset[str], ...] = (
    frozenset({"or"}),
    frozenset({"and"}),
    frozenset({"=", "!="}),
    frozenset({"<", "<=", ">", ">="}),
    frozenset({"+", "-"}),
    frozenset({"*", "div", "mod"}),
)


class _Token(NamedTuple):
    """`kind` is number, text, name, operator or sign; `at` is where it starts."""

    kind: str
    text: str
    at: int


def parse(text: str) -> Expr:
    """Read an expression. Raises XPathError that says where it is wrong."""
    if len(text) > MAX_LENGTH:
        raise XPathError(f"the expression has {len(text)} characters; at most {MAX_LENGTH} are read")
    return _remembered(text) if len(text) <= _REMEMBERED_LENGTH else _parse(text)


@functools.lru_cache(maxsize=1024)
def _remembered(text: str) -> Expr:
    return _parse(text)


def _parse(text: str) -> Expr:
    parser = _Parser(text)
    expression = parser.binary(0)
    if parser.token.text != _END:
        parser.fail("an operator or the end")
    return expression


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            place = at + len(text[at:]) - len(text[at:].lstrip())
            raise XPathError(f"no XPath expression: {_near(text, place)} cannot be read")
        kind = str(match.lastgroup)
        found.append(_Token(_kind(kind, match[kind], found), match[kind], match.start(kind)))
        at = match.end()
    return [*found, _Token("end", _END, end)]


def _kind(kind: str, text: str, before: list[_Token]) -> str:
    """Tell operators from names and wildcards by what stands before them."""
    operand_before = bool(before) and before[-1].kind != "operator" and before[-1].text not in _OPENING | {"$"}
    if not operand_before:
        return "name" if text == "*" else kind
    return "operator" if text == "*" or (kind == "name" and text in _WORDS) else kind


def _near(text: str, at: int) -> str:
    shown = text[at : at + _SHOWN]
    return f"'{shown}'" if shown else _END


class _Parser:
    """Recursive descent. Each method reads one part that starts at `token`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0

    @property
    def token(self) -> _Token:
        return self._tokens[self._at]

    def fail(self, wanted: str) -> NoReturn:
        """Say what should stand here."""
        raise XPathError(f"no XPath expression: {wanted} should stand before {_near(self._text, self.token.at)}")

    def _next(self) -> _Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _is(self, *texts: str) -> bool:
        """Whether one of these signs or operators comes next; never a text in quotes or a name."""
        return self.token.kind in {"sign", "operator"} and self.token.text in texts

    def _take(self, *texts: str) -> bool:
        found = self._is(*texts)
        self._at += found
        return found

    def _expect(self, text: str) -> None:
        if not self._take(text):
            self.fail(f"'{text}'")

    def _inside(self, read: Callable[[], Expr]) -> Expr:
        """Read what stands between brackets."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise XPathError(f"the expression is nested more than {MAX_DEPTH} deep")
        found = read()
        self._depth -= 1
        return found

    def expression(self) -> Expr:
        """Read a whole expression, inside brackets."""
        return self._inside(lambda: self.binary(0))

    def binary(self, level: int) -> Expr:
        """Read operands and the operators of one level between them."""
        if level == len(_BINARY):
            return self._signed()
        operators = _BINARY[level]
        found = [self.binary(level + 1)]
        if level < 2:
            while self._take(*operators):
                found.append(self.binary(level + 1))
            operator: Operator = "or" if level == 0 else "and"
            return Operation(operator, tuple(found)) if len(found) > 1 else found[0]
        result = found[0]
        while self._is(*operators):
            chosen = cast(Operator, self._next().text)
            result = Operation(chosen, (result, self.binary(level + 1)))
        return result

    def _signed(self) -> Expr:
        signs = 0
        while self._take("-"):
            signs += 1
        found = self._union()
        # Two signs make a number of what was none.
        for _ in range(min(signs, 2 - signs % 2)):
            found = Operation("negate", (found,))
        return found

    def _union(self) -> Expr:
        found = [self._path()]
        while self._take("|"):
            found.append(self._path())
        return Operation("|", tuple(found)) if len(found) > 1 else found[0]

    def _path(self) -> Expr:
        if self._take("/"):
            return Path(Root(), self._steps()) if self._starts_step() else Root()
        if self._take("//"):
            return Path(Root(), (_EVERYWHERE, *self._steps()))
        if self._starts_step():
            return Path(Here(), self._steps())
        found = self._primary()
        predicates = self._predicates()
        if predicates:
            found = Filtered(found, predicates)
        if self._take("/"):
            return Path(found, self._steps())
        if self._take("//"):
            return Path(found, (_EVERYWHERE, *self._steps()))
        return found

    def _starts_step(self) -> bool:
        if self.token.kind == "name":
            following = self._tokens[self._at + 1]
            is_call = following.kind == "sign" and following.text == "("
            return not is_call or self.token.text in _KINDS
        return self._is(".", "..", "@")

    def _steps(self) -> tuple[Step, ...]:
        found = [self._step()]
        while self._is("/", "//"):
            if self._next().text == "//":
                found.append(_EVERYWHERE)
            found.append(self._step())
        return tuple(found)

    def _step(self) -> Step:
        if self._take("."):
            return Step("self", NodeTest("node"))
        if self._take(".."):
            return Step("parent", NodeTest("node"))
        axis: Axis = "child"
        if self._take("@"):
            axis = "attribute"
        elif self.token.kind == "name" and self._tokens[self._at + 1].text == "::":
            name = self._next().text
            if name not in _AXES:
                raise XPathError(f"no XPath expression: there is no axis '{name}'")
            axis = cast(Axis, name)
            self._next()
        return Step(axis, self._test(), self._predicates())

    def _test(self) -> NodeTest:
        if self.token.kind != "name":
            self.fail("a name")
        name = self._next().text
        if name in _KINDS and self._take("("):
            if name == "processing-instruction" and self.token.kind == "text":
                self._next()
            self._expect(")")
            return NodeTest(cast(Kind, name))
        prefix, colon, local = name.rpartition(":")
        return NodeTest("name", local, prefix if colon else None)

    def _predicates(self) -> tuple[Expr, ...]:
        found = []
        while self._take("["):
            found.append(self.expression())
            self._expect("]")
        return tuple(found)

    def _primary(self) -> Expr:
        token = self.token
        if self._take("("):
            found = self.expression()
            self._expect(")")
            return found
        if self._take("$"):
            return Variable(self._next().text) if self.token.kind == "name" else self.fail("a name")
        if token.kind == "text":
            return Text(self._next().text[1:-1])
        if token.kind == "number":
            return Number(float(self._next().text))
        return self._call() if token.kind == "name" else self.fail("a value, a name or '('")

    def _call(self) -> Expr:
        name = self._next().text
        self._expect("(")
        arguments: list[Expr] = []
        if not self._is(")"):
            arguments.append(self.expression())
            while self._take(","):
                arguments.append(self.expression())
        self._expect(")")
        return Call(name, tuple(arguments))
