"""Links of three parties, from the network file to what devices hold, and what a plan does to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from tests.controller.cases import Case, read_cases
from tests.controller.emulated import Emulated, held
from tests.controller.test_health_gate import Bench
from tests.controller.test_inventory import by_name, check_complaints

from sdqkd.coexistence.faults import Faults
from sdqkd.controller.affected import affected_links
from sdqkd.controller.both_ends import both_ends_faults
from sdqkd.controller.changeover import wish_for_link
from sdqkd.controller.coexistence import Coexistence, coexistence, state_of
from sdqkd.controller.coexistence_text import effect_lines
from sdqkd.controller.footprint import footprint_of
from sdqkd.controller.health_gate import HealthRefusedError
from sdqkd.controller.importing import find
from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import load_network
from sdqkd.controller.plan import Plan, make_plan
from sdqkd.controller.routing import candidates
from sdqkd.errors import InputError
from sdqkd.network.model import Device, Network, Patch, Port, QkdLink
from sdqkd.network.topology import topology_of
from sdqkd.planning.assignment import problem_of
from sdqkd.planning.ceilings import ceilings
from sdqkd.planning.fibre_light import fibre_light
from sdqkd.planning.forecast import Forecast
from sdqkd.planning.mixture import Mixture, State
from sdqkd.planning.routes import switched_modules
from sdqkd.planning.spectrum import Rules, Taken
from sdqkd.planning.three_parties import pair_forecast
from sdqkd.plant.evaluate import evaluate
from sdqkd.plant.values import Settings
from sdqkd.profiles.profile import load_profiles
from sdqkd.schema import json
from sdqkd.schema.path import parse_path
from sdqkd.schema.table import load
from sdqkd.schema.tree import Container, merge, put, remove

EXAMPLE = Path(__file__).parents[2] / "examples" / "mdi-hub" / "network.yaml"
CASES = read_cases(Path(__file__).parent / "data" / "bad-hubs.yaml")
NODE = "/etsi-qkd-sdn-node:qkd_node"
HUB = "sdqkd-qkd-node:hub"


@pytest.fixture(scope="module")
def text() -> str:
    return EXAMPLE.read_text("utf-8")


@pytest.fixture(scope="module")
def star(text: str) -> Network:
    return load_network(text, "network.yaml").network


def with_pairs(network: Network, *names: str) -> Network:
    """Only these pairs are active."""
    links = {name: replace(link, active=name in names) for name, link in network.qkd_links.items()}
    return replace(network, qkd_links=links)


def launching(network: Network, launch_dbm: float) -> Network:
    channels = {name: replace(one, launch_power_dbm=launch_dbm) for name, one in network.optical_channels.items()}
    return replace(network, optical_channels=channels)


def planned(old: Network, new: Network) -> tuple[Plan, Mapping[str, Container]]:
    trees = held(old)
    return make_plan(new.name, desired(new), trees), trees


def effects(old: Network, new: Network) -> Coexistence:
    return coexistence(new, *planned(old, new))


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_a_wrong_hub_is_refused_with_every_place(case: Case, text: str) -> None:
    with pytest.raises(InputError) as refused:
        load_network(case.spoil(text), "network.yaml")
    check_complaints(case, refused.value)


def test_all_three_are_told_of_a_pair(star: Network) -> None:
    link = star.qkd_links["Alfa-Charlie"]
    alfa, charlie, hub = (star.devices[name].device_id for name in ("alfa-qkd", "charlie-qkd", "hub-qkd"))
    trees = {name: json.encode(load("qkd-node"), one.tree) for name, one in desired(star).items() if "qkd" in name}
    ends = {
        name: next(
            entry
            for entry in trees[name]["etsi-qkd-sdn-node:qkd_node"]["qkd_links"]["qkd_link"]
            if entry["qkdl_id"] == link.link_id
        )
        for name in ("alfa-qkd", "charlie-qkd")
    }
    for name, own, other, number, loss in (
        ("alfa-qkd", alfa, charlie, 1, "7.5"),
        ("charlie-qkd", charlie, alfa, 3, "8.7"),
    ):
        assert ends[name]["qkdl_type"] == "etsi-qkd-node-types:PHYS"
        assert ends[name]["phys_qkd_role"] == "etsi-qkd-node-types:TRANSMITTER"
        assert ends[name]["qkdl_local"] == {"qkdn_id": own, "qkdi_id": 1}
        assert ends[name]["qkdl_remote"] == {"qkdn_id": other, "qkdi_id": 1}
        assert ends[name][HUB] == {"node-id": hub, "interface": number}
        assert ends[name]["phys_channel_att"] == loss
    pairs = trees["hub-qkd"]["etsi-qkd-sdn-node:qkd_node"]["sdqkd-qkd-node:measured-pair"]
    assert [pair["link-id"] for pair in pairs] == [one.link_id for one in star.qkd_links.values()]
    assert pairs[1]["emitter"] == [{"node-id": alfa, "interface": 1}, {"node-id": charlie, "interface": 3}]
    assert "qkd_links" not in trees["hub-qkd"]["etsi-qkd-sdn-node:qkd_node"]


def test_a_pair_that_is_not_active_is_at_none_of_the_three(star: Network) -> None:
    trees = {name: one.tree for name, one in desired(with_pairs(star, "Bravo-Charlie")).items()}
    gone = star.qkd_links["Alfa-Bravo"].link_id
    assert not any(gone in repr(tree) for tree in trees.values())
    assert star.beams["falqon-alfa-qkd"].active
    assert not with_pairs(star, "Bravo-Charlie").beams["falqon-alfa-qkd"].active


# Both ends, and the hub


def link_of(star: Network, name: str) -> str:
    return f"{NODE}/qkd_links/qkd_link[qkdl_id='{star.qkd_links[name].link_id}']"


def pair_of(star: Network, name: str) -> str:
    return f"{NODE}/sdqkd-qkd-node:measured-pair[link-id='{star.qkd_links[name].link_id}']"


def told(network: Network, device: str, path: str, value: str | None) -> set[tuple[str, str, str]]:
    trees = {name: one.tree for name, one in desired(network).items()}
    schema = load(network.devices[device].model_set)
    place = parse_path(schema, path)
    tree = remove(trees[device], place) if value is None else put(schema, trees[device], place, value)
    return {
        (fault.rule, fault.device, fault.message) for fault in both_ends_faults(network, trees | {device: tree})
    }


def test_what_the_file_wants_fits(star: Network) -> None:
    assert both_ends_faults(star, {name: one.tree for name, one in desired(star).items()}) == ()


def test_a_hub_that_does_not_measure_a_pair_breaks_both_ends(star: Network) -> None:
    message = "the hub hub-qkd does not measure this link"
    assert told(star, "hub-qkd", pair_of(star, "Alfa-Bravo"), None) == {
        ("hubs-measure", "alfa-qkd", message),
        ("hubs-measure", "bravo-qkd", message),
    }
    off = told(star, "hub-qkd", f"{pair_of(star, 'Alfa-Bravo')}/enabled", "false")
    assert {message for _, _, message in off} == {"the hub hub-qkd has this link switched off"}


def test_an_emitter_without_the_link_breaks_the_hub_and_the_peer(star: Network) -> None:
    assert told(star, "bravo-qkd", link_of(star, "Alfa-Bravo"), None) == {
        ("peer-has-link", "alfa-qkd", "bravo-qkd does not have this link"),
        ("hubs-measure", "hub-qkd", "bravo-qkd does not run this link"),
    }


@pytest.mark.parametrize(
    ("leaf", "value", "message"),
    [
        (f"{HUB}/interface", "2", "interface 2 is named, and hub-qkd expects it at 1"),
        (f"{HUB}/node-id", "0a000000-0000-4000-8000-0000000000ff", "no node of this network is 0a000000-0000"),
        ("phys_qkd_role", "etsi-qkd-node-types:RECEIVER", "both ends of a link with a hub are TRANSMITTER"),
        ("sdqkd-qkd-node:frequency-thz", "193.5", "193.5 here and 193.4 at the hub hub-qkd"),
    ],
)
def test_an_end_that_says_something_else_of_the_hub_is_named(
    star: Network, leaf: str, value: str, message: str
) -> None:
    found = told(star, "alfa-qkd", f"{link_of(star, 'Alfa-Bravo')}/{leaf}", value)
    assert any(rule == "hubs-measure" and message in what for rule, device, what in found if device == "alfa-qkd")


def test_ends_of_which_one_names_no_hub_do_not_fit(star: Network) -> None:
    found = told(star, "alfa-qkd", f"{link_of(star, 'Alfa-Bravo')}/{HUB}", None)
    assert ("hubs-measure", "alfa-qkd", "bravo-qkd names a hub, and this end does not") in found
    assert ("hubs-measure", "hub-qkd", "alfa-qkd does not send to this hub") in found


def test_a_hub_that_expects_emitters_elsewhere_does_not_fit(star: Network) -> None:
    node = star.devices["bravo-qkd"].device_id
    found = told(star, "hub-qkd", f"{pair_of(star, 'Alfa-Bravo')}/emitter[node-id='{node}']/interface", "3")
    assert found == {("hubs-measure", "bravo-qkd", "interface 2 is named, and hub-qkd expects it at 3")}


# Coexistence


def test_a_louder_channel_beside_one_arm_is_shown_with_the_pairs_of_that_arm(star: Network) -> None:
    found = effects(star, launching(star, -10.0))
    lines = [*effect_lines(found)]
    assert lines[0] == "optical channel alfa-hub-c44 raised from -14.00 to -10.00 dBm: QKD links on its fibres"
    assert [*found.links] == ["Alfa-Bravo", "Alfa-Charlie"]
    assert found.harmed == ("Alfa-Bravo", "Alfa-Charlie")
    assert found.links["Alfa-Bravo"].after_bps == 0


@pytest.mark.parametrize("launch_dbm", [-14.0, -13.5, -12.0, -8.0])
def test_the_figures_are_those_that_the_emitters_then_report(star: Network, launch_dbm: float) -> None:
    louder = launching(star, launch_dbm)
    found = effects(star, louder)
    reported = rates(louder)
    forecast = Forecast(louder)
    for name, link in louder.qkd_links.items():
        assert pair_forecast(forecast, link).rate_bps == reported[name]
        if name in found.links:
            assert found.links[name].after_bps == reported[name]


def rates(network: Network) -> dict[str, int]:
    """What the emulated devices report when they hold what the network wants."""
    emulated, wanted = Emulated(network), desired(network)
    for name, device in emulated.hardware.items():
        device.apply(merge(device.schema, emulated.running()[name], wanted[name].tree))
    found = {}
    for name, link in network.qkd_links.items():
        tree = json.encode(load("qkd-node"), emulated.hardware[link.transmitter.device].state())
        entries = tree["etsi-qkd-sdn-node:qkd_node"]["qkd_links"]["qkd_link"]
        found[name] = next(one["qkdl_performance"]["skr"] for one in entries if one["qkdl_id"] == link.link_id)
    return found


def test_another_pair_takes_its_share_of_the_hubs_time_from_the_others(star: Network) -> None:
    found = effects(with_pairs(star, "Alfa-Bravo", "Bravo-Charlie"), star)
    alfa_bravo = found.links["Alfa-Bravo"]
    assert alfa_bravo.before_bps is not None
    assert alfa_bravo.after_bps == pytest.approx(alfa_bravo.before_bps * 2 / 3, abs=1)
    assert found.links["Alfa-Charlie"].before_bps is None
    assert not found.harmed
    thirsty = {name: replace(link, demand_bps=400) for name, link in star.qkd_links.items()}
    asked = replace(star, qkd_links=thirsty)
    assert effects(with_pairs(asked, "Alfa-Bravo", "Bravo-Charlie"), asked).harmed == ("Bravo-Charlie",)


def test_a_pair_on_another_channel_is_not_where_it_was_measured(text: str) -> None:
    """Which channel that was is in the file, or devices hold it."""
    wide = text.replace("lower-thz: 193.35, upper-thz: 193.45", "lower-thz: 193.35, upper-thz: 193.85")
    calibration = "calibration: {first-loss-db: 7.5, second-loss-db: 7.5, key-rate-bps: 600}"
    old_text = wide.replace("demand-bps: 100", f"demand-bps: 100, {calibration}")
    near_text = old_text.replace("channel: 34\n", "channel: 38\n")
    old, near = (load_network(one, "network.yaml").network for one in (old_text, near_text))
    found = effects(old, near).links["Alfa-Bravo"]
    assert found.before_bps == 200
    assert abs((found.after_bps or 0) - 200) > 5
    said_text = near_text.replace("key-rate-bps: 600", "key-rate-bps: 600, frequency-thz: 193.4")
    said = load_network(said_text, "network.yaml").network
    assert pair_forecast(Forecast(said), said.qkd_links["Alfa-Bravo"]).rate_bps == found.after_bps
    dark = replace(said, qkd_links=with_pairs(said).qkd_links, optical_channels={})
    assert effects(dark, said).links["Alfa-Bravo"].after_bps == found.after_bps


def test_no_mixture_of_old_and_new_devices_does_worse_than_is_said(star: Network) -> None:
    old = launching(with_pairs(star, "Alfa-Bravo", "Bravo-Charlie"), -15.0)
    new = launching(with_pairs(star, "Alfa-Bravo", "Alfa-Charlie"), -13.0)
    before, then = (state_of(one, held(one)) for one in (old, new))
    installation = Forecast(star).installation
    bound = Mixture(installation, before, then)
    seen = 0
    for chosen in range(2 ** len(star.devices)):
        sides = {name: (before, then)[chosen >> n & 1] for n, name in enumerate(star.devices)}
        mixed = State(*(
            {name: getattr(sides[name], part)[name] for name in getattr(before, part)}
            for part in ("links", "switches", "channels", "pairs")
        ))  # fmt: skip
        alone = Mixture(installation, mixed)
        settings = Settings(mixed.links, mixed.switches, mixed.channels, {}, mixed.pairs)
        nodes = evaluate(installation, settings, Faults()).nodes
        for link in star.qkd_links.values():
            rate_bps, least_bps = alone.least_bps(link.link_id), bound.least_bps(link.link_id)
            report = nodes[link.transmitter.device].links.get(link.link_id)
            if report is not None and report.loss_db is not None:
                assert rate_bps == report.rate_bps
            if rate_bps is not None:
                assert least_bps is not None
                assert least_bps <= rate_bps
                seen += rate_bps > 0
    assert seen > 20


# What a change touches


def test_a_pair_needs_its_two_emitters_and_the_hub(star: Network) -> None:
    new = launching(star, -13.5)
    plan, _ = planned(star, new)
    found = footprint_of(plan, new)
    assert found.written == ("alfa-transponder", "hub-transponder")
    assert found.links == ("Alfa-Bravo", "Alfa-Charlie")
    assert {"alfa-qkd", "bravo-qkd", "charlie-qkd", "hub-qkd"} == set(found.read)


def test_links_that_get_another_share_of_the_hubs_time_count_as_made_anew(star: Network) -> None:
    old = with_pairs(star, "Alfa-Bravo", "Bravo-Charlie")
    plan, _ = planned(old, star)
    affected = affected_links(plan, footprint_of(plan, star), star, load_profiles())
    assert {name: watched.made for name, (_, watched) in affected.items()} == dict.fromkeys(star.qkd_links, True)
    assert {watched.acquisition_s for _, watched in affected.values()} == {300.0}


async def test_the_gate_takes_a_smaller_share_of_the_hub_and_no_dead_pair(star: Network) -> None:
    bench = Bench(with_pairs(star, "Alfa-Bravo", "Bravo-Charlie"))
    try:
        await bench.bring_up()
        assert await bench.try_out(star) == 2
        fewer = with_pairs(star, "Alfa-Bravo", "Bravo-Charlie")
        with pytest.raises(HealthRefusedError) as refused:
            await bench.try_out(fewer, before=lambda: bench.emulated.plant.cut("charlie-hub"))
        assert "charlie-hub is cut" in str(refused.value)
    finally:
        await bench.fleet.close()


async def test_a_pair_that_had_no_key_before_keeps_nobody_from_changing_the_others_of_its_hub(
    star: Network,
) -> None:
    bench = Bench(star)
    try:
        await bench.bring_up()
        bench.emulated.plant.cut("alfa-hub")
        fewer = with_pairs(star, "Alfa-Bravo", "Bravo-Charlie")
        await bench.try_out(fewer)
        # What the hub itself was told makes a pair anew, and then it has to come up.
        path = parse_path(load("qkd-node"), f"{pair_of(star, 'Alfa-Bravo')}/enabled")
        trees = held(star)
        off = {**trees, "hub-qkd": put(load("qkd-node"), trees["hub-qkd"], path, "false")}
        plan = make_plan(star.name, desired(star), off)
        affected = affected_links(plan, footprint_of(plan, star), star, load_profiles())
        assert {name: one.only_shares for name, (_, one) in affected.items()} == {
            "Alfa-Bravo": False, "Alfa-Charlie": True, "Bravo-Charlie": True,
        }  # fmt: skip
    finally:
        await bench.fleet.close()


# Planning


def test_planning_keeps_others_away_and_chooses_nothing_for_links_of_three_parties(star: Network) -> None:
    forecast = Forecast(star)
    assert problem_of(forecast, Rules()).demands == {}
    taken = Taken.by_what_is_fixed(star, (), Rules())
    assert taken.quantum == {
        f"{name}-hub": {193_400_000_000_000: f"link falqon-{name}-qkd"} for name in ("alfa", "bravo", "charlie")
    }
    assert switched_modules(forecast) == ()


def test_a_pair_is_nothing_to_switch(star: Network) -> None:
    with pytest.raises(InputError, match="'Alfa-Bravo' is a link of three parties"):
        wish_for_link(star, "Alfa-Bravo")


def test_the_ceiling_of_a_channel_is_what_its_pairs_bear(star: Network) -> None:
    (found,) = ceilings(Forecast(star), {})
    assert found.set_by == "Alfa-Charlie"
    assert found.most_dbm is not None
    for launch_dbm, bears in ((found.most_dbm - 0.02, True), (found.most_dbm + 0.02, False)):
        louder = launching(star, launch_dbm)
        rate_bps = pair_forecast(Forecast(louder), louder.qkd_links["Alfa-Charlie"]).rate_bps
        assert (rate_bps >= 50) == bears


def test_the_spectrum_shows_the_light_of_an_emitter(star: Network) -> None:
    light = fibre_light(Forecast(star), "alfa-hub")
    (line,) = [line for view in light.views for line in view.lines if line.role == "quantum"]
    assert line.name == "falqon-alfa-qkd"
    assert -90 < line.enters_dbm < -75
    assert line.noise_dbm is not None
    assert "alfa-transponder" in line.most_from


def through_a_switch(star: Network) -> Network:
    """The same, but Bravo's light passes a fibre switch on its way."""
    switch = replace(
        star.devices["hub-transponder"],
        name="switch",
        path="/sdqkd-network:network/device[name='switch']",
        kind="fibre-switch",
        model_set="fibre-switch",
        device_id="0a000000-0000-4000-8000-0000000000aa",
        ports=("1", "2"),
        insertion_loss_db=1.0,
        profile=None,
    )
    fibre = replace(star.fibres["bravo-hub"], b=Port("switch", "1"))
    cord = Patch(Port("switch", "2"), Port("hub-qkd", "bravo"), 0.0)
    devices: dict[str, Device] = {**star.devices, "switch": switch}
    return replace(
        star, devices=devices, fibres={**star.fibres, "bravo-hub": fibre}, patches=(*star.patches, cord)
    )


def test_a_switch_on_the_way_is_set_for_the_emitter_once(star: Network) -> None:
    switched = through_a_switch(star)
    trees = desired(switched)
    tree = json.encode(load("fibre-switch"), trees["switch"].tree)
    (crossing,) = tree["sdqkd-optical-device:optical-device"]["cross-connection"]
    assert crossing == {
        "name": "falqon-bravo-qkd", "a-port": "1", "b-port": "2", "purpose": "falqon-bravo-qkd",
    }  # fmt: skip
    assert both_ends_faults(switched, {name: one.tree for name, one in trees.items()}) == ()
    assert all(rate_bps > 0 for rate_bps in rates(switched).values())
    beam: QkdLink = switched.beams["falqon-bravo-qkd"]
    assert candidates(switched, topology_of(switched), beam)[0].loss_db == 8.5
    assert switched_modules(Forecast(switched)) == ()
    held = Taken.by_what_is_fixed(switched, (), Rules())
    assert held.ports == {Port("switch", "1"): beam.name, Port("switch", "2"): beam.name}
    assert held.channels == {"alfa-hub": 1, "bravo-hub": 1, "charlie-hub": 1}


def test_an_unknown_pair_is_left_to_a_person_with_its_hub(star: Network) -> None:
    links = {name: link for name, link in star.qkd_links.items() if name != "Alfa-Charlie"}
    found = find(replace(star, qkd_links=links), held(star))
    assert found.count == 0
    assert found.left == [
        f"QKD link {star.qkd_links['Alfa-Charlie'].link_id} at alfa-qkd, charlie-qkd:"
        " a hub measures its light; write it as a pair of an mdi-hub into the file"
    ]
