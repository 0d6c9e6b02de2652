"""Changes as a person makes them: watched, kept in a file, taken back, moved, held back, and found later on."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from tests.cli.conftest import THREE_SITES, Done, Emulation, Run, emulate

from sdqkd.transport.keys import fingerprint, make_key_pair, public_of

MOVE = THREE_SITES.with_name("move.yaml")
QUIET, LOUD = "launch-power-dbm: -3", "launch-power-dbm: 0"
DEVICES = 12


class Lab:
    """An emulated network, and its network file, which a test changes."""

    def __init__(self, sdqkd: Run, emulation: Emulation, file: Path) -> None:
        self.sdqkd, self.emulation, self.file = sdqkd, emulation, file

    def run(self, command: str, *options: str | Path, file: Path | None = None) -> Done:
        """One command with this network."""
        return self.sdqkd(*command.split(), file or self.file, *options, "--inventory", self.emulation.inventory)

    def write(self, edit: Callable[[str], str]) -> None:
        self.file.write_text(edit(self.file.read_text("utf-8")), "utf-8")

    def say(self, more: str) -> None:
        """Add something to the network."""
        self.write(lambda text: text + more)

    def txids(self) -> list[str]:
        return [one["txid"] for one in self.run("history", "--json").json["transactions"]]


Labs = Callable[[str], Lab]


@pytest.fixture
def labs(sdqkd: Run, tmp_path: Path) -> Iterator[Labs]:
    """Emulates what a network file says."""
    running: list[Emulation] = []

    def make(text: str) -> Lab:
        file = tmp_path / "network.yaml"
        file.write_text(text, "utf-8")
        running.append(emulate(file, tmp_path / "emulation"))
        return Lab(sdqkd, running[-1], file)

    yield make
    for emulation in running:
        emulation.stop()


@pytest.fixture
def lab(labs: Labs) -> Lab:
    """Three sites that do what their file wants; channels and links share all strands."""
    made = labs(THREE_SITES.read_text("utf-8").replace("scheme: bidi", "scheme: duplex"))
    applied = made.run("apply")
    assert applied.code == 0, applied.err
    return made


def test_a_launch_power_that_costs_too_much_key_is_taken_back_by_itself(lab: Lab) -> None:
    lab.write(lambda text: text.replace(QUIET, LOUD))
    done = lab.run("apply")
    assert done.code == 3
    assert "QKD link Alfa-Bravo-DV at alfa-qkd: key rate is 1,383 bit/s" in done.err
    assert "before 2,040 bit/s; demanded is 1,632 bit/s" in done.err
    assert "every device is as it was" in done.err

    again = lab.run("apply", "--json")
    assert again.code == 3
    (error,) = again.json["errors"]
    assert error["kind"] == "RolledBackError"
    rate = next(one for one in error["findings"] if one["quantity"] == "key rate")
    assert rate == {
        "subject": "QKD link Alfa-Bravo-DV", "end": "alfa-qkd", "quantity": "key rate", "before": 2040,
        "now": 1383, "threshold": 1632.0, "unit": "bit/s", "reason": "",
    }  # fmt: skip

    lab.write(lambda text: text.replace(LOUD, QUIET))
    assert lab.run("plan").code == 0
    assert lab.run("status").code == 0
    outcomes = [one["status"] for one in lab.run("history", "--json").json["transactions"]]
    assert outcomes == ["done", "rolled back", "rolled back"]


def test_what_a_link_must_keep_to_can_be_forced_aside(lab: Lab) -> None:
    lab.write(lambda text: text.replace(QUIET, LOUD))
    assert lab.run("apply", "--force", "health").code == 0
    assert lab.run("plan").code == 0
    last = lab.run("history", "--json").json["transactions"][-1]
    assert last["purpose"] == "apply, forced: health"


def test_a_plan_that_was_kept_is_applied_as_it_is_or_not_at_all(lab: Lab, tmp_path: Path) -> None:
    lab.write(lambda text: text.replace(QUIET, "launch-power-dbm: -2.8"))
    kept = tmp_path / "plan.json"
    assert lab.run("plan", "--out", kept).code == 2
    lab.write(lambda text: text.replace("-2.8", "-2.7"))
    changed = lab.run("apply", file=kept)
    assert (changed.code, "has changed since the plan was made: plan again" in changed.err) == (1, True)
    lab.write(lambda text: text.replace("-2.7", "-2.8"))
    applied = lab.run("apply", file=kept)
    assert applied.code == 0, applied.err
    stale = lab.run("apply", file=kept)
    assert stale.code == 1
    assert "its configuration has changed since the plan was made: plan again" in stale.err
    kept.write_text(kept.read_text("utf-8").replace('"devices"', '"gadgets"'), "utf-8")
    assert "this is no plan" in lab.run("apply", file=kept).err


def test_a_plan_has_several_forms(lab: Lab) -> None:
    lab.write(lambda text: text.replace(QUIET, "launch-power-dbm: -2.8"))
    assert "launch-power-dbm: -3.0 dBm -> -2.8 dBm" in lab.run("plan").out
    assert "launch-power-dbm: -2.8 dBm -> -3.0 dBm" in lab.run("plan", "--reverse").out
    assert "<launch-power-dbm>-2.8</launch-power-dbm>" in lab.run("plan", "--xml").out
    assert lab.run("plan", "--json").json["network"] == "three-sites"


def test_what_was_done_is_listed_shown_and_taken_back(lab: Lab) -> None:
    lab.write(lambda text: text.replace(QUIET, "launch-power-dbm: -2.8"))
    assert lab.run("apply").code == 0
    first, second = lab.txids()
    shown = lab.run("show", second)
    assert "decision: CONFIRM" in shown.out
    assert "alfa-transponder: read back with the new configuration" in shown.out
    assert lab.run("show", second, "--json").json["author"] == getpass.getuser()
    assert "<launch-power-dbm>-3.0" in lab.run("show", second, "--xml", "--reverse").out

    early = lab.run("rollback", first)
    assert early.code == 1
    assert f"it was changed again since by {second}: take that back first" in early.err
    back = lab.run("rollback", second)
    assert back.code == 0, back.err
    assert "still wants what was taken back" in back.err
    planned = lab.run("plan")
    assert planned.code == 2
    assert "launch-power-dbm: -3.0 dBm -> -2.8 dBm" in planned.out
    assert lab.run("history", "--json").json["transactions"][-1]["purpose"] == f"rollback of {second}"
    assert lab.run("rollback", "nothing").code == 1


def test_the_record_vouches_for_itself(lab: Lab) -> None:
    verified = lab.run("history", "--verify", "--json").json
    head = verified["head"]
    assert verified["whole"]
    assert lab.run("history", "--verify", "--head", head).code == 0
    other = lab.run("history", "--verify", "--head", f"1:{head.partition(':')[2]}")
    assert (other.code, "entry 1 is another than it was" in other.err) == (1, True)
    gone = lab.run("history", "--verify", "--head", "99999:00")
    assert (gone.code, "entry 99999 is no longer there" in gone.err) == (1, True)


def test_who_may_not_is_told_who_may(lab: Lab) -> None:
    me = getpass.getuser()
    reader, boss = f"{{name: reader, user: ['{me}'], may: [plan]}}", "{name: boss, user: [eve], may: [apply]}"
    lab.say(f"  policy: {{role: [{reader}, {boss}]}}\n")
    lab.write(lambda text: text.replace(QUIET, "launch-power-dbm: -2.8"))
    assert lab.run("plan").code == 2
    for command in (("apply",), ("rollback", "t1"), ("migrate", "Alfa")):
        refused = lab.run(*command)
        assert refused.code == 1
        assert f"{me} may not change the network three-sites; who may: boss (eve)" in refused.err
    assert len(lab.txids()) == 1


def test_a_window_that_is_shut_holds_changes_back_until_it_is_forced(lab: Lab) -> None:
    now = datetime.now(UTC)
    begins, ends = (f"{now + timedelta(hours=hours):%H:%M}" for hours in (3, 4))
    window = f"{{name: later, site: [Alfa], from: '{begins}', until: '{ends}'}}"
    lab.say(f"  policy: {{maintenance-window: [{window}]}}\n")
    lab.write(lambda text: text.replace(QUIET, "launch-power-dbm: -2.8"))
    planned = lab.run("plan")
    assert (planned.code, "outside of a maintenance window: later" in planned.err) == (2, True)
    held = lab.run("apply")
    assert held.code == 1
    assert "now is no maintenance window: alfa-transponder in later (opens " in held.err
    assert "nothing called 'never' holds changes back; there are later, both-ends, health" in (
        lab.run("apply", "--force", "never").err
    )
    assert lab.run("apply", "--force", "later").code == 0
    assert lab.run("history", "--json").json["transactions"][-1]["purpose"] == "apply, forced: later"


def test_what_a_site_does_moves_and_nobody_is_without_key(labs: Labs) -> None:
    lab = labs(MOVE.read_text("utf-8"))
    assert lab.run("apply").code == 0
    assert "still wants QKD link Alfa-Bravo there" in lab.run("migrate", "Alfa").err
    link_id = "      link-id: 0d000000-0000-4000-8000-000000000001\n"
    lab.write(
        lambda text: text.replace("      active: false\n", "").replace(link_id, f"{link_id}      active: false\n")
    )
    moved = lab.run("migrate", "Alfa", "--json")
    assert moved.code == 0, moved.err
    make, remove = moved.json["transactions"]
    assert (make["purpose"], remove["purpose"]) == ("migrate Alfa: make", "migrate Alfa: remove")
    assert {change["op"] for device in make["plan"]["devices"] for change in device["changes"]} == {"add"}
    assert {change["op"] for device in remove["plan"]["devices"] for change in device["changes"]} == {"remove"}
    assert lab.run("status").code == 0
    assert lab.run("plan").code == 0
    assert "has moved already" in lab.run("migrate", "Alfa").out


def test_what_devices_do_is_entered_into_a_file_that_lacks_it(lab: Lab, tmp_path: Path) -> None:
    whole = yaml.safe_load(lab.file.read_text("utf-8"))
    for name in ("qkd-link", "optical-channel", "protected-connection"):
        del whole["network"][name]
    lab.file.write_text(yaml.safe_dump(whole, sort_keys=False), "utf-8")
    new = tmp_path / "new.yaml"
    done = lab.run("import", "--out", new)
    assert done.code == 0, done.err
    assert "qkd-link: Alfa-Bravo, Alfa-Charlie-CV" in done.out
    assert f"no changes: all {DEVICES} devices" in done.err
    assert lab.run("plan", file=new).code == 0
    assert lab.run("import", file=new).out.startswith("the devices hold nothing that the file lacks")


def test_another_host_key_is_taken_when_somebody_has_read_it_at_the_device(lab: Lab, tmp_path: Path) -> None:
    key = lab.emulation.device("alfa-qkd")["host-key"]
    wrong = lab.emulation.inventory_with("alfa-qkd", host_key=make_key_pair(tmp_path / "other"))

    def run(*command: str) -> Done:
        return lab.sdqkd(*command, "--inventory", wrong)

    assert "its key was changed" in run("plan", str(lab.file)).err
    accept = ("keys", "accept-host", str(lab.file), "alfa-qkd", "--fingerprint")
    refused = run(*accept, "SHA256:somethingelse")
    assert (refused.code, "nothing was changed" in refused.err) == (1, True)
    assert run(*accept, fingerprint(key)).code == 0
    assert run("plan", str(lab.file)).code == 0
    remarks = json.loads(run("history", str(lab.file), "--json").out)["remarks"]
    assert [(one["what"], one["details"]["now"]) for one in remarks] == [("host-key-accepted", fingerprint(key))]


def test_another_key_of_ours_is_used_when_every_device_lets_it_in(labs: Labs, sdqkd: Run, tmp_path: Path) -> None:
    lab = labs(MOVE.read_text("utf-8"))
    new = tmp_path / "new_key"
    made = lab.run("keys client", "--new", new)
    assert made.code == 0, made.err
    public = made.out.splitlines()[-1]
    refused = lab.run("keys client", "--new", new)
    assert refused.code == 1
    assert "enter this key there" in refused.err
    assert "client-key-file: noc_key" in lab.emulation.inventory.read_text("utf-8")
    lab.emulation.stop()

    both = tmp_path / "both.pub"
    both.write_text(f"{public_of(lab.emulation.run_dir / 'noc_key')}\n{public}\n", "utf-8")
    again = emulate(lab.file, tmp_path / "emulation", "--authorized", f"noc={both}")
    try:
        assert lab.run("keys client", "--new", new).code == 0
        assert "client-key-file: ../new_key" in again.inventory.read_text("utf-8")
        assert lab.run("plan").code == 2
    finally:
        again.stop()
