"""A plan in stages: what they come to, what is lit on the way, and how they are taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.controller.emulated import held

from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import load_network
from sdqkd.controller.plan import make_plan
from sdqkd.controller.stages import Stage, in_stages, split
from sdqkd.devices.transponder import channel_settings
from sdqkd.errors import ApplyError, InDoubtError, InterruptedApplyError, RolledBackError
from sdqkd.network.model import Network
from sdqkd.schema.diff import apply
from sdqkd.schema.tree import Container

NETWORK = load_network((Path(__file__).parent / "data" / "beside.yaml").read_text("utf-8"), "beside.yaml").network
STEP_HZ = 100_000_000_000

channels = st.fixed_dictionaries(
    {},
    optional={name: st.tuples(st.sampled_from((-20.0, -8.0, 0.0)), st.booleans()) for name in ("first", "second")},
)
wishes = st.builds(lambda lit, link: (lit, link), channels, st.booleans())


def network_of(wish: tuple[dict[str, tuple[float, bool]], bool]) -> Network:
    lit, link = wish
    known = NETWORK.optical_channels
    return replace(
        NETWORK,
        optical_channels={
            name: replace(
                known[name],
                launch_power_dbm=power_dbm,
                frequency_hz=known[name].frequency_hz + STEP_HZ * other,
            )
            for name, (power_dbm, other) in lit.items()
        },
        qkd_links={name: replace(one, active=link) for name, one in NETWORK.qkd_links.items()},
    )


def lit_in(trees: dict[str, Container]) -> dict[tuple[str, str, int], float]:
    return {
        (device, channel.port, channel.frequency_hz): channel.launch_power_dbm
        for device, tree in trees.items()
        if device.endswith(("transponder", "transponder-2"))
        for channel in channel_settings(tree).values()
        if channel.enabled
    }


@given(wishes, wishes)
def test_stages_come_to_the_plan_and_are_never_louder_than_both_sides(old, new):
    before, after = held(network_of(old)), held(network_of(new))
    plan = make_plan(NETWORK.name, desired(network_of(new)), before)
    trees = dict(before)
    stages = split(plan, NETWORK, before)
    for stage in stages:
        for name in stage.plan.changed:
            trees[name] = apply(stage.plan.devices[name].schema, trees[name], stage.plan.devices[name].changes)
        if stage.name != "light":
            for place, power_dbm in lit_in(trees).items():
                assert power_dbm <= min(lit_in(before)[place], lit_in(after)[place])
    assert trees == after
    assert [stage.name for stage in stages] == [
        name for name in ("dark", "switch", "light") if name in {one.name for one in stages}
    ]
    assert all(not stage.plan.is_empty for stage in stages)


def test_a_channel_whose_light_takes_another_way_is_dark_meanwhile():
    before = held(NETWORK)
    ended = replace(NETWORK, qkd_links={})
    plan = make_plan(NETWORK.name, desired(ended), before)
    stages = split(plan, NETWORK, before, {("alfa-transponder", "first")})
    assert [(one.name, one.plan.changed) for one in stages] == [
        ("dark", ("alfa-transponder",)),
        ("switch", ("alfa-qkd", "charlie-qkd")),
        ("light", ("alfa-transponder",)),
    ]


class Recorded:
    """Applies stages, but for those that fail."""

    def __init__(self, fails: dict[str, Exception]) -> None:
        self.fails = fails
        self.said: list[str] = []

    async def one(self, stage: Stage) -> str:
        return self._done(stage.name)

    async def back(self, stage: Stage) -> str:
        return self._done(f"back {stage.name}")

    def _done(self, what: str) -> str:
        self.said.append(what)
        if what in self.fails:
            raise self.fails[what]
        return f"tx-{what}"


STAGES = split(
    make_plan(NETWORK.name, desired(replace(NETWORK, qkd_links={})), held(NETWORK)),
    NETWORK,
    held(NETWORK),
    {("alfa-transponder", "first")},
)


async def test_stages_are_applied_one_after_the_other():
    recorded = Recorded({})
    txids = await in_stages(STAGES, recorded.one, recorded.back)
    assert txids == ("tx-dark", "tx-switch", "tx-light")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ApplyError("no"), RolledBackError),
        (RolledBackError("no"), RolledBackError),
        (InterruptedApplyError("no"), InterruptedApplyError),
    ],
)
async def test_what_came_before_a_stage_that_fails_is_taken_back_in_reverse(error, kind):
    recorded = Recorded({"light": error})
    with pytest.raises(kind, match="stage light: no; the stages before it were taken back"):
        await in_stages(STAGES, recorded.one, recorded.back)
    assert recorded.said == ["dark", "switch", "light", "back switch", "back dark"]


async def test_the_first_stage_that_fails_leaves_nothing_to_take_back():
    recorded = Recorded({"dark": ApplyError("no")})
    with pytest.raises(ApplyError, match=r"^no$"):
        await in_stages(STAGES, recorded.one, recorded.back)
    assert recorded.said == ["dark"]


async def test_nothing_is_touched_any_more_when_it_is_not_certain_what_devices_hold():
    recorded = Recorded({"switch": InDoubtError("who knows")})
    with pytest.raises(InDoubtError, match="who knows"):
        await in_stages(STAGES, recorded.one, recorded.back)
    assert recorded.said == ["dark", "switch"]
    recorded = Recorded({"light": ApplyError("no"), "back switch": RolledBackError("nor that")})
    with pytest.raises(InDoubtError, match="no; then stage switch could not be taken back: nor that"):
        await in_stages(STAGES, recorded.one, recorded.back)
    assert recorded.said == ["dark", "switch", "light", "back switch"]
