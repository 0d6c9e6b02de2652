"""A watch over real agents behind real SSH on loopback, and another user who changes devices behind its back."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.controller.emulated import Kept

from sdqkd.agent.server import ServedAgent, serve_agent
from sdqkd.cli.watch import restoring
from sdqkd.controller.alarm_store import SqliteWatchStore
from sdqkd.controller.alarms import Alarm
from sdqkd.controller.clock import SystemClock
from sdqkd.controller.connect import Connector, Dialler
from sdqkd.controller.controller import Controller
from sdqkd.controller.gate import OpenGate
from sdqkd.controller.inventory import LoadedNetwork, load_network
from sdqkd.controller.journal_sqlite import SqliteJournal
from sdqkd.controller.queue import BackOff, MemoryQueue
from sdqkd.controller.session import DeviceSession, Timeouts, open_session
from sdqkd.controller.watch import Means, Watch, WatchTerms
from sdqkd.controller.watch_file import NetworkFile
from sdqkd.controller.watch_journal import JournalView
from sdqkd.controller.watch_report import Report
from sdqkd.network.model import Device, Endpoint
from sdqkd.plant.plant import Plant
from sdqkd.schema.diff import diff
from sdqkd.schema.path import parse_path
from sdqkd.schema.table import load
from sdqkd.schema.tree import Container, get, put
from sdqkd.transport.keys import make_key_pair
from sdqkd.transport.links import Link, Receiver

ALFA, BRAVO = "alfa-transponder", "bravo-transponder"
POWER = "/sdqkd-optical-device:optical-device/optical-channel[name='alfa-bravo-c21']/launch-power-dbm"
# The least that is more than one device: a channel between two transponders.
TEXT = (Path(__file__).parent / "data" / "two-sites.yaml").read_text("utf-8")
TIMEOUT_S = 15.0
TERMS = WatchTerms(backstop_s=3600.0, poll_s=3600.0, busy_s=0.05, follow_s=0.05, settle_s=0.0)


def with_drift(policy: str, rule: str = "") -> str:
    """The network with another policy, and a rule."""
    section = f"  drift:\n    policy: {policy}\n" + (f"    rule:\n      - {rule}\n" if rule else "")
    return TEXT.replace("  domain:", f"{section}  domain:", 1)


class Quiet:
    """A receiver of a device that has no notifications: its hello does not offer them."""

    def __init__(self, inner: Receiver) -> None:
        self.link_made, self.link_lost = inner.link_made, inner.link_lost
        self._inner = inner

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data.replace(b"capability:notification:1.0", b"capability:notificatiom:1.0"))


@dataclass
class QuietConnector:
    inner: Connector

    async def open(self, device: Device, receiver: Receiver) -> Link:
        return await self.inner.open(device, Quiet(receiver))


class Slow:
    """A receiver that gets nothing while `hold` is set, and then all of it."""

    def __init__(self, inner: Receiver, hold: Holding) -> None:
        self.link_made, self.link_lost = inner.link_made, inner.link_lost
        self._inner, self._hold = inner, hold

    def data_received(self, data: bytes) -> None:
        self._hold.take(self._inner, data)


class Holding:
    """Connects, and keeps back what one device sends once it is told to."""

    def __init__(self, inner: Connector, name: str) -> None:
        self._inner, self._name = inner, name
        self._kept: list[tuple[Receiver, bytes]] | None = None
        self.kept_some = asyncio.Event()

    async def open(self, device: Device, receiver: Receiver) -> Link:
        slow = device.name == self._name
        return await self._inner.open(device, Slow(receiver, self) if slow else receiver)

    def take(self, receiver: Receiver, data: bytes) -> None:
        if self._kept is None or (b"</data>" not in data and not self._kept):
            receiver.data_received(data)
            return
        self._kept.append((receiver, data))
        self.kept_some.set()

    def hold(self) -> None:
        self._kept = []

    def let_go(self) -> None:
        kept, self._kept = self._kept or [], None
        for receiver, data in kept:
            receiver.data_received(data)


@dataclass
class Site:
    """Agents that listen, the file, and what a watch has said so far."""

    folder: Path
    file: Path
    agents: dict[str, ServedAgent] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    plant: Plant | None = None
    reports: list[Report] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def journal_folder(self) -> Path:
        return self.folder / "state"

    def load(self, text: str) -> LoadedNetwork:
        loaded = load_network(text, str(self.file))
        devices = {
            name: dataclasses.replace(device, management=self.endpoints.get(name, device.management))
            for name, device in loaded.network.devices.items()
        }
        return dataclasses.replace(loaded, network=dataclasses.replace(loaded.network, devices=devices))

    @property
    def loaded(self) -> LoadedNetwork:
        return self.load(self.file.read_text("utf-8"))

    async def serve(self, name: str, port: int = 0) -> None:
        """Start the agent of a device; again on its old port, it keeps its key."""
        assert self.plant is not None
        users = {user: [self._public(user)] for user in ("noc", "bob")}
        self.agents[name] = agent = await serve_agent(
            self.plant.devices[name], Kept(), "127.0.0.1", port,
            host_key_file=self.folder / f"{name}_host_key", users=users, name=name,
        )  # fmt: skip
        key = str(self.folder / "noc_key")
        self.endpoints[name] = Endpoint(agent.host, agent.port, agent.host_key_public, "noc", key)

    def _public(self, user: str) -> str:
        file = self.folder / f"{user}_key"
        public = self.folder / f"{user}_key.pub"
        if not file.exists():
            public.write_text(make_key_pair(file))
        return public.read_text()

    async def apply(self) -> None:
        """What an operator does before a watch."""
        with closing(SqliteJournal(self.journal_folder, "two-sites")) as journal:
            async with Controller(self.loaded, Dialler(), journal=journal) as controller:
                await controller.read()
                await controller.apply(controller.plan(), gate=OpenGate())

    def held(self, device: str, where: str = POWER) -> object:
        running = self.agents[device].agent.datastores.get_config("running")
        return get(running, parse_path(load("transponder"), where))

    @asynccontextmanager
    async def bob(self, device: str) -> AsyncIterator[DeviceSession]:
        """A session of another user."""
        known = self.loaded.network.devices[device]
        end = dataclasses.replace(known.management, username="bob", client_key_file=str(self.folder / "bob_key"))
        session = await open_session(dataclasses.replace(known, management=end), Dialler(), Timeouts())
        try:
            yield session
        finally:
            await session.close()

    async def tamper(self, device: str, value: str = "2.0", where: str = POWER) -> None:
        """Bob changes one leaf of a device."""
        async with self.bob(device) as session:
            running = await session.get_config()
            changed = put(session.schema, running, parse_path(session.schema, where), value)
            await self.write(session, running, changed)

    async def write(self, session: DeviceSession, old: Container, new: Container) -> None:
        await session.edit_config(diff(session.schema, old, new))
        await session.commit()

    def hear(self, report: Report) -> None:
        self.reports.append(report)
        self._news.set()

    async def until(self, said: Callable[[Report], bool], after: int = 0) -> int:
        """Wait for a report; give where it stands, plus one."""
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                for at, report in enumerate(self.reports[after:], after):
                    if said(report):
                        return at + 1
                self._news.clear()
                await self._news.wait()

    async def told(self, kind: str, device: str, text: str = "", after: int = 0) -> int:
        """Wait for a report of this kind about a device."""
        try:
            return await self.until(
                lambda one: one.kind == kind and one.device == device and text in one.text, after
            )
        except TimeoutError:
            said = "\n".join(f"{one.kind} {one.device}: {one.text}" for one in self.reports)
            raise AssertionError(f"no '{kind}' of {device}; it said\n{said}") from None

    def texts(self, kind: str, device: str) -> list[str]:
        return [one.text for one in self.reports if (one.kind, one.device) == (kind, device)]

    def alarms(self) -> Mapping[tuple[str, str], Alarm]:
        with closing(SqliteWatchStore(self.journal_folder)) as store:
            return {(alarm.key.resource, alarm.key.type): alarm for alarm in store.alarms()}

    def standing(self) -> set[tuple[str, str]]:
        return {key for key, alarm in self.alarms().items() if not alarm.cleared}

    @asynccontextmanager
    async def watch(
        self, terms: WatchTerms = TERMS, connector: Connector | None = None, network: LoadedNetwork | None = None
    ) -> AsyncIterator[None]:
        """A watch that runs meanwhile."""
        connector = connector or Dialler(timeout_s=5.0)
        async with AsyncExitStack() as stack:
            journal = stack.enter_context(closing(SqliteJournal(self.journal_folder, "two-sites")))
            store = stack.enter_context(closing(SqliteWatchStore(self.journal_folder)))
            loaded = network or self.loaded
            controller = await stack.enter_async_context(Controller(loaded, connector, journal=journal))
            means = Means(
                connector=connector,
                queue=MemoryQueue(lambda: 0.0, BackOff(first_s=0.05, most_s=0.2)),
                store=store,
                agreements=store,
                clock=SystemClock(),
                restore=restoring(controller),
                report=self.hear,
                chance=lambda: 0.5,
                author="noc",
                journal=JournalView(journal),
                terms=terms,
                timeouts=Timeouts(hello_s=5.0, answer_s=5.0),
            )
            file = NetworkFile(self.file, self.load if network is None else lambda text: network)
            task = asyncio.create_task(Watch(file, means).run())
            try:
                yield
                assert not task.done(), task.exception()
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def site(folder: Path, text: str = TEXT) -> AsyncIterator[Site]:
    file = folder / "network.yaml"
    file.write_text(text, "utf-8")
    found = Site(folder, file)
    found.plant = Plant(load_network(text, str(file)).network)
    try:
        for name in found.plant.devices:
            await found.serve(name)
        yield found
    finally:
        await asyncio.gather(*(agent.close() for agent in found.agents.values()))
