"""Links of three parties: two emitters have key while a hub measures them and the light of both gets there."""

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from sdqkd.network.model import Calibration
from sdqkd.schema.path import parse_path
from sdqkd.schema.tree import put

EXAMPLE = Path(__file__).parents[2] / "examples" / "mdi-hub" / "network.yaml"
PAIR = "/etsi-qkd-sdn-node:qkd_node/sdqkd-qkd-node:measured-pair[link-id='{}']"
OFF = "etsi-qkd-node-types:OFF"


@pytest.fixture(scope="module")
def star(make_lab):
    from tests.plant.conftest import read

    return read(EXAMPLE)


@pytest.fixture
def lab(make_lab, star):
    return make_lab(star).configure()


def pair(lab, name):
    """What the hub says of a pair: status, reason and the rest."""
    link_id = lab.network.qkd_links[name].link_id
    found = next(one for one in lab.state("hub-qkd")["sdqkd-qkd-node:measured-pair"] if one["link-id"] == link_id)
    return found["oper-status"].removeprefix("etsi-qkd-node-types:"), found.get("oper-reason", ""), found


def set_pair(lab, name, leaf, value):
    lab.set("hub-qkd", f"{PAIR.format(lab.network.qkd_links[name].link_id)}/{leaf}", value)


def test_every_pair_makes_key_and_both_emitters_say_the_same(lab):
    for name in lab.network.qkd_links:
        assert lab.rate(name) >= lab.network.qkd_links[name].demand_bps
        first, second = lab.both(name)
        assert first["qkdl_performance"]["phys_perf"] == second["qkdl_performance"]["phys_perf"]
        status, reason, found = pair(lab, name)
        assert (status, reason) == ("ACTIVE", "")
        assert found["time-share"] == "33.33"
        assert int(found["coincidence-rate"]) > 1000
        assert 45 < float(found["visibility"]) <= 48
    alfa, bravo = lab.both("Alfa-Bravo")
    assert alfa["sdqkd-qkd-node:measured-loss-db"] == "7.5"  # 0.6 + 6.3 + 0.6
    assert bravo["sdqkd-qkd-node:measured-loss-db"] == "7.5"


@pytest.mark.parametrize("fibre", ["alfa-hub", "bravo-hub"])
def test_a_cut_fibre_on_either_arm_ends_the_key_of_its_pairs_and_of_no_other(lab, fibre):
    before = lab.rate("Alfa-Charlie"), lab.rate("Bravo-Charlie")
    lab.plant.cut(fibre)
    emitter = f"{fibre.removesuffix('-hub')}-qkd"
    status, reason, status_there, _ = lab.said("Alfa-Bravo")
    assert status == status_there == "PASSIVE"
    assert reason == f"no light from {emitter} at hub-qkd: fibre {fibre} is cut"
    assert pair(lab, "Alfa-Bravo")[:2] == ("PASSIVE", reason)
    kept = (0, before[1]) if fibre == "alfa-hub" else (before[0], 0)
    assert (lab.rate("Alfa-Charlie"), lab.rate("Bravo-Charlie")) == kept
    lab.plant.mend(fibre)
    assert lab.rate("Alfa-Bravo") > 0


def test_an_emitter_that_is_switched_off_leaves_its_peer_waiting(lab):
    lab.set_link("bravo-qkd", "Alfa-Bravo", "qkdl_status", OFF)
    assert lab.said("Alfa-Bravo")[:3] == ("PENDING", "switched off at bravo-qkd", "OFF")
    assert pair(lab, "Alfa-Bravo")[:2] == ("PENDING", "switched off at bravo-qkd")
    assert lab.rate("Bravo-Charlie") > 0


def test_a_pair_that_the_hub_does_not_measure_has_no_key_and_the_others_have_its_time(lab):
    before = lab.rate("Bravo-Charlie")
    set_pair(lab, "Alfa-Bravo", "enabled", "false")
    reason = "the hub hub-qkd has this pair switched off"
    assert lab.said("Alfa-Bravo") == ("PENDING", reason) * 2
    assert pair(lab, "Alfa-Bravo")[:2] == ("OFF", "enabled is false")
    assert pair(lab, "Bravo-Charlie")[2]["time-share"] == "50.0"
    assert lab.rate("Bravo-Charlie") == pytest.approx(1.5 * before, abs=1)
    lab.delete("hub-qkd", PAIR.format(lab.network.qkd_links["Alfa-Bravo"].link_id))
    lab.configure(["hub-qkd"])
    assert lab.said("Alfa-Bravo") == ("PENDING", "the hub hub-qkd does not measure this pair") * 2


def test_a_hub_that_expects_an_emitter_elsewhere_measures_nothing(lab):
    node = lab.network.devices["alfa-qkd"].device_id
    third = lab.network.devices["charlie-qkd"].device_id
    schema = lab.plant.devices["hub-qkd"].schema
    place = PAIR.format(lab.network.qkd_links["Alfa-Charlie"].link_id)
    for one, number in ((node, "3"), (third, "1")):
        path = parse_path(schema, f"{place}/emitter[node-id='{one}']/interface")
        lab.running["hub-qkd"] = put(schema, lab.running["hub-qkd"], path, number)
    lab.configure(["hub-qkd"])
    status, reason, *_ = lab.said("Alfa-Charlie")
    assert (status, reason) == ("PENDING", "the hub hub-qkd expects alfa-qkd at its interface 3")


def test_ends_and_hub_must_be_on_one_channel(lab):
    set_pair(lab, "Alfa-Bravo", "frequency-thz", "193.5")
    assert lab.said("Alfa-Bravo") == ("PENDING", "the hub hub-qkd is set to 193.5 THz") * 2


def test_a_failed_input_of_the_hub_is_named(lab):
    lab.plant.fail("hub-qkd", "2")
    assert lab.said("Alfa-Bravo") == ("PASSIVE", "interface 2 of hub-qkd has failed") * 2
    assert lab.rate("Alfa-Charlie") > 0


def test_more_loss_a_dim_laser_and_a_module_out_of_line_cost_key(lab):
    clean = lab.rate("Bravo-Charlie")
    lab.plant.add_loss("charlie-hub", 3.0)
    lossy = lab.rate("Bravo-Charlie")
    assert 0 < lossy < clean / 1.8
    lab.plant.heal()
    lab.plant.drift("charlie-qkd", "1", -3.0)
    assert lab.rate("Bravo-Charlie") == lossy
    lab.plant.heal()
    lab.plant.misalign("bravo-qkd", "1", 0.2)
    assert "out of line by 20.0 %" in lab.said("Bravo-Charlie")[1]


def test_a_channel_beside_one_arm_lowers_the_key_of_its_pairs_only(make_lab, star):
    def rates(launch_dbm):
        channels = {name: replace(one, launch_power_dbm=launch_dbm) for name, one in star.optical_channels.items()}
        lab = make_lab(replace(star, optical_channels=channels)).configure()
        return [lab.rate(name) for name in star.qkd_links], lab

    (quiet, loud), lab = ([*(rates(dbm)[0] for dbm in (-20.0, -14.0))], rates(-8.0)[1])
    assert loud[0] < quiet[0]
    assert loud[1] < quiet[1]
    assert loud[2] == quiet[2]
    assert "too much noise, most of it from alfa-transponder port hub-c44" in lab.said("Alfa-Bravo")[1]


def test_what_was_measured_of_a_pair_is_what_it_makes_alone(make_lab, star):
    link = star.qkd_links["Alfa-Bravo"]
    arms = tuple(replace(arm, loss_db=loss_db) for arm, loss_db in zip(link.arms, (9.0, 8.0), strict=True))
    alone = replace(link, calibration=Calibration(9.0, 720), arms=arms)
    others = {name: replace(one, active=False) for name, one in star.qkd_links.items()}
    lab = make_lab(replace(star, qkd_links={**others, link.name: alone})).configure()
    assert lab.rate("Alfa-Bravo") == 720
    first, second = lab.both("Alfa-Bravo")
    assert first["sdqkd-qkd-node:measured-loss-db"] == "9.0"
    assert second["sdqkd-qkd-node:measured-loss-db"] == "8.0"
    lab = make_lab(replace(star, qkd_links={**star.qkd_links, link.name: alone})).configure()
    assert lab.rate("Alfa-Bravo") == 240


def test_a_hub_with_more_emitters_than_it_takes_measures_nothing(make_lab, star):
    module = star.devices["hub-qkd"].interfaces[1]
    number = {4: "delta", 5: "echo"}
    inputs = {n: replace(module, id=n, port=replace_port(module.port, name)) for n, name in number.items()}
    hub = replace(star.devices["hub-qkd"], interfaces={**star.devices["hub-qkd"].interfaces, **inputs})
    lab = make_lab(replace(star, devices={**star.devices, "hub-qkd": hub})).configure()
    schema, fourth = lab.plant.devices["hub-qkd"].schema, "0a000000-0000-4000-8000-0000000000ff"
    from sdqkd.schema import json
    from sdqkd.schema.tree import merge

    entry = {
        "link-id": "0b000000-0000-4000-8000-0000000000ff",
        "emitter": [
            {"node-id": star.devices["alfa-qkd"].device_id, "interface": 1},
            {"node-id": fourth, "interface": 4},
        ],
        "frequency-thz": "193.4",
    }
    more = json.decode(schema, {"etsi-qkd-sdn-node:qkd_node": {"sdqkd-qkd-node:measured-pair": [entry]}})
    lab.running["hub-qkd"] = merge(schema, lab.running["hub-qkd"], more)
    lab.configure(["hub-qkd"])
    assert lab.said("Alfa-Bravo") == ("PENDING", "the hub hub-qkd takes 3 emitters, and shall measure 4") * 2


def replace_port(port, name):
    return port._replace(name=name)


@pytest.mark.parametrize("order", [*permutations(("alfa-qkd", "bravo-qkd", "hub-qkd"))])
def test_there_is_key_when_the_last_of_the_three_is_told_whatever_the_order(make_lab, star, order):
    lab = make_lab(star)
    told = dict(lab.running)
    for name, device in lab.plant.devices.items():
        lab.running[name] = device.factory()
    lab.configure()
    for number, name in enumerate(order):
        lab.running[name] = told[name]
        lab.configure([name])
        here = "alfa-qkd" if "alfa-qkd" in order[: number + 1] else "bravo-qkd"
        if {"alfa-qkd", "bravo-qkd"} & set(order[: number + 1]):
            status = lab.link(here, "Alfa-Bravo")["sdqkd-qkd-node:oper-status"]
            assert status.endswith(":ACTIVE") == (number == 2)
