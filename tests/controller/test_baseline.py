"""Changes of classical light that the network file does not explain: what was lit when links were measured?

What a plan says is held against what the nodes of an emulated network report, which was begun before the change.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.controller.emulated import Emulated, held

from sdqkd.controller.coexistence import UNSAID, Coexistence, coexistence, demand_coexistence
from sdqkd.controller.coexistence_text import warning_lines
from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import LoadedNetwork, load_network
from sdqkd.controller.plan import make_plan
from sdqkd.errors import ApplyError
from sdqkd.network.model import Network, OpticalChannel, Passband, Port
from sdqkd.schema.table import load
from sdqkd.schema.tree import put

LINK = "Alfa-Charlie"
BESIDE = load_network((Path(__file__).parent / "data" / "beside.yaml").read_text("utf-8"), "beside.yaml").network
FIRST = BESIDE.optical_channels["first"]
GHZ = 10**9
WIDE = Passband(192_050 * GHZ, 193_150 * GHZ)
ENABLED = ("sdqkd-optical-device:optical-device", ("optical-channel", ("first",)), "enabled")
TOSHIBA = "Quevedo-Quijano-Toshiba"


def with_channels(network: Network, *channels: OpticalChannel, without: str = "") -> Network:
    others = {name: one for name, one in network.optical_channels.items() if name != without}
    return replace(network, optical_channels=others | {one.name: one for one in channels})


def effects(old: Network, new: Network) -> Coexistence:
    trees = held(old)
    return coexistence(new, make_plan(new.name, desired(new), trees), trees)


def planned_bps(old: Network, new: Network, link: str = LINK) -> tuple[int, int]:
    """Before and after. A link that no channel meets is in no list, and keeps what was measured."""
    found = effects(old, new).links[link]
    return found.before_bps or 0, found.after_bps or 0


def reported_bps(old: Network, new: Network, link: str = LINK) -> int:
    """What the receiver says after the change, in an emulation that began with the old file."""
    emulated = Emulated(old)
    for tree in (held(old), held(new)):
        for name, one in tree.items():
            emulated.hardware[name].apply(one)
    receiver = new.qkd_links[link].receiver
    report = repr(emulated.plant.devices[receiver.device].state())
    one = report[report.index(new.qkd_links[link].link_id) :]
    found = re.search(r"'skr': '(\d+)'", one)
    return int(found[1]) if found else 0


def silent(network: Network, *names: str) -> Network:
    """The file without a word on how these channels were when links were measured."""
    channels = {name: network.optical_channels[name] for name in names}
    quiet = (replace(one, calibration_power_dbm=None, calibration_frequency_hz=None) for one in channels.values())
    return with_channels(network, *quiet)


def raised(network: Network, power_dbm: float, *names: str) -> Network:
    louder = (replace(network.optical_channels[name], launch_power_dbm=power_dbm) for name in names)
    return with_channels(network, *louder)


def test_raised_channels_that_the_file_does_not_explain_show_what_they_do(madqci: LoadedNetwork) -> None:
    names = ("quevedo-quijano-c21", "quevedo-quijano-c23", "quevedo-quijano-c24")
    old = silent(madqci.network, *names)
    new = raised(old, 3.9, *names)
    before, after = planned_bps(old, new, TOSHIBA)
    assert before == madqci.network.qkd_links[TOSHIBA].calibration.key_rate_bps  # type: ignore[union-attr]
    assert after < 0.9 * before
    assert after == reported_bps(old, new, TOSHIBA)


def opened(network: Network) -> Network:
    """With filters for channel 21 that let light up to channel 31 through."""
    wide = {
        name: replace(one, ports=one.ports | {"c21": replace(one.ports["c21"], passbands=(WIDE,))})
        for name, one in network.multiplexers.items()
    }
    return replace(network, multiplexers=wide)


@pytest.mark.parametrize("says_power", [False, True])
def test_a_moved_channel_counts_where_it_was(madqci: LoadedNetwork, says_power: bool) -> None:
    """Not where it is now: else the noise of the new place would be taken for that of the old one."""
    name = "quevedo-quijano-c21"
    old = raised(opened(silent(madqci.network, name)), -2.0, name)
    if says_power:
        old = with_channels(old, replace(old.optical_channels[name], calibration_power_dbm=-2.0))
    moved = replace(old.optical_channels[name], frequency_hz=193_100 * GHZ)
    new = with_channels(old, moved)
    explained = replace(moved, calibration_power_dbm=-2.0, calibration_frequency_hz=192_100 * GHZ)
    before, after = planned_bps(old, new, TOSHIBA)
    assert after != before
    assert after < planned_bps(old, with_channels(old, without=name), TOSHIBA)[1]
    assert (before, after) == planned_bps(old, with_channels(old, explained), TOSHIBA)
    assert after == reported_bps(old, new, TOSHIBA)
    assert before == madqci.network.qkd_links[TOSHIBA].calibration.key_rate_bps  # type: ignore[union-attr]


def test_an_added_channel_was_dark(madqci: LoadedNetwork) -> None:
    name = "quevedo-quijano-c23"
    new = silent(madqci.network, name)
    old = with_channels(new, without=name)
    before, after = planned_bps(old, new, TOSHIBA)
    assert after < before
    assert after == reported_bps(old, new, TOSHIBA)


@given(
    power_dbm=st.floats(-25, 12).map(lambda dbm: round(dbm, 1)),
    frequency_hz=st.sampled_from((192_100, 192_150, 192_200)).map(lambda ghz: ghz * GHZ),
    was_lit=st.booleans(),
    name=st.sampled_from(("first", "renamed")),
)
@settings(max_examples=40, deadline=None)
def test_no_change_of_a_channel_gains_on_darkness_and_every_one_is_as_the_nodes_report(
    power_dbm: float, frequency_hz: int, was_lit: bool, name: str
) -> None:
    changed = replace(FIRST, name=name, frequency_hz=frequency_hz, launch_power_dbm=power_dbm)
    dark = with_channels(BESIDE, without="first")
    old = BESIDE if was_lit else dark
    new = with_channels(BESIDE, changed, without="first")
    before, after = planned_bps(old, new)
    assert before == 1800
    assert after == reported_bps(old, new)
    without = 1800 if not was_lit else planned_bps(old, dark)[1]
    assert after <= without
    if not was_lit or (frequency_hz == FIRST.frequency_hz and power_dbm >= FIRST.launch_power_dbm):
        assert after <= before


def test_a_channel_that_was_switched_off_was_dark() -> None:
    trees = dict(held(BESIDE))
    for device in ("alfa-transponder", "bravo-transponder"):
        trees[device] = put(load("transponder"), trees[device], ENABLED, "false")
    found = coexistence(BESIDE, make_plan(BESIDE.name, desired(BESIDE), trees), trees).links[LINK]
    assert found.before_bps == 1800
    assert (found.after_bps or 0) < 1800


def test_a_channel_that_comes_to_another_fibre_was_not_there_before() -> None:
    """Though the file says how strong it was: it says it of the place where devices hold it."""
    far, near = BESIDE.optical_channels["second"], replace(FIRST, calibration_power_dbm=3.0)
    old = with_channels(BESIDE, replace(far, launch_power_dbm=3.0), without="first")
    moved = replace(
        near, name="second", launch_power_dbm=3.0, calibration_frequency_hz=far.frequency_hz,
        a=Port("alfa-transponder", "bravo"), b=Port("bravo-transponder", "alfa"),
    )  # fmt: skip
    new = with_channels(old, moved)
    assert planned_bps(old, new)[1] == planned_bps(old, silent(new, "second"))[1] == reported_bps(old, new)


def test_ours_that_became_somebody_elses_was_as_devices_hold_it() -> None:
    theirs = replace(FIRST, third_party=True, a=None, b=None, launch_power_dbm=6.0)
    before, after = planned_bps(BESIDE, with_channels(BESIDE, theirs))
    assert before < 1800  # the file says that it is lit already, and louder
    assert after < 1800


def test_the_first_plan_of_a_network_takes_the_file_for_what_was_measured() -> None:
    nothing = replace(BESIDE, qkd_links={}, optical_channels={})
    found = effects(nothing, BESIDE)
    assert found.links[LINK].after_bps == 1800 == reported_bps(BESIDE, BESIDE)
    assert not [*warning_lines(found)]


def test_what_devices_alone_know_must_be_written_into_the_file() -> None:
    """Else two steps, each of which leaves the link enough by itself, would take it below its demand."""
    louder = raised(BESIDE, 0.0, "first")
    found = effects(BESIDE, louder)
    assert not found.harmed
    assert [*warning_lines(found)] == [
        f"refused unless forced with --force Alfa-Charlie: {UNSAID}",
        "    first: calibration-power-dbm: -8, calibration-frequency-thz: 192.1",
    ]
    assert found.to_json()["unsaid"] == {"first": "calibration-power-dbm: -8, calibration-frequency-thz: 192.1"}
    with pytest.raises(ApplyError, match="first: calibration-power-dbm: -8, calibration-frequency-thz: 192"):
        demand_coexistence(found)
    demand_coexistence(found, [LINK])
    assert not [*warning_lines(found, [LINK])]

    said = replace(
        louder.optical_channels["first"], calibration_power_dbm=-8.0, calibration_frequency_hz=FIRST.frequency_hz
    )
    told = with_channels(louder, said)
    demand_coexistence(effects(BESIDE, told))
    assert effects(BESIDE, told).links == found.links
    assert planned_bps(told, raised(told, 1.0, "first"))[0] == found.links[LINK].after_bps
    with pytest.raises(ApplyError, match="falls from 1,299"):
        demand_coexistence(effects(told, raised(told, 3.0, "first")))


def test_a_channel_that_devices_do_not_hold_was_dark_says_the_plan() -> None:
    found = effects(with_channels(BESIDE, without="first"), BESIDE)
    assert found.unsaid() == {"first": "calibration-power-dbm: -120"}


@pytest.mark.parametrize("power_dbm", [-12.0, -8.0])
def test_who_lowers_light_or_leaves_it_owes_no_explanation(power_dbm: float) -> None:
    demand_coexistence(effects(BESIDE, raised(BESIDE, power_dbm, "first")))


def test_light_on_another_strand_owes_no_explanation() -> None:
    fibres = {name: replace(fibre, scheme="bidi") for name, fibre in BESIDE.fibres.items()}
    apart = replace(BESIDE, fibres=fibres)
    demand_coexistence(effects(apart, raised(apart, 3.0, "first")))
