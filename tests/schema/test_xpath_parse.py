from __future__ import annotations

import pytest

from sdqkd.schema.xpath import (
    Call,
    Expr,
    Filtered,
    Here,
    NodeTest,
    Number,
    Operation,
    Path,
    Root,
    Step,
    Text,
    Variable,
    XPathError,
    walk,
)
from sdqkd.schema.xpath_parse import MAX_DEPTH, MAX_LENGTH, parse

EVERYWHERE = Step("descendant-or-self", NodeTest("node"))


def child(name: str, *predicates: Expr, prefix: str | None = None) -> Step:
    return Step("child", NodeTest("name", name, prefix), predicates)


def path(*steps: Step) -> Path:
    return Path(Here(), steps)


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("/", Root()),
        ("/p:a/b", Path(Root(), (child("a", prefix="p"), child("b")))),
        ("//a", Path(Root(), (EVERYWHERE, child("a")))),
        ("a//p:*", path(child("a"), EVERYWHERE, child("*", prefix="p"))),
        ("../@a", path(Step("parent", NodeTest("node")), Step("attribute", NodeTest("name", "a")))),
        ("self::node()", path(Step("self", NodeTest("node")))),
        (" ancestor :: text ( ) ", path(Step("ancestor", NodeTest("text")))),
        ("processing-instruction('x')", path(Step("child", NodeTest("processing-instruction")))),
        ("a[1][b = 'x']", path(child("a", Number(1), Operation("=", (path(child("b")), Text("x")))))),
        ("* * *", Operation("*", (path(child("*")), path(child("*"))))),
        ("or or or", Operation("or", (path(child("or")), path(child("or"))))),
        ("1 - 2 - 3", Operation("-", (Operation("-", (Number(1), Number(2))), Number(3)))),
        ("1 + 2 * 3", Operation("+", (Number(1), Operation("*", (Number(2), Number(3)))))),
        ("a | b | c", Operation("|", (path(child("a")), path(child("b")), path(child("c"))))),
        ("1 or 2 or 3", Operation("or", (Number(1), Number(2), Number(3)))),
        ("-1", Operation("negate", (Number(1),))),
        ("---1", Operation("negate", (Number(1),))),
        ("f(1, 'a', .5)", Call("f", (Number(1), Text("a"), Number(0.5)))),
        ("(a)[1]/b", Path(Filtered(path(child("a")), (Number(1),)), (child("b"),))),
        ("current()/../a", Path(Call("current"), (Step("parent", NodeTest("node")), child("a")))),
        ("current()//a", Path(Call("current"), (EVERYWHERE, child("a")))),
        ("$x", Variable("x")),
        ('"it\'s"', Text("it's")),
        ("a-b", path(child("a-b"))),
        ("a -b", Operation("-", (path(child("a")), path(child("b"))))),
    ],
)
def test_an_expression_becomes_a_tree(text: str, expression: Expr) -> None:
    assert parse(text) == expression


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a value, a name or '(' should stand before the end"),
        ("a b", "an operator or the end should stand before 'b'"),
        ("a[1", "']' should stand before the end"),
        ("a]", "an operator or the end should stand before ']'"),
        ("1 +", "a value, a name or '(' should stand before the end"),
        ("/a/", "a name should stand before the end"),
        ("a:b:c", "':c' cannot be read"),
        ("a::b", "there is no axis 'a'"),
        ("'a", "''a' cannot be read"),
        ("a = #b", "'#b' cannot be read"),
        ("f(,)", "a value, a name or '(' should stand before ',)'"),
        ("$1", "a name should stand before '1'"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(XPathError) as caught:
        parse(text)
    assert str(caught.value) == f"no XPath expression: {said}"


def test_deep_and_long_expressions_are_refused() -> None:
    parse("(" * MAX_DEPTH + "1" + ")" * MAX_DEPTH)
    with pytest.raises(XPathError, match="nested more than"):
        parse("(" * (MAX_DEPTH + 1) + "1" + ")" * (MAX_DEPTH + 1))
    with pytest.raises(XPathError, match="nested more than"):
        parse("a[" * 5000)
    with pytest.raises(XPathError, match="characters"):
        parse("a" * (MAX_LENGTH + 1))


@pytest.mark.parametrize("text", ["1" + "+1" * 9000, "-" * 19_000 + "1", "a" + "/a" * 9000, "a" + "|a" * 9000])
def test_a_long_row_is_no_deep_nesting(text: str) -> None:
    assert parse(text)


def test_everything_in_an_expression_can_be_walked() -> None:
    expression = parse("count(/a[b = current()/c]//d) > 1 or (e)[$v]")
    calls = [part.name for part in walk(expression) if isinstance(part, Call)]
    names = [step.test.name for part in walk(expression) if isinstance(part, Path) for step in part.steps]
    assert calls == ["count", "current"]
    assert names == ["a", "*", "d", "b", "c", "e"]
    assert any(isinstance(part, Variable) for part in walk(expression))
