"""The servers that are measured: our agent and Debian's netconfd, each a process of its own on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sdqkd.transport.keys import make_key_pair

from . import requests
from .figures import commit
from .raw_client import Client, Endpoint

ROOT = Path(__file__).parents[2]
NETWORK = ROOT / "examples" / "madqci" / "network.yaml"
DEVICE = "quevedo-qkd"
NODE_ID = b"12c93e35-013f-5795-8ec8-199d743d6f73"
_START_S = 20.0
_PATIENCE_S = 5.0
_NETCONFD_MODULES = "/usr/share/yuma/modules"


@contextmanager
def our_agent(folder: Path) -> Iterator[Endpoint]:
    """`sdqkd agent` on a QKD node of MadQCI."""
    command = [sys.executable, "-m", "sdqkd", "agent", str(NETWORK), DEVICE, "--run-dir", str(folder), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            said = _first_json(process)
            yield Endpoint("sdqkd", said["port"], "noc", folder / "noc_key", process.pid)
        finally:
            process.terminate()
            process.wait()


def _first_json(process: subprocess.Popen[bytes]) -> dict[str, int]:
    assert process.stdout is not None
    text = b""
    for line in process.stdout:
        text += line
        if line.startswith(b"}"):
            break
    try:
        found: dict[str, int] = json.loads(text)
    except ValueError:
        raise RuntimeError(f"the agent did not start: {text!r}") from None
    return found


def missing_for_netconfd() -> str:
    """Why netconfd cannot be measured here, "" if it can."""
    for program, package in (
        ("netconfd", "netconfd"),
        ("netconf-subsystem", "netconfd"),
        ("sshd", "openssh-server"),
    ):
        if shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
            return f"there is no {program}: apt-get install {package}"
    return "" if os.getuid() == 0 else "only root can start its sshd"


@contextmanager
def netconfd(folder: Path) -> Iterator[Endpoint]:
    """Debian's netconfd behind an sshd of its own, with our ETSI modules and nothing in its datastores."""
    folder.mkdir(mode=0o700)
    port = _free_port()
    key = folder / "client_key"
    (folder / "authorized_keys").write_text(make_key_pair(key) + "\n")
    make_key_pair(folder / "host_key")
    models = _models(folder)
    daemon = subprocess.Popen(
        [
            "/usr/sbin/netconfd", "--target=candidate", "--no-startup", "--access-control=off", "--superuser=root",
            f"--port={port}", f"--modpath={models}:{_NETCONFD_MODULES}", "--module=etsi-qkd-node-types",
            "--module=etsi-qkd-sdn-node", f"--ncxserver-sockname={folder}/socket", f"--home={folder}",
            f"--log={folder}/log", "--log-level=error",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
    )  # fmt: skip
    sshd = subprocess.Popen(
        ["/usr/sbin/sshd", "-D", "-f", str(_sshd_config(folder, port))], stderr=subprocess.DEVNULL
    )
    try:
        yield Endpoint("netconfd", port, "root", key, daemon.pid)
    finally:
        for process in (sshd, daemon):
            process.terminate()
            process.wait()


def _models(folder: Path) -> Path:
    """The ETSI modules without the mandatory leaf that makes a top container mandatory: netconfd refuses those."""
    models = folder / "models"
    models.mkdir()
    for file in (ROOT / "yang" / "etsi").glob("*.yang"):
        text = file.read_text("utf-8")
        (models / file.name).write_text(text.replace("      mandatory true;\n", "", 1), "utf-8")
    return models


def _sshd_config(folder: Path, port: int) -> Path:
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    file = folder / "sshd_config"
    file.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nPidFile {folder}/sshd.pid\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nPermitRootLogin prohibit-password\n"
        "PasswordAuthentication no\nUsePAM no\nMaxStartups 100\nMaxSessions 100\nLogLevel ERROR\n"
        f'Subsystem netconf "/usr/sbin/netconf-subsystem --ncxserver-sockname={port}@{folder}/socket"\n'
    )
    return file


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


async def prepare(at: Endpoint) -> None:
    """Wait until netconfd serves, then make its node."""
    loop = asyncio.get_running_loop()
    end = loop.time() + _START_S
    while True:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                client = await Client.open(at)
            break
        except (OSError, TimeoutError) as error:
            if loop.time() > end:
                raise RuntimeError(f"{at.name} does not serve: {error!r}") from error
            await asyncio.sleep(0.2)
    await commit(client.session, requests.make_node(NODE_ID))
    await client.close()
