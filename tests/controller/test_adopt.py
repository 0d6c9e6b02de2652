"""What a device holds is written into the network file: the file then wants it, and nothing else of the device."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from sdqkd.controller.adopt import CannotAdoptError, adopted
from sdqkd.controller.drift import compare
from sdqkd.controller.drift_rules import policies_of
from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import load_network
from sdqkd.network.model import DriftRules
from sdqkd.schema.path import parse_path
from sdqkd.schema.table import load
from sdqkd.schema.tree import put, remove

TEXT = (Path(__file__).parent / "data" / "network.yaml").read_text("utf-8")
CHANNEL = "/sdqkd-optical-device:optical-device/optical-channel[name='alfa-bravo-c21']"
LINKS = "/etsi-qkd-sdn-node:qkd_node/qkd_links/qkd_link"
SWITCHED = f"{LINKS}[qkdl_id='0b000000-0000-4000-8000-000000000002']"
FIXED = f"{LINKS}[qkdl_id='0b000000-0000-4000-8000-000000000001']"
CROSSING = "/sdqkd-optical-device:optical-device/cross-connection[name='Alfa-Charlie-CV']"
CONNECTIONS = "/sdqkd-encryptor:encryptor/connection"


def adopt(device: str, edits: dict[str, str | None], text: str = TEXT) -> tuple[list[str], tuple[str, ...]]:
    """The lines that are new in the file, and the other devices that it then wants something else of."""
    loaded = load_network(text, "network.yaml")
    wanted = desired(loaded.network)[device]
    schema, held = load(wanted.model_set), wanted.tree
    for where, value in edits.items():
        path = parse_path(schema, where)
        held = remove(held, path) if value is None else put(schema, held, path, value)
    policies = policies_of(loaded.network.devices[device], DriftRules("adopt"))
    done = adopted(loaded, text, device, compare(device, wanted, held, policies).under("adopt"))
    again = desired(load_network(done.text, "network.yaml").network)[device]
    assert not compare(device, again, held, policies).deviations
    lines = difflib.ndiff(text.splitlines(), done.text.splitlines())
    return [line[2:].strip() for line in lines if line.startswith("+ ")], done.others


def test_the_power_of_a_channel_is_that_of_both_ends() -> None:
    (line,), others = adopt("alfa-transponder", {f"{CHANNEL}/launch-power-dbm": "-2.5"})
    assert "launch-power-dbm: -2.5, a: {device" in line
    assert others == ("bravo-transponder",)


@pytest.mark.parametrize(
    ("thz", "said"),
    [("192.1", "channel: 21"), ("192.2", "channel: 22"), ("192.2125", "frequency-thz: 192.2125")],
)
def test_a_frequency_is_said_as_the_file_says_it_where_that_is_possible(thz: str, said: str) -> None:
    text = TEXT.replace("upper-thz: 192.15", "upper-thz: 192.35").replace("channel: 22,", "channel: 25,")
    text = text.replace("channel: 21,", "channel: 23,").replace("lower-thz: 192.05", "lower-thz: 192.0")
    (line,), others = adopt("bravo-transponder", {f"{CHANNEL}/frequency-thz": thz}, text)
    assert said in line
    assert others == ("alfa-transponder",)


SILENT = TEXT.replace(", calibration-power-dbm: -3, calibration-frequency-thz: 192.1}", "}")


def test_how_a_channel_was_at_the_measurement_is_written_before_it_is_forgotten() -> None:
    """Else every step that is adopted would count as having been there, and they add up unseen."""
    assert SILENT != TEXT
    (line,), _ = adopt("alfa-transponder", {f"{CHANNEL}/launch-power-dbm": "-2.5"}, SILENT)
    assert "launch-power-dbm: -2.5, a: {device" in line
    assert "calibration-power-dbm: -3, calibration-frequency-thz: 192.1" in line
    (line,), _ = adopt("alfa-transponder", {f"{CHANNEL}/launch-power-dbm": "-2.0"})
    assert line.count("calibration-power-dbm: -3,") == 1
    unmeasured = SILENT.replace("      calibration: {loss-db: 4.0, key-rate-bps: 2040}\n", "")
    (line,), _ = adopt("alfa-transponder", {f"{CHANNEL}/launch-power-dbm": "-2.5"}, unmeasured)
    assert "calibration" not in line


def test_where_a_link_was_measured_is_written_before_it_is_forgotten() -> None:
    link = "      fibre: [alfa-bravo, bravo-charlie]\n"
    assert TEXT.count(link) == 1
    text = TEXT.replace(link, f"{link}      calibration: {{loss-db: 9.0, key-rate-bps: 5000}}\n")
    edits = {f"{SWITCHED}/sdqkd-qkd-node:frequency-thz": "193.8", f"{SWITCHED}/phys_wavelength": "38"}
    lines, _ = adopt("alfa-qkd", edits, text)
    assert lines == ["channel: 38", "calibration: {loss-db: 9.0, key-rate-bps: 5000, frequency-thz: 193.7}"]


def test_a_wavelength_follows_from_the_frequency() -> None:
    edits = {f"{SWITCHED}/sdqkd-qkd-node:frequency-thz": "193.8", f"{SWITCHED}/phys_wavelength": "38"}
    (line,), others = adopt("alfa-qkd", edits)
    assert line == "channel: 38"
    assert others == ("charlie-qkd", "alfa-switch", "bravo-switch", "charlie-switch")


@pytest.mark.parametrize(
    ("device", "leaf", "value", "said", "others"),
    [
        ("bravo-l2", "[name='l2-bravo-charlie']/rekey-interval", "60", "rekey-interval: 60", ("charlie-l2",)),
        ("alfa-l1", "[name='l1-alfa-bravo']/rekey-interval", "90", "rekey-interval: 90", ("bravo-l1",)),
        ("charlie-l2", "[name='l2-bravo-charlie']/vlan", "7", "vlan: 7", ("bravo-l2",)),
        (
            "bravo-l1",
            "[name='l1-alfa-bravo']/key-source/uri",
            "https://other.example/api/v1/keys",
            "b: {device: bravo-l1, line: otn-1, sae-id: bravo-l1.1, key-source-uri: https://other.example/api/v1/keys}",
            (),
        ),
        (
            "bravo-l1",
            "[name='l1-alfa-bravo']/key-source/peer-sae-id",
            "alfa-l1.2",
            'a: {device: alfa-l1, line: otn-1, sae-id: alfa-l1.2, key-source-uri: "https://kme.alfa.example/api/v1/keys"}',
            ("alfa-l1",),
        ),
    ],
)
def test_a_connection(device: str, leaf: str, value: str, said: str, others: tuple[str, ...]) -> None:
    assert adopt(device, {f"{CONNECTIONS}{leaf}": value}) == ([said], others)


@pytest.mark.parametrize(
    ("device", "edits", "why"),
    [
        ("alfa-transponder", {CHANNEL: None}, "only single values can be adopted"),
        ("alfa-transponder", {f"{CHANNEL}/enabled": "false"}, "no value of its own for it"),
        (
            "alfa-qkd",
            {f"{FIXED}/sdqkd-qkd-node:frequency-thz": "193.3"},
            "the file would not be right: .*alfa-qkd",
        ),
        ("alfa-switch", {f"{CROSSING}/b-port": "bravo-c38"}, "no value of its own for it"),
        ("alfa-qkd", {f"{FIXED}/qkdl_enable": "false"}, "no value of its own for it"),
        (
            "alfa-transponder",
            {f"{CHANNEL}/launch-power-dbm": "1.0", f"{CHANNEL}/enabled": "false"},
            "no value of its own for it",
        ),
    ],
)
def test_what_the_file_cannot_say_is_refused(device: str, edits: dict[str, str | None], why: str) -> None:
    with pytest.raises(CannotAdoptError, match=f"(?s){why}"):
        adopt(device, edits)


def test_what_would_change_something_else_of_the_device_is_refused() -> None:
    # One text for two links: an alias.
    shared = TEXT.replace(
        "calibration: {loss-db: 4.0, key-rate-bps: 2040}", "calibration: &both {loss-db: 4.0, key-rate-bps: 2040}"
    ).replace("      channel: 37\n", "      channel: 37\n      calibration: *both\n")
    loaded = load_network(shared, "network.yaml")
    wanted = desired(loaded.network)["alfa-qkd"]
    path = parse_path(load("qkd-node"), f"{FIXED}/phys_channel_att")
    held = put(load("qkd-node"), wanted.tree, path, "5.0")
    policies = policies_of(loaded.network.devices["alfa-qkd"], DriftRules("adopt"))
    # What a node measures is ignored unless a rule says otherwise; here the change is given as it is.
    (change,) = (each.change for each in compare("alfa-qkd", wanted, held, type(policies)((), "adopt")).deviations)
    with pytest.raises(CannotAdoptError, match=r"it would change .*000002.*/phys_channel_att too"):
        adopted(loaded, shared, "alfa-qkd", [change])


def test_what_a_pair_holds_follows_from_its_hub() -> None:
    text = (Path(__file__).parents[2] / "examples" / "mdi-hub" / "network.yaml").read_text("utf-8")
    pair = f"{LINKS}[qkdl_id='59035b82-89bd-5716-bd32-be10273c9535']/sdqkd-qkd-node:frequency-thz"
    with pytest.raises(CannotAdoptError, match="Alfa-Bravo is a pair of a hub: have it restored"):
        adopt("alfa-qkd", {pair: "193.5"}, text)
