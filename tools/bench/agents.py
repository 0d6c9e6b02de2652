"""Many agents in one process, and one device that grows: `python -m tools.bench agents [--agents N] [--json]`."""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sdqkd.transport.keys import make_key_pair

from . import requests
from .figures import Size, commit, edits, node_of, timed
from .raw_client import Client, Endpoint, RawSession
from .report import Figures, machine, processor_s, resident_mib, table

LINKS_EACH = 10
IDLE_S = 10.0
SIZES = (100, 1000, 10_000)
_BATCH = 1000  # links of one request: many stay below every server's limit of a message


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench agents", description=__doc__)
    parser.add_argument("--agents", type=int, default=1000, help="agents in one process")
    parser.add_argument("--runs", type=int, default=1, help="runs of the whole")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args(arguments)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    figures: Figures = {}
    for _ in range(options.runs):
        for name, value in (*measure_crowd(options.agents), *measure_growth()):
            figures.setdefault(name, []).append(value)
    if options.json:
        print(json.dumps({"machine": machine(), "figures": figures}, indent=2))
    else:
        print("\n".join(table(figures)))


@contextmanager
def many_agents(count: int) -> Iterator[tuple[float, list[Endpoint]]]:
    """Memory of the process before its first agent in MiB, and where its agents listen."""
    with tempfile.TemporaryDirectory(prefix="sdqkd-bench-") as name:
        key = Path(name) / "client_key"
        make_key_pair(key)
        command = [sys.executable, "-m", "tools.bench.many_agents", name, str(count), str(key)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            endpoints = [
                Endpoint(f"agent {at}", port, "noc", key, process.pid) for at, port in enumerate(said["ports"])
            ]
            yield said["before_mib"], endpoints
            process.kill()


def measure_crowd(count: int) -> Iterator[tuple[str, float]]:
    """Memory and idle work of many agents."""
    start = time.perf_counter()
    with many_agents(count) as (before_mib, agents):
        pid = agents[0].pid
        yield f"{count} agents: started per second", count / (time.perf_counter() - start)
        yield "a process without agents [MiB]", before_mib
        yield f"{count} agents: memory listening [MiB]", resident_mib(pid)
        used_mib, idle_percent = asyncio.run(_use(agents))
        yield f"{count} agents: memory with a session and {LINKS_EACH} links each [MiB]", used_mib
        yield f"{count} agents: idle processor time [%]", idle_percent


async def _use(agents: Sequence[Endpoint]) -> tuple[float, float]:
    clients = [await Client.open(at) for at in agents]
    for client in clients:
        node_id = await node_of(client.session)
        await commit(client.session, requests.make_links(range(LINKS_EACH), node_id))
    used_mib, worked_s = resident_mib(agents[0].pid), processor_s(agents[0].pid)
    await asyncio.sleep(IDLE_S)
    return used_mib, (processor_s(agents[0].pid) - worked_s) / IDLE_S * 100


def measure_growth() -> Iterator[tuple[str, float]]:
    """What one device with ever more links costs."""
    with many_agents(1) as (_, agents):
        yield from asyncio.run(_grow(agents[0]))


async def _grow(agent: Endpoint) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    client = await Client.open(agent)
    session, present, sizes = client.session, 0, Size()
    node_id = await node_of(session)
    for size in SIZES:
        taken_s = await _together(
            session, [requests.make_links(batch, node_id) for batch in _batches(present, size)]
        )
        found += [
            (f"{size} links: each of the last {size - present} made [µs]", taken_s * 1e6 / (size - present)),
            (
                f"{size} links: get one leaf [ms]",
                await timed(sizes.calls, partial(session.ask, requests.get_small())),
            ),
            (f"{size} links: get all [ms]", await timed(sizes.reads, partial(session.ask, requests.get_links()))),
            (f"{size} links: edit and commit a leaf [ms]", await edits(session, sizes.edits, size // 2)),
            (f"{size} links: memory [MiB]", resident_mib(agent.pid)),
        ]
        present = size
    taken_s = await _together(session, [requests.drop_links(batch) for batch in _batches(0, present)])
    return [*found, (f"{present} links: each deleted with all [µs]", taken_s * 1e6 / present)]


async def _together(session: RawSession, edits_of_batches: Sequence[bytes]) -> float:
    """Seconds that several edits and one commit take."""
    start = time.perf_counter()
    for edit in edits_of_batches:
        await session.ask(edit)
    await session.ask(requests.COMMIT)
    return time.perf_counter() - start


def _batches(first: int, end: int) -> Iterator[range]:
    for start in range(first, end, _BATCH):
        yield range(start, min(start + _BATCH, end))
