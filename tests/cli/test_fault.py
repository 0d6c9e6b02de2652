"""`sdqkd fault`: a running emulation is broken and mended, and its links say so."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from tests.cli.conftest import MADQCI, THREE_SITES, Emulation, Run, emulate

from sdqkd.cli.control import SOCKET, answer
from sdqkd.controller.inventory import load_network
from sdqkd.plant.plant import Plant


def test_a_cut_fibre_takes_the_key_and_mending_brings_it_back(sdqkd: Run, three_sites: Emulation) -> None:
    there = ("--run-dir", three_sites.run_dir)
    assert sdqkd("apply", THREE_SITES, "--inventory", three_sites.inventory).code == 0
    assert sdqkd("fault", THREE_SITES, *there).out == "nothing is broken\n"
    done = sdqkd("fault", THREE_SITES, "cut", "alfa-bravo", *there)
    assert (done.code, done.out) == (0, "cut alfa-bravo\n")
    status = sdqkd("status", THREE_SITES, "--inventory", three_sites.inventory)
    assert status.code == 1
    assert "fibre alfa-bravo is cut" in status.out
    assert sdqkd("fault", THREE_SITES, "mend", "alfa-bravo", *there, "--json").json == {"faults": []}
    assert sdqkd("status", THREE_SITES, "--inventory", three_sites.inventory).code == 0


def test_a_level_may_be_negative_and_a_seed_draws(sdqkd: Run, three_sites: Emulation) -> None:
    there = ("--run-dir", three_sites.run_dir)
    drawn = sdqkd("fault", THREE_SITES, "random", "-7", "5", *there)
    assert drawn.code == 0, drawn.err
    assert sdqkd("fault", THREE_SITES, "heal", *there).out == "nothing is broken\n"
    assert sdqkd("fault", THREE_SITES, "random", "-7", "5", *there).out == drawn.out


def test_a_refusal_is_an_error(sdqkd: Run, three_sites: Emulation) -> None:
    done = sdqkd("fault", THREE_SITES, "cut", "nowhere", "--run-dir", three_sites.run_dir)
    assert done.code == 1
    assert done.err.startswith("error: there is no fibre 'nowhere'")


def test_without_an_emulation_it_says_so(sdqkd: Run, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        done = sdqkd("fault", THREE_SITES, "--run-dir", folder)
        assert done.code == 1
        assert "no emulation answers there" in done.err
        assert "Traceback" not in done.err


def test_nobody_but_the_owner_may_break_things_and_no_socket_stays(three_sites: Emulation) -> None:
    file = three_sites.run_dir / SOCKET
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    three_sites.stop()
    assert not file.exists()


def test_a_run_directory_may_have_a_long_name(sdqkd: Run, tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 40)
    emulation = emulate(THREE_SITES, folder)
    try:
        assert sdqkd("fault", THREE_SITES, "--run-dir", folder).code == 0
    finally:
        emulation.stop()


@pytest.mark.parametrize(
    "line", [b"", b"cut", b"[]", b'{"do": "cut"}', b'{"do": [1]}', b"\xff\n", b'{"do": ["x"]}']
)
def test_nonsense_is_answered_and_changes_nothing(line: bytes) -> None:
    plant = Plant(load_network(MADQCI.read_text("utf-8"), str(MADQCI)).network)
    assert answer(plant, line).keys() == {"error"}
    assert answer(plant, b"{}") == {"faults": ()}
