"""`sdqkd demo`: MadQCI comes up with the figures that were measured, and one that cannot is told as it is."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import MADQCI, THREE_SITES, Run

from sdqkd.controller.inventory import load_network


def test_madqci_comes_up_with_the_measured_rates(sdqkd: Run) -> None:
    done = sdqkd("demo", MADQCI, "--json")
    assert done.code == 0, done.err
    result = done.json
    network = load_network(MADQCI.read_text("utf-8"), str(MADQCI)).network
    rows = {row["name"]: row for row in result["status"]["links"]}
    assert list(rows) == list(network.qkd_links)
    for name, link in network.qkd_links.items():
        assert link.calibration is not None
        if link.active:
            assert rows[name]["status"] == "ACTIVE"
            assert rows[name]["key-rate-bps"] == link.calibration.key_rate_bps
            assert rows[name]["loss-db"] == link.calibration.loss_db
        else:
            assert rows[name]["status"] == "not switched"
            assert rows[name]["key-rate-bps"] is None
    assert result["status"]["devices-in-desired-state"] == 36
    assert result["second-plan-is-empty"]


def test_the_text_for_people(sdqkd: Run) -> None:
    done = sdqkd("demo", THREE_SITES)
    assert done.code == 0, done.err
    assert "+ qkd_link Alfa-Bravo-DV" in done.out
    assert "not switched" in done.out
    assert "devices in the desired state" in done.out
    assert done.out.rstrip().endswith("no changes")


def test_a_link_that_makes_no_key_fails_the_demonstration(sdqkd: Run, tmp_path: Path) -> None:
    """Without the measurement the link follows its profile's curve, and 60 dB are too much for any."""
    text = THREE_SITES.read_text("utf-8")
    fibre = text.index("name: alfa-bravo")
    place = text.index("loss-db:", fibre)
    spoiled = text[:place] + "loss-db: 60 #" + text[place + len("loss-db:") :]
    spoiled = "\n".join(line for line in spoiled.splitlines() if "calibration:" not in line)
    file = tmp_path / "network.yaml"
    file.write_text(spoiled + "\n", "utf-8")
    done = sdqkd("demo", file)
    assert done.code == 1
    assert "PASSIVE" in done.out
    assert "Traceback" not in done.err


def test_three_emitters_and_their_hub_come_up(sdqkd: Run) -> None:
    """Links of three parties, over SSH as everything: each end and the hub were told, and key comes."""
    done = sdqkd("demo", MADQCI.parents[1] / "mdi-hub" / "network.yaml", "--json")
    assert done.code == 0, done.err
    status = done.json["status"]
    assert status["links-wanted"] == status["links-with-key"] == 3
    assert {row["qber-percent"] for row in status["links"]} != {None}
    assert all(row["key-rate-bps"] > 0 for row in status["links"])
    assert done.json["second-plan-is-empty"]
