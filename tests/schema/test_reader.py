from __future__ import annotations

from sdqkd.schema.reader import Reader
from sdqkd.schema.tree import Container, Entries

TREE = Container(
    {
        "name": "alfa",
        "kind": "fixture:BLUE",
        "loss": "7.47",
        "on": "true",
        "tag": ("a", "b"),
        "box": Container({"depth": "3"}),
        "row": Entries({("x",): Container({"id": "x"}), ("y",): Container({"id": "y"})}),
    }
)


def test_what_is_there_is_read_as_a_value() -> None:
    top = Reader(TREE)
    assert (top.text("name"), top.local("kind")) == ("alfa", "BLUE")
    assert (top.number("loss"), top.flag("on")) == (7.47, True)
    assert (top.values("tag"), top.inside("box").optional_int("depth")) == (("a", "b"), 3)
    assert [row.optional_text("id") for row in top.entries("row")] == ["x", "y"]


def test_what_is_absent_is_its_default_or_nothing() -> None:
    top = Reader(TREE).inside("nothing")
    assert (top.text("name"), top.text("name", "x"), top.local("kind")) == ("", "x", "")
    assert (top.number("loss", "1.5"), top.flag("on"), top.values("tag")) == (1.5, False, ())
    assert (top.optional_int("depth"), top.optional_text("id")) == (None, None)
    assert not top.has("row")
    assert list(top.entries("row")) == []
