"""Change one leaf of a device over SSH: `tamper.py NETWORK INVENTORY DEVICE PATH VALUE`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from sdqkd.controller.connect import Dialler
from sdqkd.controller.inventory import load_inventory, load_network, with_inventory
from sdqkd.controller.session import Timeouts, open_session
from sdqkd.network.model import Device
from sdqkd.schema.diff import diff
from sdqkd.schema.path import parse_path
from sdqkd.schema.tree import put


async def change(device: Device, where: str, value: str) -> None:
    session = await open_session(device, Dialler(), Timeouts())
    running = await session.get_config()
    new = put(session.schema, running, parse_path(session.schema, where), value)
    await session.edit_config(diff(session.schema, running, new))
    await session.commit()
    await session.close()


if __name__ == "__main__":
    network, inventory, name, where, value = sys.argv[1:]
    loaded = load_network(Path(network).read_text("utf-8"), network)
    found = with_inventory(loaded, load_inventory(Path(inventory).read_text("utf-8"), inventory))
    asyncio.run(change(found.network.devices[name], where, value))
