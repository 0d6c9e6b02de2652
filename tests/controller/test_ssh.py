"""The controller and real agents over real SSH on loopback, and what can be wrong with a device there."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.controller.bench import small
from tests.controller.emulated import Kept, Odd, journal_of

from sdqkd.agent.server import ServedAgent, serve_agent
from sdqkd.controller.connect import Dialler
from sdqkd.controller.controller import Controller
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.part import Terms
from sdqkd.errors import (
    ApplyError,
    DeviceError,
    HostKeyError,
    LoginRefusedError,
    SessionLostError,
    UnreachableError,
)
from sdqkd.netconf.messages import reply
from sdqkd.network.model import Endpoint, Network
from sdqkd.plant.plant import Plant
from sdqkd.schema.tree import Container
from sdqkd.transport.keys import make_key_pair
from sdqkd.transport.ssh_server import listen

ALFA, BRAVO = "alfa-transponder", "bravo-transponder"
SOON = Terms(patience_s=2.0)


@dataclass
class Served:
    """A network whose devices answer on loopback."""

    loaded: LoadedNetwork
    agents: dict[str, ServedAgent]
    noc_public: str

    def running(self) -> dict[str, Container]:
        return {name: served.agent.datastores.get_config("running") for name, served in self.agents.items()}

    def moved(self, device: str, **management: object) -> LoadedNetwork:
        """The network, another thing being said about where one device answers."""
        devices = dict(self.loaded.network.devices)
        endpoint = dataclasses.replace(devices[device].management, **management)
        devices[device] = dataclasses.replace(devices[device], management=endpoint)
        return with_network(self.loaded, dataclasses.replace(self.loaded.network, devices=devices))


def with_network(loaded: LoadedNetwork, network: Network) -> LoadedNetwork:
    return dataclasses.replace(loaded, network=network)


@asynccontextmanager
async def serving(loaded: LoadedNetwork, folder: Path) -> AsyncIterator[Served]:
    noc_key = folder / "noc_key"
    noc_public = make_key_pair(noc_key)
    agents, devices = {}, dict(loaded.network.devices)
    async with AsyncExitStack() as stack:
        for name, hardware in Plant(loaded.network).devices.items():
            key_file = folder / f"{name}_host_key"
            agent = await serve_agent(
                hardware, Kept(), "127.0.0.1", 0, host_key_file=key_file, users={"noc": [noc_public]}, name=name
            )
            stack.push_async_callback(agent.close)
            agents[name] = agent
            endpoint = Endpoint(agent.host, agent.port, agent.host_key_public, "noc", str(noc_key))
            devices[name] = dataclasses.replace(devices[name], management=endpoint)
        network = dataclasses.replace(loaded.network, devices=devices)
        yield Served(with_network(loaded, network), agents, noc_public)


@pytest.fixture
async def two(three_sites: LoadedNetwork, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(with_network(three_sites, small(three_sites.network)), tmp_path) as served:
        yield served


async def bring_up(loaded: LoadedNetwork) -> None:
    with journal_of(loaded.network) as journal:
        async with Controller(loaded, Dialler(timeout_s=2.0), journal=journal, terms=SOON) as controller:
            await controller.read()
            await controller.apply(controller.plan())


async def fails(served: Served, loaded: LoadedNetwork) -> ApplyError:
    """What an apply comes to when one device is not as it should be; nothing may be written."""
    before = served.running()
    with pytest.raises(ApplyError) as refused:
        await bring_up(loaded)
    assert served.running() == before
    return refused.value


async def test_a_network_comes_up_over_ssh(three_sites: LoadedNetwork, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(serving(three_sites, tmp_path))
        journal = stack.enter_context(journal_of(three_sites.network))
        controller = await stack.enter_async_context(Controller(served.loaded, Dialler(), journal=journal))
        await controller.read()
        await controller.apply(controller.plan())
        assert (await controller.status()).good
        await controller.read()
        assert controller.plan().is_empty


async def test_a_device_that_is_lost_in_the_middle_takes_the_others_back(two: Served) -> None:
    before = two.running()
    hung_up = []

    def hang_up(what: str, done: int, of: int) -> None:
        if what == "validate" and done == of and not hung_up:
            hung_up.append(what)
            two.agents[BRAVO].agent.close()

    async with AsyncExitStack() as stack:
        journal = stack.enter_context(journal_of(two.loaded.network))
        controller = Controller(two.loaded, Dialler(), hang_up, journal=journal, terms=SOON)
        await stack.enter_async_context(controller)
        await controller.read()
        with pytest.raises(
            ApplyError, match=f"(?s)failed at the step 'commit'; every device is as it was.*{BRAVO}"
        ):
            await controller.apply(controller.plan())
        assert hung_up
        assert two.running() == before
        await controller.read()
        await controller.apply(controller.plan())
        await controller.read()
        assert controller.plan().is_empty


async def test_a_device_where_nothing_listens(two: Served) -> None:
    await two.agents[BRAVO].close()
    error = await fails(two, two.loaded)
    assert isinstance(error.failures[BRAVO], UnreachableError)
    assert "nothing listens there" in str(error)


async def test_a_device_with_another_host_key(two: Served) -> None:
    other = two.agents[ALFA].host_key_public
    error = await fails(two, two.moved(BRAVO, host_key=other))
    assert list(error.failures) == [BRAVO]
    assert isinstance(error.failures[BRAVO], HostKeyError)


async def test_a_device_without_a_known_host_key(two: Served) -> None:
    error = await fails(two, two.moved(BRAVO, host_key=None))
    assert isinstance(error.failures[BRAVO], HostKeyError)


async def test_a_device_that_refuses_the_login(two: Served) -> None:
    error = await fails(two, two.moved(BRAVO, username="stranger"))
    assert isinstance(error.failures[BRAVO], LoginRefusedError)


async def test_another_device_behind_the_address(two: Served) -> None:
    alfa = two.loaded.network.devices[ALFA].management
    error = await fails(two, two.moved(BRAVO, port=alfa.port, host_key=alfa.host_key))
    assert isinstance(error.failures[BRAVO], DeviceError)
    assert f"; {BRAVO} is 0a000000-0000-4000-8000-000000000022" in str(error)


@pytest.mark.parametrize(
    "garbage", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n" + bytes(range(256)) * 8]
)
async def test_a_device_that_answers_garbage_instead_of_ssh(two: Served, garbage: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(garbage)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        error = await fails(two, two.moved(BRAVO, port=port))
    assert list(error.failures) == [BRAVO]
    assert isinstance(error.failures[BRAVO], UnreachableError)


async def test_a_device_that_answers_nothing_at_all(two: Served) -> None:
    silent = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()
        writer.close()

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    async with server:
        moved = two.moved(BRAVO, port=server.sockets[0].getsockname()[1])
        before = two.running()
        async with Controller(moved, Dialler(timeout_s=0.2)) as controller:
            with pytest.raises(ApplyError, match=r"no session within 0\.2 s"):
                await controller.read()
        silent.set()
    assert two.running() == before


class Babbler:
    """A netconf subsystem that does not speak NETCONF."""

    def link_made(self, link) -> None:
        link.write(b"<hello>]]>]]>")

    def data_received(self, data: bytes) -> None: ...

    def link_lost(self, error: Exception | None) -> None: ...


def foreign() -> Odd:
    """A device of another kind, whose data are not of our model."""
    capabilities = [f"urn:ietf:params:netconf:capability:{name}:1.0" for name in ("candidate", "validate")]
    data = b'<data><toaster xmlns="urn:other"/></data>'
    return Odd(("urn:ietf:params:netconf:base:1.1", *capabilities), lambda rpc: reply(rpc, data))


@pytest.mark.parametrize(
    ("receiver", "kind", "complaint"),
    [(Babbler, SessionLostError, "does not speak NETCONF properly"), (foreign, DeviceError, "toaster")],
)
async def test_a_device_that_answers_garbage_over_ssh(
    two: Served, tmp_path: Path, receiver, kind: type[Exception], complaint: str
) -> None:
    host_key = make_key_pair(tmp_path / "babbler_host_key")
    users = {"noc": [two.noc_public]}
    listener = await listen("127.0.0.1", 0, tmp_path / "babbler_host_key", users, receiver)
    try:
        error = await fails(two, two.moved(BRAVO, port=listener.port, host_key=host_key))
    finally:
        await listener.close()
    assert list(error.failures) == [BRAVO]
    assert isinstance(error.failures[BRAVO], kind)
    assert complaint in str(error)
