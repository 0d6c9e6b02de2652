"""Agents for the emulated devices of a network, their keys, and the inventory by which a controller finds them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import yaml

from sdqkd.agent.journal import JournalStore
from sdqkd.agent.roles import Role
from sdqkd.agent.server import ServedAgent, serve_agent
from sdqkd.agent.service import Limits
from sdqkd.cli.doors import Doors
from sdqkd.cli.logs import start_logs
from sdqkd.cli.run_directory import RunDirectory, as_store_error
from sdqkd.devices.device import Device
from sdqkd.transport.admission import Limits as Admission
from sdqkd.transport.keys import make_key_pair, public_of

NOC_USER = "noc"
LOOPBACK = "127.0.0.1"
_QUIET_S = 2.0  # after a commit, until its store is tidied up

Progress: TypeAlias = Callable[[str, int, int], None]  # what is being done, how many are done, of how many
Users: TypeAlias = Mapping[str, Sequence[str]]  # the public keys of each user


def key_pair(private_file: Path) -> str:
    """The public key of a key file, which is made if it is not there."""
    return public_of(private_file) if private_file.exists() else make_key_pair(private_file)


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a device is served: how much it bears, whether it has a startup datastore, who may do what.

    `doors` are the ways to it beside its SSH port.
    """

    limits: Limits = field(default_factory=Limits)
    admission: Admission = field(default_factory=Admission)
    startup: bool = False
    roles: Mapping[str, Role] = field(default_factory=dict)
    recovery_users: Collection[str] = ()
    doors: Doors = field(default_factory=Doors)


@dataclass(frozen=True, slots=True)
class Served:
    """One agent and the file behind it."""

    agent: ServedAgent
    store: JournalStore

    async def close(self) -> None:
        """Stop the agent, then let others have its file."""
        await self.agent.close()
        self.store.close()


def _in_a_quiet_moment(action: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(_QUIET_S, action)


async def serve(
    device: Device,
    run: RunDirectory,
    users: Users,
    *,
    host: str = LOOPBACK,
    port: int = 0,
    factory_reset: bool = False,
    terms: Terms | None = None,
) -> Served:
    """Serve one device, with its host key and its configuration in the run directory."""
    terms = terms or Terms()
    folder = run.device(device.name)
    with as_store_error(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
    store = JournalStore(folder / "running.json", device.schema, _in_a_quiet_moment)
    try:
        if factory_reset:
            store.save(None)
        agent = await serve_agent(
            device, store, host, port, host_key_file=folder / "host_key", users=users,
            limits=terms.limits, admission=terms.admission, startup=terms.startup,
            roles=terms.roles, recovery_users=terms.recovery_users, tls=terms.doors.tls, homes=terms.doors.homes,
        )  # fmt: skip
    except BaseException:
        store.close()
        raise
    return Served(agent, store)


@dataclass(slots=True)
class Emulation:
    """Agents that listen, by device. `lock` keeps the run directory ours."""

    run: RunDirectory
    lock: int
    served: dict[str, Served] = field(default_factory=dict)
    announced: bool = False

    async def close(self) -> None:
        """Stop all of them; what they hold stays in the run directory."""
        try:
            if self.announced:
                self.run.inventory.unlink(missing_ok=True)
        finally:
            await asyncio.gather(*(served.close() for served in self.served.values()))
            os.close(self.lock)

    def announce(self) -> None:
        """Write the inventory, whole or not at all: a controller may be waiting for it. Raises StoreError."""
        inventory = {
            "username": NOC_USER,
            "client-key-file": self.run.noc_key.name,
            "device": [_endpoint(name, served.agent) for name, served in self.served.items()],
        }
        text = yaml.safe_dump({"inventory": inventory}, sort_keys=False, width=4096)
        new = self.run.inventory.with_suffix(".new")
        with as_store_error(self.run.inventory):
            new.write_text(text, encoding="utf-8")
            new.replace(self.run.inventory)
        self.announced = True


def _endpoint(name: str, agent: ServedAgent) -> dict[str, object]:
    return {"name": name, "address": agent.host, "port": agent.port, "host-key": agent.host_key_public}


async def start(
    devices: Mapping[str, Device],
    run: RunDirectory,
    users: Users,
    progress: Progress,
    *,
    factory_reset: bool = False,
    terms: Terms | None = None,
) -> Emulation:
    """Serve every device on a loopback port of its own, then write the inventory.

    If one of them cannot be served, the others are stopped and the error is raised. Raises StoreError if another
    emulation has the run directory.
    """
    run.prepare()
    emulation = Emulation(run, run.take())
    try:
        start_logs(run.audit_log)
        everyone = {NOC_USER: [key_pair(run.noc_key)], **users}
        for name, device in devices.items():
            emulation.served[name] = await serve(device, run, everyone, factory_reset=factory_reset, terms=terms)
            progress("agents started", len(emulation.served), len(devices))
        emulation.announce()
    except BaseException:
        await emulation.close()
        raise
    return emulation
