from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.controller.emulated import Emulated

from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import LoadedNetwork, load_network
from sdqkd.controller.plan import make_plan
from sdqkd.controller.saved_plan import SavedPlan, demand_bases, demand_own, is_saved_plan, read_saved_plan, save
from sdqkd.errors import ApplyError, InputError

Json = dict[str, Any]


@pytest.fixture
def saved(three_sites: LoadedNetwork) -> SavedPlan:
    running = Emulated(three_sites.network).running()
    plan = make_plan("three-sites", desired(three_sites.network), running)
    return save(plan, three_sites, "noc", "2026-11-23T10:00:00.000Z")


def test_a_plan_comes_back_from_its_file(saved: SavedPlan) -> None:
    text = json.dumps(saved.to_json())
    assert is_saved_plan(text)
    assert read_saved_plan(text, "plan.json") == saved


def test_a_network_file_is_no_plan(three_sites_text: str) -> None:
    assert not is_saved_plan(three_sites_text)
    with pytest.raises(InputError, match=r"plan\.json: this is no plan"):
        read_saved_plan(three_sites_text, "plan.json")


def test_what_is_broken_is_refused(saved: SavedPlan) -> None:
    for document in ([], {}, saved.plan.to_json(), {"sdqkd-plan": {}}, saved.to_json() | {"devices": [{}]}):
        with pytest.raises(InputError, match=r"this is no (saved )?plan"):
            read_saved_plan(json.dumps(document), "plan.json")
    with pytest.raises(InputError, match="this is no plan"):
        read_saved_plan('{"sdqkd-plan":' + "[" * 100_000, "plan.json")


def test_a_comment_does_not_make_a_plan_stale_but_another_wish_does(
    saved: SavedPlan, three_sites_text: str
) -> None:
    saved.demand_fresh(load_network("# Looked at.\n" + three_sites_text, "network.yaml"))
    other = three_sites_text.replace("launch-power-dbm: -3", "launch-power-dbm: -2")
    with pytest.raises(ApplyError, match=r"network\.yaml has changed since the plan was made: plan again"):
        saved.demand_fresh(load_network(other, "network.yaml"))


def test_devices_that_hold_something_else_now_are_named(saved: SavedPlan, three_sites: LoadedNetwork) -> None:
    running = Emulated(three_sites.network).running()
    demand_bases(saved.plan, three_sites.network, running)
    running["alfa-qkd"] = desired(three_sites.network)["alfa-qkd"].tree
    with pytest.raises(ApplyError, match="the plan is stale; nothing was changed") as refused:
        demand_bases(saved.plan, three_sites.network, running)
    assert list(refused.value.failures) == ["alfa-qkd"]


def test_a_device_whose_plan_contradicts_itself_is_named(saved: SavedPlan, three_sites: LoadedNetwork) -> None:
    running = Emulated(three_sites.network).running()
    device = saved.plan.devices["alfa-qkd"]
    for wrong in (replace(device, result="0" * 64), replace(device, changes=device.reverse().changes)):
        plan = replace(saved.plan, devices={**saved.plan.devices, "alfa-qkd": wrong})
        with pytest.raises(ApplyError) as refused:
            demand_bases(plan, three_sites.network, running)
        assert "do not lead to what it promises" in str(refused.value.failures["alfa-qkd"])


def test_a_plan_for_another_network_is_refused(saved: SavedPlan, three_sites: LoadedNetwork) -> None:
    other = replace(three_sites, network=replace(three_sites.network, name="elsewhere"))
    with pytest.raises(ApplyError, match="for the network three-sites, not for elsewhere"):
        saved.demand_fresh(other)


def unguarded(plan: Json) -> None:
    change = {"op": "add", "path": "/ietf-netconf-acm:nacm/enable-nacm", "new": "false"}
    plan["devices"][0]["changes"].append(change)


def of_the_hardware(plan: Json) -> None:
    change = {"op": "add", "path": "/etsi-qkd-sdn-node:qkd_node/qkdn_location_id", "new": "here"}
    plan["devices"][0]["changes"].append(change)


def of_another_kind(plan: Json) -> None:
    plan["devices"][0] |= {"model-set": "encryptor", "changes": []}


@pytest.mark.parametrize(
    ("tamper", "reason"),
    [
        (unguarded, "does not own: /ietf-netconf-acm:nacm/enable-nacm"),
        (of_the_hardware, "does not own: /etsi-qkd-sdn-node:qkd_node/qkdn_location_id"),
        (of_another_kind, "the plan takes it for 'encryptor', it is 'qkd-node'"),
    ],
)
def test_a_plan_is_held_to_what_the_controller_owns(
    saved: SavedPlan, three_sites: LoadedNetwork, tamper: Callable[[Json], None], reason: str
) -> None:
    """Its digests cover no more than that, so nothing else of it would ever be read back."""
    demand_own(saved.plan, three_sites.network)
    demand_own(saved.plan.reverse(), three_sites.network)
    document = saved.to_json()
    tamper(document)
    tampered = read_saved_plan(json.dumps(document), "plan.json")
    with pytest.raises(ApplyError, match="this is no plan of this controller; nothing was changed") as refused:
        tampered.demand_fresh(three_sites)
    assert reason in str(refused.value.failures["alfa-qkd"])
