"""A process with many agents, each a QKD node on a port and with a store of its own, until its input ends.

`python -m tools.bench.many_agents FOLDER COUNT CLIENT_KEY` prints a line of JSON when all listen: memory before
the first agent, and the ports.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path

from sdqkd.agent.journal import JournalStore
from sdqkd.agent.server import serve_agent
from sdqkd.devices.qkd_backend import (
    InterfaceHardware,
    LinkReport,
    LinkSettings,
    NodeHardware,
    NodeReport,
)
from sdqkd.devices.qkd_node import QkdNode
from sdqkd.schema.table import load
from sdqkd.transport.keys import public_of

from .report import resident_mib

_SPACE = uuid.UUID("2b0e7a58-6a2b-4a55-8f0c-4d1f3a1c0d77")


class Bench:
    """Hardware that takes everything and makes no key."""

    def __init__(self, number: int) -> None:
        interfaces = {
            at: InterfaceHardware(
                id=at, vendor="Bench", model="Bench", technology="DV-QKD", role="TRANSCEIVER",
                wavelength_range="1-72", max_absorption_db=20.0, port=f"port-{at}",
            )
            for at in (1, 2)
        }  # fmt: skip
        self.hardware = NodeHardware(
            node_id=str(uuid.uuid5(_SPACE, str(number))), version="1", location="Bench", relays_keys=False,
            interfaces=interfaces,
        )  # fmt: skip
        self._links: Mapping[str, LinkSettings] = {}

    def apply(self, links: Mapping[str, LinkSettings]) -> None:
        self._links = links

    def report(self) -> NodeReport:
        links = {name: LinkReport(status="OFF", reason="off", rate_bps=0) for name in self._links}
        return NodeReport(status="OPERATING", interfaces=dict.fromkeys((1, 2), "ENABLED"), links=links)


async def main(folder: Path, count: int, client_key: Path) -> None:
    schema = load("qkd-node")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    users = {"noc": [public_of(client_key)]}
    before_mib = resident_mib()
    served = []
    for number in range(count):
        name = f"node-{number}"
        store = JournalStore(folder / name / "running.json", schema)
        device = QkdNode(name, schema, Bench(number))
        key = folder / name / "host_key"
        served.append(await serve_agent(device, store, "127.0.0.1", 0, host_key_file=key, users=users))
    print(json.dumps({"before_mib": before_mib, "ports": [one.port for one in served]}), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
