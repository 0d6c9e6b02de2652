"""What a QKD link reports, by what is configured at its two ends and on the way between them."""

import pytest

OFF = "etsi-qkd-node-types:OFF"
ALFA = "0a000000-0000-4000-8000-000000000001"
BRAVO = "0a000000-0000-4000-8000-000000000002"
CHARLIE = "0a000000-0000-4000-8000-000000000003"


def test_a_link_as_designed_reports_what_was_measured_on_it(lab):
    tx, rx = lab.both("dv")
    assert (lab.rate("dv"), lab.rate("cv")) == (1500, 5000)
    assert tx["sdqkd-qkd-node:measured-loss-db"] == rx["sdqkd-qkd-node:measured-loss-db"] == "4.0"
    (error_rate,) = tx["qkdl_performance"]["phys_perf"]
    assert error_rate["perf_type"] == "etsi-qkd-node-types:QBER"
    cv, _ = lab.both("cv")
    assert cv["qkdl_performance"]["phys_perf"] == [{"perf_type": "etsi-qkd-node-types:SNR", "value": "-8.813"}]
    assert cv["sdqkd-huawei-cv-qkd:laser-frequency-thz"] == "193.7"


@pytest.mark.parametrize("end", ["alfa-qkd", "charlie-qkd"])
def test_raw_key_is_no_secret_key_whichever_end_hands_it_out(lab, end):
    before, _ = lab.both("cv")
    lab.set_link(end, "cv", "sdqkd-huawei-cv-qkd:key-output", "raw")
    assert lab.said("cv") == ("PASSIVE", f"{end} hands out raw key, no secret key") * 2
    assert lab.rate("cv") == 0
    tx, _ = lab.both("cv")
    for kept in ("sdqkd-qkd-node:measured-loss-db", "sdqkd-huawei-cv-qkd:laser-frequency-thz"):
        assert tx[kept] == before[kept]
    assert tx["qkdl_performance"]["phys_perf"] == before["qkdl_performance"]["phys_perf"]
    lab.set_link(end, "cv", "sdqkd-huawei-cv-qkd:key-output", "distilled")
    assert lab.rate("cv") == 5000


def test_a_link_that_nobody_measured_takes_the_curve_of_its_profile(lab):
    tx, _ = lab.both("wide")
    assert tx["sdqkd-qkd-node:measured-loss-db"] == "5.5"  # 1.5 + 2.5 + 1.5
    assert 1470 < lab.rate("wide") <= 2040


def test_before_anything_is_configured_there_is_nothing_to_report(make_lab, triangle):
    lab = make_lab(triangle)
    for name, device in lab.plant.devices.items():
        lab.running[name] = device.factory()
    assert "qkd_links" not in lab.state("alfa-qkd")
    lab.configure()
    assert lab.state("alfa-qkd")["qkdn_status"] == "etsi-qkd-node-types:OPERATING"


@pytest.mark.parametrize(
    ("leaf", "value", "here"),
    [
        ("qkdl_enable", "false", "qkdl_enable is false"),
        ("qkdl_status", OFF, "qkdl_status is OFF, not ACTIVE"),
    ],
)
def test_a_link_switched_off_at_one_end_is_pending_at_the_other(lab, leaf, value, here):
    lab.set_link("bravo-qkd", "dv", leaf, value)
    assert lab.said("dv") == ("PENDING", "switched off at bravo-qkd", "OFF", here)
    assert lab.rate("dv") == 0
    tx, _ = lab.both("dv")
    assert "sdqkd-qkd-node:measured-loss-db" not in tx


@pytest.mark.parametrize(
    ("leaf", "value", "at_alfa", "at_bravo"),
    [
        (
            "qkdl_remote/qkdi_id",
            "3",
            "bravo-qkd names another end: interface 3 of alfa-qkd",
            "alfa-qkd uses its interface 1, not 3",
        ),
        (
            "qkdl_remote/qkdn_id",
            CHARLIE,
            "bravo-qkd names another end: interface 1 of charlie-qkd",
            "charlie-qkd does not know this link",
        ),
        (
            "qkdl_remote/qkdn_id",
            BRAVO,
            "bravo-qkd names another end: interface 1 of bravo-qkd",
            "the remote end is this node itself",
        ),
        (
            "qkdl_remote/qkdn_id",
            ALFA.replace("1", "9"),
            f"bravo-qkd names another end: interface 1 of {ALFA.replace('1', '9')}",
            f"no node of this network has the id {ALFA.replace('1', '9')}",
        ),
    ],
)
def test_each_end_must_name_the_other(lab, leaf, value, at_alfa, at_bravo):
    lab.set_link("bravo-qkd", "dv", leaf, value)
    assert lab.said("dv") == ("PENDING", at_alfa, "PENDING", at_bravo)


def test_both_ends_must_stand_on_one_frequency(lab):
    lab.retune("bravo-qkd", "dv", "193.3")
    assert lab.said("dv") == (
        "PENDING",
        "bravo-qkd is set to 193.3 THz, this end to 193.4 THz",
        "PENDING",
        "alfa-qkd is set to 193.4 THz, this end to 193.3 THz",
    )


@pytest.mark.parametrize("leaf", ["qkdl_local", "qkdl_remote", "phys_qkd_role"])
def test_an_end_that_was_not_told_everything_is_pending(lab, leaf):
    lab.delete("bravo-qkd", f"{lab.place('dv')}/{leaf}")
    lab.configure()
    missing = {"qkdl_local": "qkdl_local/qkdi_id", "qkdl_remote": "qkdl_remote/qkdn_id"}.get(leaf, leaf)
    assert lab.said("dv") == ("PENDING", f"{missing} is not set at bravo-qkd", "PENDING", f"{missing} is not set")


def test_a_link_that_the_peer_has_not_got_is_pending(lab):
    lab.delete("bravo-qkd", lab.place("dv"))
    lab.configure()
    entry = lab.link("alfa-qkd", "dv")
    assert entry["sdqkd-qkd-node:oper-reason"] == "bravo-qkd does not know this link"


def test_a_virtual_link_is_taken_and_passive(lab):
    physical = ("phys_wavelength", "phys_qkd_role", "phys_channel_att", "sdqkd-qkd-node:frequency-thz")
    lab.delete("alfa-qkd", *(f"{lab.place('dv')}/{leaf}" for leaf in physical))
    lab.set_link("alfa-qkd", "dv", "qkdl_type", "etsi-qkd-node-types:VIRT")
    assert lab.said("dv") == (
        "PASSIVE",
        "a virtual link, and this node does not relay keys",
        "PENDING",
        "a virtual link at alfa-qkd",
    )


def test_where_the_light_ends_is_said_at_both_ends(lab):
    lab.delete("bravo-switch", "/sdqkd-optical-device:optical-device/cross-connection[name='cv']")
    lab.configure()
    reason = "no light from alfa-qkd: bravo-switch port alfa is not cross-connected"
    assert lab.said("cv") == ("PASSIVE", reason, "PASSIVE", reason)


def test_light_that_arrives_at_the_wrong_place_makes_no_key(lab):
    lab.join("bravo-switch", "cv", "alfa", "cv-tx")
    assert lab.said("cv")[1] == "no light from alfa-qkd: its light arrives at bravo-qkd port cv-tx"


def test_light_stops_at_a_filter_and_at_an_empty_port(lab):
    for end in ("alfa-qkd", "charlie-qkd"):
        lab.retune(end, "cv", "193.8")
    assert lab.said("cv")[1] == "no light from alfa-qkd: alfa-to-bravo port c37 does not pass 193.8 THz"
    lab.join("alfa-switch", "cv", "cv-tx", "spare")
    assert lab.said("cv")[1] == "no light from alfa-qkd: nothing is plugged into alfa-switch port spare"


def test_another_route_keeps_what_the_pair_loses_beyond_its_parts(lab):
    """Designed: 3 crossings, 4 filters, 2.5 + 4 dB of fibre make 10.9 dB; measured were 12.4."""
    lab.join("alfa-switch", "cv", "cv-tx", "charlie")
    lab.join("charlie-switch", "cv", "cv-rx", "alfa")
    tx, _ = lab.both("cv")
    assert tx["sdqkd-qkd-node:measured-loss-db"] == "13.1"  # 2 x 0.8 + 2 x 0.5 + 9, and 1.5 more
    assert 0 < lab.rate("cv") < 5000


def test_one_frequency_on_one_fibre_is_no_key_for_either(lab):
    for end in ("alfa-qkd", "bravo-qkd"):
        lab.retune(end, "wide", "193.4")
    same = "is on the same frequency (193.4 THz) in fibre alfa-bravo"
    assert lab.said("dv")[:2] == ("PASSIVE", f"the light of interface 3 of alfa-qkd {same}")
    assert lab.said("wide")[:2] == ("PASSIVE", f"the light of interface 1 of alfa-qkd {same}")
    assert lab.both("dv")[0]["sdqkd-qkd-node:measured-loss-db"] == "4.0"
    assert lab.rate("cv") == 5000
    lab.set_link("alfa-qkd", "wide", "qkdl_enable", "false")
    assert lab.rate("dv") == 1500


def test_an_attenuator_lowers_the_rate_to_nothing(lab):
    attenuator = "/sdqkd-optical-device:optical-device/attenuator[port='charlie']/attenuation-db"
    lab.set("bravo-switch", attenuator, "3.0")
    tx, _ = lab.both("cv")
    assert tx["sdqkd-qkd-node:measured-loss-db"] == "15.4"
    assert 0 < lab.rate("cv") < 5000
    lab.set("bravo-switch", attenuator, "9.6")
    assert 0 < lab.rate("cv") < 500
    lab.set("bravo-switch", attenuator, "10.0")
    reason = "a loss of 22.40 dB is more than the 22 dB that interface 2 of alfa-qkd bears"
    assert lab.said("cv") == ("PASSIVE", reason, "PASSIVE", reason)
    tx, _ = lab.both("cv")
    assert tx["qkdl_performance"]["phys_perf"] == [{"perf_type": "etsi-qkd-node-types:SNR", "value": "-18.81"}]


def test_a_failed_module_is_told_at_both_ends(lab):
    lab.plant.fail("bravo-qkd", "1")
    reason = "interface 1 of bravo-qkd has failed"
    assert lab.said("dv") == ("PASSIVE", reason, "PASSIVE", reason)
    interfaces = lab.state("bravo-qkd")["qkd_interfaces"]["qkd_interface"]
    assert interfaces[0]["qkdi_status"] == "etsi-qkd-node-types:FAILED"
    lab.plant.repair("bravo-qkd", "1")
    assert lab.rate("dv") == 1500


def test_a_node_without_a_working_module_has_failed(lab):
    lab.plant.fail("charlie-qkd", "1")
    assert lab.state("charlie-qkd")["qkdn_status"] == "etsi-qkd-node-types:FAILURE"
