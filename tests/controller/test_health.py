from __future__ import annotations

from dataclasses import replace

import pytest

from sdqkd.controller.health import Finding, Watched, channel_findings, link_findings, unreadable
from sdqkd.controller.readings import ChannelReading, LinkReading
from sdqkd.network.model import HealthLimits

GOOD = LinkReading("ACTIVE", "", 4.0, 2000, 3.0, None, "ENABLED")
LIMITS = HealthLimits(
    minimum_rate_percent_of_before=80.0, minimum_rate_percent_of_demand=100.0, qber_ceiling_percent=8.0,
    snr_drop_db=1.0, power_drop_db=1.5,
)  # fmt: skip
OLD = Watched("QKD link a-b", ("a", "b"), made=False, limits=LIMITS)
MADE = replace(OLD, made=True)
CHANNEL = Watched("optical channel c", ("a", "b"), made=False, limits=LIMITS)


def quantities(watched: Watched, now: LinkReading | None, before: LinkReading | None = GOOD) -> list[str]:
    ends = {"a": before, "b": GOOD}
    return [finding.quantity for finding in link_findings(watched, ends, {"a": now, "b": GOOD})]


@pytest.mark.parametrize(
    ("now", "wrong"),
    [
        (GOOD, []),
        (replace(GOOD, key_rate_bps=1600, qber_percent=8.0, loss_db=5.5), []),
        (replace(GOOD, key_rate_bps=1599), ["key rate"]),
        (replace(GOOD, qber_percent=8.01), ["QBER"]),
        (replace(GOOD, loss_db=5.51), ["loss"]),
        (replace(GOOD, module_status="FAILED"), ["status of the module"]),
        (replace(GOOD, status="PASSIVE", key_rate_bps=0, qber_percent=12.0), ["key rate", "status", "QBER"]),
        # What was read before and is not read now is lost.
        (replace(GOOD, key_rate_bps=None), ["key rate"]),
        (replace(GOOD, status=""), ["status"]),
        (replace(GOOD, qber_percent=None, loss_db=None), ["QBER", "loss"]),
        (None, ["status"]),
    ],
)
def test_a_link_that_is_not_touched_must_not_get_worse(now: LinkReading | None, wrong: list[str]) -> None:
    assert quantities(OLD, now) == wrong


def test_a_signal_may_fall_a_little() -> None:
    was = replace(GOOD, qber_percent=None, snr_db=-8.0)
    assert quantities(OLD, replace(was, snr_db=-9.0), was) == []
    assert quantities(OLD, replace(was, snr_db=-9.1), was) == ["signal-to-noise ratio"]


def test_a_link_without_key_before_has_nothing_to_lose() -> None:
    assert quantities(OLD, None, replace(GOOD, status="PASSIVE", key_rate_bps=0)) == []
    assert quantities(OLD, None, None) == []


def test_a_link_that_was_bad_before_must_not_get_worse() -> None:
    bad = replace(GOOD, qber_percent=9.0)
    assert quantities(OLD, bad, bad) == []
    assert quantities(OLD, replace(bad, qber_percent=9.01), bad) == ["QBER"]


def test_a_demand_that_was_met_must_be_met() -> None:
    now = replace(GOOD, key_rate_bps=1700)
    assert quantities(replace(OLD, demand_bps=1800), now) == ["key rate"]
    assert quantities(replace(OLD, demand_bps=1700), now) == []
    assert quantities(replace(OLD, demand_bps=9000), now) == []
    tolerant = replace(LIMITS, minimum_rate_percent_of_demand=50.0)
    assert quantities(replace(OLD, demand_bps=3400, limits=tolerant), now) == []


@pytest.mark.parametrize(
    ("now", "wrong"),
    [
        (GOOD, []),
        (replace(GOOD, key_rate_bps=1, loss_db=20.0), []),
        (replace(GOOD, status=""), []),  # a node with nothing but the standard's model
        (replace(GOOD, key_rate_bps=0), ["key rate"]),
        (replace(GOOD, key_rate_bps=None), ["key rate"]),
        (replace(GOOD, qber_percent=9.0), ["QBER"]),
        (replace(GOOD, status="PENDING"), ["status"]),
        (None, ["status"]),
    ],
)
def test_a_link_that_is_made_has_to_come_up(now: LinkReading | None, wrong: list[str]) -> None:
    assert quantities(MADE, now) == wrong


def test_a_link_that_is_made_has_to_meet_its_demand() -> None:
    assert quantities(replace(MADE, demand_bps=2000), GOOD) == []
    assert quantities(replace(MADE, demand_bps=2001), GOOD) == ["key rate", "key rate"]


def test_what_cannot_be_read_before_cannot_be_watched() -> None:
    silent = replace(GOOD, key_rate_bps=None)
    assert [finding.end for finding in unreadable(OLD, {"a": silent, "b": GOOD})] == ["a"]
    assert not [*unreadable(MADE, {"a": silent, "b": GOOD})]
    assert not [*unreadable(OLD, {"a": None, "b": replace(silent, status="OFF")})]


def test_less_light_may_arrive_only_if_less_is_sent() -> None:
    up = ChannelReading("up", -3.0, -9.0)
    before = {"a": up, "b": up}

    def wrong(watched: Watched, a: ChannelReading | None, b: ChannelReading | None) -> list[tuple[str, str]]:
        return [(one.end, one.quantity) for one in channel_findings(watched, before, {"a": a, "b": b})]

    assert wrong(CHANNEL, up, up) == []
    assert wrong(CHANNEL, replace(up, launch_power_dbm=-10.0), replace(up, received_power_dbm=-16.0)) == []
    assert wrong(CHANNEL, up, replace(up, received_power_dbm=-10.6)) == [("b", "loss")]
    assert wrong(CHANNEL, up, replace(up, received_power_dbm=None)) == [("b", "loss")]
    assert wrong(CHANNEL, replace(up, status="down"), None) == [("a", "status"), ("b", "status")]
    assert wrong(replace(CHANNEL, made=True), up, replace(up, received_power_dbm=-30.0)) == []
    assert not [*channel_findings(CHANNEL, {"a": None, "b": None}, {"a": None, "b": None})]


def test_a_finding_says_what_where_and_by_how_much() -> None:
    (finding, *_) = link_findings(OLD, {"a": GOOD}, {"a": replace(GOOD, key_rate_bps=0, reason="no key")})
    assert str(finding) == (
        "QKD link a-b at a: key rate is 0 bit/s (no key), before 2,000 bit/s; demanded is 1,600 bit/s"
    )
    assert finding.to_json() == {
        "subject": "QKD link a-b", "end": "a", "quantity": "key rate", "before": 2000, "now": 0,
        "threshold": 1600.0, "unit": "bit/s", "reason": "no key",
    }  # fmt: skip
    assert str(Finding("optical channel c", "b", "status", None, None, "up")) == (
        "optical channel c at b: status is not reported; demanded is up"
    )
