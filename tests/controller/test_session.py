from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from tests.controller.emulated import Emulated, Joined, Odd

from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.plan import make_plan
from sdqkd.controller.session import DeviceSession, Timeouts, open_session
from sdqkd.errors import DeviceError, RpcError, SessionLostError
from sdqkd.netconf.hello import BASE_1_1
from sdqkd.netconf.messages import Rpc, reply
from sdqkd.network.model import Device
from sdqkd.schema.tree import get

CANDIDATE = "urn:ietf:params:netconf:capability:candidate:1.0"
VALIDATE = "urn:ietf:params:netconf:capability:validate:1.1"
ENOUGH = (BASE_1_1, CANDIDATE, VALIDATE)
SOON = Timeouts(hello_s=0.05, answer_s=0.05)
NODE = "etsi-qkd-sdn-node:qkd_node"
NAMESPACE = "urn:etsi:qkd:yang:etsi-qkd-node"


@pytest.fixture
def alfa(three_sites: LoadedNetwork) -> Device:
    return three_sites.network.devices["alfa-qkd"]


@pytest.fixture
def emulated(three_sites: LoadedNetwork) -> Emulated:
    return Emulated(three_sites.network)


async def odd_session(alfa: Device, answer: Callable[[Rpc], bytes | None]) -> DeviceSession:
    return await open_session(alfa, Joined(Odd(ENOUGH, answer)), SOON)


def node(content: str) -> bytes:
    return f'<qkd_node xmlns="{NAMESPACE}">{content}</qkd_node>'.encode()


async def test_a_device_is_read_edited_and_committed(
    alfa: Device, emulated: Emulated, three_sites: LoadedNetwork
) -> None:
    session = await open_session(alfa, emulated, Timeouts())
    before = await session.get_config()
    plan = make_plan("n", {"alfa-qkd": desired(three_sites.network)["alfa-qkd"]}, {"alfa-qkd": before})
    await session.lock("candidate")
    await session.edit_config(plan.devices["alfa-qkd"].changes)
    await session.validate()
    assert await session.get_config("candidate") != before
    await session.discard_changes()
    assert await session.get_config("candidate") == before
    await session.edit_config(plan.devices["alfa-qkd"].changes)
    await session.commit()
    await session.unlock("candidate")
    after = await session.get_config()
    assert after == emulated.running()["alfa-qkd"] != before
    state = await session.get()
    assert get(state, (NODE, "qkdn_status")) == "etsi-qkd-node-types:OPERATING"
    await session.close()
    assert not session.alive


async def test_what_a_device_says_again_is_not_read_again(alfa: Device, emulated: Emulated) -> None:
    session = await open_session(alfa, emulated, Timeouts())
    first = await session.get_config()
    assert await session.get_config() is first
    state = await session.get()
    assert state != first
    again = await session.get_config()
    assert again == first
    assert again is not first
    await session.close()


async def test_calls_may_overlap(alfa: Device, emulated: Emulated) -> None:
    session = await open_session(alfa, emulated, Timeouts())
    trees = await asyncio.gather(*(session.get_config() for _ in range(50)))
    assert all(tree == trees[0] for tree in trees)


async def test_a_refusal_is_raised_with_its_path(alfa: Device, emulated: Emulated) -> None:
    session = await open_session(alfa, emulated, Timeouts())
    with pytest.raises(RpcError, match="not locked"):
        await session.unlock("running")
    with pytest.raises(RpcError) as refused:
        await session.copy_config("running", "running")
    assert refused.value.tag == "invalid-value"


async def test_a_lock_that_somebody_holds_is_denied_with_the_holder(alfa: Device, emulated: Emulated) -> None:
    first = await open_session(alfa, emulated, Timeouts())
    second = await open_session(alfa, emulated, Timeouts())
    await first.lock("running")
    with pytest.raises(DeviceError, match=r"running is not free, held by session 1: "):
        await second.lock("running")


async def test_a_session_that_ends_fails_all_that_wait(alfa: Device) -> None:
    session = await odd_session(alfa, lambda rpc: None)
    calls = [asyncio.ensure_future(session.get_config()) for _ in range(3)]
    await asyncio.sleep(0)
    session.abandon("enough")
    for call in calls:
        with pytest.raises(SessionLostError, match="enough"):
            await call
    with pytest.raises(SessionLostError, match="enough"):
        await session.get_config()


async def test_the_end_of_the_link_is_the_end_of_the_session(alfa: Device, emulated: Emulated) -> None:
    session = await open_session(alfa, emulated, Timeouts())
    emulated.hang_up("alfa-qkd")
    assert not session.alive
    with pytest.raises(SessionLostError, match="ended the session"):
        await session.get()


async def test_no_answer_in_time_ends_the_session(alfa: Device) -> None:
    session = await odd_session(alfa, lambda rpc: None)
    with pytest.raises(SessionLostError, match=r"no answer to <commit> within 0\.05 s"):
        await session.commit()
    assert not session.alive


async def test_no_hello_in_time_is_told(alfa: Device) -> None:
    class Silent:
        def link_made(self, link): ...
        def data_received(self, data): ...
        def link_lost(self, error): ...

    with pytest.raises(SessionLostError, match=r"no hello within 0\.05 s"):
        await open_session(alfa, Joined(Silent()), SOON)


async def test_an_answer_after_its_call_was_given_up_does_no_harm(alfa: Device) -> None:
    held: list[Rpc] = []
    odd = Odd(ENOUGH, held.append)
    session = await open_session(alfa, Joined(odd), Timeouts())
    call = asyncio.ensure_future(session.commit())
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert odd._link is not None
    odd._link.write(odd._protocol.send(reply(held[0], b"<ok/>")))
    assert session.alive


CAPABILITY = "urn:ietf:params:netconf:capability"


@pytest.mark.parametrize(
    ("names", "guarantee"),
    [
        (("writable-running:1.0",), "running"),
        (("candidate:1.0",), "candidate"),
        (("candidate:1.0", "confirmed-commit:1.0"), "session"),
        (("candidate:1.0", "confirmed-commit:1.0", "confirmed-commit:1.1"), "confirmed"),
        (("writable-running:1.0", "confirmed-commit:1.1"), "running"),
    ],
)
async def test_how_safely_a_device_can_be_changed(alfa: Device, names: tuple[str, ...], guarantee: str) -> None:
    odd = Odd((BASE_1_1, *(f"{CAPABILITY}:{name}" for name in names)), lambda rpc: None)
    assert (await open_session(alfa, Joined(odd), SOON)).guarantee == guarantee


async def test_a_device_that_cannot_be_changed_at_all_is_refused(alfa: Device) -> None:
    answer = Odd((BASE_1_1, VALIDATE), lambda rpc: reply(rpc, b"<ok/>"))
    with pytest.raises(DeviceError, match="offers neither candidate nor writable-running"):
        await open_session(alfa, Joined(answer), SOON)


async def test_a_session_finds_itself_and_another_among_those_that_the_device_lists(
    alfa: Device, emulated: Emulated
) -> None:
    first = await open_session(alfa, emulated, Timeouts())
    second = await open_session(alfa, emulated, Timeouts())
    row = await second.own_row()
    assert row is not None
    assert (row.session_id, row.username) == (second.hello.session_id, "noc")
    rows = await first.sessions()
    assert row in rows
    assert len(rows) == 2
    await first.kill_session(row.session_id)
    assert not second.alive
    assert await first.sessions() == (await first.own_row(),)


async def test_a_provisional_commit_is_confirmed_or_cancelled_by_its_token_from_any_session(
    alfa: Device, emulated: Emulated, three_sites: LoadedNetwork
) -> None:
    first = await open_session(alfa, emulated, Timeouts())
    before = await first.get_config()
    plan = make_plan("n", {"alfa-qkd": desired(three_sites.network)["alfa-qkd"]}, {"alfa-qkd": before})
    for end in ("cancel", "confirm"):
        await first.edit_config(plan.devices["alfa-qkd"].changes)
        await first.commit(timeout_s=60, persist="a<b")
        first.abandon("lost")
        first = await open_session(alfa, emulated, Timeouts())
        assert await first.get_config() != before
        await first.commit(timeout_s=60, persist="a<b", persist_id="a<b")
        with pytest.raises(RpcError, match="invalid-value"):
            await first.commit(persist_id="other")
        await (first.cancel_commit("a<b") if end == "cancel" else first.commit(persist_id="a<b"))
        with pytest.raises(RpcError, match="invalid-value"):
            await first.cancel_commit("a<b")
        assert (await first.get_config() == before) == (end == "cancel")


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        (node("<surprise/>"), "reports what the model 'qkd-node' does not have: .*surprise"),
        (b'<other xmlns="urn:other"/>', "reports what the model 'qkd-node' does not have: .*urn:other"),
        (node("<qkdn_id>nobody</qkdn_id>"), "reports what the model .* does not have: .*nobody"),
        (node("<qkdn_status>OPERATING</qkdn_status>"), "is state"),
        (
            node("<qkdn_id>0a000000-0000-4000-8000-000000000002</qkdn_id>"),
            "says that it is 0a0.*2; alfa-qkd is 0a0.*1",
        ),
        (b"", "says that it is nobody; alfa-qkd is"),
    ],
)
async def test_data_that_cannot_be_the_devices_own_are_refused(
    alfa: Device, payload: bytes, complaint: str
) -> None:
    session = await odd_session(alfa, lambda rpc: reply(rpc, b"<data>%b</data>" % payload))
    with pytest.raises(DeviceError, match=complaint):
        await session.get_config()


async def test_an_answer_without_data_is_refused(alfa: Device) -> None:
    session = await odd_session(alfa, lambda rpc: reply(rpc, b"<ok/>"))
    with pytest.raises(DeviceError, match="answers without data"):
        await session.get_config()


async def test_an_error_without_an_error_is_still_told(alfa: Device) -> None:
    session = await odd_session(alfa, lambda rpc: reply(rpc, b"<rpc-error/><rpc-error/>"))
    with pytest.raises(Exception, match=r"gives no message.*; .*gives no message"):
        await session.commit()


@pytest.mark.parametrize(
    "garbage",
    [b"\x00\x01\x02" * 100, b"\n#5\n<rpc>\n##\n", b"\n#9\n<nonsense\n##\n", b"\n#12\n<rpc-reply/>\n##\n"],
)
async def test_garbage_after_the_hello_ends_the_session(alfa: Device, garbage: bytes) -> None:
    odd = Odd(ENOUGH, lambda rpc: None)
    session = await open_session(alfa, Joined(odd), Timeouts())
    call = asyncio.ensure_future(session.get_config())
    await asyncio.sleep(0)
    assert odd._link is not None
    odd._link.write(garbage)
    with pytest.raises(SessionLostError, match="does not speak NETCONF properly"):
        await call


async def test_garbage_instead_of_a_hello_is_told(alfa: Device) -> None:
    class Web:
        def link_made(self, link):
            link.write(b"HTTP/1.1 400 Bad Request\r\n\r\n]]>]]>")

        def data_received(self, data): ...
        def link_lost(self, error): ...

    with pytest.raises(SessionLostError, match="no hello came"):
        await open_session(alfa, Joined(Web()), SOON)
