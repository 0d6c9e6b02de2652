from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from sdqkd.controller.both_ends import both_ends_faults, demand_both_ends, new_faults
from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.plan import make_plan
from sdqkd.errors import ApplyError
from sdqkd.network.model import Network
from sdqkd.schema import json
from sdqkd.schema.path import parse_path
from sdqkd.schema.table import load
from sdqkd.schema.tree import EMPTY, Container, merge, put, remove

Trees = dict[str, Container]
DV = "/etsi-qkd-sdn-node:qkd_node/qkd_links/qkd_link[qkdl_id='0b000000-0000-4000-8000-000000000001']"
CV = "/etsi-qkd-sdn-node:qkd_node/qkd_links/qkd_link[qkdl_id='0b000000-0000-4000-8000-000000000002']"
CROSSED = "/sdqkd-optical-device:optical-device/cross-connection[name='Alfa-Charlie-CV']"
CHANNEL = "/sdqkd-optical-device:optical-device/optical-channel[name='alfa-bravo-c21']"
L2 = "/sdqkd-encryptor:encryptor/connection[name='l2-bravo-charlie']"
ALFA, BRAVO, CHARLIE = (f"0a000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
NOBODY = "0a000000-0000-4000-8000-0000000000ff"


@pytest.fixture
def network(three_sites: LoadedNetwork) -> Network:
    return three_sites.network


@pytest.fixture
def trees(network: Network) -> Trees:
    return {name: wanted.tree for name, wanted in desired(network).items()}


def changed(network: Network, trees: Trees, device: str, path: str, value: str | None) -> Trees:
    schema = load(network.devices[device].model_set)
    place = parse_path(schema, path)
    tree = trees[device]
    return trees | {device: remove(tree, place) if value is None else put(schema, tree, place, value)}


def told(network: Network, trees: Trees) -> list[tuple[str, str, str]]:
    return [(fault.rule, fault.device, fault.message) for fault in both_ends_faults(network, trees)]


def test_what_the_file_wants_fits(network: Network, madqci: LoadedNetwork, trees: Trees) -> None:
    assert told(network, trees) == []
    assert told(madqci.network, {name: wanted.tree for name, wanted in desired(madqci.network).items()}) == []
    assert told(network, dict.fromkeys(network.devices, EMPTY)) == []


@pytest.mark.parametrize(
    ("device", "path", "value", "faults"),
    [
        ("alfa-qkd", f"{DV}/qkdl_remote/qkdn_id", NOBODY, {"peer-exists", "peers-agree"}),
        ("alfa-qkd", f"{DV}/qkdl_remote/qkdn_id", ALFA, {"peer-exists", "peers-agree"}),
        ("alfa-qkd", f"{DV}/qkdl_remote/qkdn_id", CHARLIE, {"peer-has-link"}),
        ("bravo-qkd", DV, None, {"peer-has-link"}),
        ("bravo-qkd", f"{DV}/qkdl_enable", "false", {"peer-has-link"}),
        ("alfa-qkd", f"{DV}/qkdl_remote/qkdi_id", "2", {"peers-agree"}),
        ("alfa-qkd", f"{DV}/phys_qkd_role", "etsi-qkd-node-types:RECEIVER", {"roles-opposite"}),
        ("alfa-qkd", f"{DV}/sdqkd-qkd-node:frequency-thz", "193.500000", {"channels-agree"}),
        ("alfa-qkd", f"{DV}/phys_wavelength", "35", {"channels-agree"}),
        ("alfa-switch", f"{CROSSED}/purpose", "Alfa-Bravo-DV", {"crossings-serve"}),
        ("alfa-switch", f"{CROSSED}/purpose", None, {"crossings-serve"}),
        ("alfa-switch", f"{CROSSED}/b-port", "bravo-c38", {"crossings-serve"}),
        ("alfa-transponder", f"{CHANNEL}/frequency-thz", "192.200000", {"channel-ends-agree"}),
        ("bravo-transponder", CHANNEL, None, {"channel-ends-agree"}),
        ("bravo-l2", f"{L2}/peer", "alfa-l1", {"connection-ends-agree"}),
        ("bravo-l2", f"{L2}/vlan", "7", {"connection-ends-agree"}),
        ("bravo-l2", f"{L2}/key-source/peer-sae-id", "somebody", {"connection-ends-agree"}),
        ("charlie-l2", L2, None, {"connection-ends-agree"}),
    ],
)  # fmt: skip
def test_each_rule_is_told_by_its_name_and_place(
    network: Network, trees: Trees, device: str, path: str, value: str | None, faults: set[str]
) -> None:
    found = both_ends_faults(network, changed(network, trees, device, path, value))
    assert {fault.rule for fault in found} <= faults
    assert found
    for fault in found:
        parse_path(load(network.devices[fault.device].model_set), fault.path)
        assert str(fault).startswith(f"{fault.rule}: ")


def test_a_crossing_whose_link_is_gone_is_left_over(network: Network, trees: Trees) -> None:
    for node in ("alfa-qkd", "charlie-qkd"):
        trees = changed(network, trees, node, CV, None)
    message = "it is for Alfa-Charlie-CV, and no node has such a link"
    assert told(network, trees) == [
        ("crossings-serve", switch, message) for switch in ("alfa-switch", "bravo-switch", "charlie-switch")
    ]


Relay = Callable[[str, Mapping[str, object]], None]


@pytest.fixture
def relay(trees: Trees) -> Relay:
    """Gives a node its part of a virtual link."""

    def add(device: str, hops: Mapping[str, object]) -> None:
        entry = {
            "qkdl_id": "0b000000-0000-4000-8000-0000000000aa",
            "qkdl_status": "etsi-qkd-node-types:ACTIVE",
            "qkdl_type": "etsi-qkd-node-types:VIRT",
            **hops,
        }
        schema = load("qkd-node")
        tree = json.decode(schema, {"etsi-qkd-sdn-node:qkd_node": {"qkd_links": {"qkd_link": [entry]}}})
        trees[device] = merge(schema, trees[device], tree)

    return add


def test_every_hop_of_a_virtual_link_exists(network: Network, trees: Trees, relay: Relay) -> None:
    relay("bravo-qkd", {"virt_next_hop": [ALFA]})
    assert told(network, trees) == [("hops-exist", "bravo-qkd", "the hop alfa-qkd does not have this link")]
    relay("alfa-qkd", {"virt_prev_hop": BRAVO, "virt_next_hop": [CHARLIE]})
    assert told(network, trees) == [("hops-exist", "alfa-qkd", "the hop charlie-qkd does not have this link")]
    relay("charlie-qkd", {"virt_prev_hop": ALFA})
    assert told(network, trees) == []
    relay("charlie-qkd", {"virt_prev_hop": BRAVO})
    assert told(network, trees) == [
        ("hops-exist", "charlie-qkd", "no physical link joins charlie-qkd and bravo-qkd")
    ]
    relay("charlie-qkd", {"virt_prev_hop": NOBODY})
    assert told(network, trees)[0][2].startswith("no node of this network is")


def test_a_plan_is_refused_for_what_it_breaks_and_not_for_what_was_broken(network: Network, trees: Trees) -> None:
    half = changed(network, trees, "bravo-qkd", DV, None)
    mending = make_plan("n", desired(network), half)
    assert new_faults(network, mending, half) == ()
    demand_both_ends(network, mending, half)
    with pytest.raises(ApplyError, match="do not fit each other; nothing was changed") as refused:
        demand_both_ends(network, mending.reverse(), trees)
    assert list(refused.value.failures) == ["alfa-qkd"]
    assert "peer-has-link: bravo-qkd does not have this link (at /etsi-qkd-sdn-node:qkd_node" in str(refused.value)
