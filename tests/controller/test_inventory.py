from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tests.controller.cases import Case, read_cases

from sdqkd.controller.callers import Waiting
from sdqkd.controller.inventory import (
    LoadedNetwork,
    check_endpoints,
    load_inventory,
    load_network,
    read_file,
    with_inventory,
)
from sdqkd.errors import InputError, InputErrors
from sdqkd.network.model import Endpoint
from sdqkd.transport.keys import make_key_pair

DATA = Path(__file__).parent / "data"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBmVH5Ky3Ue+RCKnCkKLeVcLCnQdFWlXwn9xM3Ic6RGa"


def by_name(case: Case) -> str:
    return case.name.replace(" ", "-")


@pytest.mark.parametrize("case", read_cases(DATA / "bad-networks.yaml"), ids=by_name)
def test_a_wrong_network_file_is_refused_with_every_place(case: Case, three_sites_text: str) -> None:
    with pytest.raises(InputError) as refused:
        load_network(case.spoil(three_sites_text), "network.yaml")
    check_complaints(case, refused.value)


@pytest.mark.parametrize("case", read_cases(DATA / "bad-inventories.yaml"), ids=by_name)
def test_a_wrong_inventory_is_refused_with_every_place(case: Case, three_sites: LoadedNetwork) -> None:
    text = (DATA / "inventory.yaml").read_text("utf-8")
    with pytest.raises(InputError) as refused:
        with_inventory(three_sites, load_inventory(case.spoil(text), "network.yaml"))
    check_complaints(case, refused.value)


def check_complaints(case: Case, error: InputError) -> None:
    errors = error.errors if isinstance(error, InputErrors) else (error,)
    said = [(each.file, each.line, each.path) for each in errors]
    assert said == [("network.yaml", wanted.line, wanted.path) for wanted in case.complaints], str(error)
    for each, wanted in zip(errors, case.complaints, strict=True):
        assert wanted.message in each.message


def test_a_fault_names_one_place(three_sites_text: str) -> None:
    second = "    - name: l2-bravo-charlie\n"
    with pytest.raises(InputErrors) as refused:
        load_network(three_sites_text.replace(second, "      vlan: 7\n" + second), "network.yaml")
    assert str(refused.value).splitlines()[0] == (
        "network.yaml:165: alfa-l1 does not take it: the model has no 'vlan' in connection "
        "(at /sdqkd-network:network/protected-connection[name='l1-alfa-bravo'])"
    )


def test_both_example_networks_are_right(three_sites: LoadedNetwork, madqci: LoadedNetwork) -> None:
    assert len(three_sites.network.devices) == 12
    assert len(madqci.network.devices) == 36


def test_an_inventory_says_where_devices_answer(three_sites: LoadedNetwork) -> None:
    inventory = load_inventory((DATA / "inventory.yaml").read_text("utf-8"), "/etc/sdqkd/inventory.yaml")
    devices = with_inventory(three_sites, inventory).network.devices
    own = Endpoint("192.0.2.1", 830, KEY, "noc", "/etc/sdqkd/keys/noc")
    assert devices["alfa-qkd"].management == own
    assert devices["bravo-qkd"].management == Endpoint("bravo.example", 4022, KEY, "night", "/etc/sdqkd/night")


def test_what_an_inventory_leaves_out_comes_from_the_network_file(three_sites_text: str) -> None:
    text = three_sites_text.replace(
        "      kind: qkd-node\n", "      kind: qkd-node\n      management: {username: own, client-key-file: key}\n"
    )
    bare = f"inventory: {{device: [{{name: alfa-qkd, address: 192.0.2.1, host-key: {KEY}}}]}}"
    loaded = with_inventory(load_network(text, "/net/network.yaml"), load_inventory(bare, "/inv/inventory.yaml"))
    assert loaded.network.devices["alfa-qkd"].management == Endpoint("192.0.2.1", 830, KEY, "own", "/net/key")


def test_the_top_of_an_inventory_holds_for_devices_that_it_does_not_list(
    three_sites_text: str,
) -> None:
    text = three_sites_text.replace(
        "      kind: qkd-node\n",
        f"      kind: qkd-node\n      management: {{address: 192.0.2.9, host-key: {KEY}}}\n",
    )
    text = text.replace("192.0.2.9", "192.0.2.8, username: own", 1)
    bare = "inventory: {username: noc, client-key-file: keys/noc}"
    loaded = with_inventory(load_network(text, "/net/network.yaml"), load_inventory(bare, "/inv/inventory.yaml"))
    at = {name: device.management for name, device in loaded.network.devices.items()}
    assert at["bravo-qkd"] == Endpoint("192.0.2.9", 830, KEY, "noc", "/inv/keys/noc")
    # What the network file says of one device is nearer than what an inventory says of all.
    assert at["alfa-qkd"] == Endpoint("192.0.2.8", 830, KEY, "own", "/inv/keys/noc")
    assert at["alfa-l1"] == Endpoint(None, 830, None, "noc", "/inv/keys/noc")


def reachable(three_sites: LoadedNetwork, key_files: dict[str, Path]) -> LoadedNetwork:
    """Every device with an address, and our private key for it in this file."""
    devices = {
        name: dataclasses.replace(device, management=Endpoint("192.0.2.1", 830, KEY, "noc", str(key_files[name])))
        for name, device in three_sites.network.devices.items()
    }
    return dataclasses.replace(three_sites, network=dataclasses.replace(three_sites.network, devices=devices))


def test_a_private_key_that_cannot_be_used_is_told_once_before_anybody_connects(
    three_sites: LoadedNetwork, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    make_key_pair(good)
    everywhere = dict.fromkeys(three_sites.network.devices, good)
    check_endpoints(reachable(three_sites, everywhere))
    with pytest.raises(InputError) as refused:
        check_endpoints(reachable(three_sites, dict.fromkeys(everywhere, bad)))
    assert str(refused.value) == f"{bad}: the private key cannot be read: No such file or directory"
    bad.write_text("no key", "utf-8")
    bad.chmod(0o600)
    good.chmod(0o644)
    with pytest.raises(InputErrors) as both:
        check_endpoints(reachable(three_sites, everywhere | {"bravo-l1": bad}))
    assert [error.file for error in both.value.errors] == [str(good), str(bad)]
    assert "chmod 600" in str(both.value)


def test_devices_that_cannot_be_reached_are_named(three_sites: LoadedNetwork) -> None:
    inventory = load_inventory((DATA / "inventory.yaml").read_text("utf-8"), "inventory.yaml")
    with pytest.raises(InputErrors) as refused:
        check_endpoints(with_inventory(three_sites, inventory))
    assert str(refused.value) == (
        "network.yaml:27: charlie-qkd, alfa-switch, bravo-switch, charlie-switch, alfa-transponder, "
        "bravo-transponder, alfa-l1, bravo-l1 and 2 more cannot be reached without address, host key: "
        "enter it in the inventory inventory.yaml, or `management` here "
        "(at /sdqkd-network:network/device[name='charlie-qkd'])"
    )


def test_devices_are_named_by_what_they_lack(three_sites: LoadedNetwork) -> None:
    text = (DATA / "inventory.yaml").read_text("utf-8")
    text = text.replace("  username: noc\n", "").replace("  client-key-file: keys/noc\n", "")
    with pytest.raises(InputErrors) as refused:
        check_endpoints(with_inventory(three_sites, load_inventory(text, "inventory.yaml")))
    assert [error.message[:70] for error in refused.value.errors] == [
        "alfa-qkd cannot be reached without user name, client key file: enter i",
        "charlie-qkd, alfa-switch, bravo-switch, charlie-switch, alfa-transpond",
    ]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.yaml: the file cannot be read: No such file"):
        read_file(tmp_path / "nowhere.yaml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Is a directory"):
        read_file(tmp_path)


def test_text_that_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes("network:\n  name: Quintín\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"latin\.yaml:2: this is not UTF-8"):
        read_file(file)


def test_an_inventory_says_who_calls_and_who_speaks_tls(three_sites: LoadedNetwork) -> None:
    shown = ":".join(["AB"] * 32)
    text = f"""
inventory:
  username: noc
  client-key-file: noc_key
  tls-certificate-file: noc.crt
  tls-key-file: noc.key
  tls-issuers-file: root.crt
  call-home: {{address: 192.0.2.7, tls-port: 14335, patience: 30}}
  device:
    - {{name: alfa-qkd, transport: tls, address: 192.0.2.1, certificate: '{shown}'}}
    - {{name: bravo-qkd, transport: tls, call-home: true, certificate-name: bravo.example}}
    - {{name: charlie-qkd, call-home: true, host-key: {KEY}}}
"""
    loaded = with_inventory(three_sites, load_inventory(text, "/inv/inventory.yaml"))
    at = {name: device.management for name, device in loaded.network.devices.items()}
    ours = ("noc", "/inv/noc_key")
    files = ("/inv/noc.crt", "/inv/noc.key", "/inv/root.crt")
    assert at["alfa-qkd"] == Endpoint("192.0.2.1", 6513, None, *ours, "tls", False, shown, None, *files)
    assert at["bravo-qkd"] == Endpoint(None, 6513, None, *ours, "tls", True, None, "bravo.example", *files)
    assert at["charlie-qkd"] == Endpoint(None, 830, KEY, *ours, "ssh", True, None, None, *files)
    assert loaded.waiting == Waiting("192.0.2.7", 4334, 14335, 30)


def test_certificates_that_cannot_be_used_are_told_before_anybody_connects(
    three_sites: LoadedNetwork, tmp_path: Path
) -> None:
    make_key_pair(tmp_path / "good")
    loaded = reachable(three_sites, dict.fromkeys(three_sites.network.devices, tmp_path / "good"))
    end = Endpoint("192.0.2.1", 6513, transport="tls", tls_certificate_file="no.crt", tls_issuers_file="none.crt")
    with pytest.raises(InputErrors) as refused:
        check_endpoints(moved(loaded, dataclasses.replace(end, tls_issuers_file=None)))
    assert "cannot be reached without TLS key file, certificate or TLS issuers file" in str(refused.value)
    with pytest.raises(InputErrors) as refused:
        check_endpoints(moved(loaded, dataclasses.replace(end, tls_key_file="no.key")))
    assert [error.file for error in refused.value.errors] == ["no.key", "none.crt"]


def moved(loaded: LoadedNetwork, end: Endpoint) -> LoadedNetwork:
    """The network with another endpoint of alfa-qkd."""
    devices = dict(loaded.network.devices)
    devices["alfa-qkd"] = dataclasses.replace(devices["alfa-qkd"], management=end)
    return dataclasses.replace(loaded, network=dataclasses.replace(loaded.network, devices=devices))
