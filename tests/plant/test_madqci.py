"""MadQCI as configured by its intent: table II, and what each fibre carries."""

import pytest


@pytest.fixture(scope="module")
def lab(make_lab, madqci):
    return make_lab(madqci).configure()


def test_every_link_of_the_intent_reports_its_measured_rate_and_no_other_link_any(lab, madqci):
    for link in madqci.qkd_links.values():
        if link.active:
            assert lab.rate(link.name) == link.calibration.key_rate_bps
            assert float(lab.both(link.name)[0]["sdqkd-qkd-node:measured-loss-db"]) == link.calibration.loss_db
    links = [
        entry for node in madqci.of_kind("qkd-node") for entry in lab.state(node.name)["qkd_links"]["qkd_link"]
    ]
    assert len(links) == 2 * sum(link.active for link in madqci.qkd_links.values())


def test_all_channels_and_connections_are_up(lab, madqci):
    for device in madqci.of_kind("transponder"):
        assert {c["oper-status"] for c in lab.state(device.name)["optical-channel"]} == {"sdqkd-optical-device:up"}
    for device in madqci.of_kind("encryptor"):
        assert {c["state"]["oper-status"] for c in lab.state(device.name)["connection"]} == {"up"}


def test_a_cut_fibre_takes_the_key_of_every_link_on_it_and_of_no_other(lab, madqci):
    active = [link for link in madqci.qkd_links.values() if link.active]
    for fibre in madqci.fibres:
        lab.plant.cut(fibre)
        for link in active:
            expected = 0 if fibre in link.fibres else link.calibration.key_rate_bps
            assert lab.rate(link.name) == expected
        lab.plant.mend(fibre)
    assert all(lab.rate(link.name) for link in active)
