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


def test_what_follows_from_a_reference_to_nothing_is_not_told() -> None:
    entry = "/a:top/item[name='x/y[z']"
    dangling = RpcError("data-missing", "no such device", path=f"{entry}/end/device", app_tag="instance-required")
    follows = [
        RpcError("data-missing", "no such port", path=f"{entry}/end/port", app_tag="instance-required"),
        RpcError("operation-failed", "wrong kind", path=entry, app_tag="must-violation"),
        RpcError("data-missing", "no such device", app_tag="instance-required"),
    ]
    elsewhere = RpcError("operation-failed", "odd", path="/a:top/item[name='b']", app_tag="must-violation")
    told = from_model(RpcErrors([*follows, dangling, elsewhere]), "f", LINES).errors
    assert {error.message for error in told} == {"no such device", "odd"}
