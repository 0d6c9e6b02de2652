"""One transponder of two-sites.yaml behind a real agent, in a process of its own, with faults when it is told so.

    python -m tests.controller.matrix.agents NAME FOLDER PORT

It prints its port and host key, then obeys commands on stdin, one JSON list a line, and answers each with a line.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sdqkd.cli.emulation import NOC_USER, Terms, key_pair, serve
from sdqkd.cli.run_directory import RunDirectory
from sdqkd.controller.intent import owned_by
from sdqkd.controller.inventory import load_network
from sdqkd.controller.plan import digest
from sdqkd.errors import RpcError
from sdqkd.plant.plant import Plant
from sdqkd.schema.path import parse_path
from sdqkd.schema.tree import EMPTY, Container, get, put

NETWORK = Path(__file__).parents[1] / "data" / "two-sites.yaml"
CHANNEL = "/sdqkd-optical-device:optical-device/optical-channel[name='alfa-bravo-c21']"
SOMEBODY = 9999  # the session of somebody else


class OddDatastores:
    """The datastores of a real agent, which misbehave `faults[name]` times more."""

    def __init__(self, datastores: Any) -> None:
        self.real = datastores
        self.faults: dict[str, int] = {}
        self._plain = {
            name: getattr(datastores, name) for name in ("commit", "cancel_commit", "expire", "validate")
        }
        datastores.commit = self.commit
        datastores.cancel_commit = self.cancel_commit
        datastores.expire = self.expire
        datastores.validate = self.validate

    def due(self, fault: str) -> bool:
        left = self.faults.get(fault, 0)
        self.faults[fault] = left - 1
        return left > 0

    def commit(self, session: int, **how: Any) -> Any:
        if how.get("confirm") is None and self.due("refuse-confirm"):
            raise RpcError("operation-failed", "it does not feel like it")
        if self.due("slow-commit"):
            time.sleep(1.5)
        event = self._plain["commit"](session, **how)
        if how.get("confirm") is not None and self.due("rewrite"):
            self.real._running = self.with_power(self.real._running, "-9.0")
        return event

    def cancel_commit(self, *how: Any) -> Any:
        if self.due("refuse-cancel"):
            raise RpcError("operation-failed", "it does not feel like it")
        return self._plain["cancel_commit"](*how)

    def expire(self, now_s: float) -> Any:
        return None if self.faults.get("no-timer", 0) > 0 else self._plain["expire"](now_s)

    def validate(self, *how: Any) -> Any:
        if self.due("slow-validate"):
            time.sleep(1.5)
        return self._plain["validate"](*how)

    def with_power(self, tree: Container, power: str) -> Container:
        path = parse_path(self.real.schema, CHANNEL)
        return put(self.real.schema, tree, (*path, "launch-power-dbm"), power)


class Commands:
    """What the test may ask for."""

    def __init__(self, datastores: Any, owned: Any) -> None:
        self._datastores = datastores
        self._owned = owned
        self._odd = OddDatastores(datastores)

    def fault(self, name: str, times: int) -> None:
        self._odd.faults[name] = times

    def clear(self) -> None:
        self._odd.faults.clear()

    def show(self) -> dict[str, Any]:
        running = self._datastores.get_config("running")
        power = get(running, (*parse_path(self._datastores.schema, CHANNEL), "launch-power-dbm"))
        return {
            "power": power,
            "digest": digest(self._datastores.schema, running, self._owned),
            "dirty": self._datastores.get_config("candidate") != running,
            "locks": sorted(self._datastores.locks),
            "pending": self._datastores.due_s is not None,
        }

    def lock(self) -> None:
        self._datastores.lock(SOMEBODY, "running", datetime.now(UTC))

    def edit(self, power: str) -> None:
        self._datastores._candidate = self._odd.with_power(self._datastores.get_config("running"), power)

    def change(self, power: str) -> None:
        tree = self._odd.with_power(self._datastores.get_config("running"), power)
        self._datastores.copy_config(SOMEBODY, tree, "running")

    def reset(self) -> None:
        """Be as from the factory, with nothing under way."""
        self._odd.faults.clear()
        self._datastores.end_session(SOMEBODY)
        self._datastores._pending = self._datastores._candidate = None
        # A session whose end the agent has not seen yet may hold several.
        for session in {lock.session for lock in self._datastores.locks.values()}:
            self._datastores._locks.release(session)
        running = self._datastores.get_config("running")
        empty = Container({name: node for name, node in running.children.items() if "optical-device" not in name})
        factory = self._datastores._hardware.factory()
        kept = factory.children if factory is not EMPTY else {}
        self._datastores.copy_config(SOMEBODY, Container({**empty.children, **kept}), "running")


async def main(name: str, folder: Path, port: int) -> None:
    network = load_network(NETWORK.read_text("utf-8"), str(NETWORK)).network
    run = RunDirectory(folder)
    run.prepare()
    users = {NOC_USER: [key_pair(run.noc_key)]}
    served = await serve(Plant(network).devices[name], run, users, port=port, terms=Terms())
    agent = served.agent
    commands = Commands(agent.agent.datastores, owned_by(network.devices[name]))
    print(json.dumps({"port": agent.port, "host_key": agent.host_key_public}), flush=True)
    await obey(commands)


async def obey(commands: Commands) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        name, *arguments = json.loads(line)
        method: Callable[..., Any] = getattr(commands, name)
        print(json.dumps(method(*arguments)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
