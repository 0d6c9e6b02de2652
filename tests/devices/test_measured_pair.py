"""What a hub measures, in the model of its node; and emitters that serve several links."""

from dataclasses import dataclass, field, replace

import pytest
from tests.devices.conftest import RecordedNode

from sdqkd.devices.qkd_backend import HubInput, InterfaceHardware, NodeReport, PairReport
from sdqkd.devices.qkd_node import QkdNode
from sdqkd.errors import RpcError

TOP = "etsi-qkd-sdn-node:qkd_node"
LIST = "sdqkd-qkd-node:measured-pair"
LINK = "0b000000-0000-4000-8000-000000000001"
OTHER = "0b000000-0000-4000-8000-000000000002"
HERE = "0a000000-0000-4000-8000-000000000001"
ONE, TWO, HUB = (f"0a000000-0000-4000-8000-00000000000{number}" for number in (2, 3, 4))


@dataclass
class RecordedHub(RecordedNode):
    pairs: dict = field(default_factory=dict)
    seen: dict = field(default_factory=dict)

    def measure(self, pairs):
        self.pairs = pairs

    def report(self):
        return NodeReport("OPERATING", {1: "ENABLED"}, self.reports, self.seen)


@pytest.fixture
def hub(node_backend):
    inputs = {
        number: InterfaceHardware(number, "Q*Bird", "Falqon", "DV-QKD", "RECEIVER", "30-40", 20, f"in{number}")
        for number in (1, 2)
    }
    sender = replace(inputs[1], id=3, role="TRANSMITTER", port="tx")
    return RecordedHub(replace(node_backend.hardware, interfaces={**inputs, 3: sender}))


@pytest.fixture
def on_bench(bench, hub, node_schema):
    return bench(QkdNode("hub", node_schema, hub))


def pair(**inputs):
    numbers = {"one": 1, "two": 2, **inputs}
    emitters = [{"node-id": node, "interface": numbers[name]} for name, node in (("one", ONE), ("two", TWO))]
    return {"link-id": LINK, "emitter": emitters, "frequency-thz": "193.4"}


def with_pair(entry):
    return {TOP: {LIST: [entry]}}


def test_a_pair_reaches_the_backend_and_its_report_the_model(on_bench, hub):
    config = on_bench.with_content(with_pair(pair()))
    on_bench.device.check(config)
    on_bench.device.apply(config)
    told = hub.pairs[LINK]
    assert (told.enabled, told.inputs, told.frequency_hz) == (True, {ONE: 1, TWO: 2}, 193_400_000_000_000)
    hub.seen = {LINK: PairReport("ACTIVE", "", 0.5, 1234.5, 0.471)}
    (shown,) = on_bench.state_with(config)[TOP][LIST]
    assert shown == {
        "link-id": LINK,
        "oper-status": "etsi-qkd-node-types:ACTIVE",
        "time-share": "50.0",
        "coincidence-rate": "1234",
        "visibility": "47.1",
    }


@pytest.mark.parametrize(
    ("entry", "tag", "message"),
    [
        (pair(two=9), "unknown-interface", "this node has no interface 9"),
        (pair(two=3), "wrong-role", "interface 3 (Falqon) is a TRANSMITTER"),
        ({**pair(), "frequency-thz": "195.0"}, "out-of-range", "interface 1 takes 30-40, not 195.0 THz"),
    ],
)
def test_what_the_hub_cannot_measure_is_refused_at_its_place(on_bench, entry, tag, message):
    config = on_bench.with_content(with_pair(entry))
    with pytest.raises(Exception, match="interface") as refused:
        on_bench.device.check(config)
    first = getattr(refused.value, "errors", (refused.value,))[0]
    assert isinstance(first, RpcError)
    assert (first.app_tag, first.message) == (tag, message)
    assert f"{LIST}[link-id='{LINK}']/emitter[node-id=" in first.path


@pytest.mark.parametrize("emitters", [1, 3])
def test_a_pair_has_two_emitters(on_bench, emitters):
    entry = pair()
    entry["emitter"] = [{"node-id": f"{ONE[:-1]}{n}", "interface": n} for n in range(1, emitters + 1)]
    with pytest.raises(Exception, match="emitter"):
        on_bench.with_content(with_pair(entry))


def link(link_id, hub=None, **leaves):
    entry = {
        "qkdl_id": link_id,
        "qkdl_status": "etsi-qkd-node-types:ACTIVE",
        "qkdl_local": {"qkdn_id": HERE, "qkdi_id": 3},
        "qkdl_remote": {"qkdn_id": TWO, "qkdi_id": 1},
        "qkdl_type": "etsi-qkd-node-types:PHYS",
        "phys_wavelength": "34",
        "phys_qkd_role": "etsi-qkd-node-types:TRANSMITTER",
        **leaves,
    }
    return entry if hub is None else entry | {"sdqkd-qkd-node:hub": {"node-id": hub, "interface": 2}}


def links(*entries):
    return {TOP: {"qkd_links": {"qkd_link": list(entries)}}}


def test_an_emitter_serves_all_links_of_one_hub(on_bench, hub):
    config = on_bench.with_content(links(link(LINK, HUB), link(OTHER, HUB)))
    on_bench.device.check(config)
    on_bench.device.apply(config)
    assert hub.links[LINK].hub == HubInput(HUB, 2)


@pytest.mark.parametrize(
    "other",
    [link(OTHER), link(OTHER, TWO), link(OTHER, HUB, phys_wavelength="35")],
    ids=["of two parties", "of another hub", "on another channel"],
)
def test_an_emitter_serves_nothing_beside_the_links_of_its_hub(on_bench, other):
    config = on_bench.with_content(links(link(LINK, HUB), other))
    with pytest.raises(Exception, match="already serves the link"):
        on_bench.device.check(config)


def test_who_names_a_hub_must_send(on_bench):
    entry = link(LINK, HUB, phys_qkd_role="etsi-qkd-node-types:RECEIVER")
    with pytest.raises(Exception, match="both ends of a link with a hub are TRANSMITTER"):
        on_bench.device.check(on_bench.with_content(links(entry)))
