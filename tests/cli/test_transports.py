"""TLS and call home from the command line: agents in processes of their own, and the NOC's commands."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cli.conftest import THREE_SITES, Emulation, Run
from tests.transport.certificates import Issued, issue

from sdqkd.transport.keys import public_of

Start = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Issued]:
    folder = tmp_path_factory.mktemp("company")
    root = issue(folder, "root", authority=True)
    others = {name: issue(folder, name, root, alternatives=("127.0.0.1", name)) for name in ("device", "noc")}
    return {"root": root, **others}


def tls_options(company: dict[str, Issued]) -> list[str]:
    device = company["device"].identity
    return [
        "--tls-certificate", str(device.certificate_file), "--tls-key", str(device.key_file),
        "--tls-trust", str(company["root"].file), "--cert-to-name", f"{company['noc'].file}=specified:noc",
    ]  # fmt: skip


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `sdqkd agent` for a device; gives what it says when it listens."""
    processes: list[subprocess.Popen[str]] = []

    def start(device: str, *options: str) -> dict[str, Any]:
        command = [
            sys.executable,
            "-m",
            "sdqkd",
            "agent",
            str(THREE_SITES),
            device,
            "--run-dir",
            str(tmp_path / device),
        ]
        process = subprocess.Popen(
            [*command, "--json", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        processes.append(process)
        assert process.stdout is not None
        text = ""
        while line := process.stdout.readline():
            text += line
            if line.startswith("}"):
                said: dict[str, Any] = json.loads(text)
                return said
        pytest.fail(f"no agent: {process.communicate()[1]}")

    yield start
    for process in processes:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def inventory(emulation: Emulation, company: dict[str, Issued], call_home: dict[str, Any], **devices: Any) -> Path:
    """The emulation's inventory with other entries for some devices."""
    document = yaml.safe_load(emulation.inventory.read_text("utf-8"))["inventory"]
    noc = company["noc"].identity
    document |= {"tls-certificate-file": str(noc.certificate_file), "tls-key-file": str(noc.key_file)}
    document |= {"tls-issuers-file": str(company["root"].file), "call-home": call_home}
    entries = {entry["name"]: entry for entry in document["device"]}
    for name, entry in devices.items():
        entries[f"{name}-qkd"] = {"name": f"{name}-qkd", **entry}
    document["device"] = list(entries.values())
    file = emulation.run_dir / "other-inventory.yaml"
    file.write_text(yaml.safe_dump({"inventory": document}, sort_keys=False), "utf-8")
    return file


def test_the_noc_reaches_devices_in_every_way(
    sdqkd: Run, three_sites: Emulation, start: Start, company: dict[str, Issued]
) -> None:
    ports = {"address": "127.0.0.1", "ssh-port": free_port(), "tls-port": free_port()}
    key = three_sites.run_dir / "noc_key.pub"
    key.write_text(public_of(three_sites.run_dir / "noc_key"), "utf-8")
    by_ssh, by_tls = (f"{name}://127.0.0.1:{ports[f'{name}-port']}" for name in ("ssh", "tls"))
    alfa = start("alfa-qkd", "--tls-port", "0", *tls_options(company))
    bravo = start("bravo-qkd", "--call-home", by_tls, *tls_options(company))
    charlie = start("charlie-qkd", "--call-home", by_ssh, "--authorized", f"noc={key}")
    assert (bravo["call-home"], charlie["call-home"]) == ([by_tls], [by_ssh])
    file = inventory(
        three_sites, company, ports,
        alfa={"transport": "tls", "address": "127.0.0.1", "port": alfa["tls-port"]}
        | {"certificate": alfa["certificate"]},
        bravo={"transport": "tls", "call-home": True, "certificate-name": "device"},
        charlie={"call-home": True, "host-key": charlie["host-key"]},
    )  # fmt: skip
    done = sdqkd("apply", THREE_SITES, "--inventory", file)
    assert done.code == 0, done.err
    assert "2 devices call home: waiting up to 90 s for them" in done.err
    assert "every device was read back" in done.out
    again = sdqkd("plan", THREE_SITES, "--inventory", file)
    assert (again.code, again.out) == (0, "no changes\n"), again.err


WRONG = {
    "TLS without files": (["--tls-port", "0"], "TLS needs --tls-certificate, --tls-key, --tls-trust"),
    "files without TLS": (["--tls-key", "x"], "nothing is served over TLS"),
    "a map that there is not": (["--cert-to-name", "ab=nickname"], "MAP being one of specified:USER, san-"),
    "a map without a user": (["--cert-to-name", "ab=specified:"], "--cert-to-name takes CERTIFICATE=MAP"),
    "a user not asked for": (["--cert-to-name", "ab=common-name:noc"], "--cert-to-name takes CERTIFICATE=MAP"),
    "part of a fingerprint": (["--cert-to-name", "04:AB=common-name"], "is no fingerprint"),
    "no such file": (["--cert-to-name", "no.crt=common-name"], "the certificate cannot be read: No such file"),
    "nobody to call": (["--call-home", "ssh://"], "--call-home takes ssh://HOST[:PORT]"),
    "another protocol": (["--call-home", "http://noc"], "--call-home takes ssh://HOST[:PORT]"),
    "no port": (["--call-home", "ssh://noc:ssh"], "'noc:ssh' is no HOST[:PORT]"),
    "a call over TLS without files": (["--call-home", "tls://noc"], "TLS needs --tls-certificate"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_missing_is_told_and_nothing_listens(sdqkd: Run, case: str) -> None:
    options, words = WRONG[case]
    if "--cert-to-name" in options:
        options = [*options, "--tls-port", "0", "--tls-certificate", "a", "--tls-key", "b", "--tls-trust", "c"]
    done = sdqkd("agent", THREE_SITES, "alfa-qkd", *options)
    assert done.code == 1
    assert words in " ".join(done.err.split())
    assert "listens" not in done.err
