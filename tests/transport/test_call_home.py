"""Devices that call home, over SSH and over TLS, and clients that are called."""

import asyncio
import contextlib
import logging
import socket
import threading
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from ncclient import manager
from tests.transport.certificates import NOW, Issued, issue
from tests.transport.peers import tcp_server

from sdqkd.errors import InputError
from sdqkd.transport import call_home, ssh_call_home, tls_call_home
from sdqkd.transport.admission import Gate, Limits
from sdqkd.transport.call_home import CallHome
from sdqkd.transport.cert_names import CertToName, MapType
from sdqkd.transport.door import Listener
from sdqkd.transport.keys import fingerprint
from sdqkd.transport.redial import Reconnect

PATIENCE_S = 20.0
SOON = Reconnect(first_pause_s=0.02, longest_pause_s=0.05, max_wait_s=5)


@dataclass
class Home:
    """A client that is called: which devices have called, and the receivers of both ends."""

    recorder: Any
    unwanted: set[str] = field(default_factory=set)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    at_device: list[Any] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self, device: str) -> Any:
        if device in self.unwanted:
            return None
        receiver = self.recorder()
        self.calls.append((device, receiver))
        self.changed.set()
        return receiver

    def serve(self) -> Any:
        receiver = self.recorder(b"hello")
        self.at_device.append(receiver)
        return receiver

    async def called(self, count: int = 1) -> Any:
        """Wait for the last of so many calls; give its receiver once it has heard the device's hello."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.calls) < count:
                self.changed.clear()
                await self.changed.wait()
        receiver = self.calls[count - 1][1]
        await receiver.until(lambda: bytes(receiver.data) == b"hello")
        return receiver


@pytest.fixture
def home(recorder: Any) -> Home:
    return Home(recorder)


@dataclass
class Way:
    """SSH or TLS: how to listen for devices, and how a device dials."""

    listen: Callable[..., Awaitable[Listener]]
    dialler: Callable[..., Any]
    stranger: Callable[..., Any]
    shown_by_stranger: str
    speaks_first: bool  # the server; in TLS the client does


def ssh_way(keys: Any, home: Home) -> Way:
    users = {"noc": [keys.noc]}

    async def listen(port: int = 0, **options: Any) -> Listener:
        return await ssh_call_home.listen(
            "127.0.0.1", port, {"alice-qkd": keys.host}, home.answer, username="noc",
            client_key_file=keys.file("noc"), **options,
        )  # fmt: skip

    def dialler(host_key: str = "host", **options: Any) -> Any:
        return ssh_call_home.dialler(keys.file(host_key), users, home.serve, **options)

    return Way(listen, dialler, lambda: dialler("other"), fingerprint(keys.other), True)


def tls_way(company: tuple[Issued, ...], home: Home, by_name: bool) -> Way:
    root, device, other, noc = company
    names = [CertToName(root.fingerprint, MapType.COMMON_NAME)]
    known = "alice.example" if by_name else str(device.fingerprint)
    issuers = root.file if by_name else None

    async def listen(port: int = 0, **options: Any) -> Listener:
        return await tls_call_home.listen(
            "127.0.0.1", port, {"alice-qkd": known}, home.answer, identity=noc.identity, issuers=issuers, **options
        )

    def dialler(identity: Any = device.identity, **options: Any) -> Any:
        return tls_call_home.dialler(identity, root.file, names, home.serve, **options)

    return Way(listen, dialler, lambda: dialler(other.identity), str(other.fingerprint), False)


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> tuple[Issued, ...]:
    folder = tmp_path_factory.mktemp("called-company")
    root = issue(folder, "root", authority=True)
    device = issue(folder, "device", root, alternatives=("alice.example",))
    other = issue(folder, "other", root, alternatives=("eve.example",))
    return root, device, other, issue(folder, "noc", root)


@pytest.fixture(params=["ssh", "tls by fingerprint", "tls by name"])
def way(request: Any, keys: Any, company: Any, home: Home) -> Way:
    return ssh_way(keys, home) if request.param == "ssh" else tls_way(company, home, "name" in request.param)


@contextlib.asynccontextmanager
async def calling(dial: Any, *ports: int, reconnect: Reconnect = SOON) -> AsyncIterator[CallHome]:
    caller = CallHome("noc", [("127.0.0.1", port) for port in ports], dial, reconnect)
    caller.start()
    caller.start()
    try:
        yield caller
    finally:
        await caller.stop()
        await caller.stop()


async def told(caplog: pytest.LogCaptureFixture, words: str) -> None:
    """Wait until the log has some words; a log rings no bell."""
    async with asyncio.timeout(PATIENCE_S):
        while words not in caplog.text:  # noqa: ASYNC110
            await asyncio.sleep(0)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


# What works


async def test_a_device_calls_and_serves(way: Way, home: Home) -> None:
    listener = await way.listen()
    gate = Gate()
    async with calling(way.dialler(gate=gate), listener.port) as caller:
        client = await home.called()
        assert home.calls[0][0] == "alice-qkd"
        client.link.write(b"rpc")
        await home.at_device[0].heard(b"rpc")
        assert home.at_device[0].link.username == "noc"
        home.at_device[0].link.write(b"reply")
        await client.heard(b"helloreply")
        assert caller.connected
        assert gate._places == {"noc": 1}
    assert not caller.connected
    assert await client.lost() is None
    assert home.at_device[0].losses == [None]
    assert gate._places.total() == 0
    await listener.close()


async def test_a_device_calls_again(way: Way, home: Home) -> None:
    listener = await way.listen()
    async with calling(way.dialler(), listener.port):
        for count in range(1, 4):
            client = await home.called(count)
            client.link.close()
            assert await client.lost() is None
    await listener.close()


async def test_a_device_waits_for_a_client_that_is_not_there(
    way: Way, home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere, port = free_port(), free_port()
    async with calling(way.dialler(), nowhere, port):
        await told(caplog, "cannot call home")
        listener = await way.listen(port)
        await home.called()
    assert caplog.text.count("cannot call home to noc: 127.0.0.1:") == 1
    assert "nothing listens there" in caplog.text
    await listener.close()


async def test_closing_the_listener_ends_the_calls(way: Way, home: Home) -> None:
    listener = await way.listen()
    async with calling(way.dialler(), listener.port):
        client = await home.called()
        await listener.close()
        assert client.losses == [None]
        assert await home.at_device[0].lost() is None


async def test_stopping_while_nobody_answers(way: Way) -> None:
    heard = bytearray()
    async with tcp_server(b"", hang_up=False, heard=heard) as port:
        async with calling(way.dialler(), port) as caller:
            if way.speaks_first:
                async with asyncio.timeout(PATIENCE_S):
                    while not heard:  # noqa: ASYNC110
                        await asyncio.sleep(0)
        assert not caller.connected


# Who is not let in


async def test_a_stranger_is_refused(way: Way, home: Home, caplog: pytest.LogCaptureFixture) -> None:
    listener = await way.listen()
    async with calling(way.stranger(), listener.port), calling(way.dialler(), listener.port):
        await home.called()
        await told(caplog, way.shown_by_stranger)
    assert {device for device, _ in home.calls} == {"alice-qkd"}
    assert "which is no device's" in caplog.text
    await listener.close()


async def test_a_device_that_is_not_wanted(way: Way, home: Home, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    home.unwanted.add("alice-qkd")
    listener = await way.listen()
    async with calling(way.dialler(), listener.port):
        await told(caplog, "it is not wanted now")
        home.unwanted.clear()
        await home.called()
    await listener.close()


async def test_silent_calls_make_room(way: Way, home: Home) -> None:
    listener = await way.listen(limits=Limits(max_waiting_per_source=20))
    silent = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(100)]
    async with calling(way.dialler(), listener.port):
        async with asyncio.timeout(2):
            await home.called()
    for _, writer in silent:
        writer.transport.abort()
    await listener.close()


async def test_a_client_that_the_device_does_not_know(
    keys: Any, home: Home, recorder: Any, caplog: pytest.LogCaptureFixture
) -> None:
    listener = await ssh_call_home.listen(
        "127.0.0.1", 0, {"alice-qkd": keys.host}, home.answer, username="eve", client_key_file=keys.file("noc")
    )
    way = ssh_way(keys, home)
    async with calling(way.dialler(), listener.port):
        await told(caplog, "did not let us in")
        await told(caplog, "nobody logged in")
    assert "device 'alice-qkd' called from 127.0.0.1:" in caplog.text
    assert home.calls == []
    await listener.close()


async def test_an_expired_device(
    company: Any, home: Home, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import datetime

    old = issue(tmp_path, "old", company[0], begins=NOW - datetime.timedelta(9), ends=NOW - datetime.timedelta(1))
    listener = await tls_call_home.listen(
        "127.0.0.1", 0, {"alice-qkd": str(old.fingerprint)}, home.answer, identity=company[3].identity
    )
    way = tls_way(company, home, by_name=False)
    async with calling(way.dialler(old.identity), listener.port):
        await told(caplog, "refused")
    assert "the device's certificate expired on" in caplog.text
    assert home.calls == []
    await listener.close()


# What is needed


async def test_two_devices_with_one_identity(keys: Any, company: Any, home: Home) -> None:
    with pytest.raises(InputError, match="have the same host key"):
        await ssh_call_home.listen(
            "127.0.0.1", 0, {"a": keys.host, "b": keys.host}, home.answer, username="noc",
            client_key_file=keys.file("noc"),
        )  # fmt: skip
    with pytest.raises(InputError, match="device 'a'"):
        await ssh_call_home.listen(
            "127.0.0.1", 0, {"a": "ssh-rsa x"}, home.answer, username="noc", client_key_file=keys.file("noc")
        )
    same = str(company[1].fingerprint)
    for devices, issuers in (
        ({"a": same, "b": same}, None),
        ({"a": "x.example", "b": "X.example"}, company[0].file),
    ):
        with pytest.raises(InputError, match="could not be told"):
            await tls_call_home.listen(
                "127.0.0.1", 0, devices, home.answer, identity=company[3].identity, issuers=issuers
            )


def test_the_ports_of_the_standard() -> None:
    assert (call_home.SSH_PORT, call_home.TLS_PORT) == (4334, 4335)


async def test_a_failure_of_ours_does_not_end_the_calls(
    keys: Any, home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    way = ssh_way(keys, home)
    listener = await way.listen()
    dial = way.dialler()
    failures = 2

    async def failing(*arguments: Any) -> Any:
        nonlocal failures
        if failures:
            failures -= 1
            raise KeyError("sec" + "ret")
        return await dial(*arguments)

    async with calling(failing, listener.port):
        await home.called()
    assert "KeyError" in caplog.text
    assert "secret" not in caplog.text
    await listener.close()


# Clients that were not written here


def ncclient_is_called(port: int, key_file: str, listening: threading.Event) -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        listening.set()
        with manager.call_home(
            host="127.0.0.1", port=port, username="noc", key_filename=key_file, hostkey_verify=False,
            look_for_keys=False, allow_agent=False, timeout=20,
        ) as session:  # fmt: skip
            return [session.connected, session.get_config("running").data_xml, session.lock("candidate").ok]


async def test_ncclient_is_called(keys: Any, mini_agent: Any) -> None:
    port = free_port()
    dial = ssh_call_home.dialler(keys.file("host"), {"noc": [keys.noc]}, mini_agent)
    client = asyncio.create_task(
        asyncio.to_thread(ncclient_is_called, port, str(keys.file("noc")), threading.Event())
    )
    async with calling(dial, port):
        connected, data, ok = await client
    assert connected
    assert "data" in data
    assert ok


async def test_a_device_that_asyncssh_plays(keys: Any, home: Home) -> None:
    """A server that was not written here calls our client."""

    class Device(asyncssh.SSHServer):
        def public_key_auth_supported(self) -> bool:
            return True

        def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
            return username == "noc" and key == asyncssh.import_public_key(keys.noc)

    async def serve(process: asyncssh.SSHServerProcess[bytes]) -> None:
        process.stdout.write(b"hello")
        await process.stdin.read()
        process.exit(0)

    listener = await ssh_way(keys, home).listen()
    connection = await asyncssh.connect_reverse(
        "127.0.0.1", listener.port, server_factory=Device, server_host_keys=[str(keys.file("host"))],
        process_factory=serve, encoding=None,
    )  # fmt: skip
    client = await home.called()
    client.link.close()
    await client.lost()
    await connection.wait_closed()
    await listener.close()


async def test_a_call_without_netconf(keys: Any, home: Home, caplog: pytest.LogCaptureFixture) -> None:
    class Device(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return False

    listener = await ssh_way(keys, home).listen()
    connection = await asyncssh.connect_reverse(
        "127.0.0.1", listener.port, server_factory=Device, server_host_keys=[str(keys.file("host"))]
    )
    async with asyncio.timeout(PATIENCE_S):
        await connection.wait_closed()
    assert "device 'alice-qkd' called and grants no netconf subsystem" in caplog.text
    assert home.calls[0][1].calls == []
    await listener.close()
