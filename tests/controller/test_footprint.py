from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from sdqkd.controller.footprint import Footprint, footprint_of, overlap
from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.plan import make_plan
from sdqkd.network.model import Network
from sdqkd.schema.tree import EMPTY, Container

NAMES = st.lists(st.sampled_from("abcd"), unique=True, max_size=3).map(lambda names: tuple(sorted(names)))
FOOTPRINTS = st.builds(Footprint, NAMES, NAMES, NAMES, NAMES)


@given(FOOTPRINTS, FOOTPRINTS)
def test_meeting_is_mutual(one: Footprint, other: Footprint) -> None:
    assert bool(overlap(one, other)) == bool(overlap(other, one))
    assert Footprint.from_json(one.to_json()) == one


@given(FOOTPRINTS)
def test_whatever_writes_meets_itself_and_readers_do_not(one: Footprint) -> None:
    assert bool(overlap(one, one)) == bool(one.written or one.fibres or one.links)
    reader = Footprint((), one.read, (), ())
    assert overlap(reader, reader) == ""


def test_two_who_meet_are_told_where() -> None:
    one, other = Footprint(("a", "b"), (), ("f",), ()), Footprint(("c",), ("a",), ("f",), ("l",))
    assert overlap(one, other) == "device a; fibre f"


def footprint_between(old: Network, new: Network) -> Footprint:
    held = {name: wanted.tree for name, wanted in desired(old).items()}
    return footprint_of(make_plan("n", desired(new), held), new)


def with_power(network: Network, channel: str, power_dbm: float) -> Network:
    changed = dataclasses.replace(network.optical_channels[channel], launch_power_dbm=power_dbm)
    return dataclasses.replace(network, optical_channels={**network.optical_channels, channel: changed})


def without(network: Network, link: str) -> Network:
    changed = dataclasses.replace(network.qkd_links[link], active=False)
    return dataclasses.replace(network, qkd_links={**network.qkd_links, link: changed})


def test_a_channel_meets_the_links_on_its_fibre(three_sites: LoadedNetwork) -> None:
    found = footprint_between(three_sites.network, with_power(three_sites.network, "alfa-bravo-c21", -2.0))
    assert found.written == ("alfa-transponder", "bravo-transponder")
    assert found.fibres == ("alfa-bravo",)
    assert "Alfa-Bravo-DV" in found.links
    assert {"alfa-qkd", "bravo-qkd"} <= set(found.read)


def test_a_plan_without_changes_touches_nothing(three_sites: LoadedNetwork) -> None:
    found = footprint_between(three_sites.network, three_sites.network)
    assert found == Footprint((), (), (), ())


def test_a_link_that_goes_takes_the_fibres_of_its_sites(three_sites: LoadedNetwork) -> None:
    found = footprint_between(three_sites.network, without(three_sites.network, "Alfa-Charlie-CV"))
    assert {"alfa-bravo", "bravo-charlie"} <= set(found.fibres)
    assert {"alfa-switch", "charlie-switch"} <= set(found.written)


def test_far_apart_in_a_real_network_two_changes_do_not_meet(madqci: LoadedNetwork) -> None:
    network = madqci.network
    found = {}
    for name, channel in network.optical_channels.items():
        if channel.a is not None:
            found[name] = footprint_between(network, with_power(network, name, channel.launch_power_dbm - 1.0))
    pairs = [(a, b) for a in found for b in found if a < b]
    apart = [(a, b) for a, b in pairs if not overlap(found[a], found[b])]
    assert 0 < len(apart) < len(pairs)


def test_everything_from_nothing_touches_everything(three_sites: LoadedNetwork) -> None:
    network = three_sites.network
    empty: dict[str, Container] = dict.fromkeys(network.devices, EMPTY)
    found = footprint_of(make_plan("n", desired(network), empty), network)
    assert set(found.devices) == set(network.devices)
    assert set(found.links) == set(network.qkd_links)
