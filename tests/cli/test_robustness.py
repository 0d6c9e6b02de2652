"""What may not happen to a run directory, to other people's folders, to the agents, and to the output."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import THREE_SITES, Emulation, Run, emulate


def test_a_second_emulation_is_refused_and_harms_nothing(sdqkd: Run, three_sites: Emulation) -> None:
    assert sdqkd("apply", THREE_SITES, "--inventory", three_sites.inventory).code == 0
    for option in ((), ("--factory-reset",)):
        second = sdqkd("emulate", THREE_SITES, "--run-dir", three_sites.run_dir, *option)
        assert second.code == 1
        assert "another emulation" in second.err
    assert sdqkd("plan", THREE_SITES, "--inventory", three_sites.inventory).out.strip() == "no changes"


def test_a_folder_that_is_there_keeps_its_mode_and_its_files(sdqkd: Run, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    (folder / "devices" / "precious").mkdir(parents=True)
    folder.chmod(0o755)
    emulation = emulate(THREE_SITES, folder, "--factory-reset")
    assert emulation.stop() == 0
    assert folder.stat().st_mode & 0o777 == 0o755
    assert (folder / "devices" / "precious").is_dir()
    assert (folder / "noc_key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("obstacle", ["devices/alfa-qkd", "inventory.yaml/x", "devices"])
def test_a_run_directory_that_cannot_be_used_is_an_error(sdqkd: Run, tmp_path: Path, obstacle: str) -> None:
    folder = tmp_path / "run"
    place = folder / obstacle
    place.parent.mkdir(parents=True)
    place.touch()
    done = sdqkd("emulate", THREE_SITES, "--run-dir", folder)
    assert done.code == 1
    assert "Traceback" not in done.err
    assert "cannot be used" in done.err
    assert str(folder) in done.err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_a_demonstration_that_is_stopped_leaves_no_agents(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "sdqkd", "demo", str(THREE_SITES)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "12 agents listen" in line:
            break
    process.send_signal(number)
    # The agents hold the other end of stderr: it ends when the last of them is gone.
    rest = process.communicate(timeout=60)[1]
    assert "Traceback" not in rest
    if number != signal.SIGKILL:
        assert process.returncode == 130
        assert "interrupted" in rest
        assert list(tmp_path.iterdir()) == []


def test_what_looks_like_markup_is_text(sdqkd: Run, tmp_path: Path) -> None:
    file = tmp_path / "a [net] b.yaml"
    file.write_text(THREE_SITES.read_text("utf-8").replace("label: Álfa", 'label: "Álfa [/A]"'), "utf-8")
    done = sdqkd("validate", file)
    assert done.code == 0
    assert "a [net] b.yaml" in done.out
    shown = sdqkd("demo", file)
    assert shown.code == 0, shown.err
    assert "Álfa [/A]" in shown.out


@pytest.mark.parametrize(
    ("redirection", "said"), [("> /dev/full", "cannot be written"), (">&-", ""), ("| true", "")]
)
def test_output_that_cannot_be_written_is_no_traceback(redirection: str, said: str) -> None:
    command = f"{sys.executable} -m sdqkd validate {THREE_SITES} {redirection}"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_characters_that_the_terminal_lacks_do_not_stop_anything(sdqkd: Run) -> None:
    done = sdqkd("demo", THREE_SITES, env={"PYTHONIOENCODING": "ascii"})
    assert done.code == 0
    assert "?lfa" in done.out


def test_wrong_usage_in_json_too(sdqkd: Run) -> None:
    done = sdqkd("plan", THREE_SITES, "--json", "--bogus")
    assert done.code == 1
    assert "--bogus" in done.json["errors"][0]["message"]
