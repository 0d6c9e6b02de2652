"""What a forecast cannot know, the gate sees: a laser that sends more than it is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import THREE_SITES, Run, emulate

QUIET, LOUDER = "launch-power-dbm: -12", "launch-power-dbm: -8"
ALL_SHARED = THREE_SITES.read_text("utf-8").replace("scheme: bidi", "scheme: duplex")


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Three sites whose links and channels share all strands, with a channel that is quiet."""
    file = tmp_path / "network.yaml"
    file.write_text(ALL_SHARED.replace("launch-power-dbm: -3", QUIET), "utf-8")
    return file


def test_a_launch_power_that_kills_a_key_rate_is_taken_back_by_itself(sdqkd: Run, network: Path) -> None:
    emulation = emulate(network, network.parent / "run" / "three-sites")
    try:
        assert sdqkd("apply", network).code == 0
        assert sdqkd("fault", network, "drift", "alfa-transponder", "bravo-c21", "13").code == 0
        before = {row["name"]: row for row in sdqkd("status", network, "--json").json["links"]}
        assert before["Alfa-Bravo-DV"]["key-rate-bps"] > 0

        network.write_text(network.read_text("utf-8").replace(QUIET, LOUDER), "utf-8")
        done = sdqkd("apply", network, "--json")
        assert done.code == 3, done.err
        assert "QKD link Alfa-Bravo-DV at alfa-qkd: key rate is 0 bit/s (no key: too much noise" in done.err
        (error,) = done.json["errors"]
        assert error["message"].endswith("every device is as it was")
        rate = next(one for one in error["findings"] if one["quantity"] == "key rate")
        assert (rate["before"], rate["now"]) == (before["Alfa-Bravo-DV"]["key-rate-bps"], 0)

        network.write_text(network.read_text("utf-8").replace(LOUDER, QUIET), "utf-8")
        assert sdqkd("plan", network).code == 0
        after = {row["name"]: row for row in sdqkd("status", network, "--json").json["links"]}
        assert after == before
    finally:
        emulation.stop()
