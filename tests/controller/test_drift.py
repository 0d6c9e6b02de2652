"""What counts as drift, under which policy, and that restoring takes back that and nothing else."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.controller.drift import compare, restoring, summary
from sdqkd.controller.drift_rules import faults, policies_of
from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import load_network
from sdqkd.errors import InputError
from sdqkd.network.model import DriftRule, DriftRules, Network, Policy
from sdqkd.schema.diff import apply
from sdqkd.schema.path import parse_path
from sdqkd.schema.table import load
from sdqkd.schema.tree import Container, put, remove

TEXT = (Path(__file__).parent / "data" / "network.yaml").read_text("utf-8")
NETWORK = load_network(TEXT, "network.yaml").network
WANTED = desired(NETWORK)
CHANNEL = "/sdqkd-optical-device:optical-device/optical-channel[name='alfa-bravo-c21']"
CHANNELS = "/sdqkd-optical-device:optical-device/optical-channel"
LINK = "/etsi-qkd-sdn-node:qkd_node/qkd_links/qkd_link[qkdl_id='0b000000-0000-4000-8000-000000000001']"
CROSSING = "/sdqkd-optical-device:optical-device/cross-connection[name='Alfa-Charlie-CV']"

# What somebody might do to a device: a leaf with its new value, or something taken away.
TRANSPONDER = {
    f"{CHANNEL}/launch-power-dbm": "1.50",
    f"{CHANNEL}/enabled": "false",
    f"{CHANNEL}/frequency-thz": "192.3",
}
NODE = {f"{LINK}/qkdl_enable": "false", f"{LINK}/phys_channel_att": "9.000", f"{LINK}/phys_qkd_role": None}
POLICIES: list[Policy] = ["restore", "adopt", "alarm-only", "ignore"]


def tampered(device: str, edits: dict[str, str | None]) -> Container:
    wanted = WANTED[device]
    schema, tree = load(wanted.model_set), wanted.tree
    for where, value in edits.items():
        path = parse_path(schema, where)
        tree = remove(tree, path) if value is None else put(schema, tree, path, value)
    return tree


def rule(where: str, policy: Policy, *devices: str) -> DriftRule:
    return DriftRule(
        "a-rule", "/sdqkd-network:network/sdqkd-drift:drift/rule[name='a-rule']", where, devices, policy
    )


def judged(device: str, held: Container, rules: DriftRules | None = None, agreed: tuple[str, ...] = ()):
    return compare(
        device, WANTED[device], held, policies_of(NETWORK.devices[device], rules or DriftRules()), agreed
    )


def subset(edits: dict[str, str | None]) -> st.SearchStrategy[dict[str, str | None]]:
    return st.sets(st.sampled_from(sorted(edits))).map(lambda chosen: {where: edits[where] for where in chosen})


@pytest.mark.parametrize("device", NETWORK.devices)
def test_what_is_wanted_is_no_drift(device: str) -> None:
    drift = judged(device, WANTED[device].tree)
    assert (drift.state, drift.deviations, drift.ignored) == ("in step", (), 0)


def test_what_a_device_tunes_by_itself_is_no_drift() -> None:
    drift = judged("alfa-qkd", tampered("alfa-qkd", {f"{LINK}/phys_channel_att": "4.2"}))
    assert (drift.state, drift.ignored) == ("in step", 1)


def test_the_operators_rule_comes_before_what_is_known_of_devices() -> None:
    rules = DriftRules(rules=(rule(f"{LINK}/phys_channel_att", "alarm-only"),))
    drift = judged("alfa-qkd", tampered("alfa-qkd", {f"{LINK}/phys_channel_att": "4.2"}), rules)
    assert [each.policy for each in drift.deviations] == ["alarm-only"]


def test_the_first_rule_that_fits_decides() -> None:
    held = tampered("alfa-transponder", TRANSPONDER)
    rules = DriftRules(
        "alarm-only",
        (
            rule(f"{CHANNELS}/launch-power-dbm", "adopt", "bravo-transponder"),
            rule(f"{CHANNELS}[name='other']", "ignore"),
            rule(f"{CHANNELS}/launch-power-dbm", "restore"),
            rule(f"{CHANNEL}/enabled", "adopt"),
        ),
    )
    found = {each.change.path[-1]: each.policy for each in judged("alfa-transponder", held, rules).deviations}
    assert found == {"launch-power-dbm": "restore", "enabled": "adopt", "frequency-thz": "alarm-only"}


def test_a_rule_for_a_leaf_is_not_for_the_whole_entry() -> None:
    rules = DriftRules("alarm-only", (rule(f"{CHANNELS}/launch-power-dbm", "ignore"),))
    drift = judged("alfa-transponder", tampered("alfa-transponder", {CHANNEL: None}), rules)
    assert [each.policy for each in drift.deviations] == ["alarm-only"]


@given(subset(TRANSPONDER), st.sampled_from(POLICIES), st.sampled_from(POLICIES))
def test_restoring_takes_back_what_is_under_its_policy_and_nothing_else(
    edits: dict[str, str | None], general: Policy, of_power: Policy
) -> None:
    device = "alfa-transponder"
    rules = DriftRules(general, (rule(f"{CHANNELS}/launch-power-dbm", of_power),))
    held = tampered(device, edits)
    drift = judged(device, held, rules)
    plan = restoring(NETWORK.name, drift, WANTED[device], held)
    after = judged(device, apply(drift.schema, held, plan.devices[device].changes), rules)
    assert after.deviations == tuple(each for each in drift.deviations if each.policy != "restore")
    assert after.ignored == drift.ignored
    assert plan.is_empty == (not drift.under("restore"))


@given(subset(NODE))
def test_restoring_leaves_alone_what_the_device_tunes(edits: dict[str, str | None]) -> None:
    held = tampered("alfa-qkd", edits)
    drift = judged("alfa-qkd", held)
    plan = restoring(NETWORK.name, drift, WANTED["alfa-qkd"], held)
    after = judged("alfa-qkd", apply(drift.schema, held, plan.devices["alfa-qkd"].changes))
    assert after.state == "in step"
    assert after.ignored == (f"{LINK}/phys_channel_att" in edits)


def test_a_crossing_that_is_gone_comes_back() -> None:
    held = tampered("alfa-switch", {CROSSING: None})
    drift = judged("alfa-switch", held)
    assert [change.op for change in drift.under("restore")] == ["remove"]
    plan = restoring(NETWORK.name, drift, WANTED["alfa-switch"], held)
    assert apply(drift.schema, held, plan.devices["alfa-switch"].changes) == WANTED["alfa-switch"].tree


def test_a_device_that_never_held_what_the_file_wants_now_has_not_drifted() -> None:
    held = tampered("alfa-transponder", TRANSPONDER)
    known = judged("alfa-transponder", held)
    assert known.state == "drifted"
    assert judged("alfa-transponder", held, agreed=(known.wanted,)).state == "drifted"
    waiting = judged("alfa-transponder", held, agreed=("something else",))
    assert waiting.state == "not applied"
    assert summary({"a": known, "b": waiting}) == (
        "0 of 2 devices hold what is wanted, 1 drifted, 1 wait for changes of the network file to be applied"
    )


def test_drift_as_json() -> None:
    drift = judged("alfa-transponder", tampered("alfa-transponder", {f"{CHANNEL}/launch-power-dbm": "1.50"}))
    assert json.loads(json.dumps(drift.to_json())) == {
        "device": "alfa-transponder",
        "state": "drifted",
        "changes": [
            {
                "policy": "restore",
                "op": "change",
                "path": f"{CHANNEL}/launch-power-dbm",
                "old": "-3.0",
                "new": "1.50",
            }
        ],
        "ignored": 0,
    }


def with_rules(*rules: DriftRule) -> Network:
    return dataclasses.replace(NETWORK, drift=DriftRules(rules=rules))


@pytest.mark.parametrize(
    ("where", "devices"),
    [("/no:such/thing", ()), (CHANNELS, ("alfa-qkd",)), ("/ietf-netconf-acm:nacm", ()), ("/[", ())],
)
def test_a_rule_for_nothing_is_a_fault(where: str, devices: tuple[str, ...]) -> None:
    (fault,) = faults(with_rules(rule(where, "ignore", *devices)))
    assert "the rule is for nothing" in fault.message


def test_rules_are_read_of_the_file() -> None:
    section = (
        f"  drift:\n    policy: alarm-only\n    rule:\n      - {{name: p, path: {CHANNELS}, policy: adopt}}\n"
    )
    found = load_network(TEXT.replace("  domain:\n", f"{section}  domain:\n", 1), "network.yaml").network.drift
    assert found.policy == "alarm-only"
    assert [(one.name, one.where, one.devices, one.policy) for one in found.rules] == [
        ("p", CHANNELS, (), "adopt")
    ]


def test_a_rule_for_nothing_is_told_with_its_line() -> None:
    section = "  drift:\n    rule:\n      - {name: p, path: /x:y, policy: adopt}\n"
    text = TEXT.replace("  domain:\n", f"{section}  domain:\n", 1)
    with pytest.raises(InputError, match=r"network.yaml:\d+: the rule is for nothing: /x:y"):
        load_network(text, "network.yaml")
