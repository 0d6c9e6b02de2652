"""What a link may hold depends on its type; the published module refused all of it. Two validators agree."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

SET = "qkd-node"
NODE = "00000000-0000-4000-8000-00000000000a"
LINK = "00000000-0000-4000-8000-00000000001b"
TYPES = "etsi-qkd-node-types"
CONDITION = re.compile("When condition .* not satisfied|member-not-allowed")  # libyang's words, yangson's words

PHYSICAL = {
    "phys_channel_att": {"phys_channel_att": "7.47"},
    "phys_wavelength": {"phys_wavelength": "34"},
    "phys_qkd_role": {"phys_qkd_role": f"{TYPES}:TRANSMITTER"},
    "phys_perf": {"qkdl_performance": {"phys_perf": [{"perf_type": f"{TYPES}:QBER", "value": "0.021"}]}},
}
VIRTUAL = {
    "virt_prev_hop": {"virt_prev_hop": NODE},
    "virt_next_hop": {"virt_next_hop": [NODE]},
    "virt_bandwidth": {"virt_bandwidth": 1000},
}
Refusal = Callable[[str, dict[str, Any]], str | None]


def node_with(link: dict[str, Any]) -> dict[str, Any]:
    return {
        "etsi-qkd-sdn-node:qkd_node": {
            "qkdn_id": NODE,
            "qkd_links": {"qkd_link": [{"qkdl_id": LINK, **link}]},
        }
    }


@pytest.mark.parametrize("leaf", PHYSICAL)
def test_physical_link_holds_what_is_physical(refusal: Refusal, leaf: str) -> None:
    assert refusal(SET, node_with({"qkdl_type": f"{TYPES}:PHYS", **PHYSICAL[leaf]})) is None


@pytest.mark.parametrize("leaf", VIRTUAL)
def test_virtual_link_holds_what_is_virtual(refusal: Refusal, leaf: str) -> None:
    assert refusal(SET, node_with({"qkdl_type": f"{TYPES}:VIRT", **VIRTUAL[leaf]})) is None


@pytest.mark.parametrize("leaf", PHYSICAL)
@pytest.mark.parametrize("kind", [{"qkdl_type": f"{TYPES}:VIRT"}, {}], ids=["virtual", "untyped"])
def test_other_links_do_not_hold_what_is_physical(refusal: Refusal, leaf: str, kind: dict[str, str]) -> None:
    reason = refusal(SET, node_with({**kind, **PHYSICAL[leaf]}))
    assert reason
    assert leaf in reason
    assert CONDITION.search(reason)


@pytest.mark.parametrize("leaf", VIRTUAL)
@pytest.mark.parametrize("kind", [{"qkdl_type": f"{TYPES}:PHYS"}, {}], ids=["physical", "untyped"])
def test_other_links_do_not_hold_what_is_virtual(refusal: Refusal, leaf: str, kind: dict[str, str]) -> None:
    reason = refusal(SET, node_with({**kind, **VIRTUAL[leaf]}))
    assert reason
    assert leaf in reason
    assert CONDITION.search(reason)


@pytest.mark.parametrize("kind", ["PHYS", "VIRT"])
def test_key_rates_belong_to_every_link(refusal: Refusal, kind: str) -> None:
    rates = {"expected_consumption": 256, "skr": 1400, "eskr": 1100}
    assert refusal(SET, node_with({"qkdl_type": f"{TYPES}:{kind}", "qkdl_performance": rates})) is None
