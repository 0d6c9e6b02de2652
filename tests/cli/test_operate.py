"""emulate, plan, apply, status: a network comes up, stays up, and nothing is half done with a wrong device."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from ncclient import NCClientError, manager
from ncclient.operations import RPCError
from ncclient.transport.errors import AuthenticationError, SSHError
from paramiko.ssh_exception import SSHException
from tests.cli.conftest import MADQCI, THREE_SITES, Emulation, Run, emulate

from sdqkd.controller.journal import Begin, InDoubt
from sdqkd.controller.journal_sqlite import SqliteJournal
from sdqkd.transport.keys import make_key_pair


def test_factory_to_desired_and_again(sdqkd: Run, three_sites: Emulation, tmp_path: Path) -> None:
    at = (THREE_SITES, "--inventory", three_sites.inventory)

    planned = sdqkd("plan", *at)
    assert planned.code == 2
    assert "+ qkd_link Alfa-Bravo-DV" in planned.out
    assert sdqkd("status", *at).code == 1

    applied = sdqkd("apply", *at)
    assert applied.code == 0, applied.err
    assert "applied" in applied.out

    status = sdqkd("status", *at, "--json")
    assert status.code == 0, status.out
    links = {row["name"]: row for row in status.json["links"]}
    assert links["Alfa-Bravo-DV"]["status"] == "ACTIVE"
    assert links["Bravo-Charlie-CV"]["status"] == "not switched"

    (tmp_path / "journal.sqlite").write_text("of something else")
    unknown = sdqkd("status", *at, "--state", tmp_path, "--json")
    assert (unknown.code, unknown.json["good"]) == (1, False)
    assert "cannot be used: file is not a database" in unknown.json["journal-error"]

    log = three_sites.run_dir / "audit.log"
    assert "commit" in log.read_text("utf-8")
    assert "noc" in log.read_text("utf-8")
    assert log.stat().st_mode & 0o077 == 0

    again = sdqkd("plan", *at)
    assert (again.code, again.out.strip()) == (0, "no changes")
    assert sdqkd("apply", *at).out.strip() == "no changes"


def test_an_apply_that_is_killed_is_finished_by_the_next(sdqkd: Run, three_sites: Emulation) -> None:
    at = (THREE_SITES, "--inventory", three_sites.inventory)
    assert sdqkd("recover", *at).out.strip() == "nothing was left undone"
    process = subprocess.Popen(
        [sys.executable, "-m", "sdqkd", "apply", *map(str, at)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    assert process.stderr is not None
    for line in process.stderr:
        if b"commit" in line:
            process.kill()
            break
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    (left,) = sdqkd("status", *at, "--json").json["open-transactions"]
    assert (left["status"], left["ended-at"], left["in-doubt"]) == ("open", None, {})
    # What devices hold now, they may not hold for long.
    assert "is under way or was left undone (alfa-l1, alfa-qkd" in sdqkd("plan", *at).err
    recovered = sdqkd("recover", *at, "--json")
    assert recovered.code == 0, recovered.err
    (one,) = recovered.json["recovered"]
    assert one["outcome"] in ("rolled back", "done")
    applied = sdqkd("apply", *at)
    assert applied.code == 0, applied.err
    assert sdqkd("status", *at).code == 0
    unknown = sdqkd("recover", *at, "--close", "nothing")
    assert (unknown.code, "there is no transaction nothing" in unknown.err) == (1, True)
    assert (three_sites.run_dir / "controller" / "journal.sqlite").stat().st_mode & 0o077 == 0


def test_devices_in_doubt_are_told_by_status_until_somebody_has_done_with_them(
    sdqkd: Run, three_sites: Emulation
) -> None:
    at = (THREE_SITES, "--inventory", three_sites.inventory)
    assert sdqkd("apply", *at).code == 0
    with closing(SqliteJournal(three_sites.run_dir / "controller", "three-sites")) as journal:
        lease = journal.take("dead")
        begin = Begin("t1", "three-sites", "noc", {}, {"alfa-l1": []}, {}, {})
        lease.append(begin, InDoubt("t1", "alfa-l1", "the new configuration", "go there"))
        lease.release()
    status = sdqkd("status", *at)
    assert status.code == 4
    assert "t1 is under way or was left undone (alfa-l1): see `sdqkd recover`" in status.out
    assert "in doubt, alfa-l1: the new configuration; go there" in status.out
    assert sdqkd("recover", *at, "--close", "t1").out.strip() == "closed t1"
    assert sdqkd("status", *at).code == 0


def test_the_journal_of_another_network_is_refused_before_anything_is_asked(
    sdqkd: Run, three_sites: Emulation
) -> None:
    at = (THREE_SITES, "--inventory", three_sites.inventory)
    state = three_sites.run_dir / "elsewhere"
    SqliteJournal(state, "another").close()
    refused = sdqkd("apply", *at, "--state", state)
    assert refused.code == 1
    assert "the journal of the network another, not of three-sites" in refused.err
    assert sdqkd("plan", *at).code == 2


def test_what_was_applied_survives_a_restart(sdqkd: Run, three_sites: Emulation) -> None:
    assert sdqkd("apply", THREE_SITES, "--inventory", three_sites.inventory).code == 0
    assert three_sites.stop(signal.SIGKILL) == -signal.SIGKILL
    again = emulate(THREE_SITES, three_sites.run_dir)
    try:
        assert sdqkd("plan", THREE_SITES, "--inventory", again.inventory).out.strip() == "no changes"
        assert sdqkd("status", THREE_SITES, "--inventory", again.inventory).code == 0
    finally:
        again.stop()
    reset = emulate(THREE_SITES, three_sites.run_dir, "--factory-reset")
    try:
        assert sdqkd("plan", THREE_SITES, "--inventory", reset.inventory).code == 2
    finally:
        reset.stop()


def test_the_inventory_of_an_emulation_is_found_and_goes_with_it(sdqkd: Run, tmp_path: Path) -> None:
    emulation = emulate(THREE_SITES, tmp_path / "run" / "three-sites")
    try:
        assert sdqkd("plan", THREE_SITES, cwd=tmp_path).code == 2
    finally:
        assert emulation.stop(signal.SIGTERM) == 0
    alone = sdqkd("plan", THREE_SITES, cwd=tmp_path)
    assert alone.code == 1
    assert "inventory" in alone.err


def test_no_colours_in_pipes_and_no_secrets_in_the_run_directory(sdqkd: Run, three_sites: Emulation) -> None:
    done = sdqkd("plan", THREE_SITES, "--inventory", three_sites.inventory)
    assert "\x1b" not in done.out + done.err
    assert "PRIVATE" not in three_sites.inventory.read_text("utf-8")
    private = [*three_sites.run_dir.glob("devices/*/host_key"), three_sites.run_dir / "noc_key"]
    assert all(file.stat().st_mode & 0o077 == 0 for file in private)
    assert len(private) > 3


@pytest.fixture
def garbage_port() -> Iterator[int]:
    """A server that is no SSH server, and one that never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 50)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=10)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("fault", ["unreachable", "wrong host key", "refused login", "garbage", "another device"])
def test_one_wrong_device_and_nothing_is_written(
    sdqkd: Run, three_sites: Emulation, garbage_port: int, tmp_path: Path, fault: str
) -> None:
    other = three_sites.device("charlie-qkd")
    match fault:
        case "unreachable":
            inventory, said = three_sites.inventory_with("alfa-qkd", port=free_port()), "nothing listens there"
        case "wrong host key":
            inventory, said = three_sites.inventory_with("alfa-qkd", host_key=other["host-key"]), "SHA256:"
        case "refused login":
            stranger = tmp_path / "stranger_key"
            make_key_pair(stranger)
            inventory, said = three_sites.inventory_with("alfa-qkd", client_key_file=str(stranger)), "noc"
        case "garbage":
            inventory, said = three_sites.inventory_with("alfa-qkd", port=garbage_port), "SSH"
        case _:
            inventory = three_sites.inventory_with("alfa-qkd", port=other["port"], host_key=other["host-key"])
            said = "alfa-qkd is 0a000000"
    for command in ("plan", "apply"):
        done = sdqkd(command, THREE_SITES, "--inventory", inventory)
        assert done.code == 1
        assert done.err.count("alfa-qkd") == 1 or fault == "another device"
        assert said in done.err
        assert "Traceback" not in done.err
    # The other devices still hold their factory configuration.
    left = sdqkd("plan", THREE_SITES, "--inventory", three_sites.inventory, "--json").json
    assert len(left["devices"]) == 12
    assert all(device["changes"] for device in left["devices"])
    status = sdqkd("status", THREE_SITES, "--inventory", inventory)
    assert status.code == 1
    assert "alfa-qkd" in status.out


def test_an_inventory_with_a_private_key_that_is_not_there(sdqkd: Run, three_sites: Emulation) -> None:
    inventory = three_sites.inventory_with("alfa-qkd", client_key_file="/nonexistent/key")
    done = sdqkd("plan", THREE_SITES, "--inventory", inventory)
    assert done.code == 1
    assert "/nonexistent/key" in done.err


def test_one_agent_serves_a_device_and_only_known_users(tmp_path: Path) -> None:
    stranger = tmp_path / "stranger_key"
    make_key_pair(stranger)
    friend = tmp_path / "friend_key"
    (tmp_path / "friend_key.pub").write_text(make_key_pair(friend) + "\n", "utf-8")
    emulation = _agent("alfa-qkd", tmp_path, "--authorized", f"friend={tmp_path / 'friend_key.pub'}")
    try:
        port = emulation["port"]
        with _connect(port, "noc", tmp_path / "run" / "noc_key") as session:
            assert "0a000000-0000-4000-8000-000000000001" in session.get_config("running").data_xml
        with _connect(port, "friend", friend) as session:
            assert session.connected
        for user, key in (("noc", stranger), ("nobody", tmp_path / "run" / "noc_key"), ("friend", stranger)):
            with pytest.raises((AuthenticationError, SSHError)):
                _connect(port, user, key)
    finally:
        emulation["process"].stop()


def test_a_viewer_looks_and_a_recovery_user_may_do_everything(tmp_path: Path) -> None:
    keys = {user: tmp_path / f"{user}_key" for user in ("friend", "rescuer")}
    options = ["--role", "friend=viewer", "--role", "rescuer=viewer", "--recovery-user", "rescuer"]
    for user, key in keys.items():
        key.with_suffix(".pub").write_text(make_key_pair(key) + "\n", "utf-8")
        options += ["--authorized", f"{user}={key.with_suffix('.pub')}"]
    emulation = _agent("alfa-qkd", tmp_path, *options)
    try:
        with _connect(emulation["port"], "friend", keys["friend"]) as session:
            assert "0a000000-0000-4000-8000-000000000001" in session.get_config("running").data_xml
            with pytest.raises(RPCError, match="the user 'friend' may not use <lock>"):
                session.lock("running")
        for user, key in (("rescuer", keys["rescuer"]), ("noc", tmp_path / "run" / "noc_key")):
            with _connect(emulation["port"], user, key) as session, session.locked("running"):
                assert session.connected
    finally:
        emulation["process"].stop()


def test_an_agent_is_served_on_the_terms_of_its_options(tmp_path: Path) -> None:
    options = ("--startup", "--max-sessions-per-user", "1", "--idle-timeout", "900", "--max-message", "1")
    emulation = _agent("alfa-qkd", tmp_path, *options)
    key = tmp_path / "run" / "noc_key"
    try:
        session = _connect(emulation["port"], "noc", key)
        assert ":startup" in session.server_capabilities
        session.copy_config("running", "startup")
        with pytest.raises((NCClientError, SSHException, EOFError)):
            _connect(emulation["port"], "noc", key)
        with pytest.raises((NCClientError, OSError)):  # and that is the end of the session
            session.get_config("running", filter=("subtree", f"<x>{'x' * 2**20}</x>"))
    finally:
        emulation["process"].stop()


def _connect(port: int, user: str, key: Path) -> manager.Manager:
    return manager.connect(
        host="127.0.0.1",
        port=port,
        username=user,
        key_filename=str(key),
        hostkey_verify=False,
        allow_agent=False,
        look_for_keys=False,
        timeout=20,
    )


def _agent(name: str, folder: Path, *options: str) -> dict[str, object]:
    import json

    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "sdqkd", "agent", str(THREE_SITES), name),
            *("--run-dir", str(folder / "run"), "--json", *options),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    text = ""
    while not text.endswith("}\n"):
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        text += line
    return {**json.loads(text), "process": Emulation(process, folder)}


def test_an_agent_for_a_device_that_the_network_does_not_have(sdqkd: Run) -> None:
    done = sdqkd("agent", MADQCI, "quixote-qkd")
    assert done.code == 1
    assert "quixote-qkd" in done.err
