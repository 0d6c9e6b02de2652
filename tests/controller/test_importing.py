from __future__ import annotations

import re

import pytest
from tests.controller.emulated import Emulated

from sdqkd.controller.importing import find, imported
from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import LoadedNetwork, load_network
from sdqkd.controller.plan import make_plan
from sdqkd.controller.yaml_append import append_entries
from sdqkd.controller.yaml_edit import CannotEditError
from sdqkd.schema.diff import apply
from sdqkd.schema.table import load
from sdqkd.schema.tree import Container, config_only, merge

Trees = dict[str, Container]


def without(text: str, *names: str) -> str:
    """The file without these lists."""
    for name in names:
        text = re.sub(rf"(?ms)^  {name}:\n.*?(?=^  \S|\Z)", "", text)
    return text


@pytest.fixture
def held(three_sites: LoadedNetwork) -> Trees:
    """What the devices of the whole file hold and report."""
    emulated = Emulated(three_sites.network)
    trees: Trees = {}
    for name, device in make_plan("n", desired(three_sites.network), emulated.running()).devices.items():
        trees[name] = apply(device.schema, emulated.running()[name], device.changes)
        emulated.plant.devices[name].apply(trees[name])
    return {name: merge(d.schema, trees[name], d.state()) for name, d in emulated.plant.devices.items()}


def test_what_devices_do_comes_into_a_file_that_wants_nothing(three_sites_text: str, held: Trees) -> None:
    text = without(three_sites_text, "qkd-link", "optical-channel", "protected-connection")
    bare = load_network(text, "network.yaml")
    new, found = imported(bare, text, held)
    assert (found.count, found.left) == (5, [])
    network = load_network(new, "network.yaml").network
    assert {*network.qkd_links} == {"Alfa-Bravo", "Alfa-Charlie-CV"}
    assert new.startswith(text.rstrip("\n").rsplit("\n", 1)[0])
    running = {name: config_only(load(network.devices[name].model_set), tree) for name, tree in held.items()}
    assert make_plan("n", desired(network), running).is_empty


def test_what_the_file_wants_already_is_not_found_again(three_sites: LoadedNetwork, held: Trees) -> None:
    found = find(three_sites.network, held)
    assert (found.count, found.left) == (0, [])
    assert imported(three_sites, "the text", held)[0] == "the text"


def test_a_link_that_runs_though_the_file_says_no_is_wanted_then(three_sites_text: str, held: Trees) -> None:
    text = three_sites_text.replace(
        "  transmitter: {device: alfa-qkd, interface: 1}",
        "  active: false\n      transmitter: {device: alfa-qkd, interface: 1}",
    )
    new, found = imported(load_network(text, "network.yaml"), text, held)
    assert found.activated == ["Alfa-Bravo-DV"]
    assert load_network(new, "network.yaml").network.qkd_links["Alfa-Bravo-DV"].active


def test_half_a_link_is_left_to_a_person(three_sites_text: str, held: Trees, three_sites: LoadedNetwork) -> None:
    text = without(three_sites_text, "qkd-link", "optical-channel", "protected-connection")
    empty = Emulated(three_sites.network).running()
    halves = held | {name: empty[name] for name in ("bravo-qkd", "bravo-transponder", "charlie-l2", "alfa-switch")}
    found = find(load_network(text, "network.yaml").network, halves)
    assert [*found.entries] == ["protected-connection"]
    assert [line.partition(":")[0] for line in found.left] == [
        "QKD link 0b000000-0000-4000-8000-000000000001 at alfa-qkd",
        "QKD link 0b000000-0000-4000-8000-000000000002 at alfa-qkd, charlie-qkd",
        "optical channel alfa-bravo-c21 at alfa-transponder",
        "connection l2-bravo-charlie at bravo-l2",
    ]


def test_entries_are_added_after_the_last_and_comments_stay() -> None:
    text = "network:\n  fibre:\n    - name: a  # the first\n      ports: [1,\n        2]\n  # next\n  name: n\n"
    entry = {"name": "b", "fibre": ["x", "y z"]}
    assert append_entries(text, "network", "fibre", [entry]) == (
        "network:\n  fibre:\n    - name: a  # the first\n      ports: [1,\n        2]\n"
        "    - {name: b, fibre: [x, 'y z']}\n  # next\n  name: n\n"
    )
    assert append_entries(text, "network", "patch", [entry]) == (
        text + "  patch:\n    - {name: b, fibre: [x, 'y z']}\n"
    )
    assert append_entries(text, "network", "fibre", []) == text
    for other in ("network: {fibre: []}\n", "network:\n  fibre: []\n", "[]\n", "a: [\n"):
        with pytest.raises(CannotEditError):
            append_entries(other, "network", "fibre", [entry])
