"""Devices that are reached over TLS, and devices that call home: real agents, real sockets on loopback."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.controller.emulated import Kept, journal_of
from tests.transport.certificates import Issued, issue

from sdqkd.agent.ports import Home, Tls, Transport
from sdqkd.agent.server import ServedAgent, serve_agent
from sdqkd.controller.callers import Callers, Waiting
from sdqkd.controller.connect import Connector, Dialler, connections
from sdqkd.controller.controller import Controller
from sdqkd.controller.exchange import Exchange
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.errors import ApplyError, HostKeyError, InputError, LoginRefusedError, TransportError, UnreachableError
from sdqkd.network.model import Endpoint, Network
from sdqkd.plant.plant import Plant
from sdqkd.transport.cert_names import CertToName, MapType
from sdqkd.transport.keys import make_key_pair
from sdqkd.transport.redial import Reconnect

ALFA, BRAVO = "alfa-transponder", "bravo-transponder"
LOOPBACK = "127.0.0.1"
PATIENCE_S = 20.0
SOON = Reconnect(first_pause_s=0.02, longest_pause_s=0.05)


def with_network(loaded: LoadedNetwork, network: Network) -> LoadedNetwork:
    return dataclasses.replace(loaded, network=network)


def two_transponders(network: Network) -> Network:
    """The two, and the channel between them."""
    channels = network.optical_channels.items()
    return dataclasses.replace(
        network,
        devices={name: network.devices[name] for name in (ALFA, BRAVO)},
        optical_channels={name: channel for name, channel in channels if not channel.third_party},
        qkd_links={},
        protected_connections={},
        multiplexers={},
        fibres={},
        patches=(),
    )


def free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as server:
        return server.getsockname()[1]


@dataclass
class Site:
    """Two transponders, a company that certifies them and the NOC, and ports on which the NOC may be called."""

    folder: Path
    loaded: LoadedNetwork
    root: Issued
    noc: Issued
    noc_public: str
    agents: dict[str, ServedAgent] = field(default_factory=dict)
    waiting: Waiting = field(default_factory=lambda: Waiting(LOOPBACK, free_port(), free_port(), PATIENCE_S))
    certificates: dict[str, Issued] = field(default_factory=dict)

    @asynccontextmanager
    async def serving(self, *calls: Transport) -> AsyncIterator[None]:
        """Serve both over SSH and TLS; they call home as well."""
        ports = {"ssh": self.waiting.ssh_port, "tls": self.waiting.tls_port}
        homes = [Home(transport, [(LOOPBACK, ports[transport])], SOON) for transport in calls]
        names = (CertToName(self.noc.fingerprint, MapType.SPECIFIED, "noc"),)
        async with AsyncExitStack() as stack:
            for name, hardware in Plant(self.loaded.network).devices.items():
                own = self.certificates[name] = issue(self.folder, name, self.root, alternatives=(LOOPBACK, name))
                self.agents[name] = await serve_agent(
                    hardware, Kept(), LOOPBACK, 0, host_key_file=self.folder / f"{name}_host_key", name=name,
                    users={"noc": [self.noc_public]}, tls=Tls(own.identity, self.root.file, names, 0), homes=homes,
                )  # fmt: skip
                stack.push_async_callback(self.agents[name].close)
            yield

    def end(self, name: str, transport: Transport, *, call_home: bool = False) -> Endpoint:
        """How the inventory describes a device."""
        agent, files = self.agents[name], self.noc.identity
        port = (agent.port if transport == "ssh" else agent.tls_port) or 0
        certificate = str(self.certificates[name].fingerprint)
        return Endpoint(
            None if call_home else agent.host, port, agent.host_key_public, "noc", str(self.folder / "noc_key"),
            transport, call_home, certificate, None, str(files.certificate_file), str(files.key_file),
        )  # fmt: skip

    def network(self, **ends: Endpoint) -> LoadedNetwork:
        devices = dict(self.loaded.network.devices)
        for name, end in zip((ALFA, BRAVO), ends.values(), strict=True):
            devices[name] = dataclasses.replace(devices[name], management=end)
        network = dataclasses.replace(self.loaded.network, devices=devices)
        return dataclasses.replace(with_network(self.loaded, network), waiting=self.waiting)


@pytest.fixture
def site(three_sites: LoadedNetwork, tmp_path: Path) -> Site:
    root = issue(tmp_path, "root", authority=True)
    loaded = with_network(three_sites, two_transponders(three_sites.network))
    return Site(tmp_path, loaded, root, issue(tmp_path, "noc", root), make_key_pair(tmp_path / "noc_key"))


async def bring_up(loaded: LoadedNetwork) -> None:
    with journal_of(loaded.network) as journal:
        async with connections(loaded) as connector, Controller(loaded, connector, journal=journal) as controller:
            await controller.read()
            await controller.apply(controller.plan())
            assert (await controller.status()).devices_in_desired_state == 2


async def test_over_tls_by_fingerprint_and_by_issuer(site: Site) -> None:
    async with site.serving():
        by_issuer = dataclasses.replace(
            site.end(BRAVO, "tls"), certificate=None, tls_issuers_file=str(site.root.file)
        )
        await bring_up(site.network(alfa=site.end(ALFA, "tls"), bravo=by_issuer))


async def test_one_calls_over_ssh_and_one_over_tls(site: Site) -> None:
    async with site.serving("ssh", "tls"):
        ends = {"alfa": site.end(ALFA, "ssh", call_home=True), "bravo": site.end(BRAVO, "tls", call_home=True)}
        await bring_up(site.network(**ends))
        # They call again: a second command is served, too.
        await bring_up(site.network(**ends))


async def test_all_call_and_are_known_by_the_name_that_an_issuer_certifies(site: Site) -> None:
    async with site.serving("tls"):
        ends = {
            name.partition("-")[0]: dataclasses.replace(
                site.end(name, "tls", call_home=True), certificate=None, certificate_name=name,
                tls_issuers_file=str(site.root.file),
            )
            for name in (ALFA, BRAVO)
        }  # fmt: skip
        await bring_up(site.network(**ends))


async def refused(site: Site, **changes: object) -> TransportError:
    """What comes of reading a device over TLS of which something else is said."""
    end = dataclasses.replace(site.end(ALFA, "tls"), **changes)
    with pytest.raises(ApplyError) as failed:
        await bring_up(site.network(alfa=end, bravo=site.end(BRAVO, "ssh")))
    failure = failed.value.failures[ALFA]
    assert isinstance(failure, TransportError)
    return failure


async def test_a_device_with_another_certificate_is_not_spoken_to(site: Site) -> None:
    async with site.serving():
        other = str(site.root.fingerprint)
        assert isinstance(await refused(site, certificate=other), HostKeyError)
        by_issuer = {"certificate": None, "tls_issuers_file": str(site.root.file)}
        assert isinstance(await refused(site, **by_issuer, certificate_name="eve.example"), HostKeyError)
        stranger = issue(site.folder, "stranger", authority=True)
        by_stranger = {"certificate": None, "tls_issuers_file": str(stranger.file)}
        assert isinstance(await refused(site, **by_stranger), HostKeyError)
        for name, served in site.agents.items():
            assert len(served.agent.sessions) == 0, name


async def test_a_device_that_does_not_know_us(site: Site) -> None:
    async with site.serving():
        eve = issue(site.folder, "eve", site.root).identity
        own = {"tls_certificate_file": str(eve.certificate_file), "tls_key_file": str(eve.key_file)}
        assert isinstance(await refused(site, **own), LoginRefusedError)


async def test_a_device_that_does_not_call_is_named(site: Site) -> None:
    site.waiting = dataclasses.replace(site.waiting, patience_s=0.2)
    async with site.serving():
        end = site.end(ALFA, "ssh", call_home=True)
        with pytest.raises(ApplyError) as failed:
            await bring_up(site.network(alfa=end, bravo=site.end(BRAVO, "ssh")))
    (failure,) = failed.value.failures.values()
    assert isinstance(failure, UnreachableError)
    assert str(failure) == f"127.0.0.1:{site.waiting.ssh_port}: no call came within 0 s, or it was refused"


async def test_who_calls_and_is_no_device_is_told_and_not_spoken_to(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    async with site.serving("ssh"):
        end = dataclasses.replace(site.end(ALFA, "ssh", call_home=True), host_key=site.noc_public)
        loaded = site.network(alfa=end, bravo=site.end(BRAVO, "ssh"))
        async with connections(loaded) as connector:
            with pytest.raises(UnreachableError, match="or it was refused"):
                await impatient(connector, loaded)
    assert "which is no device's: refused" in caplog.text


async def impatient(connector: Connector, loaded: LoadedNetwork) -> None:
    callers = connector._callers  # type: ignore[attr-defined]
    callers._deadline_s = 0.0
    callers._waiting = dataclasses.replace(callers._waiting, patience_s=0.5)
    await connector.open(loaded.network.devices[ALFA], Exchange(ALFA, {}))


async def test_a_call_that_was_lost_before_it_was_wanted_is_not_given_out(site: Site) -> None:
    async with site.serving("ssh"):
        loaded = site.network(alfa=site.end(ALFA, "ssh", call_home=True), bravo=site.end(BRAVO, "ssh"))
        async with connections(loaded) as connector:
            callers = connector._callers  # type: ignore[attr-defined]
            agent = site.agents[ALFA].agent
            async with asyncio.timeout(PATIENCE_S):
                while ALFA not in callers._calls:  # noqa: ASYNC110
                    await asyncio.sleep(0)
                first = callers._calls[ALFA]
                agent.close()
                while callers._calls.get(ALFA) in (first, None):  # noqa: ASYNC110
                    await asyncio.sleep(0)
            exchange = Exchange(ALFA, {})
            await connector.open(loaded.network.devices[ALFA], exchange)
            async with asyncio.timeout(PATIENCE_S):
                await exchange.hello


async def test_entries_that_do_not_go_together(site: Site) -> None:
    async with site.serving():
        alfa, bravo = (site.end(name, "ssh", call_home=True) for name in (ALFA, BRAVO))
        await complains(site, "need the same user name", alfa, dataclasses.replace(bravo, username="night"))
        alfa, bravo = (site.end(name, "tls", call_home=True) for name in (ALFA, BRAVO))
        unknown = dataclasses.replace(bravo, certificate=None)
        await complains(site, "need the same file of issuers", alfa, unknown)
        by_issuer = {"tls_issuers_file": str(site.root.file)}
        both = (
            dataclasses.replace(alfa, **by_issuer),
            dataclasses.replace(unknown, **by_issuer, certificate_name="b"),
        )
        await complains(site, f"who calls could not be told for {ALFA}", *both)


async def complains(site: Site, words: str, alfa: Endpoint, bravo: Endpoint) -> None:
    loaded = site.network(alfa=alfa, bravo=bravo)
    callers = Callers(loaded.network.devices, site.waiting)
    with pytest.raises(InputError, match=words):
        await callers.listen()
    assert callers.ports == {}


async def test_a_port_that_another_program_has(site: Site) -> None:
    async with site.serving():
        ends = {"alfa": site.end(ALFA, "ssh", call_home=True), "bravo": site.end(BRAVO, "ssh")}
        taken = socket.create_server((LOOPBACK, site.waiting.ssh_port))
        with taken, pytest.raises(TransportError, match="another program listens there"):
            await bring_up(site.network(**ends))


async def test_a_device_of_which_nobody_says_enough(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with site.serving():
        for transport in ("ssh", "tls"):
            end = dataclasses.replace(site.end(ALFA, transport), address=None)
            device = dataclasses.replace(site.loaded.network.devices[ALFA], management=end)
            with pytest.raises(UnreachableError, match="not known where it answers"):
                await Dialler().open(device, Exchange(ALFA, {}))
        end = dataclasses.replace(site.end(ALFA, "tls"), certificate=None)
        device = dataclasses.replace(site.loaded.network.devices[ALFA], management=end)
        with pytest.raises(InputError, match="by issuers or by a fingerprint"):
            await Dialler().open(device, Exchange(ALFA, {}))
