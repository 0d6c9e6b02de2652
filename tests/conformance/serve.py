"""Serves one device for the kit until it is killed: `python -m tests.conformance.serve KIND FOLDER`.

KIND is `qkd-node`, a node of the example network, or `conformance`, a device with the kit's own module. The folder
has the public keys of the users `noc` and `guest`. Port, keys and configurations survive a restart.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from sdqkd.agent.server import serve_agent
from sdqkd.agent.service import Limits
from sdqkd.agent.store import FileStore
from sdqkd.controller.inventory import load_network, read_file
from sdqkd.devices.device import Device
from sdqkd.plant.plant import Plant
from sdqkd.schema import table
from sdqkd.schema.tree import EMPTY, Container

NETWORK = Path(__file__).resolve().parents[2] / "examples/madqci/network.yaml"
HELLO_TIMEOUT_S = 1.0


class KitDevice:
    """A device with the kit's own module: there is nothing behind it."""

    name = "kit-device"

    def __init__(self) -> None:
        self.schema = table.load("conformance")

    def factory(self) -> Container:
        return EMPTY

    def check(self, proposed: Container) -> None:
        pass

    def apply(self, running: Container) -> None:
        pass

    def state(self) -> Container:
        return EMPTY


def device_of(kind: str) -> Device:
    if kind == "conformance":
        return KitDevice()
    network = load_network(read_file(NETWORK), str(NETWORK)).network
    return next(device for name, device in Plant(network).devices.items() if name.endswith("-qkd"))


async def main(kind: str, folder: Path) -> None:
    device = device_of(kind)
    place = folder / "place.json"
    served = await serve_agent(
        device,
        FileStore(folder / "running.json", device.schema),
        "127.0.0.1",
        json.loads(place.read_text())["port"] if place.exists() else 0,
        host_key_file=folder / "host_key",
        users={name: [(folder / f"{name}.pub").read_text()] for name in ("noc", "guest")},
        roles={"guest": "viewer"},
        recovery_users=("noc",),
        limits=Limits(hello_timeout_s=HELLO_TIMEOUT_S),
    )
    new = place.with_suffix(".new")
    new.write_text(json.dumps({"port": served.port, "host-key": served.host_key_public}))
    new.replace(place)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
