"""Real agents before an emulated network, joined with the controller in memory, and what can go wrong there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sdqkd.agent.server import Agent
from sdqkd.controller.intent import desired
from sdqkd.controller.journal_sqlite import SqliteJournal
from sdqkd.devices.device import Device as Hardware
from sdqkd.errors import RpcError, SdqkdError, UnreachableError
from sdqkd.netconf.events import NEED_DATA, RpcReceived
from sdqkd.netconf.messages import Rpc
from sdqkd.netconf.session import ServerSession
from sdqkd.network.model import Device, Network
from sdqkd.plant.plant import Plant
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container, merge
from sdqkd.transport import memory
from sdqkd.transport.links import Link, Receiver


@contextmanager
def journal_of(network: Network) -> Iterator[SqliteJournal]:
    """A journal in a folder of its own, for as long as it is needed."""
    with TemporaryDirectory() as folder, closing(SqliteJournal(Path(folder), network.name)) as journal:
        yield journal


class Kept:
    """A store that forgets everything with the process."""

    def __init__(self) -> None:
        self.running: Container | None = None

    def load(self) -> Container | None:
        return self.running

    def save(self, running: Container) -> None:
        self.running = running


class Stubborn:
    """Hardware that refuses what it is told to refuse: `check` (so at validation) or `apply` (at commit)."""

    def __init__(self, real: Hardware) -> None:
        self.real = real
        self.name = real.name
        self.schema: Schema = real.schema
        self.on_check: Callable[[Container], bool] = lambda proposed: False
        self.on_apply: Callable[[Container], bool] = lambda running: False

    def factory(self) -> Container:
        return self.real.factory()

    def check(self, proposed: Container) -> None:
        if self.on_check(proposed):
            raise RpcError("operation-failed", "the hardware is stubborn")
        self.real.check(proposed)

    def apply(self, running: Container) -> None:
        if self.on_apply(running):
            raise SdqkdError("the hardware does not move")
        self.real.apply(running)

    def state(self) -> Container:
        return self.real.state()


# What to do with a message of the controller: True lets it through.
Tap = Callable[[str, bytes], bool]


class TappedLink:
    """The controller's end of a link, listened to."""

    def __init__(self, link: Link, device: str, network: Emulated) -> None:
        self.username, self.peer = link.username, device
        self.close, self.pause_reading, self.resume_reading = link.close, link.pause_reading, link.resume_reading
        self._link = link
        self._network = network

    def write(self, data: bytes) -> None:
        self._network.links[self.peer] = self._link
        if self._network.tap(self.peer, data):
            self._link.write(data)


class Tapped:
    """The controller's receiver, given a link that is listened to. `deaf`: what the device says is lost.

    `hellos`: what is put in the place of what a device says.
    """

    def __init__(self, inner: Receiver, device: str, network: Emulated) -> None:
        self.inner, self.device, self.network = inner, device, network

    def link_made(self, link: Link) -> None:
        self.inner.link_made(TappedLink(link, self.device, self.network))

    def data_received(self, data: bytes) -> None:
        if self.device not in self.network.deaf:
            for real, said in self.network.hellos.get(self.device, {}).items():
                data = data.replace(real, said)
            self.inner.data_received(data)

    def link_lost(self, error: Exception | None) -> None:
        self.inner.link_lost(error)


@dataclass
class Emulated:
    """A `Connector` to agents of every device of a network."""

    network: Network
    hardware: dict[str, Stubborn] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    deaf: set[str] = field(default_factory=set)
    hellos: dict[str, dict[bytes, bytes]] = field(default_factory=dict)
    tap: Tap = lambda device, data: True
    startup: bool = False

    def __post_init__(self) -> None:
        self.plant = Plant(self.network)
        for name, device in self.plant.devices.items():
            self.hardware[name] = Stubborn(device)
            self.agents[name] = Agent(self.hardware[name], Kept(), name=name, startup=self.startup)

    async def open(self, device: Device, receiver: Receiver) -> Link:
        if device.name in self.gone:
            raise UnreachableError(device.name, "it is gone")
        tapped = Tapped(receiver, device.name, self)
        return memory.pair(self.agents[device.name].make_session(), tapped)[1]

    def hang_up(self, device: str) -> None:
        """End the session of a device."""
        self.links[device].close()

    def running(self) -> dict[str, Container]:
        """What all devices hold now."""
        return {name: agent.datastores.get_config("running") for name, agent in self.agents.items()}

    def candidates(self) -> dict[str, Container]:
        """What stands in all candidates."""
        return {name: agent.datastores.get_config("candidate") for name, agent in self.agents.items()}

    def nobody_locks(self) -> bool:
        """Whether somebody else could lock every datastore."""
        for agent in self.agents.values():
            for target in ("candidate", "running"):
                agent.datastores.lock(999, target, datetime.now(UTC))
                agent.datastores.unlock(999, target)
        return True


class Odd:
    """A device that answers as it likes: `answer` gives the whole reply of a call, None for silence."""

    def __init__(self, capabilities: tuple[str, ...], answer: Callable[[Rpc], bytes | None]) -> None:
        self._protocol = ServerSession(7, capabilities)
        self._answer = answer
        self._link: Link | None = None

    def link_made(self, link: Link) -> None:
        self._link = link
        link.write(self._protocol.start())

    def data_received(self, data: bytes) -> None:
        assert self._link is not None
        self._protocol.receive_data(data)
        while (event := self._protocol.next_event()) is not NEED_DATA:
            if isinstance(event, RpcReceived) and (reply := self._answer(event.rpc)) is not None:
                self._link.write(self._protocol.send(reply))

    def link_lost(self, error: Exception | None) -> None:
        pass


class Joined:
    """A `Connector` to one receiver, whatever the device."""

    def __init__(self, server: Receiver) -> None:
        self._server = server

    async def open(self, device: Device, receiver: Receiver) -> Link:
        return memory.pair(self._server, receiver)[1]


def held(network: Network) -> dict[str, Container]:
    """What the devices hold in the desired state."""
    emulated, wanted = Emulated(network), desired(network)
    return {
        name: merge(emulated.hardware[name].schema, tree, wanted[name].tree)
        for name, tree in emulated.running().items()
    }
