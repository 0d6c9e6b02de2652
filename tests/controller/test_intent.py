from __future__ import annotations

from lxml import etree

from sdqkd.controller.intent import desired, identity_of
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.routing import routes
from sdqkd.network.topology import topology_of
from sdqkd.schema.path import parse_path
from sdqkd.schema.table import load
from sdqkd.schema.tree import EMPTY, Container, Entries, get, remove
from sdqkd.schema.xml import decode, encode

LINKS = ("etsi-qkd-sdn-node:qkd_node", "qkd_links", "qkd_link")


def test_both_ends_of_a_link_want_the_same_in_opposite_roles(madqci: LoadedNetwork) -> None:
    network = madqci.network
    wanted = desired(network)
    for link in network.qkd_links.values():
        ends = [get(wanted[end.device].tree, (*LINKS[:-1], ("qkd_link", (link.link_id,)))) for end in both(link)]
        if not link.active:
            assert ends == [None, None]
            continue
        a, b = ends
        assert isinstance(a, Container)
        assert isinstance(b, Container)
        assert a.children["qkdl_local"] == b.children["qkdl_remote"]
        assert a.children["qkdl_remote"] == b.children["qkdl_local"]
        roles = [end.children["phys_qkd_role"] for end in (a, b)]
        assert roles == ["etsi-qkd-node-types:TRANSMITTER", "etsi-qkd-node-types:RECEIVER"]
        same = ("qkdl_id", "phys_wavelength", "phys_channel_att", "sdqkd-qkd-node:frequency-thz")
        assert [a.children[name] for name in same] == [b.children[name] for name in same]


def both(link):
    return link.transmitter, link.receiver


def test_a_measured_loss_is_expected_and_else_the_loss_of_the_parts(three_sites: LoadedNetwork) -> None:
    network = three_sites.network
    links = get(desired(network)["alfa-qkd"].tree, LINKS)
    assert isinstance(links, Entries)
    losses = [link.children["phys_channel_att"] for link in links.entries.values()]
    path = routes(network, topology_of(network)).paths["Alfa-Charlie-CV"]
    assert losses == ["4.0", f"{path.loss_db:.1f}"]


def test_nothing_is_wanted_outside_of_the_owned_paths(madqci: LoadedNetwork) -> None:
    for name, wanted in desired(madqci.network).items():
        rest = wanted.tree
        for path in wanted.owned:
            rest = remove(rest, path, load(wanted.model_set)) if get(rest, path) is not None else rest
        assert rest == EMPTY, name


def test_every_wanted_value_is_one_of_the_model(madqci: LoadedNetwork) -> None:
    for wanted in desired(madqci.network).values():
        schema = load(wanted.model_set)
        config = etree.fromstring(b"<config>" + encode(schema, wanted.tree) + b"</config>")
        assert decode(schema, list(config)) == wanted.tree


def test_every_cross_connection_serves_a_wanted_link(madqci: LoadedNetwork) -> None:
    network = madqci.network
    wanted = desired(network)
    for switch in network.of_kind("fibre-switch"):
        found = get(wanted[switch.name].tree, wanted[switch.name].owned[0])
        entries = found.entries.values() if isinstance(found, Entries) else ()
        for entry in entries:
            assert network.qkd_links[entry.children["purpose"]].active


def test_every_kind_of_device_says_where_its_identity_is(three_sites: LoadedNetwork) -> None:
    for device in three_sites.network.devices.values():
        schema = load(device.model_set)
        assert schema.node(identity_of(device)).kind == "leaf"
        assert parse_path(schema, "/" + "/".join(identity_of(device))) == identity_of(device)
