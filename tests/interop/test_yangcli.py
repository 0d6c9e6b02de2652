"""Debian's yangcli, in C on libssh2, through a whole session: discover, lock, edit, commit, be notified."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.conformance.conftest import Server

SCRIPT = Path(__file__).parent / "data/yangcli.script"
MESSAGE = re.compile(r"<(rpc-reply|notification)\b.*?</\1>", re.DOTALL)


@pytest.mark.skipif(shutil.which("yangcli") is None, reason="not installed: yangcli (Debian's package yangcli)")
def test_yangcli(agent: Server, tmp_path: Path) -> None:
    login = agent.login
    arguments = {
        "server": login.host,
        "ncport": login.port,
        "user": login.user,
        "private-key": login.key_file,
        "public-key": f"{login.key_file}.pub",
        "password": "not-asked-for",
        "home": tmp_path,
        "dump-session": tmp_path / "session-",
        "run-script": SCRIPT,
    }
    command = ["yangcli", "--batch-mode", *(f"--{name}={value}" for name, value in arguments.items())]
    done = subprocess.run(
        command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True
    )
    assert "canceled" not in done.stdout, done.stdout[-3000:]
    heard = (tmp_path / "session-in").read_text()
    replies = [found[0] for found in MESSAGE.finditer(heard) if found[1] == "rpc-reply"]
    events = [found[0] for found in MESSAGE.finditer(heard) if found[1] == "notification"]
    assert "<rpc-error" not in heard
    assert len(replies) >= len(SCRIPT.read_text().splitlines())
    assert "module etsi-qkd-sdn-node" in heard
    assert any("<app_priority>5</app_priority>" in reply for reply in replies)
    assert any("netconf-config-change" in event and "create" in event for event in events)
