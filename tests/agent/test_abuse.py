"""What a logged-in client can do to an agent over real SSH: it is answered or cut off, costs little, and an honest
client is served within a second meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.agent.child import Child
from tests.agent.raw_ssh import GET, HELLO, RawSsh, connect

from sdqkd.netconf.framing import frame_chunks
from sdqkd.netconf.messages import build_rpc
from sdqkd.netconf.xml import BASE
from sdqkd.transport.keys import make_key_pair

LIMIT_BYTES = 16 * 2**20
NODE = "urn:etsi:qkd:yang:etsi-qkd-node"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    (tmp_path / "client.pub").write_text(make_key_pair(tmp_path / "client"))
    children: list[Child] = []

    def serve(**limits: float) -> Child:
        children.append(Child(tmp_path, **limits))
        return children[-1]

    yield serve
    for child in children:
        child.kill()


@pytest.fixture
async def child(serve: Callable[..., Child]) -> Child:
    return serve()


@asynccontextmanager
async def client(child: Child, *, greet: bool = True) -> AsyncIterator[RawSsh]:
    session = await connect(child, greet=greet)
    try:
        yield session
    finally:
        session.connection.abort()
        await session.connection.wait_closed()


@asynccontextmanager
async def asking(child: Child, *sessions: Any) -> AsyncIterator[None]:
    """Somebody asks again and again in each of the sessions, and never waits long."""

    async def ask_on(session: Any) -> None:
        while True:
            with child.serves_at_once():
                await session.ask()
            await asyncio.sleep(0.01)

    for session in sessions:
        await session.ask()
    tasks = [asyncio.create_task(ask_on(session)) for session in sessions]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert [end for end in ends if not isinstance(end, asyncio.CancelledError)] == []


@asynccontextmanager
async def honest_client(child: Child) -> AsyncIterator[None]:
    """Somebody who asks again and again, and must never wait long."""
    async with client(child) as session:
        async with asking(child, session):
            yield
        # Whatever it was that happened: a new client logs in and is served.
        with child.serves_at_once():
            async with client(child) as newcomer:
                await newcomer.ask()


def tags(reply: object) -> list[str]:
    return [tag.text for tag in reply.iter(f"{{{BASE}}}error-tag")]  # type: ignore[attr-defined]


def rpc(inside: str, attributes: str = "") -> bytes:
    return frame_chunks(f'<rpc xmlns="{BASE}" message-id="1" {attributes}>{inside}</rpc>'.encode())


def edit(inside: str) -> str:
    config = f'<config><qkd_node xmlns="{NODE}">{inside}</qkd_node></config>'
    return f"<edit-config><target><candidate/></target>{config}</edit-config>"


BOMB = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "x"}">' for n in range(10))
REFUSED = {
    "20,000 levels": (frame_chunks(b"<a>" * 20_000 + b"</a>" * 20_000), "malformed-message"),
    "a bomb of entities": (frame_chunks(f"<!DOCTYPE a [{BOMB}]><a>&a9;</a>".encode()), "malformed-message"),
    "no UTF-8": (frame_chunks(b"<rpc>\xff\xfe</rpc>"), "malformed-message"),
    "a text of 12 MB": (
        rpc(edit(f"<qkdn_location_id>{'x' * 12_000_000}</qkdn_location_id>")),
        "malformed-message",
    ),
    "a million elements": (rpc("<a/>" * 1_100_000), "too-big"),
    "300,000 attributes": (rpc("<get/>", " ".join(f'a{n}=""' for n in range(300_000))), "too-big"),
    "300,000 namespaces": (rpc("<get/>", " ".join(f'xmlns:a{n}="b"' for n in range(300_000))), "too-big"),
    "6 MB of foreign elements": (rpc(edit('<a xmlns="b"/>' * 400_000)), "unknown-namespace"),
    "an expensive filter": (
        rpc(
            f'<get><filter><qkd_node xmlns="{NODE}">'
            + "<qkd_interfaces><qkd_interface><qkdi_model/></qkd_interface></qkd_interfaces>" * 150_000
            + "</qkd_node></filter></get>"
        ),
        "resource-denied",
    ),
    "100,000 mistakes to be found one by one": (
        rpc(
            edit('<qkd_interfaces xmlns:a="urn:a">' + "<a:b/>" * 100_000 + "</qkd_interfaces>").replace(
                "<config>", "<error-option>continue-on-error</error-option><config>"
            )
        ),
        "resource-denied",
    ),
}


@pytest.mark.parametrize("abuse", REFUSED)
async def test_what_is_too_much_is_refused_and_the_session_lives(child: Child, abuse: str) -> None:
    message, tag = REFUSED[abuse]
    before_mib = child.resident_mib
    async with honest_client(child), client(child) as abuser:
        abuser.send(message)
        assert tags(await abuser.reply()) == [tag]
        assert tags(await abuser.ask()) == []
    assert child.resident_mib - before_mib < 300


async def test_a_leaf_of_6_mib_is_taken_and_given_back(child: Child) -> None:
    text = "x" * (6 * 2**20)
    async with honest_client(child), client(child) as session:
        session.send(rpc(edit(f"<qkdn_location_id>{text}</qkdn_location_id>")))
        assert tags(await session.reply()) == []
        session.send(rpc("<get-config><source><candidate/></source></get-config>"))
        assert (await session.reply()).findtext(f".//{{{NODE}}}qkdn_location_id") == text
        session.send(rpc("<discard-changes/>"))
        assert tags(await session.reply()) == []
        session.send(rpc("<get><filter/></get>"))
        await session.reply()


FATAL = {
    "a message of 20 MB": b"\n#20000000\n",
    "a chunk of 4 GB": b"\n#4294967295\n",
    "chunks that are too much together": b"\n#%d\n" % LIMIT_BYTES + b" " * LIMIT_BYTES + b"\n#1\n ",
    "a chunk of no size": b"\n#0\n",
    "no chunk": b"<rpc/>]]>]]>",
}


@pytest.mark.parametrize("abuse", FATAL)
async def test_what_cannot_be_followed_ends_the_session(child: Child, abuse: str) -> None:
    before_mib = child.resident_mib
    async with honest_client(child), client(child) as abuser:
        await abuser.ask()
        abuser.send(FATAL[abuse])
        assert await abuser.is_closed()
    assert child.resident_mib - before_mib < 100


async def test_a_hello_without_end_is_cut_off(child: Child) -> None:
    async with honest_client(child), client(child, greet=False) as abuser:
        abuser.send(HELLO.partition(b"</capabilities>")[0] + b"<capability>urn:x</capability>" * 100_000)
        assert await abuser.is_closed()


@pytest.mark.parametrize("beginning", [b"\n#1000\n<rpc", b"\n#4\n<rpc\n#", b""])
async def test_a_message_without_end_is_cut_off(serve: Callable[..., Child], beginning: bytes) -> None:
    child = serve(rpc_timeout_s=0.5, idle_timeout_s=0.8)
    async with client(child) as abuser:
        await abuser.ask()
        abuser.send(beginning)
        assert await abuser.is_closed()
    async with honest_client(child):
        pass


async def test_unfinished_messages_are_too_much_together(serve: Callable[..., Child]) -> None:
    child = serve(max_waiting_bytes=4 * 2**20)
    before_mib = child.resident_mib
    async with honest_client(child):
        abusers = [await connect(child) for _ in range(12)]
        for abuser in abusers:
            abuser.send(b"\n#%d\n" % LIMIT_BYTES + b" " * 2**20)
        await asyncio.wait({asyncio.create_task(abuser.is_closed()) for abuser in abusers},
                           return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
        assert any(not abuser.closed.is_set() for abuser in abusers)
        for abuser in abusers:
            abuser.connection.abort()
            await abuser.connection.wait_closed()
    assert child.resident_mib - before_mib < 60


async def test_whoever_drops_out_in_the_middle_leaves_nothing_behind(child: Child) -> None:
    async with honest_client(child):
        for _ in range(10):
            async with client(child) as abuser:
                abuser.send(b"\n#1000000\n<rpc>" + b" " * 100_000)


async def test_names_that_are_made_up_leave_nothing_behind(child: Child) -> None:
    """Forty megabytes of names that nobody has met before."""

    def made_up(message: int) -> bytes:
        names = "".join(f"<n{message}-{number}{'x' * 180}/>" for number in range(1000))
        return rpc(f"<get><filter>{names}</filter></get>")

    async with honest_client(child), client(child) as abuser:
        for message in range(20):
            abuser.send(made_up(message))
            await abuser.reply()
        before_mib = child.resident_mib
        for message in range(20, 220):
            abuser.send(made_up(message))
            assert tags(await abuser.reply()) == []
    assert child.resident_mib - before_mib < 15


async def test_ten_thousand_calls_at_once_make_nobody_wait(child: Child) -> None:
    before_mib = child.resident_mib
    async with honest_client(child), client(child) as abuser:
        abuser.send(b"".join(frame_chunks(build_rpc(str(number), GET)) for number in range(10_000)))
        for number in range(10_000):
            assert (await abuser.reply()).get("message-id") == str(number)
    assert child.resident_mib - before_mib < 60


def conditional_links(number: int) -> str:
    """Links of which each has a node whose `when` is false."""
    end = "<qkdn_id>11111111-1111-4111-8111-111111111111</qkdn_id><qkdi_id>1</qkdi_id>"
    entries = "".join(
        f"<qkd_link><qkdl_id>{link:08x}-0000-4000-8000-000000000000</qkdl_id><qkdl_enable>true</qkdl_enable>"
        f"<qkdl_local>{end}</qkdl_local><qkdl_remote>{end}</qkdl_remote><qkdl_type>t:VIRT</qkdl_type>"
        "<phys_channel_att>7.5</phys_channel_att></qkd_link>"
        for link in range(number)
    )
    return f'<qkd_links xmlns:t="urn:etsi:qkd:yang:etsi-qkd-node-types">{entries}</qkd_links>'


async def test_trying_the_parts_of_a_large_request_makes_nobody_wait(child: Child) -> None:
    tried = edit(conditional_links(10_000)).replace(
        "<config>", "<error-option>continue-on-error</error-option><config>"
    )
    async with honest_client(child), client(child) as abuser:
        abuser.send(rpc(tried) + rpc("<get-config><source><running/></source></get-config>"))
        assert tags(await abuser.reply()) == ["resource-denied"]
        assert tags(await abuser.reply()) == []


async def test_whoever_never_reads_is_not_answered_for_ever(child: Child) -> None:
    async with client(child) as session:
        session.send(rpc(edit(f"<qkdn_location_id>{'x' * 2**20}</qkdn_location_id>")))
        await session.reply()
    before_mib = child.resident_mib
    async with honest_client(child), client(child) as abuser:
        abuser.channel.pause_reading()
        wanted = rpc("<get-config><source><candidate/></source></get-config>")
        for _ in range(1000):
            abuser.send(wanted)
        async with client(child) as somebody:
            for _ in range(50):
                await somebody.ask()
        assert child.resident_mib - before_mib < 60


def links(number: int) -> bytes:
    """An edit of a hundred links: an event of some twenty kilobytes."""
    flag = "true" if number % 2 else "false"
    entries = "".join(
        f"<qkd_link><qkdl_id>00000000-0000-4000-8000-{link:012d}</qkdl_id><qkdl_enable>{flag}</qkdl_enable></qkd_link>"
        for link in range(100)
    )
    return rpc(edit(f"<qkd_links>{entries}</qkd_links>").replace("candidate", "running"))


async def test_whoever_listens_and_never_reads_is_cut_off(child: Child) -> None:
    subscribe = rpc('<create-subscription xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0"/>')
    before_mib = child.resident_mib
    async with honest_client(child), client(child) as deaf, client(child) as listener, client(child) as busy:
        for session in (deaf, listener):
            session.send(subscribe)
            await session.reply()
        deaf.channel.pause_reading()
        heard = 0
        for number in range(400):
            busy.send(links(number))
            assert tags(await busy.reply()) == []
            heard += sum(1 for _ in range(listener.messages.qsize()) if listener.messages.get_nowait() is not None)
        assert heard >= 399, "who reads hears of everything"
        deaf.channel.resume_reading()
        assert await deaf.is_closed()
    assert child.resident_mib - before_mib < 60


async def test_a_storm_of_subscriptions_is_refused_in_time(child: Child) -> None:
    push = (
        '<establish-subscription xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"'
        ' xmlns:yp="urn:ietf:params:xml:ns:yang:ietf-yang-push">'
        '<yp:datastore xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores">ds:operational</yp:datastore>'
        "<yp:periodic><yp:period>100</yp:period></yp:periodic></establish-subscription>"
    )
    async with honest_client(child), client(child) as abuser:
        for _ in range(100):
            abuser.send(rpc(push))
        refused = 0
        for _ in range(100):
            reply = await abuser.reply()
            while not reply.tag.endswith("rpc-reply"):
                reply = await abuser.reply()
            refused += tags(reply) == ["resource-denied"]
        assert refused == 84
        for _ in range(3 * 16):
            assert (await abuser.reply()).tag.endswith("notification")
