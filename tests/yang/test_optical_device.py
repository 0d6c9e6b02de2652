"""Rules of the optical device's model, judged by libyang: a port, or a slot of it, is used once."""

from __future__ import annotations

from typing import Any

import pytest

from sdqkd.errors import RpcError, RpcErrors
from sdqkd.schema import json
from sdqkd.schema.table import load
from sdqkd.schema.validate import Validator

SCHEMA = load("optical-device")
TOP = "sdqkd-optical-device:optical-device"


def crossing(name: str, a: str, b: str, thz: str | None = None, ghz: str | None = None) -> dict[str, Any]:
    slot = {"frequency-thz": thz, "slot-width-ghz": ghz}
    return {"name": name, "a-port": a, "b-port": b} | {key: value for key, value in slot.items() if value}


def judge(**content: Any) -> None:
    ports = [{"name": name} for name in "1234"]
    Validator(SCHEMA).check(json.decode(SCHEMA, {TOP: {"port": ports, **content}}))


@pytest.mark.parametrize(
    "crossings",
    [
        [crossing("x", "1", "2"), crossing("y", "3", "4")],
        [crossing("x", "1", "2", "193.4", "50"), crossing("y", "1", "3", "193.5", "50")],
        [crossing("x", "1", "2", "193.4", "100"), crossing("y", "1", "3", "193.5", "100")],
        [crossing("x", "1", "2", "193.4", "50"), crossing("y", "3", "4", "193.4", "50")],
    ],
)
def test_ports_and_slots_apart_are_accepted(crossings: list[dict[str, Any]]) -> None:
    judge(**{"cross-connection": crossings})


@pytest.mark.parametrize(
    ("crossings", "said"),
    [
        ([crossing("x", "1", "2"), crossing("y", "2", "3")], "one cross-connection"),
        ([crossing("x", "1", "1")], "two different ports"),
        ([crossing("x", "1", "5")], "does not exist"),
        ([crossing("x", "1", "2"), crossing("y", "1", "3", "193.4", "50")], "one cross-connection"),
        (
            [crossing("x", "1", "2", "193.4", "100"), crossing("y", "1", "3", "193.45", "50")],
            "one cross-connection",
        ),
        ([crossing("x", "1", "2", "193.4")], "centre and its width"),
        ([crossing("x", "1", "2", ghz="50")], "centre and its width"),
    ],
)
def test_what_collides_is_refused(crossings: list[dict[str, Any]], said: str) -> None:
    with pytest.raises((RpcError, RpcErrors), match=said):
        judge(**{"cross-connection": crossings})


def test_an_amplifier_needs_two_ports() -> None:
    amplifier = {"name": "a", "input-port": "1", "output-port": "2", "gain-db": "20.0"}
    judge(amplifier=[amplifier])
    with pytest.raises((RpcError, RpcErrors), match="two different ports"):
        judge(amplifier=[amplifier | {"output-port": "1"}])
