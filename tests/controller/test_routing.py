from __future__ import annotations

from itertools import combinations

from tests.controller.cases import Case, read_cases
from tests.controller.conftest import DATA

from sdqkd.controller.inventory import LoadedNetwork, load_network
from sdqkd.controller.obstacles import light
from sdqkd.controller.routing import candidates, ends_of, routes, switch_ports
from sdqkd.network.topology import Crossing, as_configured, topology_of


def test_a_switched_link_crosses_every_switch_on_its_way(three_sites: LoadedNetwork) -> None:
    network = three_sites.network
    paths = routes(network, topology_of(network)).paths
    assert list(paths) == ["Alfa-Bravo-DV", "Alfa-Charlie-CV"]
    assert paths["Alfa-Bravo-DV"].crossings == ()
    assert paths["Alfa-Charlie-CV"].crossings == (
        Crossing("alfa-switch", "bravo-c37", "cv-tx"),
        Crossing("bravo-switch", "alfa-c37", "charlie-c37"),
        Crossing("charlie-switch", "bravo-c37", "cv-rx"),
    )


def test_the_crossings_of_all_links_lead_the_light_to_its_receiver(madqci: LoadedNetwork) -> None:
    network = madqci.network
    topology = topology_of(network)
    paths = routes(network, topology).paths
    assert paths.keys() == {link.name for link in network.qkd_links.values() if link.active}
    switching = as_configured([crossing for path in paths.values() for crossing in path.crossings])
    for name, path in paths.items():
        link = network.qkd_links[name]
        start, goal = ends_of(network, link)
        assert goal in [way.end for way in topology.paths(start, link.frequency_hz, switching)]
        assert path.fibres == link.fibres


def test_no_two_links_share_a_port_of_a_switch(madqci: LoadedNetwork) -> None:
    paths = routes(madqci.network, topology_of(madqci.network)).paths.values()
    assert not any(switch_ports(one) & switch_ports(other) for one, other in combinations(paths, 2))


def test_the_answer_is_always_the_same(madqci: LoadedNetwork) -> None:
    assert routes(madqci.network, topology_of(madqci.network)) == routes(
        madqci.network, topology_of(madqci.network)
    )


def test_a_link_takes_its_second_best_way_when_another_has_no_choice(three_sites_text: str) -> None:
    """Port c37 passes channel 38 too, and is its best way; but channel 37 has only that port."""
    case = next(case for case in read_cases(DATA / "bad-networks.yaml") if "one port of a switch" in case.name)
    text = Case(case.name, (case.edits[0], *case.edits[2:]), ()).spoil(three_sites_text)
    for old, new in (("channel: 37", "channel: X"), ("channel: 38", "channel: 37"), ("channel: X", "channel: 38")):
        text = text.replace(old, new)
    network = load_network(text, "network.yaml").network
    topology = topology_of(network)
    wide, narrow = network.qkd_links["Alfa-Charlie-CV"], network.qkd_links["Bravo-Charlie-CV"]
    best = candidates(network, topology, wide)[0]
    assert all(switch_ports(best) & switch_ports(way) for way in candidates(network, topology, narrow))
    found = routes(network, topology)
    assert found.paths.keys() >= {wide.name, narrow.name}
    assert found.paths[wide.name] != best


def test_light_is_named_by_its_channel_where_it_has_one() -> None:
    assert light(193_400_000_000_000) == "channel 34"
    assert light(228_849_205_000_000) == "228.849205 THz"
