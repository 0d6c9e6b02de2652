from __future__ import annotations

from sdqkd.errors import ApplyError, InputError, InputErrors, LoginRefusedError, RpcError, UnreachableError


def test_of_many_faults_the_first_are_told_and_the_rest_counted() -> None:
    faults = InputErrors([InputError(f"fault {n}", "n.yaml", n) for n in range(1, 151)])
    lines = str(faults).splitlines()
    assert lines[0] == "n.yaml:1: fault 1"
    assert (len(lines), lines[19], lines[20]) == (21, "n.yaml:20: fault 20", "and 130 more")
    assert (len(faults.errors), faults.count) == (100, 150)


def test_few_faults_are_all_told() -> None:
    assert str(InputErrors([InputError("a", "f", 1), InputError("b", "f", 2)])) == "f:1: a\nf:2: b"


def test_what_many_devices_say_alike_is_told_once() -> None:
    refused = {f"d{n}": LoginRefusedError(f"192.0.2.{n}:830", "refuses user 'eve'") for n in range(1, 37)}
    gone = {
        "away": UnreachableError("192.0.2.99:830", "no answer"),
        "odd": RpcError("in-use", "busy", path="/b"),
    }
    assert str(ApplyError("38 of 40 devices cannot be read", refused | gone)) == (
        "38 of 40 devices cannot be read\n"
        "  36 devices (d1, d2, d3, d4, d5, d6, d7, d8 and 28 more): refuses user 'eve'\n"
        "  away: 192.0.2.99:830: no answer\n"
        "  odd: busy [in-use] (at /b)"
    )


def test_what_few_devices_say_alike_keeps_the_place_of_each() -> None:
    gone = {name: UnreachableError(f"{name}.example:830", "no answer") for name in ("a", "b", "c")}
    assert str(ApplyError("failed", gone, {"a": "not known"})) == (
        "failed\n  a: a.example:830: no answer\n  b: b.example:830: no answer\n  c: c.example:830: no answer\n"
        "  now in a: not known"
    )
