"""A device that is not in the network file yet comes into it."""

from __future__ import annotations

from pathlib import Path

import yaml
from tests.cli.conftest import THREE_SITES, Run, emulate

from sdqkd.transport.keys import fingerprint

MOVE = THREE_SITES.with_name("move.yaml")


def test_a_device_that_runs_is_described_and_then_what_it_does(sdqkd: Run, tmp_path: Path) -> None:
    emulation = emulate(MOVE, tmp_path / "emulation")
    try:
        at = ("--inventory", emulation.inventory)
        assert sdqkd("apply", MOVE, *at).code == 0
        file = tmp_path / "network.yaml"
        known = yaml.safe_load(MOVE.read_text("utf-8"))
        wanted = known["network"]
        wanted["device"] = wanted["device"][1:]
        fibres, _ = wanted.pop("fibre"), wanted.pop("qkd-link")
        file.write_text(yaml.safe_dump(known, sort_keys=False), "utf-8")

        alfa = emulation.device("alfa-qkd")
        said = ("--site", "Alfa", "--kind", "qkd-node", "--address", f"127.0.0.1:{alfa['port']}")
        key = ("--fingerprint", fingerprint(alfa["host-key"]))
        refused = sdqkd("import", file, *at, "--new", "alfa-qkd", *said, "--fingerprint", "SHA256:other")
        assert (refused.code, "and not SHA256:other" in refused.err) == (1, True)
        vague = sdqkd("import", file, *at, "--new", "alfa-qkd", *said, *key)
        assert (vague.code, "does not tell its profile: choose one of" in vague.err) == (1, True)
        assert sdqkd("import", file, *at, "--new", "alfa-qkd", *said).code == 1
        done = sdqkd("import", file, *at, "--new", "alfa-qkd", *said, *key, "--profile", "1=idquantique-c-band")
        assert done.code == 0, done.err

        whole = yaml.safe_load(file.read_text("utf-8"))
        whole["network"]["fibre"] = fibres
        file.write_text(yaml.safe_dump(whole, sort_keys=False), "utf-8")
        assert "qkd-link: Alfa-Bravo" in sdqkd("import", file, *at).out
        assert sdqkd("plan", file, *at).code == 0
    finally:
        emulation.stop()
