"""The client against servers that are wrong in every way we could think of."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from tests.transport.peers import tcp_server

from sdqkd.errors import (
    HostKeyError,
    InputError,
    LoginRefusedError,
    SessionLostError,
    TransportError,
    UnreachableError,
)
from sdqkd.transport.admission import Limits
from sdqkd.transport.keys import fingerprint, public_text
from sdqkd.transport.ssh_client import connect

PATIENCE_S = 20.0


@contextlib.asynccontextmanager
async def ssh_server(keys: Any, **options: Any) -> AsyncIterator[int]:
    """Serve SSH by asyncssh alone, as some device might."""
    key = asyncssh.import_public_key(keys.noc)

    class Server(asyncssh.SSHServer):
        def public_key_auth_supported(self) -> bool:
            return True

        def validate_public_key(self, username: str, key_: asyncssh.SSHKey) -> bool:
            return key_ == key

    settings = {"server_host_keys": [str(keys.file("host"))], "server_factory": Server}
    acceptor = await asyncssh.listen("127.0.0.1", 0, **(settings | options))
    async with acceptor:
        yield acceptor.get_port()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


async def failure(dial: Any, port: int, kind: type[Exception], **changes: Any) -> str:
    """Give the message of the one error that connecting must raise; it begins with the place."""
    receiver = changes.pop("receiver")
    with pytest.raises(kind) as caught:
        await dial(port, receiver, **changes)
    assert type(caught.value) is kind
    assert receiver.calls == []
    message = str(caught.value)
    if isinstance(caught.value, TransportError):
        assert message.startswith(f"127.0.0.1:{port}: ")
    assert message.isprintable()
    return message


# Whom the client trusts


async def test_without_an_expected_host_key_nothing_is_sent(dial: Any, recorder: Any) -> None:
    heard = bytearray()
    async with tcp_server(b"", hang_up=False, heard=heard) as port:
        message = await failure(dial, port, HostKeyError, host_key=None, receiver=recorder())
    assert "no host key is known" in message
    assert heard == b""


async def test_another_host_key_than_expected(serve: Any, dial: Any, keys: Any, echo: Any, recorder: Any) -> None:
    listener = await serve(echo)
    message = await failure(dial, listener.port, HostKeyError, host_key=keys.other, receiver=recorder())
    assert f"shows host key {fingerprint(keys.host)}, but {fingerprint(keys.other)} is expected" in message


async def test_an_expected_host_key_that_is_none(dial: Any, recorder: Any) -> None:
    message = await failure(dial, free_port(), HostKeyError, host_key="ssh-ed25519 AAAA", receiver=recorder())
    assert "the host key to expect cannot be read" in message


async def test_the_expected_of_several_host_keys_is_asked_for(dial: Any, keys: Any, tmp_path: Path) -> None:
    rsa = asyncssh.generate_private_key("ssh-rsa", key_size=3072)
    rsa.write_private_key(tmp_path / "rsa")
    both = [str(keys.file("host")), str(tmp_path / "rsa")]
    async with ssh_server(keys, server_host_keys=both, session_factory=lambda *_: None, encoding=None) as port:
        for host_key in (keys.host, public_text(rsa)):
            client = await dial(port, host_key=host_key)
            client.link.close()
            await client.lost()


async def test_an_rsa_host_key_is_not_proved_by_sha_1(dial: Any, keys: Any, tmp_path: Path, recorder: Any) -> None:
    rsa = asyncssh.generate_private_key("ssh-rsa", key_size=3072)
    async with ssh_server(keys, server_host_keys=[rsa], signature_algs=["ssh-rsa"]) as port:
        message = await failure(dial, port, HostKeyError, receiver=recorder())
    assert fingerprint(public_text(rsa)) in message


async def test_nothing_of_the_machine_has_a_say(
    serve: Any, dial: Any, keys: Any, echo: Any, recorder: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home folder that trusts another key, redirects all hosts and offers the right key for logging in."""
    listener = await serve(echo)
    home = tmp_path / ".ssh"
    home.mkdir(mode=0o700)
    (home / "config").write_text(
        "Host *\n  Port 1\n  User root\n  HostKeyAlgorithms ssh-rsa\n  ProxyCommand false\n"
    )
    (home / "known_hosts").write_text(f"[127.0.0.1]:{listener.port} {keys.host}\n")
    (home / "id_ed25519").write_bytes(keys.file("noc").read_bytes())
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    client = await dial(listener)
    client.link.write(b"x")
    await client.heard(b"x")
    await failure(dial, listener.port, HostKeyError, host_key=keys.other, receiver=recorder())
    wrong = keys.file("other")
    await failure(dial, listener.port, LoginRefusedError, client_key_file=wrong, receiver=recorder())


# Who does not let the client in


@pytest.mark.parametrize("changes", [{"username": "root"}, {"client_key_file": "other"}], ids=str)
async def test_a_refused_login(
    serve: Any, dial: Any, keys: Any, echo: Any, recorder: Any, changes: dict[str, Any]
) -> None:
    listener = await serve(echo)
    username = changes.get("username", "noc")
    shown = keys.other if "client_key_file" in changes else keys.noc
    if "client_key_file" in changes:
        changes = {"client_key_file": keys.file("other")}
    message = await failure(dial, listener.port, LoginRefusedError, receiver=recorder(), **changes)
    assert f"refuses user '{username}' with key {fingerprint(shown)}" in message


async def test_no_client_key(dial: Any, tmp_path: Path, recorder: Any) -> None:
    missing = tmp_path / "missing"
    message = await failure(dial, free_port(), InputError, client_key_file=missing, receiver=recorder())
    assert message == f"{missing}: the private key cannot be read: No such file or directory"


async def test_ssh_without_netconf(dial: Any, keys: Any, recorder: Any) -> None:
    async with ssh_server(keys) as port:
        message = await failure(dial, port, LoginRefusedError, receiver=recorder())
    assert "grants no netconf subsystem" in message
    assert "NETCONF port" in message


# What is not there


async def test_nothing_listens(dial: Any, recorder: Any) -> None:
    assert "nothing listens there" in await failure(dial, free_port(), UnreachableError, receiver=recorder())


async def test_a_name_that_does_not_exist(keys: Any, recorder: Any) -> None:
    # No resolver is asked for an address whose zone is no interface of this machine.
    with pytest.raises(UnreachableError, match=r"^\[?fe80::1%nowhere\]?:830: the name cannot be resolved"):
        await connect(
            "fe80::1%nowhere", 830, username="noc", client_key_file=keys.file("noc"), host_key=keys.host,
            receiver=recorder(),
        )  # fmt: skip


async def test_a_peer_that_says_nothing(dial: Any, recorder: Any) -> None:
    async with tcp_server(b"", hang_up=False) as port:
        message = await failure(dial, port, UnreachableError, timeout_s=0.3, receiver=recorder())
    assert "no session within 0.3 s: what listens there does not speak SSH" in message


async def test_a_peer_that_falls_silent(dial: Any, recorder: Any) -> None:
    async with tcp_server(b"SSH-2.0-x\r\n", hang_up=False) as port:
        message = await failure(dial, port, UnreachableError, timeout_s=0.3, receiver=recorder())
    assert "no session within 0.3 s: the login did not come to its end" in message


@pytest.mark.parametrize("hang_up", [True, False])
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (b"", "does not speak SSH"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak SSH"),
        (b"\x1b]0;title\x07" * 2000, "does not speak SSH"),
        (b"\n" * 5000, "does not speak SSH"),
        (b"SSH-1.5-old\r\n", "does not speak SSH"),
        (b"SSH-2.0-\xff\xfe\r\n", "SSH"),
        (b"SSH-2.0-x\r\n" + b"\xff" * 5000, "the login did not come to its end"),
        (b"SSH-2.0-x\r\n", "the login did not come to its end"),
    ],
)
async def test_a_peer_that_speaks_garbage(
    dial: Any, recorder: Any, words: bytes, reason: str, hang_up: bool
) -> None:
    async with tcp_server(words, hang_up) as port:
        assert reason in await failure(dial, port, UnreachableError, timeout_s=1, receiver=recorder())


@pytest.mark.parametrize(
    "old",
    [{"kex_algs": ["diffie-hellman-group14-sha1"]}, {"encryption_algs": ["aes128-cbc"]}],
    ids=str,
)
async def test_a_peer_with_old_algorithms(dial: Any, keys: Any, recorder: Any, old: dict[str, Any]) -> None:
    async with ssh_server(keys, **old) as port:
        assert "no safe SSH can be agreed on" in await failure(dial, port, UnreachableError, receiver=recorder())


# How it ends


async def test_the_server_closes(serve: Any, dial: Any, recorder: Any) -> None:
    receiver = recorder()
    client = await dial(await serve(lambda: receiver))
    receiver.link.write(b"last words")
    receiver.link.close()
    assert await client.lost() is None
    assert bytes(client.data) == b"last words"
    assert client.calls == ["made", "data", "lost"]


async def test_the_client_closes(serve: Any, dial: Any, recorder: Any) -> None:
    receiver = recorder()
    client = await dial(await serve(lambda: receiver))
    client.link.write(b"last words")
    client.link.close()
    client.link.close()
    client.link.write(b"lost words")
    assert await client.lost() is None
    assert await receiver.lost() is None
    assert bytes(receiver.data) == b"last words"
    assert (client.calls, receiver.calls) == (["made", "lost"], ["made", "data", "lost"])


async def test_a_cut_line_is_noticed_at_both_ends(serve: Any, dial: Any, recorder: Any, relay: Any) -> None:
    receiver = recorder()
    listener = await serve(lambda: receiver)
    async with relay(listener.port) as line:
        client = await dial(line.port)
        line.cut()
        for end in (client, receiver):
            assert isinstance(await end.lost(), SessionLostError)
            assert end.calls == ["made", "lost"]


async def test_a_dead_line_is_noticed_by_silence(serve: Any, dial: Any, recorder: Any, relay: Any) -> None:
    receiver = recorder()
    listener = await serve(lambda: receiver, limits=Limits(keepalive_s=0.05))
    async with relay(listener.port) as line:
        client = await dial(line.port, keepalive_s=0.05)
        line.flows.clear()
        for end in (client, receiver):
            assert isinstance(await end.lost(), SessionLostError)
            assert end.calls == ["made", "lost"]


# Holding back


async def test_a_client_that_does_not_read_makes_the_server_wait(serve: Any, dial: Any, recorder: Any) -> None:
    receiver = recorder()
    client = await dial(await serve(lambda: receiver))
    client.link.pause_reading()
    pieces = [bytes([number]) * 100_000 for number in range(100)]
    for piece in pieces:
        receiver.link.write(piece)
    await receiver.until(lambda: "pause" in receiver.calls)
    assert client.calls == ["made"]
    client.link.resume_reading()
    await client.heard(b"".join(pieces))
    await receiver.until(lambda: "resume" in receiver.calls)
    assert receiver.calls == ["made", "pause", "resume"]


async def test_a_server_that_does_not_read_makes_the_client_wait(serve: Any, dial: Any, recorder: Any) -> None:
    receiver = recorder()
    client = await dial(await serve(lambda: receiver))
    receiver.link.pause_reading()
    for _ in range(100):
        client.link.write(bytes(100_000))
    await client.until(lambda: "pause" in client.calls)
    assert receiver.calls == ["made"]
    receiver.link.resume_reading()
    await receiver.until(lambda: len(receiver.data) == 10_000_000)
    await client.until(lambda: "resume" in client.calls)


async def test_a_window_of_2_gib_does_not_make_the_server_keep_2_gib(
    serve: Any, keys: Any, recorder: Any, relay: Any
) -> None:
    """SSH's window is the peer's word; the socket's buffer is what we would have to keep."""
    receiver = recorder()
    listener = await serve(lambda: receiver)
    async with relay(listener.port) as line:
        connection = await asyncssh.connect(
            "127.0.0.1", line.port, username="noc", client_keys=[str(keys.file("noc"))], known_hosts=None,
            config=None, agent_path=None,
        )  # fmt: skip
        await connection.create_session(
            asyncssh.SSHClientSession, subsystem="netconf", encoding=None, window=2**31
        )
        line.flows.clear()
        written = 0
        while "pause" not in receiver.calls and written < 256 * 2**20:
            receiver.link.write(bytes(2**16))
            written += 2**16
            await asyncio.sleep(0)
        assert written < 64 * 2**20
        assert receiver.calls == ["made", "pause"]
        line.flows.set()
        await receiver.until(lambda: "resume" in receiver.calls)
        connection.abort()
        await connection.wait_closed()


async def test_closing_a_link_that_the_peer_does_not_read_still_ends_it(
    serve: Any, dial: Any, recorder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sdqkd.transport.socket_link._CLOSE_TIMEOUT_S", 0.1)
    receiver = recorder()
    client = await dial(await serve(lambda: receiver))
    client.link.pause_reading()
    receiver.link.write(bytes(10_000_000))
    receiver.link.close()
    assert await receiver.lost() is None
    assert receiver.calls.count("lost") == 1
    client.link.resume_reading()
    await client.lost()
