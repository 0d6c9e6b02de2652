"""The server as clients see it that are not ours: asyncssh used raw, paramiko, and plain TCP."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh
import paramiko
import pytest

from sdqkd.errors import InputError, SessionLostError, TransportError
from sdqkd.transport.admission import Limits
from sdqkd.transport.ssh_server import listen

PATIENCE_S = 20.0


# Who may come in


async def test_a_user_with_the_right_key(serve: Any, keys: Any, echo: Any, raw: Any, caller: Any) -> None:
    made: list[Any] = []
    listener = await serve(lambda: made.append(echo(b"hello")) or made[-1])
    async with await raw(listener, keys) as connection:
        assert connection.get_extra_info("server_version") == "SSH-2.0-sdqkd"
        channel, mine = await connection.create_session(caller, subsystem="netconf", encoding=None)
        channel.write(b"x")
        await made[0].heard(b"x")
        assert made[0].link.username == "noc"
        assert made[0].link.peer == f"127.0.0.1:{connection.get_extra_info('sockname')[1]}"
        channel.write_eof()
        await mine.ended.wait()
        assert mine.data == b"hellox"
    assert await made[0].lost() is None


@pytest.mark.parametrize(
    "changes",
    [
        {"username": "root"},
        {"username": ""},
        {"username": "noc "},
        {"username": "NOC"},
        {"client_keys": "other"},
        {"client_keys": None},
        {"client_keys": None, "password": "noc"},
        {"username": "eve", "client_keys": "other"},
    ],
    ids=str,
)
async def test_who_stays_out(serve: Any, keys: Any, echo: Any, changes: dict[str, Any], raw: Any) -> None:
    listener = await serve(echo, users={"noc": [keys.noc], "eve": []})
    if changes.get("client_keys"):
        changes = changes | {"client_keys": [str(keys.file(changes["client_keys"]))]}
    with pytest.raises((asyncssh.PermissionDenied, asyncssh.IllegalUserName)):
        await raw(listener, keys, **changes)


async def test_an_unknown_user_cannot_be_told_from_a_wrong_key(serve: Any, keys: Any, echo: Any, raw: Any) -> None:
    listener = await serve(echo)
    answers = []
    for username in ("noc", "root"):
        with pytest.raises(asyncssh.PermissionDenied) as caught:
            await raw(listener, keys, username=username, client_keys=[str(keys.file("other"))])
        answers.append(str(caught.value).replace(username, "*"))
    assert answers[0] == answers[1]


async def test_only_public_keys_are_asked_for(serve: Any, keys: Any, echo: Any) -> None:
    listener = await serve(echo)
    assert await asyncssh.get_server_auth_methods("127.0.0.1", listener.port, username="noc") == ["publickey"]


async def test_guessing_ends_after_six_failures(serve: Any, keys: Any, echo: Any, raw: Any) -> None:
    listener = await serve(echo)
    wrong = [asyncssh.generate_private_key("ssh-ed25519") for _ in range(6)]
    right = asyncssh.read_private_key(keys.file("noc"))
    (await raw(listener, keys, client_keys=[*wrong[:5], right])).abort()
    with pytest.raises(asyncssh.PermissionDenied, match="too many login failures"):
        await raw(listener, keys, client_keys=[*wrong, right])


@pytest.mark.parametrize(
    "algorithms",
    [
        {"kex_algs": ["diffie-hellman-group14-sha1"]},
        {"kex_algs": ["diffie-hellman-group14-sha256"]},
        {"encryption_algs": ["aes128-cbc"]},
        {"encryption_algs": ["3des-cbc"]},
        {"encryption_algs": ["aes256-ctr"], "mac_algs": ["hmac-sha1"]},
        {"server_host_key_algs": ["ssh-rsa"]},
    ],
    ids=str,
)
async def test_old_algorithms_are_refused(
    serve: Any, keys: Any, echo: Any, algorithms: dict[str, Any], raw: Any
) -> None:
    listener = await serve(echo)
    with pytest.raises(asyncssh.KeyExchangeFailed):
        await raw(listener, keys, **algorithms)


async def test_what_is_offered_is_modern(serve: Any, echo: Any) -> None:
    """As any scanner sees it: the names in the key exchange that the server proposes."""
    listener = await serve(echo)
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    assert await reader.readline() == b"SSH-2.0-sdqkd\r\n"
    writer.write(b"SSH-2.0-scanner\r\n")
    length = int.from_bytes(await reader.readexactly(4), "big")
    proposal = await reader.readexactly(length)
    assert b"curve25519-sha256" in proposal
    assert b"ssh-ed25519" in proposal
    assert b"kex-strict-s-v00@openssh.com" in proposal
    for old in (b"sha1", b"md5", b"cbc", b"arcfour", b"umac", b"zlib", b"ssh-rsa", b"diffie-hellman", b"gss"):
        assert old not in proposal
    writer.close()


@pytest.mark.parametrize(
    "cipher",
    [
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
        "aes256-ctr",
        "aes128-ctr",
    ],
)
async def test_modern_algorithms_are_taken(serve: Any, keys: Any, echo: Any, cipher: str, raw: Any) -> None:
    listener = await serve(echo)
    async with await raw(listener, keys, encryption_algs=[cipher]) as connection:
        assert connection.get_extra_info("send_cipher") == cipher


async def test_32_clients_log_in_at_once(serve: Any, dial: Any, echo: Any) -> None:
    listener = await serve(echo)
    clients = await asyncio.gather(*(dial(listener) for _ in range(32)))
    for number, client in enumerate(clients):
        client.link.write(b"%d" % number)
    await asyncio.gather(*(client.heard(b"%d" % number) for number, client in enumerate(clients)))


# What is served


async def refused(request: Any) -> None:
    with pytest.raises((asyncssh.ChannelOpenError, asyncssh.ChannelListenError)):
        await request


@pytest.mark.parametrize("name", ["sftp", "NETCONF", "netconf ", "", "shell"])
async def test_no_other_subsystem(serve: Any, keys: Any, echo: Any, name: str, raw: Any, caller: Any) -> None:
    async with await raw(await serve(echo), keys) as connection:
        await refused(connection.create_session(caller, subsystem=name or None, encoding=None))


async def test_nothing_but_the_subsystem(
    serve: Any, keys: Any, echo: Any, tmp_path: Path, raw: Any, caller: Any
) -> None:
    async with await raw(await serve(echo), keys) as connection:
        await refused(connection.create_session(caller, "touch x"))
        await refused(connection.create_session(caller))
        await refused(
            connection.create_session(caller, subsystem="netconf", request_pty="force", term_type="vt100")
        )
        await refused(connection.create_connection(caller, "127.0.0.1", 22))
        await refused(connection.create_unix_connection(caller, "/run/x"))
        await refused(connection.forward_remote_port("", 0, "127.0.0.1", 22))
        await refused(connection.forward_remote_path(str(tmp_path / "x"), "/run/x"))
        channel, _ = await connection.create_session(caller, subsystem="netconf", encoding=None)
        channel.write(b"x")


async def test_several_channels_of_one_connection(serve: Any, keys: Any, echo: Any, raw: Any, caller: Any) -> None:
    made: list[Any] = []
    listener = await serve(lambda: made.append(echo()) or made[-1], limits=Limits(max_channels=3))
    async with await raw(listener, keys) as connection:
        pairs = [await connection.create_session(caller, subsystem="netconf", encoding=None) for _ in range(3)]
        await refused(connection.create_session(caller, subsystem="netconf", encoding=None))
        pairs[0][0].close()
        await made[0].lost()
        pairs.append(await connection.create_session(caller, subsystem="netconf", encoding=None))
        pairs[3][0].write(b"x")
        await made[3].heard(b"x")
        assert made[1].losses == []


def misuse_by_paramiko(port: int, key_file: Path) -> list[str]:
    """Ask for everything that paramiko can ask for; give what the server did not refuse."""
    granted = []
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    key = paramiko.Ed25519Key.from_private_key_file(str(key_file))
    client.connect("127.0.0.1", port, "noc", pkey=key, look_for_keys=False, allow_agent=False)
    transport = client.get_transport()
    assert transport is not None
    wishes: dict[str, Callable[[], Any]] = {
        "exec": lambda: client.exec_command("id"),
        "shell": client.invoke_shell,
        "sftp": client.open_sftp,
        "direct-tcpip": lambda: transport.open_channel("direct-tcpip", ("127.0.0.1", 22), ("127.0.0.1", 1)),
        "x11": lambda: transport.open_session().request_x11(),
        "forward": lambda: transport.request_port_forward("127.0.0.1", 0),
        "environment and subsystem twice": lambda: [
            transport.open_session().invoke_subsystem("x") for _ in range(2)
        ],
    }
    for name, wish in wishes.items():
        try:
            wish()
            granted.append(name)
        except (paramiko.SSHException, EOFError):
            pass
    channel = transport.open_session()
    channel.invoke_subsystem("netconf")
    channel.sendall(b"still here")
    assert channel.recv(100) == b"still here"
    client.close()
    return granted


async def test_paramiko_gets_nothing_else(serve: Any, keys: Any, echo: Any) -> None:
    listener = await serve(echo)
    assert await asyncio.to_thread(misuse_by_paramiko, listener.port, keys.file("noc")) == []


# Who means harm


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"SSH-1.5-old\r\n",
        b"\x00" * 10_000,
        b"SSH-2.0-x\r\n" + b"\xff" * 5000,
        b"SSH-2.0-\xff\r\n",
    ],
    ids=["http", "ssh 1", "zeros", "garbage after the version", "no ascii"],
)
async def test_garbage_hurts_nobody_else(
    serve: Any, dial: Any, echo: Any, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    listener = await serve(echo)
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(garbage)
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(PATIENCE_S):
            await reader.read()
    writer.close()
    client = await dial(listener)
    client.link.write(b"x")
    await client.heard(b"x")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_silent_connections_are_cut_off_and_keep_nobody_out(serve: Any, dial: Any, echo: Any) -> None:
    listener = await serve(echo, limits=Limits(login_timeout_s=0.5))
    silent = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(50)]
    client = await dial(listener)
    client.link.write(b"x")
    await client.heard(b"x")
    async with asyncio.timeout(PATIENCE_S):
        greetings = await asyncio.gather(*(reader.read() for reader, _ in silent), return_exceptions=True)
    assert all(isinstance(got, ConnectionError) or got == b"SSH-2.0-sdqkd\r\n" for got in greetings)
    for _, writer in silent:
        writer.close()
    client.link.write(b"y")
    await client.heard(b"xy")


async def test_a_receiver_that_fails_takes_only_its_link_with_it(
    serve: Any, dial: Any, echo: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(echo):  # type: ignore[misc]
        def data_received(self, data: bytes) -> None:
            if data == b"bad":
                raise ValueError("sec" + "ret")
            super().data_received(data)

    listener = await serve(Failing)
    good, bad = await dial(listener), await dial(listener)
    bad.link.write(b"bad")
    await bad.lost()
    good.link.write(b"good")
    await good.heard(b"good")
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


async def test_a_receiver_that_cannot_be_made_refuses_the_channel(
    serve: Any, keys: Any, caplog: pytest.LogCaptureFixture, raw: Any, caller: Any
) -> None:
    async with await raw(await serve(lambda: 1 / 0), keys) as connection:
        await refused(connection.create_session(caller, subsystem="netconf", encoding=None))
    assert "ZeroDivisionError" in caplog.text


async def test_failed_logins_are_told_quietly_and_without_secrets(
    serve: Any, keys: Any, echo: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], raw: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    listener = await serve(echo)
    with pytest.raises(asyncssh.PermissionDenied):
        await raw(listener, keys, username="eve'%s", client_keys=[str(keys.file("other"))])
    await listener.close()
    records = [record for record in caplog.records if record.name.startswith("sdqkd")]
    assert any('may not log in as "eve\'%s"' in record.getMessage() for record in records)
    assert all(record.levelno < logging.WARNING for record in caplog.records)
    for name in ("host", "other", "noc"):
        secret = keys.file(name).read_text().splitlines()[3]
        assert secret not in caplog.text
    assert capfd.readouterr().err == ""


# Coming and going


async def test_a_client_that_vanishes_is_missed_once(
    serve: Any, keys: Any, recorder: Any, raw: Any, caller: Any
) -> None:
    receiver = recorder()
    connection = await raw(await serve(lambda: receiver), keys)
    await connection.create_session(caller, subsystem="netconf", encoding=None)
    await receiver.until(lambda: "made" in receiver.calls)
    connection.abort()
    assert isinstance(await receiver.lost(), SessionLostError)
    await connection.wait_closed()
    assert receiver.calls == ["made", "lost"]
    receiver.link.write(b"x")
    receiver.link.close()
    receiver.link.resume_reading()


async def test_closing_the_server_ends_its_sessions(
    serve: Any, dial: Any, keys: Any, recorder: Any, raw: Any
) -> None:
    receiver = recorder(b"hello")
    listener = await serve(lambda: receiver)
    client = await dial(listener)
    silent = await asyncio.open_connection("127.0.0.1", listener.port)
    idle = await raw(listener, keys)
    await listener.close()
    await listener.close()
    await idle.wait_closed()
    assert receiver.losses == [None]
    assert await client.lost() is None
    assert bytes(client.data) == b"hello"
    silent[1].close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", listener.port)


async def test_a_session_that_the_agent_closes_closes_the_connection(
    serve: Any, keys: Any, recorder: Any, raw: Any, caller: Any
) -> None:
    receiver = recorder(b"bye")
    connection = await raw(await serve(lambda: receiver), keys)
    _, mine = await connection.create_session(caller, subsystem="netconf", encoding=None)
    receiver.link.close()
    receiver.link.close()
    async with asyncio.timeout(PATIENCE_S):
        await mine.ended.wait()
        await connection.wait_closed()
    assert mine.data == b"bye"
    assert receiver.calls == ["made", "lost"]
    assert receiver.losses == [None]


# What is needed to listen


async def test_a_port_in_use(serve: Any, keys: Any, echo: Any) -> None:
    listener = await serve(echo)
    with pytest.raises(TransportError) as caught:
        await listen("127.0.0.1", listener.port, keys.file("host"), {}, echo)
    assert str(caught.value) == (
        f"127.0.0.1:{listener.port}: cannot listen: another program listens there: stop it or choose another port"
    )


async def test_an_address_of_another_machine(keys: Any, echo: Any) -> None:
    with pytest.raises(TransportError, match="does not have that address"):
        await listen("192.0.2.1", 0, keys.file("host"), {}, echo)


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        # A zone that is no interface of this machine: no resolver is asked for it.
        ("fe80::1%nowhere", r"the name cannot be resolved: \w"),
        ("a..b", "this cannot be the name of a host"),
    ],
)
async def test_a_name_that_is_no_address(keys: Any, echo: Any, host: str, reason: str) -> None:
    with pytest.raises(TransportError, match=f":0: cannot listen: {reason}"):
        await listen(host, 0, keys.file("host"), {}, echo)


async def test_without_a_host_key_nothing_is_served(keys: Any, echo: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(InputError, match="cannot be read: No such file"):
        await listen("127.0.0.1", port, tmp_path / "missing", {}, echo)
    open_to_all = tmp_path / "key"
    open_to_all.write_bytes(keys.file("host").read_bytes())
    open_to_all.chmod(0o644)
    with pytest.raises(InputError, match="others can read"):
        await listen("127.0.0.1", port, open_to_all, {}, echo)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_broken_user_key_is_named(keys: Any, echo: Any) -> None:
    with pytest.raises(InputError, match="user 'fred'"):
        await listen("127.0.0.1", 0, keys.file("host"), {"noc": [keys.noc], "fred": ["ssh-ed25519 AAAA"]}, echo)
