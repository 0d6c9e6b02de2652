"""Serves a small node from a folder until it is killed: `python -m tests.agent.serve_small_node FOLDER LIMITS`.

Prints one line of JSON when it listens. The folder holds the client's public key in `client.pub`; the limits are
a JSON object of what `agent.service.Limits` takes.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tests.datastore.small_node import SmallNode

from sdqkd.agent.journal import JournalStore
from sdqkd.agent.server import serve_agent
from sdqkd.agent.service import Limits
from sdqkd.errors import SdqkdError


async def main(folder: Path, limits: Limits) -> None:
    node = SmallNode()
    served = await serve_agent(
        node,
        JournalStore(folder / "running.json", node.schema),
        "127.0.0.1",
        0,
        host_key_file=folder / "host_key",
        users={"noc": [(folder / "client.pub").read_text()]},
        limits=limits,
    )
    print(json.dumps({"port": served.port, "host-key": served.host_key_public}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1]), Limits(**json.loads(sys.argv[2]))))
    except SdqkdError as error:
        sys.exit(f"error: {error}")
