"""Agents for the emulated devices of a network, their keys, and the inventory by which a controller finds them.

A run directory holds, and nothing of it belongs into a repository:

    inventory.yaml             where each device answers and which host key it shows; written once all listen
    noc_key                    what the user `noc` logs in with
    devices/NAME/host_key      the device's host key
    devices/NAME/running.json its running configuration, which survives a restart
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml

from sdqkd.agent.server import ServedAgent, serve_agent
from sdqkd.agent.store import FileStore
from sdqkd.devices.device import Device
from sdqkd.errors import SdqkdError, StoreError
from sdqkd.transport.keys import make_key_pair, public_of

NOC_USER = "noc"
LOOPBACK = "127.0.0.1"

Progress: TypeAlias = Callable[[str, int, int], None]  # what is being done, how many are done, of how many
Users: TypeAlias = Mapping[str, Sequence[str]]  # the public keys of each user


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """The files of one emulated network."""

    path: Path

    @property
    def inventory(self) -> Path:
        """Where the inventory is written."""
        return self.path / "inventory.yaml"

    @property
    def noc_key(self) -> Path:
        """The private key of the user `noc`."""
        return self.path / "noc_key"

    def device(self, name: str) -> Path:
        """What one device keeps."""
        return self.path / "devices" / name

    def prepare(self) -> None:
        """Make the folder, for its owner only. Raises StoreError if that cannot be done."""
        try:
            (self.path / "devices").mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o700)
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be used as run directory: {error.strerror}") from error


def key_pair(private_file: Path) -> str:
    """The public key of a key file, which is made if it is not there."""
    return public_of(private_file) if private_file.exists() else make_key_pair(private_file)


@dataclass(frozen=True, slots=True)
class Served:
    """One agent and the file behind it."""

    agent: ServedAgent
    store: FileStore

    async def close(self) -> None:
        """Stop the agent, then let others have its file."""
        await self.agent.close()
        self.store.close()


async def serve(device: Device, run: RunDirectory, users: Users, host: str = LOOPBACK, port: int = 0) -> Served:
    """Serve one device, with its host key and its configuration in the run directory."""
    folder = run.device(device.name)
    folder.mkdir(parents=True, exist_ok=True)
    store = FileStore(folder / "running.json", device.schema)
    try:
        agent = await serve_agent(device, store, host, port, host_key_file=folder / "host_key", users=users)
    except SdqkdError:
        store.close()
        raise
    return Served(agent, store)


@dataclass(frozen=True, slots=True)
class Emulation:
    """Agents that listen, by device."""

    run: RunDirectory
    served: Mapping[str, Served]

    async def close(self) -> None:
        """Stop all of them; what they hold stays in the run directory."""
        self.run.inventory.unlink(missing_ok=True)
        await asyncio.gather(*(served.close() for served in self.served.values()))


async def start(devices: Mapping[str, Device], run: RunDirectory, users: Users, progress: Progress) -> Emulation:
    """Serve every device on a loopback port of its own, then write the inventory.

    If one of them cannot be served, the others are stopped and the error is raised.
    """
    run.prepare()
    everyone = {NOC_USER: [key_pair(run.noc_key)], **users}
    served: dict[str, Served] = {}
    emulation = Emulation(run, served)
    try:
        for name, device in devices.items():
            served[name] = await serve(device, run, everyone)
            progress("agents started", len(served), len(devices))
        write_inventory(run, served)
    except BaseException:
        await emulation.close()
        raise
    return emulation


def write_inventory(run: RunDirectory, served: Mapping[str, Served]) -> None:
    """Write it whole or not at all: a controller may be waiting for it. Raises StoreError."""
    devices = [
        {
            "name": name,
            "address": one.agent.host,
            "port": one.agent.port,
            "host-key": one.agent.host_key_public,
        }
        for name, one in served.items()
    ]
    inventory = {"username": NOC_USER, "client-key-file": run.noc_key.name, "device": devices}
    text = yaml.safe_dump({"inventory": inventory}, sort_keys=False, width=4096)
    new = run.inventory.with_suffix(".new")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(run.inventory)
    except OSError as error:
        raise StoreError(f"{run.inventory}: cannot be written: {error.strerror}") from error
