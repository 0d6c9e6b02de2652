"""Whatever devices are told, every one of them has a report, and the two ends of a link tell the same story."""

from dataclasses import replace

from hypothesis import event, given, settings
from hypothesis import strategies as st

from sdqkd.coexistence.faults import Faults
from sdqkd.coexistence.installation import install
from sdqkd.devices.fibre_switch import CrossConnection, SwitchSettings
from sdqkd.devices.qkd_backend import LinkSettings
from sdqkd.plant.evaluate import evaluate
from sdqkd.plant.running import nothing_set
from sdqkd.plant.values import Settings
from sdqkd.profiles.profile import load_profiles

NODES = ["0a000000-0000-4000-8000-00000000000" + digit for digit in "1239"]
FREQUENCIES = [193_400_000_000_000, 193_700_000_000_000]

VALUES = {
    "physical": [False, None],
    "enabled": [False],
    "status": ["OFF", ""],
    "interface": [1, 2, 3, 9, None],
    "remote_node": [*NODES, None],
    "remote_interface": [1, 2, 3, None],
    "role": ["TRANSMITTER", "RECEIVER", "TRANSCEIVER", None],
    "frequency_hz": [*FREQUENCIES, None],
}
ENDS = [("alfa-qkd", "x"), ("bravo-qkd", "x"), ("alfa-qkd", "y"), ("charlie-qkd", "y"), ("bravo-qkd", "y")]
edits = st.sampled_from(list(VALUES)).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(VALUES[name])))
spoilt = st.lists(st.tuples(st.sampled_from(ENDS), edits), max_size=3)


def link(
    name: str, interface: int, remote: int, remote_interface: int, role: str, frequency_hz: int
) -> LinkSettings:
    node = NODES[remote - 1]
    return LinkSettings(name, True, True, "ACTIVE", interface, node, remote_interface, role, frequency_hz)


WORKING = {
    "alfa-qkd": {
        "x": link("x", 1, 2, 1, "TRANSMITTER", FREQUENCIES[0]),
        "y": link("y", 2, 3, 1, "TRANSMITTER", FREQUENCIES[1]),
    },
    "bravo-qkd": {"x": link("x", 1, 1, 1, "RECEIVER", FREQUENCIES[0])},
    "charlie-qkd": {"y": link("y", 1, 1, 2, "RECEIVER", FREQUENCIES[1])},
}


def spoil(changes) -> dict[str, dict[str, LinkSettings]]:
    links = {node: dict(own) for node, own in WORKING.items()}
    for (node, name), (leaf, value) in changes:
        before = links[node].get(name, WORKING["alfa-qkd"][name])
        links[node][name] = replace(before, **{leaf: value})
    return links


failed = st.frozensets(st.sampled_from([("alfa-qkd", "1"), ("bravo-switch", "alfa"), ("charlie-qkd", "1")]))
faults = st.builds(Faults, cut=st.frozensets(st.sampled_from(["alfa-bravo", "alfa-charlie"])), failed=failed)


def straight(a: str, b: str) -> SwitchSettings:
    return SwitchSettings({"x": CrossConnection("x", a, b)})


SWITCHES = {
    "alfa-switch": st.sampled_from([straight("cv-tx", "bravo"), straight("cv-tx", "charlie")]),
    "bravo-switch": st.sampled_from([straight("alfa", "charlie"), straight("cv-tx", "charlie"), SwitchSettings()]),
    "charlie-switch": st.sampled_from([straight("cv-rx", "alfa"), straight("cv-rx", "bravo")]),
}


@settings(deadline=None)
@given(
    spoilt.map(spoil),
    st.fixed_dictionaries(SWITCHES),
    faults,
)
def test_every_link_has_a_report_that_its_peer_shares(triangle, links, switches, faults):
    nothing = nothing_set(triangle)
    settings = Settings(links, switches, nothing.channels, nothing.connections)
    installation = install(triangle, load_profiles())
    reports = evaluate(installation, settings, faults)
    for node, own in links.items():
        assert reports.nodes[node].links.keys() == own.keys()
        for link in own.values():
            report = reports.nodes[node].links[link.id]
            event(report.status)
            assert (report.status == "ACTIVE") == (report.reason == "") == (report.rate_bps > 0)
            assert (report.status == "OFF") == (not link.wanted)
            if report.loss_db is not None:
                peer = installation.nodes[link.remote_node]
                assert reports.nodes[peer].links[link.id] == report
