from __future__ import annotations

from dataclasses import replace

import pytest

from sdqkd.controller.inventory import LoadedNetwork, load_network
from sdqkd.controller.newcomer import device_entry
from sdqkd.controller.yaml_append import append_entries
from sdqkd.errors import InputError
from sdqkd.network.model import Endpoint
from sdqkd.plant.plant import Plant
from sdqkd.profiles.profile import load_profiles

CHOSEN = {1: "idquantique-c-band"}


@pytest.mark.parametrize("name", ["alfa-qkd", "alfa-switch", "alfa-transponder", "alfa-l1", "bravo-l2"])
def test_what_a_device_says_of_itself_is_its_entry(three_sites: LoadedNetwork, name: str) -> None:
    known = three_sites.network.devices[name]
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOBmMhP476rWbCcEgdh906elV9s8SXAFAFpvryTWm7zA"
    unknown = replace(known, device_id="", management=Endpoint("192.0.2.1", 830, key))
    entry = device_entry(unknown, Plant(three_sites.network).devices[name].factory(), load_profiles(), CHOSEN)
    text = "network:\n  name: n\n  domain:\n    - {name: d}\n  site:\n" + "".join(
        f"    - {{name: {site}, domain: d}}\n" for site in three_sites.network.sites
    )
    found = load_network(append_entries(text, "network", "device", [entry]), "n.yaml").network.devices[name]
    assert found.management == unknown.management
    products = {id: module.product for id, module in found.interfaces.items()}
    same = {id: replace(module, product=products[id]) for id, module in known.interfaces.items()}
    loss_db = known.insertion_loss_db  # of a switch: it does not tell
    assert replace(found, insertion_loss_db=loss_db) == replace(
        known, management=unknown.management, interfaces=same
    )


def test_a_module_whose_profile_cannot_be_told_is_named(three_sites: LoadedNetwork) -> None:
    device = three_sites.network.devices["alfa-qkd"]
    tree = Plant(three_sites.network).devices["alfa-qkd"].factory()
    with pytest.raises(InputError, match="interface 1 of alfa-qkd does not tell its profile: choose one of"):
        device_entry(device, tree, load_profiles(), {})
