"""`sdqkd drift`, `watch` and `alarms` as a person runs them, while somebody else changes a device."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Emulation, Run, emulate

TWO_SITES = Path(__file__).parents[1] / "controller" / "data" / "two-sites.yaml"
TAMPER = Path(__file__).parent / "tamper.py"
ALFA = "alfa-transponder"
POWER = "/sdqkd-optical-device:optical-device/optical-channel[name='alfa-bravo-c21']/launch-power-dbm"


def make_lab(folder: Path, text: str) -> tuple[Path, Emulation]:
    network = folder / "network.yaml"
    network.write_text(text, "utf-8")
    return network, emulate(network, folder / "emulation")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[tuple[Path, Emulation]]:
    network, emulation = make_lab(tmp_path, TWO_SITES.read_text("utf-8"))
    yield network, emulation
    if emulation.process.poll() is None:
        emulation.stop()


def tamper(network: Path, emulation: Emulation, value: str) -> None:
    """Change the power of a channel on one device, past the controller, in a process of its own."""
    subprocess.run(
        [sys.executable, TAMPER, network, emulation.inventory, ALFA, POWER, value], check=True, timeout=60
    )


@contextmanager
def watching(network: Path, emulation: Emulation, *options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "sdqkd", "watch", str(network), "--inventory", str(emulation.inventory), *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def until(process: subprocess.Popen[str], event: str, device: str = ALFA) -> dict[str, Any]:
    """Read lines of JSON up to this event."""
    assert process.stdout is not None
    for line in process.stdout:
        told: dict[str, Any] = json.loads(line)
        if (told["event"], told.get("device")) == (event, device):
            return told
    raise AssertionError(process.communicate()[1])


def test_drift_is_shown_restored_and_gone(sdqkd: Run, lab: tuple[Path, Emulation]) -> None:
    network, emulation = lab
    where = (network, "--inventory", emulation.inventory)
    assert sdqkd("apply", *where).code == 0
    done = sdqkd("drift", *where)
    assert (done.code, done.out) == (0, "2 of 2 devices hold what is wanted\n")
    tamper(network, emulation, "2.0")
    done = sdqkd("drift", *where)
    assert done.code == 2
    assert f"{ALFA}: drifted (restore)\n" in done.out
    assert "~ optical-channel alfa-bravo-c21/launch-power-dbm: -3.0 dBm -> 2.0 dBm" in done.out
    assert "1 of 2 devices hold what is wanted, 1 drifted" in done.out
    done = sdqkd("drift", *where, "--json")
    assert done.code == 2
    states = {device["device"]: device["state"] for device in done.json["devices"]}
    assert states == {ALFA: "drifted", "bravo-transponder": "in step"}
    with watching(network, emulation, "--json") as process:
        until(process, "restored")
        tamper(network, emulation, "1.0")
        told = until(process, "drift")
        assert told["by"][0]["username"] == "noc"
        assert told["changes"][0]["new"] == "1.0"
        until(process, "restored")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
    assert "Traceback" not in err
    assert sdqkd("drift", *where).code == 0


def test_people_read_lines_and_end_it_with_ctrl_c(sdqkd: Run, lab: tuple[Path, Emulation]) -> None:
    network, emulation = lab
    assert sdqkd("apply", network, "--inventory", emulation.inventory).code == 0
    tamper(network, emulation, "2.0")
    with watching(network, emulation) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "holds what is wanted again" in line:
                break
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    out = "".join(lines)
    assert f"{ALFA}: changed by somebody" in out
    assert "~ optical-channel alfa-bravo-c21/launch-power-dbm: -3.0 dBm -> 2.0 dBm" in out
    assert "restored what was changed by" in out
    assert "watching 2 devices" in err


def test_an_alarm_is_listed_and_acknowledged(sdqkd: Run, tmp_path: Path) -> None:
    text = TWO_SITES.read_text("utf-8").replace("  domain:", "  drift: {policy: alarm-only}\n  domain:", 1)
    network, emulation = make_lab(tmp_path, text)
    state = ("--state", tmp_path / "state")
    try:
        assert sdqkd("alarms", "list", network, *state).out == "no alarms\n"
        assert sdqkd("apply", network, "--inventory", emulation.inventory, *state).code == 0
        tamper(network, emulation, "2.0")
        with watching(network, emulation, "--json", *map(str, state)) as process:
            assert until(process, "alarm")["alarm"]["alarm-type-id"] == "drift"
            listed = sdqkd("alarms", "list", network, *state, "--json").json["alarms"]
            assert [(alarm["resource"], alarm["acknowledged"]) for alarm in listed] == [(ALFA, False)]
            done = sdqkd("alarms", "ack", network, ALFA, "drift", "--note", "on my way", *state)
            assert done.out == f"{ALFA}: drift is acknowledged\n"
            assert "on my way" in sdqkd("alarms", "list", network, *state).out
            tamper(network, emulation, "-3.0")
            until(process, "cleared")
        assert sdqkd("alarms", "list", network, *state).out == "no alarms\n"
        assert "cleared" in sdqkd("alarms", "list", network, *state, "--all").out
        done = sdqkd("alarms", "ack", network, "nobody", "drift", *state)
        assert (done.code, done.err) == (1, "error: there is no alarm drift on nobody\n")
    finally:
        emulation.stop()


def test_a_device_that_cannot_be_read_is_named(sdqkd: Run, lab: tuple[Path, Emulation]) -> None:
    network, emulation = lab
    assert sdqkd("apply", network, "--inventory", emulation.inventory).code == 0
    elsewhere = emulation.inventory_with(ALFA, port=1)
    done = sdqkd("drift", network, "--inventory", elsewhere)
    assert done.code == 1
    assert f"{ALFA} cannot be read" in done.err
