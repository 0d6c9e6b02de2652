from __future__ import annotations

import pytest

from sdqkd.controller.places import from_model, nearest, placed
from sdqkd.errors import InputError, RpcError, RpcErrors

LINES = {"/a:top": 2, "/a:top/item[name='x/y[z']": 5, "/a:top/item[name='x/y[z']/size": 7}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/a:top/item[name='x/y[z']/size", ("/a:top/item[name='x/y[z']/size", 7)),
        ("/a:top/item[name='x/y[z']/colour", ("/a:top/item[name='x/y[z']", 5)),
        ("/a:top/item[name='other']/size", ("/a:top", 2)),
        ("/b:elsewhere", ("/b:elsewhere", None)),
        (None, (None, None)),
    ],
)
def test_the_nearest_place_that_the_file_has_is_named(
    path: str | None, found: tuple[str | None, int | None]
) -> None:
    assert nearest(LINES, path) == found


def test_errors_come_in_the_order_of_the_lines() -> None:
    errors = placed(
        [InputError("b", path="/a:top/item[name='x/y[z']"), InputError("a", path="/a:top")], "f", LINES
    )
    assert str(errors) == "f:2: a (at /a:top)\nf:5: b (at /a:top/item[name='x/y[z'])"


def test_every_error_of_the_model_gets_its_place() -> None:
    wrong = [RpcError("invalid-value", text, path="/a:top/item[name='x/y[z']/size") for text in ("big", "odd")]
    assert [(e.line, e.message) for e in from_model(RpcErrors(wrong), "f", LINES).errors] == [
        (7, "big"),
        (7, "odd"),
    ]
