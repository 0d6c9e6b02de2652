from __future__ import annotations

import pytest
import yaml
from tests.controller.conftest import DATA
from tests.controller.emulated import Emulated

from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import LoadedNetwork, load_network
from sdqkd.controller.migration import demand_moved, making
from sdqkd.controller.plan import make_plan
from sdqkd.errors import ApplyError
from sdqkd.network.model import Network
from sdqkd.schema.diff import apply
from sdqkd.schema.tree import Container


@pytest.fixture
def before() -> str:
    return (DATA / "move.yaml").read_text("utf-8")


def moved(text: str) -> str:
    """The file as it shall be."""
    name = "      link-id: 0d000000-0000-4000-8000-000000000001\n"
    text = text.replace("      active: false\n", "")
    return text.replace(name, f"{name}      active: false\n")


def network_of(text: str) -> Network:
    return load_network(text, "move.yaml").network


def in_desired_state(network: Network) -> dict[str, Container]:
    """What all devices hold when they hold what the file wants."""
    old = Emulated(network).running()
    plan = make_plan("n", desired(network), old)
    return {name: apply(device.schema, old[name], device.changes) for name, device in plan.devices.items()}


def test_first_all_is_made_then_all_is_removed(before: str) -> None:
    after = network_of(moved(before))
    running = in_desired_state(network_of(before))
    whole = make_plan(after.name, desired(after), running)
    first = making(whole, after, running)
    assert first.changed == ("bravo-qkd", "delta-qkd")
    assert {change.op for device in first.devices.values() for change in device.changes} == {"add"}
    between = {name: apply(one.schema, running[name], one.changes) for name, one in first.devices.items()}
    second = make_plan(after.name, desired(after), between)
    assert second.changed == ("alfa-qkd", "bravo-qkd")
    assert {change.op for device in second.devices.values() for change in device.changes} == {"remove"}
    # Each half is pinned to what the half before it leaves.
    assert {name: one.result for name, one in first.devices.items()} == {
        name: one.base for name, one in second.devices.items()
    }


def test_a_module_that_serves_until_then_is_named(before: str) -> None:
    running = in_desired_state(network_of(before))
    document = yaml.safe_load(before)
    wanted = document["network"]
    del wanted["fibre"][0], wanted["qkd-link"][0], wanted["qkd-link"][0]["active"]
    wanted["fibre"][0]["b"]["port"], wanted["qkd-link"][0]["receiver"]["interface"] = "rx-1", 1
    after = network_of(yaml.safe_dump(document))
    with pytest.raises(ApplyError, match="before something old is broken") as refused:
        making(make_plan(after.name, desired(after), running), after, running)
    assert list(refused.value.failures) == ["bravo-qkd"]
    assert "qkdi_id 1 serves 0d000000-0000-4000-8000-000000000001, and 0d000000-" in str(refused.value)


def test_a_link_that_would_change_under_its_key_is_named(before: str) -> None:
    running = in_desired_state(network_of(before))
    after = network_of(
        before.replace("channel: 34\n      fibre: [alfa-bravo]", "channel: 33\n      fibre: [alfa-bravo]")
    )
    with pytest.raises(ApplyError, match="phys_wavelength would change under what it serves now"):
        making(make_plan(after.name, desired(after), running), after, running)


def test_a_site_has_moved_when_nothing_is_wanted_there(before: str, three_sites: LoadedNetwork) -> None:
    demand_moved(network_of(moved(before)), "Alfa")
    with pytest.raises(ApplyError, match="still wants QKD link Alfa-Bravo there"):
        demand_moved(network_of(before), "Alfa")
    with pytest.raises(ApplyError, match="QKD link Alfa-Charlie-CV, protected connection l2-bravo-charlie there"):
        demand_moved(three_sites.network, "Charlie")
    with pytest.raises(ApplyError, match="there is no site Almagro"):
        demand_moved(network_of(before), "Almagro")
