from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from tests.controller.emulated import Emulated

from sdqkd.controller.change_json import change_to_json
from sdqkd.controller.history_text import plan_of, row, transaction_json, transaction_lines
from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.journal import Begin
from sdqkd.controller.journal_state import DeviceRecord, TransactionRecord
from sdqkd.controller.plan import Plan, make_plan
from sdqkd.controller.rollback import rollback_plan
from sdqkd.errors import ApplyError
from sdqkd.schema.diff import apply
from sdqkd.schema.tree import Container

Trees = Mapping[str, Container]


def record_of(txid: str, plan: Plan, outcome: str = "done") -> TransactionRecord:
    inverse = {
        name: [
            change_to_json(plan.devices[name].schema, change) for change in plan.devices[name].reverse().changes
        ]
        for name in plan.changed
    }
    begin = Begin(txid, plan.network, "noc", plan.to_json(), inverse, {}, {})
    devices = {name: DeviceRecord(read_back="CONFIRM") for name in plan.changed}
    return TransactionRecord(begin, 1, "2026-11-23T10:00:00.000Z", outcome=outcome, devices=devices)  # type: ignore[arg-type]


@pytest.fixture
def network(three_sites: LoadedNetwork) -> LoadedNetwork:
    return three_sites


@pytest.fixture
def old(network: LoadedNetwork) -> Trees:
    return Emulated(network.network).running()


@pytest.fixture
def first(network: LoadedNetwork, old: Trees) -> Plan:
    return make_plan("three-sites", desired(network.network), old)


def after(plan: Plan, trees: Trees) -> Trees:
    return {name: apply(device.schema, trees[name], device.changes) for name, device in plan.devices.items()}


def louder(network: LoadedNetwork, now: Trees) -> Plan:
    channel = replace(network.network.optical_channels["alfa-bravo-c21"], launch_power_dbm=-2.0)
    wanted = replace(network.network, optical_channels={channel.name: channel})
    return make_plan("three-sites", desired(wanted), now)


def test_what_was_done_is_taken_back(network: LoadedNetwork, old: Trees, first: Plan) -> None:
    now = after(first, old)
    back = rollback_plan({"t1": record_of("t1", first)}, "t1", make_plan("n", desired(network.network), now))
    assert after(back, now) == old
    assert back.changed == first.changed


def test_only_devices_of_the_transaction_must_be_as_it_left_them(
    network: LoadedNetwork, old: Trees, first: Plan
) -> None:
    held = after(first, old)
    second = louder(network, held)
    third = after(second, held)
    history = {"t1": record_of("t1", first), "t2": record_of("t2", second)}
    now = make_plan("three-sites", desired(network.network), third)
    back = rollback_plan(history, "t2", now)
    assert back.changed == ("alfa-transponder", "bravo-transponder")
    assert after(back, third) == held
    with pytest.raises(ApplyError, match="it was changed again since by t2: take that back first") as refused:
        rollback_plan(history, "t1", now)
    assert list(refused.value.failures) == ["alfa-transponder", "bravo-transponder"]


@pytest.mark.parametrize("outcome", ["rolled back", "refused", None])
def test_what_was_not_done_cannot_be_taken_back(first: Plan, outcome: str) -> None:
    with pytest.raises(ApplyError, match="there is nothing to take back"):
        rollback_plan({"t1": record_of("t1", first, outcome)}, "t1", first)
    with pytest.raises(ApplyError, match="there is no transaction t2"):
        rollback_plan({"t1": record_of("t1", first, outcome)}, "t2", first)


def test_by_hand_is_told_apart_from_by_us(network: LoadedNetwork, old: Trees, first: Plan) -> None:
    with pytest.raises(ApplyError, match="it does not hold what that transaction gave it"):
        rollback_plan({"t1": record_of("t1", first)}, "t1", make_plan("n", desired(network.network), old))


def test_a_transaction_is_told_in_a_row_and_in_full(first: Plan) -> None:
    record = record_of("t1", first)
    assert row(record) == ("t1", "2026-11-23 10:00:00", "noc", "done", "12 devices")
    undone = replace(record, outcome="rolled back", reason="QBER is 12 %")
    assert row(undone)[3:] == ("rolled back", "12 devices: QBER is 12 %")
    assert "  alfa-qkd: read back with the new configuration" in list(transaction_lines(record))
    assert plan_of(record) == first
    assert transaction_json(record)["devices"] == list(first.changed)
    assert transaction_json(record, whole=True)["devices"]["alfa-qkd"]["holds"] == "new"
