"""Commits on agents each of which is killed at another step on its way to the disk, until one comes through.

`python -m tests.agent.mortal FOLDER LEAST_BYTES` prints a line of JSON for each kill: what was answered, and what
the next start finds. A step is a system call that changes a file; it is killed before it and, if it writes, in
its middle. Each agent is a process of its own, forked from this one, which has loaded the models.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.agent.memory_client import Clock, join
from tests.datastore.small_node import NODE, SmallNode

from sdqkd.agent import journal
from sdqkd.agent.server import Agent
from sdqkd.schema.tree import get

STEPS = ("open", "write", "pwrite", "fsync", "fdatasync", "ftruncate", "replace", "link", "unlink", "close")
_PLACE = '<qkd_node xmlns="urn:etsi:qkd:yang:etsi-qkd-node"><qkdn_location_id>{}</qkdn_location_id></qkd_node>'
_COMMITS = ("rack 2", "rack 3", "rack 4")


class Fate:
    """Kills this process before its step number `at` or, with `torn`, when half of what that writes is written."""

    def __init__(self, at: int, *, torn: bool) -> None:
        self._left = at
        self._torn = torn
        for name in STEPS:
            setattr(os, name, self._doomed(name, getattr(os, name)))

    def _doomed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left < 0:
                if self._torn and name in ("write", "pwrite"):
                    call(arguments[0], arguments[1][: len(arguments[1]) // 2], *arguments[2:])
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **named)

        return step


def live(folder: Path, node: SmallNode, at: int, torn: bool, told: int) -> None:
    """Do some commits and tell of each that was answered, as far as that goes."""
    agent = Agent(node, journal.JournalStore(folder / "running.json", node.schema), clock=Clock())
    client = join(agent)
    tell = os.write
    Fate(at, torn=torn)
    for place in _COMMITS:
        config = f"<config>{_PLACE.format(place)}</config>"
        client.ask(f"<edit-config><target><candidate/></target>{config}</edit-config>")
        client.ask("<commit/>")
        tell(told, f"{place}\n".encode())


def lives(folder: Path) -> Iterator[dict[str, object]]:
    """What became of each agent."""
    node = SmallNode()
    for torn in (False, True):
        at, survived = 0, False
        while not survived:
            own = folder / f"{at}-{torn}"
            reading, writing = os.pipe()
            child = os.fork()
            if child == 0:
                live(own, node, at, torn, writing)
                os._exit(0)
            os.close(writing)
            with os.fdopen(reading) as told:
                answered = told.read().splitlines()
            survived = os.waitpid(child, 0)[1] == 0
            yield {"at": at, "torn": torn, "survived": survived, "answered": answered, "found": found(own, node)}
            at += 1


def found(folder: Path, node: SmallNode) -> str:
    """The place that an agent has after a restart."""
    store = journal.JournalStore(folder / "running.json", node.schema)
    running = Agent(node, store, clock=Clock()).datastores.get_config("running")
    store.close()
    return str(get(running, (NODE, "qkdn_location_id")))


if __name__ == "__main__":
    journal.LEAST_BYTES = int(sys.argv[2])
    for line in lives(Path(sys.argv[1])):
        print(json.dumps(line), flush=True)
