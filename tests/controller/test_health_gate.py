"""The gate before real agents whose modules follow the light, with a clock that tests turn."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.controller.emulated import Emulated

from sdqkd.controller.fleet import Fleet
from sdqkd.controller.footprint import footprint_of
from sdqkd.controller.gate import GateRefusedError, Trial
from sdqkd.controller.health_gate import HealthGate, HealthRefusedError
from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import load_network
from sdqkd.controller.plan import Plan, make_plan
from sdqkd.network.model import HealthLimits, Network


class Bent:
    """A clock that stands still until somebody sleeps; `at` says what happens on the way."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.at: dict[float, Callable[[], None]] = {}

    def now_s(self) -> float:
        return self.now

    def wall(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        for moment in [moment for moment in self.at if 1000 + moment <= self.now]:
            self.at.pop(moment)()
        await asyncio.sleep(0)


class Bench:
    """A network whose links and channels share all strands."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.emulated = Emulated(network)
        self.clock = Bent()
        self.fleet = Fleet(network.devices, self.emulated)
        self.gate = HealthGate(network, self.clock)

    def plan(self, wanted: Network) -> Plan:
        return make_plan(wanted.name, desired(wanted), self.emulated.running())

    async def write(self, plan: Plan) -> None:
        for name in plan.changed:
            session = await self.fleet.session(name)
            await session.edit_config(plan.devices[name].changes)
            await session.commit()

    async def bring_up(self) -> None:
        await self.write(self.plan(self.network))

    async def try_out(self, wanted: Network, before: Callable[[], None] = lambda: None) -> float:
        """Let the gate look on while the network becomes another; how long that took, in its seconds."""
        plan = self.plan(wanted)
        trial = Trial("t1", plan, footprint_of(plan, wanted), self.fleet.session)
        self.gate = HealthGate(wanted, self.clock)
        began = self.clock.now
        await self.gate.baseline(trial)
        await self.write(plan)
        before()
        await self.gate.judge(trial)
        return self.clock.now - began

    def louder(self, power_dbm: float) -> Network:
        channel = replace(self.network.optical_channels["alfa-bravo-c21"], launch_power_dbm=power_dbm)
        return replace(self.network, optical_channels=self.network.optical_channels | {channel.name: channel})

    def limited(self, **limits: float) -> Network:
        """The network with other limits for all links and channels."""
        health = replace(self.network.health, **limits)
        links = {
            name: replace(link, health=replace(link.health, **limits))
            for name, link in self.network.qkd_links.items()
        }
        return replace(self.network, health=health, qkd_links=links)


@pytest.fixture
async def bench(three_sites_text: str) -> AsyncIterator[Bench]:
    text = re.sub("scheme: bidi", "scheme: duplex", three_sites_text)
    text = text.replace("soak-s: 0", "soak-s: 10")
    made = Bench(load_network(text, "network.yaml").network)
    yield made
    await made.fleet.close()


async def test_a_network_that_comes_up_is_watched_for_the_soak(bench: Bench) -> None:
    assert await bench.try_out(bench.network) == 10


async def test_a_channel_that_gets_a_little_louder_may_stay(bench: Bench) -> None:
    await bench.bring_up()
    assert await bench.try_out(bench.louder(-2.0)) == 10


async def test_a_channel_that_kills_a_key_rate_may_not(bench: Bench) -> None:
    await bench.bring_up()
    with pytest.raises(HealthRefusedError) as refused:
        await bench.try_out(bench.louder(6.0))
    found = {(one.subject, one.end, one.quantity) for one in refused.value.findings}
    ends = ("alfa-qkd", "bravo-qkd")
    assert found >= {("QKD link Alfa-Bravo-DV", end, "key rate") for end in ends}
    assert found >= {("QKD link Alfa-Bravo-DV", end, "QBER") for end in ends}
    rate = next(one for one in refused.value.findings if one.quantity == "key rate")
    assert (rate.before, rate.now, rate.threshold) == (2040, 0, 1632.0)
    assert "alfa-transponder" in rate.reason
    assert "Alfa-Bravo-DV at alfa-qkd: key rate is 0 bit/s" in str(refused.value)
    assert bench.clock.now == 1000


async def test_the_limits_are_those_of_the_network_file(bench: Bench) -> None:
    await bench.bring_up()
    bench.network = bench.limited(minimum_rate_percent_of_before=60.0, soak_s=3)
    assert await bench.try_out(bench.louder(0.0)) == 3
    await bench.bring_up()
    bench.network = bench.limited(minimum_rate_percent_of_before=70.0)
    with pytest.raises(HealthRefusedError, match="demanded is 1,428 bit/s"):
        await bench.try_out(bench.louder(0.0))


async def test_a_link_that_is_not_watched_may_die(bench: Bench) -> None:
    await bench.bring_up()
    unwatched = replace(bench.network.qkd_links["Alfa-Bravo-DV"], health=HealthLimits(watched=False))
    bench.network = replace(bench.network, qkd_links=bench.network.qkd_links | {unwatched.name: unwatched})
    await bench.try_out(bench.louder(3.0))


async def test_what_happens_during_the_soak_counts(bench: Bench) -> None:
    await bench.bring_up()
    bench.clock.at[7.0] = lambda: bench.emulated.plant.add_loss("alfa-bravo", 2.0)
    with pytest.raises(HealthRefusedError, match="Alfa-Bravo-DV at alfa-qkd") as refused:
        await bench.try_out(bench.louder(-2.9))
    assert bench.clock.now == 1007
    assert {one.quantity for one in refused.value.findings} >= {"key rate", "loss"}
    assert {one.subject for one in refused.value.findings} >= {"optical channel alfa-bravo-c21"}


async def test_a_link_that_is_made_has_until_its_modules_are_ready(bench: Bench) -> None:
    plant = bench.emulated.plant
    bench.clock.at[100.0] = lambda: plant.mend("bravo-charlie")
    assert await bench.try_out(bench.network, lambda: plant.cut("bravo-charlie")) == pytest.approx(110, abs=2)


async def test_a_link_that_does_not_come_up_in_time_is_refused(bench: Bench) -> None:
    plant = bench.emulated.plant
    with pytest.raises(HealthRefusedError, match="Alfa-Charlie-CV at alfa-qkd: status is PASSIVE"):
        await bench.try_out(bench.network, lambda: plant.cut("bravo-charlie"))
    assert bench.clock.now == pytest.approx(1120, abs=2)  # the profile of its modules says two minutes


async def test_a_link_that_comes_up_and_goes_again_is_refused_at_once(bench: Bench) -> None:
    bench.clock.at[5.0] = lambda: bench.emulated.plant.cut("bravo-charlie")
    with pytest.raises(HealthRefusedError, match="Alfa-Charlie-CV"):
        await bench.try_out(bench.network)
    assert bench.clock.now == 1005


async def test_a_link_that_is_taken_away_is_not_missed(bench: Bench) -> None:
    await bench.bring_up()
    off = replace(bench.network.qkd_links["Alfa-Bravo-DV"], active=False)
    assert await bench.try_out(replace(bench.network, qkd_links=bench.network.qkd_links | {off.name: off})) == 10


async def test_a_device_that_cannot_be_read_is_no_good_sign(bench: Bench) -> None:
    await bench.bring_up()

    def lose() -> None:
        bench.emulated.gone.add("charlie-qkd")
        bench.emulated.hang_up("charlie-qkd")

    with pytest.raises(GateRefusedError, match="charlie-qkd cannot be read, so nobody knows"):
        await bench.try_out(bench.louder(-2.9), lose)
