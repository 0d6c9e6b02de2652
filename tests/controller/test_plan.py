from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdqkd.controller.intent import Desired, desired
from sdqkd.controller.inventory import LoadedNetwork, load_network
from sdqkd.controller.plan import Plan, differences, digest, make_plan
from sdqkd.controller.plan_text import names_of, plan_lines
from sdqkd.errors import InputError
from sdqkd.network.model import Network
from sdqkd.schema.diff import apply, same
from sdqkd.schema.table import load
from sdqkd.schema.tree import EMPTY, Container, get, put, remove

DATA = Path(__file__).parent / "data"
NETWORK = load_network((DATA / "network.yaml").read_text("utf-8"), "network.yaml").network
LINKS = sorted(NETWORK.qkd_links)


def factory(network: Network) -> dict[str, Container]:
    return dict.fromkeys(network.devices, EMPTY)


def wanting(network: Network, active: set[str]) -> Network:
    links = {name: dataclasses.replace(link, active=name in active) for name, link in network.qkd_links.items()}
    return dataclasses.replace(network, qkd_links=links)


def held(wanted: dict[str, Desired]) -> dict[str, Container]:
    return {name: one.tree for name, one in wanted.items()}


def after(plan: Plan, running: dict[str, Container]) -> dict[str, Container]:
    return {name: apply(device.schema, running[name], device.changes) for name, device in plan.devices.items()}


# Which links shall run: any that do not share a module. Alfa-Charlie and Bravo-Charlie do.
ACTIVE = st.sets(st.sampled_from(LINKS)).filter(lambda names: not {"Alfa-Charlie-CV", "Bravo-Charlie-CV"} <= names)


def test_a_plan_from_factory_configuration_reads_like_this() -> None:
    plan = make_plan("three-sites", desired(NETWORK), factory(NETWORK))
    lines = "".join(f"{sign} {text}".strip() + "\n" for sign, text in plan_lines(plan, names_of(NETWORK)))
    assert lines == (DATA / "three-sites.plan").read_text("utf-8")
    assert str(plan.summary()) == "12 of 12 devices change: 13 to add, 0 to change, 0 to remove"


def test_a_plan_between_two_states_reads_like_this() -> None:
    other = wanting(NETWORK, {"Alfa-Bravo-DV", "Bravo-Charlie-CV"})
    channel = dataclasses.replace(other.optical_channels["alfa-bravo-c21"], launch_power_dbm=-2.5)
    other = dataclasses.replace(other, optical_channels={channel.name: channel})
    plan = make_plan("three-sites", desired(other), held(desired(NETWORK)))
    lines = "".join(f"{sign} {text}".strip() + "\n" for sign, text in plan_lines(plan, names_of(NETWORK)))
    assert lines == (DATA / "switch-over.plan").read_text("utf-8")


@given(ACTIVE)
def test_the_desired_state_needs_no_plan(active: set[str]) -> None:
    wanted = desired(wanting(NETWORK, active))
    assert make_plan("n", wanted, held(wanted)).is_empty


@settings(deadline=None)
@given(ACTIVE, ACTIVE)
def test_after_a_plan_nothing_is_left_to_plan_and_its_reverse_leads_back(
    before: set[str], wanted: set[str]
) -> None:
    running, target = held(desired(wanting(NETWORK, before))), desired(wanting(NETWORK, wanted))
    plan = make_plan("n", target, running)
    done = after(plan, running)
    assert make_plan("n", target, done).is_empty
    assert all(
        plan.devices[name].result == digest(d.schema, done[name], target[name].owned)
        for name, d in plan.devices.items()
    )
    back = plan.reverse()
    returned = after(back, done)
    assert all(same(load(target[name].model_set), returned[name], running[name]) for name in running)
    assert back.reverse() == plan


@given(ACTIVE, ACTIVE)
def test_a_plan_survives_json(before: set[str], wanted: set[str]) -> None:
    guarantees = {"alfa-qkd": "confirmed", "bravo-qkd": "running"}
    running = held(desired(wanting(NETWORK, before)))
    plan = make_plan("n", desired(wanting(NETWORK, wanted)), running, guarantees)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_a_plan_as_json_says_what_changes_where() -> None:
    before, wanted = (desired(wanting(NETWORK, names)) for names in (set(), {"Alfa-Bravo-DV"}))
    document = json.loads(json.dumps(make_plan("n", wanted, held(before)).to_json()))
    assert (document["format"], document["network"]) == (1, "n")
    devices = {device["device"]: device for device in document["devices"]}
    assert list(devices) == list(NETWORK.devices)
    (change,) = devices["alfa-qkd"]["changes"]
    assert (change["op"], change["path"]) == (
        "add",
        "/etsi-qkd-sdn-node:qkd_node/qkd_links/qkd_link[qkdl_id='0b000000-0000-4000-8000-000000000001']",
    )
    assert change["new"]["phys_qkd_role"] == "etsi-qkd-node-types:TRANSMITTER"
    assert devices["charlie-l2"] == {
        "device": "charlie-l2",
        "model-set": "rohde-schwarz-encryptor",
        "base": devices["charlie-l2"]["result"],
        "result": devices["charlie-l2"]["base"],
        "changes": [],
    }


def test_what_the_controller_does_not_own_is_neither_compared_nor_counted(three_sites: LoadedNetwork) -> None:
    wanted = desired(NETWORK)
    schema = load("qkd-node")
    location = ("etsi-qkd-sdn-node:qkd_node", "qkdn_location_id")
    running = held(wanted)
    elsewhere = running | {"alfa-qkd": put(schema, running["alfa-qkd"], location, "rack 7")}
    assert make_plan("n", wanted, elsewhere) == make_plan("n", wanted, running)


def test_a_leaf_that_holds_its_default_is_no_change() -> None:
    wanted = desired(NETWORK)["bravo-l1"]
    interval = ("sdqkd-encryptor:encryptor", ("connection", ("l1-alfa-bravo",)), "rekey-interval")
    assert get(wanted.tree, interval) == "60"
    schema = load(wanted.model_set)
    assert differences(schema, remove(wanted.tree, interval), wanted.tree, wanted.owned) == ()
    assert differences(schema, put(schema, wanted.tree, interval, "61"), wanted.tree, wanted.owned) != ()
    digests = [digest(schema, tree, wanted.owned) for tree in (wanted.tree, remove(wanted.tree, interval))]
    assert digests[0] == digests[1] != digest(schema, put(schema, wanted.tree, interval, "61"), wanted.owned)


def test_a_plan_says_which_device_does_not_undo_by_itself_what_is_not_confirmed() -> None:
    guarantees = {"alfa-qkd": "confirmed", "bravo-l1": "candidate"}
    plan = make_plan("n", desired(NETWORK), factory(NETWORK), guarantees)
    heads = [text for sign, text in plan_lines(plan, {}) if not sign]
    assert "alfa-qkd" in heads
    assert any(head.startswith("bravo-l1 (takes the change at once") for head in heads)


def test_the_order_of_entries_does_not_change_the_digest() -> None:
    wanted = desired(NETWORK)["alfa-qkd"]
    schema = load("qkd-node")
    links = get(wanted.tree, wanted.owned[0])
    assert isinstance(links, Container)
    entries = links.children["qkd_link"]
    turned = type(entries)(dict(reversed(entries.entries.items())))
    tree = put(schema, EMPTY, (*wanted.owned[0], "qkd_link"), turned)
    assert digest(schema, tree, wanted.owned) == digest(schema, wanted.tree, wanted.owned)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda plan: [], "list indices"),
        (lambda plan: plan | {"format": 7}, "its format is 7, not 1"),
        (lambda plan: {"format": 1, "network": "n"}, "'devices' is missing"),
        (lambda plan: first_device(plan, guarantee="eternal"), "there is no guarantee 'eternal'"),
        (lambda plan: first_change(plan, path="/etsi-qkd-sdn-node:qkd_node/nothing"), "has no 'nothing'"),
        (lambda plan: first_change(plan, op="invent"), "a change 'invent'"),
        (lambda plan: first_change(plan, new=7), "a text belongs where"),
        (lambda plan: first_change(plan, old={}), "a change 'add' has"),
    ],
)
def test_what_is_no_plan_is_refused(spoil, reason: str) -> None:
    plan = make_plan("n", desired(NETWORK), factory(NETWORK)).to_json()
    with pytest.raises(InputError, match=r"plan\.json: this is no plan: .*") as refused:
        Plan.from_json(spoil(plan), "plan.json")
    assert reason in str(refused.value)


def first_device(plan, **parts):
    return plan | {"devices": [plan["devices"][0] | parts]}


def first_change(plan, **parts):
    change = plan["devices"][0]["changes"][0]
    if parts.get("new") == 7:
        parts["path"] = change["path"] + "/qkdl_status"
    return first_device(plan, changes=[change | parts])
