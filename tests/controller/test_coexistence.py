"""What is said of a plan before it is applied, beside what the emulated network reports after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from tests.controller.emulated import Emulated, held

from sdqkd.controller.coexistence import (
    Coexistence,
    LinkEffect,
    coexistence,
    demand_coexistence,
    state_of,
    without_watch,
)
from sdqkd.controller.coexistence_text import effect_lines, warning_lines
from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import LoadedNetwork, load_network
from sdqkd.controller.plan import Plan, make_plan
from sdqkd.errors import ApplyError
from sdqkd.network.model import Network
from sdqkd.physics.grid import channel_to_hz
from sdqkd.schema.tree import Container

LINK = "Alfa-Charlie"


TEXT = (Path(__file__).parent / "data" / "beside.yaml").read_text("utf-8")


@pytest.fixture(scope="module")
def beside() -> Network:
    """The link was measured beside the two channels as they are."""
    return measured_as_it_is(TEXT)


def measured_as_it_is(text: str) -> Network:
    network = load_network(text, "beside.yaml").network
    channels = {
        name: replace(one, calibration_power_dbm=one.launch_power_dbm, calibration_frequency_hz=one.frequency_hz)
        for name, one in network.optical_channels.items()
    }
    return replace(network, optical_channels=channels)


def powered(network: Network, **powers_dbm: float) -> Network:
    channels = {
        name: replace(channel, launch_power_dbm=powers_dbm.get(name.replace("-", "_"), channel.launch_power_dbm))
        for name, channel in network.optical_channels.items()
    }
    return replace(network, optical_channels=channels)


def with_scheme(network: Network, scheme: str) -> Network:
    return replace(network, fibres={name: replace(fibre, scheme=scheme) for name, fibre in network.fibres.items()})


def planned(old: Network, new: Network) -> tuple[Plan, Mapping[str, Container]]:
    trees = held(old)
    return make_plan(new.name, desired(new), trees), trees


def effects(old: Network, new: Network, *forced: str) -> Coexistence:
    return coexistence(new, *planned(old, new), forced)


def test_a_louder_channel_is_shown_with_the_links_beside_it(beside: Network) -> None:
    found = effects(beside, powered(beside, first=0.0))
    assert [*effect_lines(found)] == [
        "optical channel first raised from -8.00 to 0.00 dBm: QKD links on its fibres",
        "    Alfa-Charlie: 1,800 -> 1,299 bit/s, demand 1,000, margin 299",
    ]
    assert not [*warning_lines(found)]
    assert found.to_json()["links"] == [
        {
            "link": LINK, "before-bps": 1800, "after-bps": 1299, "least-on-the-way-bps": 1299, "demand-bps": 1000,
            "margin-bps": 299, "harmed": False,
        }
    ]  # fmt: skip


@pytest.mark.parametrize("power_dbm", [-12.0, -4.0, 0.0, 3.0, 9.0])
def test_the_figures_are_those_that_the_nodes_then_report(beside: Network, power_dbm: float) -> None:
    new = powered(beside, first=power_dbm)
    emulated = Emulated(beside)
    for name, tree in held(new).items():
        emulated.hardware[name].apply(tree)
    link = beside.qkd_links[LINK]
    report = emulated.plant.devices[link.receiver.device].state()
    rate_bps = effects(beside, new).links[LINK].after_bps
    assert f"'skr': '{rate_bps}'" in repr(report)


def test_a_plan_below_the_demand_is_refused_unless_the_link_is_named(beside: Network) -> None:
    found = effects(beside, powered(beside, first=3.0))
    with pytest.raises(ApplyError) as refused:
        demand_coexistence(found)
    assert str(refused.value) == (
        "the plan harms QKD links: Alfa-Charlie falls from 1,800 to 777 bit/s, and 1,000 are demanded;"
        " nothing was changed (it is forced by name: --force Alfa-Charlie)"
    )
    assert refused.value.findings[0]["margin-bps"] == -223
    demand_coexistence(found, [LINK])
    assert next(warning_lines(found)).startswith("refused unless forced with --force Alfa-Charlie: ")
    assert next(warning_lines(found, [LINK])).startswith("forced: ")


def test_without_a_demand_a_link_must_keep_some_key(beside: Network) -> None:
    modest = replace(beside, qkd_links={LINK: replace(beside.qkd_links[LINK], demand_bps=None)})
    demand_coexistence(effects(modest, powered(modest, first=3.0)))
    with pytest.raises(ApplyError, match="falls from 1,800 to 0 bit/s;"):
        demand_coexistence(effects(modest, powered(modest, first=12.0)))


def test_a_link_that_misses_its_demand_already_may_not_be_killed(beside: Network) -> None:
    quiet, loud, deadly = (powered(beside, first=dbm) for dbm in (3.0, 4.0, 12.0))
    demand_coexistence(effects(quiet, loud))
    with pytest.raises(ApplyError):
        demand_coexistence(effects(quiet, deadly))


def test_a_link_that_is_made_or_ended_is_not_harmed(beside: Network) -> None:
    deadly = powered(beside, first=12.0)
    nothing = replace(beside, qkd_links={}, optical_channels={})
    made = coexistence(deadly, *planned(nothing, deadly))
    assert [channel.what for channel in made.channels] == ["added", "added"]
    assert "no light -> 0 bit/s" in "".join(effect_lines(made))
    demand_coexistence(made)
    ended = replace(deadly, qkd_links={LINK: replace(deadly.qkd_links[LINK], active=False)})
    demand_coexistence(effects(beside, ended))


def test_a_link_on_another_channel_is_not_where_it_was_measured() -> None:
    """Beside a classical channel it has less key than on channel 34, where it was measured."""
    wide = TEXT.replace("192.05, upper-thz: 192.25", "192.05, upper-thz: 192.15")
    wide = wide.replace("193.35, upper-thz: 193.45", "192.15, upper-thz: 193.45").replace(": 32-34", ": 22-34")
    old = measured_as_it_is(wide)
    link = old.qkd_links[LINK]
    near = replace(link, frequency_hz=channel_to_hz(22))
    found = effects(old, replace(old, qkd_links={LINK: near})).links[LINK]
    assert found.before_bps == 1800
    assert (found.after_bps or 0) < 1700
    assert link.calibration is not None
    said = replace(near, calibration=replace(link.calibration, frequency_hz=link.frequency_hz))
    later = effects(replace(old, qkd_links={}, optical_channels={}), replace(old, qkd_links={LINK: said}))
    assert later.links[LINK].after_bps == found.after_bps


def test_a_channel_on_another_frequency_has_moved(beside: Network) -> None:
    first = beside.optical_channels["first"]
    moved = replace(first, frequency_hz=first.frequency_hz + 100_000_000_000)
    new = replace(beside, optical_channels=beside.optical_channels | {"first": moved})
    (channel,) = effects(beside, new).channels
    assert str(channel) == "optical channel first moved at -8.00 dBm"


@pytest.mark.parametrize(("scheme", "harmed"), [("duplex", False), ("bidi", False), ("circulator", True)])
def test_light_of_the_other_direction_counts_on_one_strand(beside: Network, scheme: str, harmed: bool) -> None:
    """What Bravo and Charlie send, and Alfa does not."""
    network = with_scheme(beside, scheme)
    trees = held(network)
    loud = held(powered(network, first=6.0))
    wanted = desired(powered(network, first=6.0))
    wanted = {name: one for name, one in wanted.items() if name != "alfa-transponder"} | {
        "alfa-transponder": desired(network)["alfa-transponder"]
    }
    assert loud["bravo-transponder"] != trees["bravo-transponder"]
    found = coexistence(network, make_plan(network.name, wanted, trees), trees)
    (channel,) = found.channels
    assert channel.links == (LINK,)
    assert ((found.links[LINK].after_bps or 0) < 1800) == harmed


def test_on_a_strand_of_their_own_links_are_shown_and_unharmed(beside: Network) -> None:
    network = with_scheme(beside, "bidi")
    found = effects(network, powered(network, first=12.0))
    assert [*effect_lines(found)][1] == "    Alfa-Charlie: 1,800 bit/s, demand 1,000, margin 800"
    demand_coexistence(found)


def test_somebody_elses_channels_count_and_are_in_no_plan(beside: Network) -> None:
    first = beside.optical_channels["first"]
    theirs = replace(first, name="theirs", third_party=True, a=None, b=None, frequency_hz=192_300_000_000_000)
    loud = replace(theirs, launch_power_dbm=4.0)
    quiet, noisy = (
        replace(beside, optical_channels={**beside.optical_channels, "theirs": one}) for one in (theirs, loud)
    )
    plan, trees = planned(quiet, powered(noisy, first=-6.0))
    assert "theirs" not in repr(plan.to_json())
    assert all("theirs" not in own for own in state_of(noisy, trees).channels.values())
    beside_loud = coexistence(noisy, plan, trees).links[LINK]
    beside_quiet = coexistence(quiet, plan, trees).links[LINK]
    assert (beside_loud.before_bps or 0) < (beside_quiet.before_bps or 0)


def test_links_that_somebody_elses_light_starves_are_shown_though_nothing_changes(beside: Network) -> None:
    channel = replace(beside.optical_channels["first"], name="theirs", third_party=True, a=None, b=None)
    loud = replace(channel, frequency_hz=channel.frequency_hz + 10**11, launch_power_dbm=12.0)
    network = replace(beside, optical_channels=beside.optical_channels | {"theirs": loud})
    plan, trees = planned(network, network)
    assert plan.is_empty
    found = coexistence(network, plan, trees)
    heading, line = effect_lines(found)
    assert heading == "QKD links with too little key before and after, beside the light that the file describes"
    assert line.startswith(f"    {LINK}: ")
    assert "demand 1,000" in line
    demand_coexistence(found)  # no plan of ours would help
    assert [*effect_lines(effects(beside, beside))] == []


def test_a_plan_that_would_harm_on_the_way_only_is_split(beside: Network) -> None:
    old, new = powered(beside, first=0.0), powered(beside, first=-20.0, second=-1.5)
    found = effects(old, new)
    assert not found.harmed
    assert [(stage.name, stage.plan.changed) for stage in found.stages] == [
        ("dark", ("alfa-transponder", "bravo-transponder")),
        ("light", ("bravo-transponder-2", "charlie-transponder")),
    ]
    assert [*warning_lines(found)] == [
        "in stages, each a transaction: dark (alfa-transponder, bravo-transponder);"
        " light (bravo-transponder-2, charlie-transponder)",
        "    because at once, Alfa-Charlie falls from 1,299 to 614 bit/s while devices change,"
        " and 1,000 are demanded",
    ]
    assert [stage.name for stage in effects(old, new, LINK).stages] == [""]


def test_a_link_that_no_stage_spares_must_be_named() -> None:
    effect = LinkEffect("x", 1500, 1500, 300, held=True, wanted=True, demand_bps=1000)
    found = Coexistence((), {"x": effect}, (), trapped=("x",))
    with pytest.raises(ApplyError, match="x falls from 1,500 to 300 bit/s while devices change, and 1,000 are"):
        demand_coexistence(found)
    demand_coexistence(found, ["x"])


def test_the_gate_does_not_watch_what_was_forced_by_name(beside: Network) -> None:
    assert not without_watch(beside, [LINK]).qkd_links[LINK].health.watched
    assert without_watch(beside, ["health"]) == beside


def test_the_example_comes_up_as_it_was_measured(madqci: LoadedNetwork) -> None:
    network = madqci.network
    nothing = replace(network, qkd_links={}, optical_channels={}, protected_connections={})
    found = coexistence(network, *planned(nothing, network))
    measured = {
        name: link.calibration.key_rate_bps for name, link in network.qkd_links.items() if link.calibration
    }
    active = {name for name, link in network.qkd_links.items() if link.active}
    assert {name: found.links[name].after_bps for name in active} == {name: measured[name] for name in active}
    assert not found.harmed
