"""Plans that make classical light brighter, as a person makes them, with real devices that feel it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import THREE_SITES, Done, Emulation, Run, emulate

BESIDE = THREE_SITES.with_name("beside.yaml")


class Lab:
    """An emulated network with one QKD link and two channels beside it."""

    def __init__(self, sdqkd: Run, emulation: Emulation, file: Path) -> None:
        self.sdqkd, self.emulation, self.file = sdqkd, emulation, file

    def run(self, command: str, *options: str) -> Done:
        return self.sdqkd(command, self.file, *options, "--inventory", self.emulation.inventory)

    def set(self, first_dbm: float, second_dbm: float = -20, *, explained: bool = True) -> None:
        """Write launch powers into the file. Somebody measured the link with -8 and -20 dBm; it may say so."""
        text = BESIDE.read_text("utf-8")
        for fibre, was_dbm, power_dbm in (("alfa-bravo", -8, first_dbm), ("bravo-charlie", -20, second_dbm)):
            said = f"fibre: {fibre}, channel: 21, launch-power-dbm: "
            assert f"{said}{was_dbm}," in text
            then = f" calibration-power-dbm: {was_dbm}, calibration-frequency-thz: 192.1," if explained else ""
            text = text.replace(f"{said}{was_dbm},", f"{said}{power_dbm},{then}")
        self.file.write_text(text, "utf-8")

    def rate_bps(self) -> float:
        (link,) = self.run("status", "--json").json["links"]
        return link["key-rate-bps"]

    def history(self) -> list[tuple[str, str]]:
        return [(one["purpose"], one["status"]) for one in self.run("history", "--json").json["transactions"]]


Labs = Callable[..., Lab]


@pytest.fixture
def labs(sdqkd: Run, tmp_path: Path) -> Iterator[Labs]:
    running: list[Emulation] = []

    def make(first_dbm: float, *, explained: bool = True) -> Lab:
        file = tmp_path / "network.yaml"
        lab = Lab(sdqkd, None, file)  # type: ignore[arg-type]
        lab.set(first_dbm, explained=explained)
        running.append(emulate(file, tmp_path / "emulation"))
        lab.emulation = running[-1]
        applied = lab.run("apply")
        assert applied.code == 0, applied.err
        return lab

    yield make
    for emulation in running:
        emulation.stop()


def test_a_launch_power_that_takes_a_link_below_its_demand_is_refused_with_the_figures(labs: Labs) -> None:
    lab = labs(-8)
    lab.set(3)
    planned = lab.run("plan")
    assert planned.code == 2
    assert "optical channel first raised from -8.00 to 3.00 dBm: QKD links on its fibres" in planned.out
    assert "Alfa-Charlie: 1,800 -> 777 bit/s, demand 1,000, 223 short" in planned.out
    assert "refused unless forced with --force Alfa-Charlie" in planned.out
    (link,) = lab.run("plan", "--json").json["coexistence"]["links"]
    assert (link["before-bps"], link["after-bps"], link["margin-bps"]) == (1800, 777, -223)

    refused = lab.run("apply")
    assert refused.code == 1
    assert "Alfa-Charlie falls from 1,800 to 777 bit/s, and 1,000 are demanded; nothing was changed" in refused.err
    assert "optical channel first raised from -8.00 to 3.00 dBm: QKD links on its fibres" in refused.err
    assert "Alfa-Charlie: 1,800 -> 777 bit/s, demand 1,000, 223 short" in refused.err
    assert lab.rate_bps() == 1800
    assert len(lab.history()) == 1

    # The health gate does not watch a link that was forced by name either.
    forced = lab.run("apply", "--force", "Alfa-Charlie")
    assert forced.code == 0, forced.err
    assert "forced: Alfa-Charlie falls from 1,800 to 777 bit/s" in forced.err
    assert lab.rate_bps() == 777
    assert lab.history()[-1] == ("apply, forced: Alfa-Charlie", "done")


def test_a_file_that_is_silent_about_the_measurement_hides_nothing(labs: Labs) -> None:
    lab = labs(-8, explained=False)
    lab.set(0, explained=False)
    refused = lab.run("apply")
    assert refused.code == 1
    assert "first: calibration-power-dbm: -8, calibration-frequency-thz: 192.1" in refused.err
    assert lab.rate_bps() == 1800
    lab.set(3, explained=False)
    planned = lab.run("plan")
    assert "Alfa-Charlie: 1,800 -> 777 bit/s, demand 1,000, 223 short" in planned.out
    assert "    first: calibration-power-dbm: -8, calibration-frequency-thz: 192.1" in planned.out
    unsaid = lab.run("plan", "--json").json["coexistence"]["unsaid"]
    assert unsaid == {"first": "calibration-power-dbm: -8, calibration-frequency-thz: 192.1"}
    assert lab.run("apply").code == 1
    assert lab.run("apply", "--force", "Alfa-Charlie").code == 0
    assert lab.rate_bps() == 777


def test_what_is_within_the_demand_is_for_the_gate_to_judge(labs: Labs) -> None:
    """It takes a tenth too much of the rate before, which is above the demand all the same."""
    lab = labs(-8)
    lab.set(0)
    assert "margin 299" in lab.run("plan").out
    rolled_back = lab.run("apply")
    assert rolled_back.code == 3
    assert "key rate is 1,299 bit/s, before 1,800 bit/s; demanded is 1,440 bit/s" in rolled_back.err
    assert lab.rate_bps() == 1800


def test_a_plan_that_would_harm_on_the_way_is_applied_in_stages(labs: Labs) -> None:
    lab = labs(0)
    assert lab.rate_bps() == 1299
    lab.set(-20, -1.5)
    assert (
        "in stages, each a transaction: dark (alfa-transponder, bravo-transponder); light" in lab.run("plan").out
    )
    applied = lab.run("apply")
    assert applied.code == 0, applied.err
    assert lab.history()[1:] == [("apply, stage dark", "done"), ("apply, stage light", "done")]
    assert lab.rate_bps() == 1114
    assert lab.run("plan").code == 0


def test_stages_are_taken_back_in_reverse_if_a_later_one_is_refused(labs: Labs) -> None:
    """The gate does not bear the last one: the file demands more of the rate before than the plan leaves."""
    lab = labs(0)
    lab.set(-20, -1.5)
    text = lab.file.read_text("utf-8")
    strict = "health-gate: {soak-s: 0, minimum-rate-percent-of-before: 95}"
    lab.file.write_text(text.replace("health-gate: {soak-s: 0}", strict), "utf-8")
    undone = lab.run("apply")
    assert undone.code == 3, undone.err
    assert "stage light: " in undone.err
    assert "the stages before it were taken back" in undone.err
    assert lab.history()[1:] == [
        ("apply, stage dark", "done"), ("apply, stage light", "rolled back"), ("take back stage dark", "done")
    ]  # fmt: skip
    assert lab.rate_bps() == 1299
