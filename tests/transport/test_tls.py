"""NETCONF over TLS, both ends: who is let in, what a peer learns that is not, and how a session ends."""

import asyncio
import contextlib
import datetime
import logging
import socket
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.transport.certificates import DAY, NOW, Issued, issue
from tests.transport.peers import tcp_server

from sdqkd.errors import (
    HostKeyError,
    InputError,
    LoginRefusedError,
    SessionLostError,
    TransportError,
    UnreachableError,
)
from sdqkd.transport import tls_context
from sdqkd.transport.admission import Gate, Limits
from sdqkd.transport.cert_names import CertToName, MapType
from sdqkd.transport.door import Listener
from sdqkd.transport.socket_link import Patience
from sdqkd.transport.tls_client import Trust, connect
from sdqkd.transport.tls_context import Identity
from sdqkd.transport.tls_server import listen

PATIENCE_S = 20.0
AT_ONCE_S = 10.0  # far less than the 30 s after which silent connections make room by themselves
YESTERDAY = NOW - datetime.timedelta(hours=1)


@dataclass(frozen=True)
class Company:
    """A root, and certificates for a device and for the NOC."""

    folder: Path
    root: Issued
    device: Issued
    noc: Issued

    def issue(self, name: str, **options: Any) -> Issued:
        return issue(self.folder, name, options.pop("issuer", self.root), **options)


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    folder = tmp_path_factory.mktemp("company")
    root = issue(folder, "root", authority=True)
    device = issue(folder, "device", root, alternatives=("127.0.0.1", "device.example"), purpose="server")
    noc = issue(folder, "noc", root, alternatives=("ann@example.com",), purpose="client")
    return Company(folder, root, device, noc)


Start = Callable[..., Awaitable[Any]]


@pytest.fixture
async def serve_tls(company: Company) -> AsyncIterator[Start]:
    """Start servers that take the root's word and the common name as user."""
    listeners: list[Listener] = []

    async def start(make_receiver: Callable[[], Any], **options: Any) -> Listener:
        identity = options.pop("identity", company.device.identity)
        trust = options.pop("trust", company.root.file)
        names = options.pop("names", [CertToName(company.root.fingerprint, MapType.COMMON_NAME)])
        listener = await listen("127.0.0.1", 0, identity, trust, names, make_receiver, **options)
        listeners.append(listener)
        return listener

    yield start
    for listener in listeners:
        await listener.close()


@pytest.fixture
def dial_tls(company: Company, recorder: Any) -> Start:
    async def start(listener: Listener | int, receiver: Any = None, **changes: Any) -> Any:
        receiver = receiver or recorder()
        settings: dict[str, Any] = {
            "identity": company.noc.identity,
            "trust": Trust(issuers=company.root.file),
            "timeout_s": PATIENCE_S,
        }
        port = listener if isinstance(listener, int) else listener.port
        link = await connect("127.0.0.1", port, receiver=receiver, **(settings | changes))
        assert link is receiver.link
        return receiver

    return start


async def failure(dial_tls: Start, port: Any, kind: type[Exception], receiver: Any, **changes: Any) -> str:
    """Give the message of the one error that connecting must raise."""
    with pytest.raises(kind) as caught:
        await dial_tls(port, receiver, **changes)
    assert type(caught.value) is kind
    assert receiver.calls == []
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.fixture
def greeter(echo: Any) -> Callable[[], Any]:
    return lambda: echo(b"hello")


# Who is let in


async def test_a_session(serve_tls: Start, dial_tls: Start, echo: Any) -> None:
    made: list[Any] = []
    listener = await serve_tls(lambda: made.append(echo(b"hello")) or made[-1])
    client = await dial_tls(listener)
    await client.heard(b"hello")
    client.link.write(b"x" * 100_000)
    await client.heard(b"hello" + b"x" * 100_000)
    assert made[0].link.username == "noc"
    assert made[0].link.peer.startswith("127.0.0.1:")
    tls = made[0].link._wire.tls
    assert tls.version() == "TLSv1.3"
    client.link.close()
    client.link.close()
    client.link.write(b"lost words")
    assert await client.lost() is None
    assert await made[0].lost() is None
    assert made[0].calls.count("lost") == client.calls.count("lost") == 1


async def test_the_server_closes(serve_tls: Start, dial_tls: Start, recorder: Any) -> None:
    receiver = recorder(b"hello")
    client = await dial_tls(await serve_tls(lambda: receiver))
    receiver.link.write(b"last words")
    receiver.link.close()
    assert await client.lost() is None
    assert await receiver.lost() is None
    assert bytes(client.data) == b"hellolast words"


async def test_tls_1_2(serve_tls: Start, dial_tls: Start, greeter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = await serve_tls(greeter)
    monkeypatch.setattr("sdqkd.transport.tls_client.client_context", _at_most(ssl.TLSVersion.TLSv1_2))
    client = await dial_tls(listener)
    assert client.link._wire.tls.version() == "TLSv1.2"
    assert client.link._wire.tls.cipher()[0].startswith("ECDHE-")
    await client.heard(b"hello")


def _at_most(version: ssl.TLSVersion) -> Callable[..., ssl.SSLContext]:
    make = tls_context.client_context

    def client_context(*arguments: Any) -> ssl.SSLContext:
        context = make(*arguments)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            context.minimum_version = context.maximum_version = version
        context.set_ciphers("ALL:@SECLEVEL=0")
        return context

    return client_context


async def test_an_older_tls_is_refused(
    serve_tls: Start, dial_tls: Start, greeter: Any, recorder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = await serve_tls(greeter)
    monkeypatch.setattr("sdqkd.transport.tls_client.client_context", _at_most(ssl.TLSVersion.TLSv1_1))
    message = await failure(dial_tls, listener, UnreachableError, recorder())
    assert "no TLS can be agreed on: it speaks no TLS of version 1.2 or later" in message


@pytest.mark.parametrize(
    ("entry", "user"),
    [
        (lambda c: CertToName(c.noc.fingerprint, MapType.SPECIFIED, "fred"), "fred"),
        (lambda c: CertToName(c.root.fingerprint, MapType.SAN_RFC822_NAME), "ann@example.com"),
        (lambda c: CertToName(c.noc.fingerprint, MapType.COMMON_NAME), "noc"),
    ],
)
async def test_whom_a_certificate_stands_for(
    serve_tls: Start, dial_tls: Start, company: Company, recorder: Any, entry: Any, user: str
) -> None:
    receiver = recorder(b"hello")
    listener = await serve_tls(lambda: receiver, names=[entry(company)], users={"fred", "ann@example.com", "noc"})
    await dial_tls(listener)
    assert receiver.link.username == user


async def test_an_issuer_between(serve_tls: Start, dial_tls: Start, company: Company, recorder: Any) -> None:
    """The client sends the certificate between its own and the root, whose fingerprint the server knows."""
    between = company.issue("between", authority=True)
    client = company.issue("fred", issuer=between)
    receiver = recorder(b"hello")
    names = [CertToName(between.fingerprint, MapType.COMMON_NAME)]
    listener = await serve_tls(lambda: receiver, names=names)
    await dial_tls(listener, identity=client.identity)
    assert receiver.link.username == "fred"


async def test_certificates_that_nobody_issued(
    serve_tls: Start, dial_tls: Start, company: Company, recorder: Any
) -> None:
    """Both sides know the other's very certificate: the server by file, the client by fingerprint."""
    device = company.issue("lonely-device", issuer=None)
    noc = company.issue("lonely-noc", issuer=None)
    receiver = recorder(b"hello")
    names = [CertToName(noc.fingerprint, MapType.SPECIFIED, "noc")]
    listener = await serve_tls(lambda: receiver, identity=device.identity, trust=noc.file, names=names)
    await dial_tls(listener, identity=noc.identity, trust=Trust(fingerprint=str(device.fingerprint)))
    assert receiver.link.username == "noc"


# Who is not let in


async def test_a_certificate_without_a_user(
    serve_tls: Start, dial_tls: Start, company: Company, greeter: Any, recorder: Any, caplog: Any
) -> None:
    for options, reason in (
        ({"names": []}, f"its certificate {company.noc.fingerprint} is no user's"),
        ({"users": {"fred"}}, "there is no user 'noc'"),
    ):
        gate = Gate()
        listener = await serve_tls(greeter, gate=gate, **options)
        message = await failure(dial_tls, listener, LoginRefusedError, recorder())
        assert "ends the session at once: our certificate is no user's there" in message
        assert reason in caplog.text
        await listener.close()
        assert gate.waiting == 0


@pytest.mark.parametrize(
    ("options", "ours", "theirs"),
    [
        ({"ends": YESTERDAY, "begins": NOW - 9 * DAY}, "it has expired", "has expired"),
        ({"begins": NOW + DAY, "ends": NOW + 9 * DAY}, "it finds it bad", "is not valid yet"),
        ({"issuer": None}, "it does not trust who issued it", "is signed by itself"),
        ({"purpose": "server"}, "it is not made for this purpose", "is not made for this purpose"),
    ],
    ids=["expired", "early", "stranger", "purpose"],
)
async def test_a_client_certificate_that_is_refused(
    serve_tls: Start, dial_tls: Start, company: Company, greeter: Any, recorder: Any, options: Any, ours: str,
    theirs: str, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO)
    client = company.issue("client", **options)
    listener = await serve_tls(greeter)
    message = await failure(dial_tls, listener, LoginRefusedError, recorder(), identity=client.identity)
    assert f"refuses our certificate: {ours}" in message
    await listener.close()
    assert f"did not log in: its certificate {theirs}" in caplog.text


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"ends": YESTERDAY, "begins": NOW - 9 * DAY}, "has expired"),
        ({"issuer": None}, "is signed by itself, and is not among those that are trusted"),
        ({"alternatives": ("127.0.0.2",)}, "is for another address than '127.0.0.1'"),
        ({"alternatives": ("other.example",)}, "is for another address than '127.0.0.1'"),
        ({"alternatives": (), "common_names": ("127.0.0.1",)}, "is for another address than '127.0.0.1'"),
        ({"purpose": "client"}, "is not made for this purpose"),
    ],
    ids=["expired", "stranger", "address", "name", "common name", "purpose"],
)
async def test_a_device_that_is_not_trusted(
    serve_tls: Start, dial_tls: Start, company: Company, greeter: Any, recorder: Any, options: Any, fault: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO)
    device = company.issue("strange-device", **({"alternatives": ("127.0.0.1",)} | options))
    listener = await serve_tls(greeter, identity=device.identity)
    message = await failure(dial_tls, listener, HostKeyError, recorder())
    assert message == f"127.0.0.1:{listener.port}: the device's certificate {fault}"
    await listener.close()
    assert "did not log in: it refuses our certificate" in caplog.text


async def test_another_name_than_the_address(
    serve_tls: Start, dial_tls: Start, company: Company, greeter: Any, recorder: Any
) -> None:
    listener = await serve_tls(greeter)
    await dial_tls(listener, trust=Trust(issuers=company.root.file, name="device.example"))
    wrong = Trust(issuers=company.root.file, name="other.example")
    message = await failure(dial_tls, listener, HostKeyError, recorder(), trust=wrong)
    assert "is for another name than 'other.example'" in message


async def test_a_fingerprint_is_of_one_certificate(
    serve_tls: Start, dial_tls: Start, company: Company, greeter: Any, recorder: Any
) -> None:
    listener = await serve_tls(greeter)
    wrong = Trust(fingerprint=str(company.root.fingerprint))
    message = await failure(dial_tls, listener, HostKeyError, recorder(), trust=wrong)
    assert f"certificate {company.device.fingerprint}, but {company.root.fingerprint} is expected" in message


async def test_a_known_certificate_expires_too(
    serve_tls: Start, dial_tls: Start, company: Company, greeter: Any, recorder: Any
) -> None:
    old = company.issue("old", ends=YESTERDAY, begins=NOW - 9 * DAY)
    listener = await serve_tls(greeter, identity=old.identity)
    trust = Trust(fingerprint=str(old.fingerprint))
    message = await failure(dial_tls, listener, HostKeyError, recorder(), trust=trust)
    assert f"the device's certificate expired on {YESTERDAY:%Y-%m-%d}" in message


async def test_no_client_certificate(serve_tls: Start, company: Company, greeter: Any, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    listener = await serve_tls(greeter)
    context = ssl.create_default_context(cafile=company.root.file)
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port, ssl=context)
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"):
        await reader.read()
    writer.transport.abort()
    await listener.close()
    assert "did not log in: it shows no certificate" in caplog.text


# What is not there


@pytest.mark.parametrize(
    ("words", "hang_up", "reason"),
    [
        (b"", False, "no session within 0.5 s: what listens there speaks no TLS"),
        (b"", True, "hung up"),
        (b"SSH-2.0-sdqkd\r\n", False, "it does not speak TLS"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False, "it does not speak TLS"),
        (b"\x16\x03\x03\x40\x00", False, "no session within 0.5 s: the handshake did not come to its end"),
        (b"\x00" * 100, False, "it does not speak TLS"),
    ],
)
async def test_a_peer_without_tls(
    dial_tls: Start, recorder: Any, words: bytes, hang_up: bool, reason: str
) -> None:
    async with tcp_server(words, hang_up) as port:
        message = await failure(dial_tls, port, UnreachableError, recorder(), timeout_s=0.5)
    assert message.startswith(f"127.0.0.1:{port}: ")
    assert reason in message


async def test_nothing_listens(dial_tls: Start, recorder: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert "nothing listens there" in await failure(dial_tls, port, UnreachableError, recorder())


@pytest.mark.parametrize(
    "garbage",
    [b"GET / HTTP/1.1\r\n\r\n", b"SSH-2.0-x\r\n", b"\x00" * 10_000, b"\x16\x03\x01\x02\x00\x01" + b"\xff" * 600],
)
async def test_garbage_hurts_nobody_else(
    serve_tls: Start, dial_tls: Start, greeter: Any, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    listener = await serve_tls(greeter)
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(garbage)
    async with asyncio.timeout(PATIENCE_S):
        with contextlib.suppress(ConnectionError):
            await reader.read()
    writer.close()
    client = await dial_tls(listener)
    await client.heard(b"hello")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_silent_connections_make_room(serve_tls: Start, dial_tls: Start, greeter: Any) -> None:
    gate = Gate(Limits(max_waiting_per_source=20))
    listener = await serve_tls(greeter, gate=gate)
    silent = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(100)]
    async with asyncio.timeout(AT_ONCE_S):
        client = await dial_tls(listener)
        await client.heard(b"hello")
    assert gate.waiting <= 20
    async with asyncio.timeout(PATIENCE_S):
        for reader, _ in silent[:80]:
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
    for _, writer in silent:
        writer.close()


async def test_who_stays_silent_is_cut_off(serve_tls: Start, greeter: Any) -> None:
    gate = Gate(Limits(login_timeout_s=0.3))
    listener = await serve_tls(greeter, gate=gate)
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    async with asyncio.timeout(PATIENCE_S):
        assert await reader.read() == b""
    assert gate.waiting == 0
    writer.close()


async def test_places_are_shared_with_other_ports(
    serve_tls: Start, dial_tls: Start, serve: Any, dial: Any, greeter: Any, recorder: Any, caplog: Any
) -> None:
    gate = Gate(Limits(max_sessions_per_user=2))
    over_tls, over_ssh = await serve_tls(greeter, gate=gate), await serve(greeter, gate=gate)
    first = await dial_tls(over_tls)
    await dial(over_ssh)
    await failure(dial_tls, over_tls, LoginRefusedError, recorder())
    assert "user 'noc' has 2 sessions, as many as one user may have" in caplog.text
    first.link.close()
    await first.lost()
    await dial_tls(over_tls)


async def test_a_receiver_that_cannot_be_made(
    serve_tls: Start, dial_tls: Start, recorder: Any, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    listener = await serve_tls(lambda: 1 / 0, gate=gate)
    await failure(dial_tls, listener, LoginRefusedError, recorder())
    assert "ZeroDivisionError" in caplog.text
    await listener.close()
    assert gate._places.total() == 0


# How it ends


async def test_a_cut_line_is_noticed_at_both_ends(
    serve_tls: Start, dial_tls: Start, recorder: Any, relay: Any
) -> None:
    receiver = recorder(b"hello")
    listener = await serve_tls(lambda: receiver)
    async with relay(listener.port) as line:
        client = await dial_tls(line.port)
        line.cut()
        for end in (client, receiver):
            assert isinstance(await end.lost(), SessionLostError)
            assert end.calls.count("lost") == 1
            end.link.write(b"x")
            end.link.close()


async def test_an_end_without_a_good_bye_is_a_loss(serve_tls: Start, company: Company, recorder: Any) -> None:
    receiver = recorder(b"hello")
    listener = await serve_tls(lambda: receiver)
    context = ssl.create_default_context(cafile=company.root.file)
    context.load_cert_chain(company.noc.identity.certificate_file, company.noc.identity.key_file)
    with socket.create_connection(("127.0.0.1", listener.port)) as sock:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
        await asyncio.to_thread(_shake, tls, sock, incoming, outgoing)
    assert "ended without a good-bye" in str(await receiver.lost())


def _shake(tls: ssl.SSLObject, sock: socket.socket, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> None:
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            sock.sendall(outgoing.read())
            incoming.write(sock.recv(65536))
        else:
            sock.sendall(outgoing.read())
            sock.recv(65536)
            return


async def test_closing_the_server_ends_its_sessions(serve_tls: Start, dial_tls: Start, recorder: Any) -> None:
    receiver = recorder(b"hello")
    listener = await serve_tls(lambda: receiver)
    client = await dial_tls(listener)
    silent = await asyncio.open_connection("127.0.0.1", listener.port)
    await listener.close()
    await listener.close()
    assert receiver.losses == [None]
    assert await client.lost() is None
    silent[1].close()


async def test_a_receiver_that_fails_takes_only_its_link_with_it(
    serve_tls: Start, dial_tls: Start, echo: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(echo):  # type: ignore[misc]
        def data_received(self, data: bytes) -> None:
            if data == b"bad":
                raise ValueError("sec" + "ret")
            super().data_received(data)

    listener = await serve_tls(lambda: Failing(b"hello"))
    good, bad = await dial_tls(listener), await dial_tls(listener)
    bad.link.write(b"bad")
    await bad.lost()
    good.link.write(b"good")
    await good.heard(b"hellogood")
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


# Holding back


async def test_a_client_that_does_not_read_makes_the_server_wait(
    serve_tls: Start, dial_tls: Start, recorder: Any
) -> None:
    receiver = recorder(b"hello")
    client = await dial_tls(await serve_tls(lambda: receiver))
    await client.heard(b"hello")
    client.link.pause_reading()
    pieces = [bytes([number]) * 100_000 for number in range(200)]
    for piece in pieces:
        receiver.link.write(piece)
    await receiver.until(lambda: "pause" in receiver.calls)
    client.link.resume_reading()
    await client.heard(b"hello" + b"".join(pieces))
    await receiver.until(lambda: "resume" in receiver.calls)
    assert receiver.calls == ["made", "pause", "resume"]


async def test_a_server_that_does_not_read_makes_the_client_wait(
    serve_tls: Start, dial_tls: Start, recorder: Any
) -> None:
    receiver = recorder(b"hello")
    client = await dial_tls(await serve_tls(lambda: receiver))
    receiver.link.pause_reading()
    for _ in range(200):
        client.link.write(bytes(100_000))
    await client.until(lambda: "pause" in client.calls)
    assert receiver.calls == ["made"]
    receiver.link.resume_reading()
    await receiver.until(lambda: len(receiver.data) == 20_000_000)
    await client.until(lambda: "resume" in client.calls)


async def test_who_reads_nothing_is_cut_off(serve_tls: Start, dial_tls: Start, recorder: Any, relay: Any) -> None:
    receiver = recorder(b"hello")
    listener = await serve_tls(lambda: receiver, limits=Limits(patience=Patience(unread_timeout_s=0.2)))
    async with relay(listener.port) as line:
        client = await dial_tls(line.port)
        line.flows.clear()
        receiver.link.write(bytes(30_000_000))
        assert str(await receiver.lost()).endswith(": the peer has read nothing for 0.2 s")
        line.flows.set()
        assert isinstance(await client.lost(), SessionLostError)


async def test_closing_a_link_that_the_peer_does_not_read_still_ends_it(
    serve_tls: Start, dial_tls: Start, recorder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sdqkd.transport.socket_link._CLOSE_TIMEOUT_S", 0.1)
    receiver = recorder(b"hello")
    client = await dial_tls(await serve_tls(lambda: receiver))
    client.link.pause_reading()
    receiver.link.write(bytes(30_000_000))
    receiver.link.close()
    assert await receiver.lost() is None
    client.link.resume_reading()
    await client.lost()


# Files


async def test_files_that_cannot_be_used(company: Company, greeter: Any, tmp_path: Path) -> None:
    good = company.device.identity
    key_open = tmp_path / "open.key"
    key_open.write_bytes(good.key_file.read_bytes())
    key_open.chmod(0o640)
    broken = tmp_path / "broken"
    broken.write_text("-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n")
    broken.chmod(0o600)
    for identity, trust, reason in (
        (Identity(good.certificate_file, key_open), company.root.file, "others can read this private key"),
        (Identity(good.certificate_file, tmp_path / "x"), company.root.file, "the private key cannot be read"),
        (Identity(good.certificate_file, broken), company.root.file, "no private key in PEM form"),
        (Identity(tmp_path / "x", good.key_file), company.root.file, "the certificate cannot be read"),
        (Identity(broken, good.key_file), company.root.file, "no certificate in PEM form"),
        (Identity(good.certificate_file, company.noc.identity.key_file), company.root.file, "not the key of"),
        (good, tmp_path / "x", "the certificate cannot be read"),
        (good, broken, "no certificate in PEM form"),
    ):
        with pytest.raises(InputError) as caught:
            await listen("127.0.0.1", 0, identity, trust, [], greeter)
        assert reason in str(caught.value)
        assert "secret" not in str(caught.value)


async def test_an_encrypted_key(company: Company, greeter: Any, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    key = tmp_path / "key"
    key.touch(0o600)
    encryption = BestAvailableEncryption(b"x")
    key.write_bytes(company.device.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    identity = Identity(company.device.file, key)
    with pytest.raises(InputError, match="the private key is encrypted"):
        await listen("127.0.0.1", 0, identity, company.root.file, [], greeter)


async def test_an_expired_certificate_of_our_own_is_told(
    serve_tls: Start, company: Company, greeter: Any, caplog: pytest.LogCaptureFixture
) -> None:
    old = company.issue("old", ends=YESTERDAY, begins=NOW - 9 * DAY)
    await serve_tls(greeter, identity=old.identity)
    assert "this certificate expired on" in caplog.text


async def test_a_port_in_use(serve_tls: Start, company: Company, greeter: Any) -> None:
    listener = await serve_tls(greeter)
    with pytest.raises(TransportError, match="another program listens there"):
        await listen("127.0.0.1", listener.port, company.device.identity, company.root.file, [], greeter)


@pytest.mark.parametrize("trust", [{}, {"issuers": Path("x"), "fingerprint": "04:AB"}])
def test_trust_is_one_of_two(trust: Any) -> None:
    with pytest.raises(InputError, match="by issuers or by a fingerprint"):
        Trust(**trust)
