from typing import Any

import pytest

from sdqkd.devices.qkd_backend import LinkReport, LinkSettings
from sdqkd.devices.qkd_node import QkdNode
from sdqkd.errors import RpcError, RpcErrors
from sdqkd.schema import json
from sdqkd.schema.tree import get, put, remove

TOP = "etsi-qkd-sdn-node:qkd_node"
LINK = "0b000000-0000-4000-8000-000000000001"
OTHER = "0b000000-0000-4000-8000-000000000002"
HERE = "0a000000-0000-4000-8000-000000000001"
THERE = "0a000000-0000-4000-8000-000000000002"


@pytest.fixture
def node(node_backend, node_schema):
    return QkdNode("alfa-qkd", node_schema, node_backend)


@pytest.fixture
def on_bench(bench, node):
    return bench(node)


def link(**leaves: Any) -> dict[str, Any]:
    entry = {
        "qkdl_id": LINK,
        "qkdl_status": "etsi-qkd-node-types:ACTIVE",
        "qkdl_local": {"qkdn_id": HERE, "qkdi_id": 1},
        "qkdl_remote": {"qkdn_id": THERE, "qkdi_id": 7},
        "qkdl_type": "etsi-qkd-node-types:PHYS",
        "phys_wavelength": "37",
        "phys_qkd_role": "etsi-qkd-node-types:TRANSMITTER",
        **{
            name.replace("__", ":").replace("frequency_thz", "frequency-thz"): value
            for name, value in leaves.items()
        },
    }
    return {name: value for name, value in entry.items() if value is not None}


def frequency(thz: str) -> dict[str, str]:
    return {"sdqkd-qkd-node:frequency-thz": thz}


def node_with(*links: dict[str, Any]) -> dict[str, Any]:
    return {TOP: {"qkd_links": {"qkd_link": list(links)}}}


def test_the_factory_configuration_is_the_hardware(on_bench, node):
    tree = on_bench.with_content({})
    assert json.encode(node.schema, tree)[TOP] == {
        "qkdn_id": HERE,
        "qkdn_version": "1.0",
        "qkdn_location_id": "Alfa",
        "qkdn_capabilities": {
            "link_stats_support": True,
            "application_stats_support": False,
            "key_relay_mode_enable": False,
        },
        "qkd_interfaces": {
            "qkd_interface": [
                {
                    "qkdi_id": 1,
                    "qkdi_model": "CV",
                    "qkdi_type": "etsi-qkd-node-types:CV-QKD",
                    "qkdi_att_point": {"device": "switch", "port": 3},
                    "qkdi_capabilities": {
                        "role_support": "etsi-qkd-node-types:TRANSCEIVER",
                        "wavelength_range": "34,37-38",
                        "max_absorption": "22.0",
                    },
                    "sdqkd-qkd-node:vendor": "Huawei",
                    "sdqkd-qkd-node:port": "cv",
                },
                {
                    "qkdi_id": 2,
                    "qkdi_model": "DV",
                    "qkdi_type": "etsi-qkd-node-types:DV-QKD",
                    "qkdi_capabilities": {
                        "role_support": "etsi-qkd-node-types:RECEIVER",
                        "wavelength_range": "1310",
                        "max_absorption": "24.5",
                    },
                    "sdqkd-qkd-node:vendor": "Toshiba",
                    "sdqkd-qkd-node:port": "dv",
                },
            ]
        },
    }
    node.check(tree)


def test_a_link_reaches_the_backend_as_typed_values(on_bench, node, node_backend):
    tree = on_bench.with_content(node_with(link(phys_wavelength=None) | frequency("193.7")))
    node.check(tree)
    node.apply(tree)
    assert node_backend.links == {
        LINK: LinkSettings(
            id=LINK,
            physical=True,
            enabled=True,
            status="ACTIVE",
            interface=1,
            remote_node=THERE,
            remote_interface=7,
            role="TRANSMITTER",
            frequency_hz=193_700_000_000_000,
        )
    }
    assert node_backend.links[LINK].wanted


@pytest.mark.parametrize(
    ("leaves", "wanted"),
    [
        ({}, True),
        ({"qkdl_enable": False}, False),
        ({"qkdl_status": "etsi-qkd-node-types:OFF"}, False),
        ({"qkdl_status": "etsi-qkd-node-types:PASSIVE"}, False),
        ({"qkdl_status": None}, False),
    ],
)
def test_only_an_enabled_active_link_is_wanted(on_bench, node, node_backend, leaves, wanted):
    node.apply(on_bench.with_content(node_with(link(**leaves))))
    assert node_backend.links[LINK].wanted is wanted


def test_what_is_not_said_yet_stays_open(on_bench, node, node_backend):
    node.apply(on_bench.with_content(node_with({"qkdl_id": LINK})))
    told = node_backend.links[LINK]
    assert (told.physical, told.interface, told.remote_node, told.role, told.frequency_hz) == (None,) * 5


def test_applications_make_the_expected_consumption(on_bench, node, node_backend):
    apps = [
        {"app_id": THERE, "backing_qkdl_id": [LINK], "app_qos": {"min_bandwidth": 128}},
        {"app_id": HERE, "backing_qkdl_id": [LINK, OTHER], "app_qos": {"min_bandwidth": 256}},
    ]
    content = node_with(link())
    content[TOP]["qkd_applications"] = {"qkd_app": apps}
    node.apply(on_bench.with_content(content))
    assert node_backend.links[LINK].consumption_bps == 384


def test_where_the_laser_stands_is_told_by_modules_that_have_the_leaf(on_bench, node, node_backend):
    receiver = {
        "qkdl_local": {"qkdn_id": HERE, "qkdi_id": 2},
        "phys_wavelength": 1310,
        "phys_qkd_role": "etsi-qkd-node-types:RECEIVER",
    }
    tree = on_bench.with_content(node_with(link(**receiver)))
    node_backend.reports = {LINK: LinkReport("PENDING", "", laser_hz=228_849_205_000_000)}
    node.apply(tree)
    (told,) = on_bench.state_with(tree)[TOP]["qkd_links"]["qkd_link"]
    assert not [leaf for leaf in told if "laser" in leaf]


def test_reports_become_state(on_bench, node, node_backend):
    virtual = {"qkdl_id": OTHER, "qkdl_type": "etsi-qkd-node-types:VIRT"}
    tree = on_bench.with_content(node_with(link(), virtual))
    node_backend.reports = {
        LINK: LinkReport("ACTIVE", "", 11.8, 6200, snr_db=0.2, laser_hz=193_700_000_000_000),
        OTHER: LinkReport("PASSIVE", "no relay"),
    }
    node.apply(tree)
    assert on_bench.state_with(tree)[TOP] == {
        "qkdn_status": "etsi-qkd-node-types:OPERATING",
        "qkd_interfaces": {
            "qkd_interface": [
                {"qkdi_id": 1, "qkdi_status": "etsi-qkd-node-types:ENABLED"},
                {"qkdi_id": 2, "qkdi_status": "etsi-qkd-node-types:FAILED"},
            ]
        },
        "qkd_links": {
            "qkd_link": [
                {
                    "qkdl_id": LINK,
                    "qkdl_performance": {
                        "expected_consumption": 0,
                        "skr": 6200,
                        "eskr": 6200,
                        "phys_perf": [{"perf_type": "etsi-qkd-node-types:SNR", "value": "0.2"}],
                    },
                    "sdqkd-qkd-node:band": "C",
                    "sdqkd-qkd-node:measured-loss-db": "11.8",
                    "sdqkd-qkd-node:oper-status": "etsi-qkd-node-types:ACTIVE",
                    "sdqkd-huawei-cv-qkd:laser-frequency-thz": "193.7",
                },
                {
                    "qkdl_id": OTHER,
                    "qkdl_performance": {"expected_consumption": 0, "skr": 0, "eskr": 0},
                    "sdqkd-qkd-node:oper-status": "etsi-qkd-node-types:PASSIVE",
                    "sdqkd-qkd-node:oper-reason": "no relay",
                },
            ]
        },
    }


def test_an_error_rate_is_told_in_per_cent(on_bench, node, node_backend):
    at_2 = link(qkdl_local={"qkdi_id": 2}, phys_wavelength="1310", phys_qkd_role="etsi-qkd-node-types:RECEIVER")
    tree = on_bench.with_content(node_with(at_2))
    node_backend.reports = {LINK: LinkReport("ACTIVE", "", 2.0, 5_000_000_000, qber=0.03071)}
    node.check(tree)
    node.apply(tree)
    (entry,) = on_bench.state_with(tree)[TOP]["qkd_links"]["qkd_link"]
    assert entry["qkdl_performance"]["phys_perf"] == [{"perf_type": "etsi-qkd-node-types:QBER", "value": "3.071"}]
    assert entry["qkdl_performance"]["skr"] == 2**32 - 1  # what uint32 can say


@pytest.mark.parametrize(
    ("leaves", "leaf", "app_tag", "message"),
    [
        (
            {"qkdl_local": {"qkdi_id": 3}},
            "qkdl_local/qkdi_id",
            "unknown-interface",
            "has no interface 3; it has 1, 2",
        ),
        ({"qkdl_local": {"qkdn_id": THERE}}, "qkdl_local/qkdn_id", "wrong-node", f"this node is {HERE}"),
        ({"phys_wavelength": "36"}, "phys_wavelength", "out-of-range", "can be set to 34,37-38, not to 193.6 THz"),
        ({"phys_wavelength": "1310"}, "phys_wavelength", "out-of-range", "not to 228.849205 THz"),
        ({"phys_wavelength": "99"}, "phys_wavelength", "wrong-channel", "99 is neither a channel (1 to 72) nor"),
        ({"phys_wavelength": "1700"}, "phys_wavelength", "wrong-channel", "1700 is neither a channel"),
        (
            {"phys_qkd_role": "etsi-qkd-node-types:TRANSCEIVER"},
            "phys_qkd_role",
            "wrong-role",
            "one end of a link is TRANSMITTER or RECEIVER",
        ),
        (
            {"qkdl_local": {"qkdi_id": 2}, "phys_wavelength": "1310"},
            "phys_qkd_role",
            "wrong-role",
            "interface 2 (DV) is a RECEIVER, it cannot be TRANSMITTER",
        ),
        (
            frequency("193.8"),
            "phys_wavelength",
            "wrong-channel",
            "phys_wavelength 37 is 193.7 THz, but frequency-thz says 193.8 THz",
        ),
        (
            {"phys_wavelength": None, **frequency("193.6")},
            "sdqkd-qkd-node:frequency-thz",
            "out-of-range",
            "not to 193.6 THz",
        ),
    ],
)
def test_what_the_modules_cannot_do_is_refused(on_bench, node, leaves, leaf, app_tag, message):
    tree = on_bench.with_content(node_with({k: v for k, v in (link() | leaves).items() if v is not None}))
    with pytest.raises(RpcError) as caught:
        node.check(tree)
    assert message in caught.value.message
    assert (caught.value.tag, caught.value.app_tag) == ("invalid-value", app_tag)
    assert caught.value.path == f"/{TOP}/qkd_links/qkd_link[qkdl_id='{LINK}']/{leaf}"


@pytest.mark.parametrize("number", ["37", "1548"])
def test_channel_and_wavelength_agree_with_the_exact_frequency(on_bench, node, node_backend, number):
    tree = on_bench.with_content(node_with(link(phys_wavelength=number) | frequency("193.7")))
    node.check(tree)
    node.apply(tree)
    assert node_backend.links[LINK].frequency_hz == 193_700_000_000_000


def test_one_interface_serves_one_wanted_link(on_bench, node):
    second = link(qkdl_id=OTHER)
    with pytest.raises(RpcError) as caught:
        node.check(on_bench.with_content(node_with(link(), second)))
    assert (caught.value.tag, caught.value.app_tag) == ("operation-failed", "interface-in-use")
    assert caught.value.message == f"interface 1 already serves the link {LINK}"
    assert caught.value.path == f"/{TOP}/qkd_links/qkd_link[qkdl_id='{OTHER}']/qkdl_local/qkdi_id"
    node.check(on_bench.with_content(node_with(link(), second | {"qkdl_enable": False})))


def test_all_faults_are_told_at_once(on_bench, node):
    with pytest.raises(RpcErrors) as caught:
        node.check(on_bench.with_content(node_with(link(phys_wavelength="36"), link(qkdl_id=OTHER))))
    assert [error.app_tag for error in caught.value.errors] == ["out-of-range", "interface-in-use"]


INTERFACE = (TOP, "qkd_interfaces", ("qkd_interface", ("1",)))


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ((TOP, "qkdn_version"), "qkdn_version"),
        ((TOP, "qkd_interfaces"), "qkd_interfaces"),
        (INTERFACE, "qkd_interfaces/qkd_interface[qkdi_id='1']"),
        ((*INTERFACE, "sdqkd-qkd-node:port"), "qkd_interfaces/qkd_interface[qkdi_id='1']/sdqkd-qkd-node:port"),
    ],
)
def test_hardware_cannot_be_deleted(node, path, shown):
    with pytest.raises(RpcError, match="comes with the hardware and cannot be deleted") as caught:
        node.check(remove(node.factory(), path, node.schema))
    assert (caught.value.tag, caught.value.app_tag) == ("operation-failed", "factory-hardware")
    assert caught.value.path == f"/{TOP}/{shown}"


def test_hardware_cannot_be_changed_or_added(node, node_schema):
    changed = put(node_schema, node.factory(), (*INTERFACE, "qkdi_model"), "better")
    with pytest.raises(RpcError, match="stays 'CV'"):
        node.check(changed)
    added = put(node_schema, node.factory(), (*INTERFACE[:-1], ("qkd_interface", ("9",)), "qkdi_model"), "new")
    with pytest.raises(RpcError, match="no such part") as caught:
        node.check(added)
    assert caught.value.path == f"/{TOP}/qkd_interfaces/qkd_interface[qkdi_id='9']"


def test_what_the_factory_does_not_say_is_free(node, node_schema):
    second = (TOP, "qkd_interfaces", ("qkd_interface", ("2",)), "sdqkd-toshiba-qkd:bypass-loss-db")
    tree = put(node_schema, node.factory(), second, "1.5")
    node.check(tree)
    assert get(tree, second) == "1.5"
