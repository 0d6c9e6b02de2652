"""Servers for the kit, each in processes of its own: our agent, and Debian's netconfd behind a real sshd.

Everything is on loopback and in folders of the test's own; what is stopped in the end is what was started here.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.conformance.serve import HELLO_TIMEOUT_S, IDLE_TIMEOUT_S, MAX_SESSIONS

from sdqkd.conformance.case import Section, shipped_sections, shipped_targets
from sdqkd.conformance.runner import Options, Report, run
from sdqkd.conformance.session import Patience
from sdqkd.conformance.ssh import Login
from sdqkd.transport.keys import make_key_pair

ROOT = Path(__file__).resolve().parents[2]
START_S = 30.0
Start = Callable[[str], "Server"]


@dataclass(frozen=True)
class Server:
    """A server that runs, and how to log in to it."""

    login: Login
    second: Login
    pid_file: Path
    settings: dict[str, str] = field(default_factory=dict)

    def options(self, target: str, patience: Patience) -> Options:
        return Options(self.login, self.second, target, self.restart_command, self.settings, patience)

    @property
    def restart_command(self) -> str:
        # Only what keep_running started is killed; it has started another one when the file has another id.
        pid = self.pid_file
        return f"old=$(cat {pid}); kill -9 $old; while [ $(cat {pid}) = $old ]; do sleep 0.02; done"

    def run(self, target: str, patience: Patience, sections: tuple[Section, ...] | None = None) -> Report:
        return run(self.options(target, patience), sections or shipped_sections(), shipped_targets(), _quiet)


def _quiet(what: str, done: int, total: int) -> None:
    pass


@contextlib.contextmanager
def kept_running(folder: Path, *command: str) -> Iterator[Path]:
    """Run a command, and again whenever it ends; give the file with its process id."""
    pid_file = folder / "pid"
    keeper = [sys.executable, str(ROOT / "tests/conformance/keep_running.py"), str(pid_file), *command]
    with (folder / "log").open("wb") as log, subprocess.Popen(keeper, cwd=ROOT, stdout=log, stderr=log) as process:
        try:
            yield pid_file
        finally:
            process.terminate()


def until(true: Callable[[], bool], log: Path) -> None:
    """Wait for a server to start."""
    end = time.monotonic() + START_S
    while not true():
        if time.monotonic() > end:
            pytest.fail(f"the server does not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with key pairs of the users `noc` and `guest`."""
    folder = tmp_path_factory.mktemp("kit-keys")
    for name in ("noc", "guest"):
        (folder / f"{name}.pub").write_text(make_key_pair(folder / name) + "\n")
    return folder


@pytest.fixture(scope="session")
def start_agent(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start our agent for a kind of device; each kind once."""
    with contextlib.ExitStack() as running:
        started: dict[str, Server] = {}

        def start(kind: str) -> Server:
            if kind not in started:
                folder = tmp_path_factory.mktemp(f"kit-{kind}")
                for name in ("noc", "guest"):
                    shutil.copy(keys / f"{name}.pub", folder)
                command = (sys.executable, "-m", "tests.conformance.serve", kind, str(folder))
                pid_file = running.enter_context(kept_running(folder, *command))
                place = folder / "place.json"
                until(place.exists, folder / "log")
                found = json.loads(place.read_text())
                logins = (
                    Login("127.0.0.1", found["port"], name, keys / name, found["host-key"])
                    for name in ("noc", "guest")
                )
                settings = {
                    "hello-timeout": str(HELLO_TIMEOUT_S + 3),
                    "superuser-locks-group": "*",
                    "may-lose-running": "yes",
                }
                if kind == "limited":
                    settings |= {"idle-timeout": str(IDLE_TIMEOUT_S + 3), "session-limit": str(MAX_SESSIONS)}
                started[kind] = Server(*logins, pid_file, settings)
            return started[kind]

        yield start


@pytest.fixture(scope="session")
def netconfd(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Debian's netconfd, reached through an sshd of our own."""
    missing = [name for name in ("netconfd", "netconf-subsystem", "sshd") if which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (Debian's packages netconfd and openssh-server)")
    folder = tmp_path_factory.mktemp("kit-netconfd")
    port = free_port()
    models(folder / "yang")
    socket_file = folder / "ncx.sock"
    startup = folder / "startup-cfg.xml"  # without one it keeps nothing over a restart
    startup.write_text('<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"/>')
    server = (
        f"rm -f {socket_file}; cd {folder}; exec {which('netconfd')} --ncxserver-sockname={socket_file}"
        f" --port={port} --superuser={getpass.getuser()} --home={folder} --target=candidate --log-level=info"
        f" --datapath={folder} --startup={startup}"
        f" --modpath={folder / 'yang'}:/usr/share/yuma/modules --module=etsi-qkd-node-types"
        " --module=etsi-qkd-sdn-node --module=sdqkd-conformance"
    )
    with kept_running(folder, "sh", "-c", server) as pid_file, sshd(folder, port, keys, socket_file) as host_key:
        until(socket_file.exists, folder / "log")
        noc, guest = (
            Login("127.0.0.1", port, getpass.getuser(), keys / name, host_key) for name in ("noc", "guest")
        )
        yield Server(noc, guest, pid_file, {"second-name": "guest", "may-lose-running": "yes"})


@contextlib.contextmanager
def sshd(folder: Path, port: int, keys: Path, socket_file: Path) -> Iterator[str]:
    """An sshd that gives nothing but netconfd; both users are ours, netconfd hears another name of the second."""
    host_key = make_key_pair(folder / "host_key")
    noc, guest = ((keys / f"{name}.pub").read_text().strip() for name in ("noc", "guest"))
    (folder / "authorized").write_text(f'{noc}\nenvironment="USER=guest" {guest}\n')
    subsystem = f"{which('netconf-subsystem')} --ncxserver-sockname={port}@{socket_file}"
    settings = {
        "ListenAddress": "127.0.0.1",
        "Port": port,
        "HostKey": folder / "host_key",
        "AuthorizedKeysFile": folder / "authorized",
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PasswordAuthentication": "no",
        "PermitRootLogin": "prohibit-password",
        "PermitUserEnvironment": "yes",
        "MaxStartups": 200,  # how many silent connections it bears is not netconfd's matter
        "Subsystem": f'netconf "{subsystem}"',
    }
    config = folder / "sshd_config"
    config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where it locks up its unprivileged half
    command = [str(which("sshd")), "-D", "-e", "-f", str(config)]
    with (folder / "sshd.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            until(lambda: listens(port), folder / "sshd.log")
            yield host_key
        finally:
            process.terminate()


def models(folder: Path) -> None:
    """The modules for netconfd: it refuses a mandatory leaf below a top-level container, which 015 has."""
    folder.mkdir()
    for file in (ROOT / "yang/etsi").glob("*.yang"):
        text = re.sub(r"(leaf qkdn_id \{[^}]*?)mandatory true;", r"\1", file.read_text(encoding="utf-8"))
        (folder / file.name).write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "yang/sdqkd/sdqkd-conformance.yang", folder)


def which(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
