"""The controller's side of `scale`, in a process of its own: reads a job as JSON, prints figures as JSON.

First which memory the controller takes, before anything else has used any; then each thing beside its peer.
"""

from __future__ import annotations

import asyncio
import cProfile
import gc
import json
import pickle
import pstats
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sdqkd.controller.alarm_store import SqliteWatchStore
from sdqkd.controller.clock import SystemClock
from sdqkd.controller.connect import Connector, Dialler
from sdqkd.controller.controller import Controller
from sdqkd.controller.fleet import Fleet
from sdqkd.controller.gate import OpenGate
from sdqkd.controller.inventory import LoadedNetwork, load_inventory, load_network, with_inventory
from sdqkd.controller.journal_sqlite import SqliteJournal
from sdqkd.controller.plan import Plan
from sdqkd.controller.queue import MemoryQueue
from sdqkd.controller.watch import Means, Watch, WatchTerms
from sdqkd.controller.watch_file import NetworkFile
from sdqkd.controller.watch_journal import JournalView
from sdqkd.controller.watch_report import Report
from sdqkd.network.model import Network
from sdqkd.schema.table import load
from sdqkd.schema.tree import EMPTY
from sdqkd.transport.keys import public_of

from . import scale_peer
from .raw_client import Client, Endpoint
from .report import Figures, processor_s, resident_mib
from .ring import NAME, network_text, node_name

_GET_CONFIG = (
    b'<get-config><source><running/></source><filter type="subtree">'
    b'<qkd_node xmlns="urn:etsi:qkd:yang:etsi-qkd-node"/></filter></get-config>'
)
_GROUP = 100  # devices of one transaction


@dataclass(frozen=True, slots=True)
class Bench:
    """The job, and what comes of it. `folder` is the agents', `own` ours."""

    folder: Path
    own: Path
    agents: tuple[Endpoint, ...]
    rounds: int
    idle_s: float
    profiled: bool
    figures: Figures

    def say(self, name: str, value: float) -> None:
        """Keep a figure, and show it to who waits."""
        self.figures.setdefault(name, []).append(value)
        print(f"{len(self.agents)} devices: {name}: {value:.3g}", file=sys.stderr, flush=True)

    async def timed(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Say how long something takes, and how much of that each side works."""
        gc.collect()
        there_s, here_s, start = processor_s(self.agents[0].pid), time.process_time(), time.perf_counter()
        await work()
        taken_s = time.perf_counter() - start
        self.say(name, taken_s)
        self.say(f"{name}: of it work here, of each second", (time.process_time() - here_s) / taken_s)
        worked_s = processor_s(self.agents[0].pid) - there_s
        self.say(f"{name}: of it work of the agents, of each second", worked_s / taken_s)

    @contextmanager
    def profile(self, name: str) -> Iterator[None]:
        """Print where the time goes, if that is wanted."""
        if not self.profiled:
            yield
            return
        with cProfile.Profile() as profile:
            yield
        print(f"\n{name}", file=sys.stderr)
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(25)


async def main(bench: Bench) -> None:
    count = len(bench.agents)
    (bench.own / "inventory.yaml").write_text(_inventory(bench), encoding="utf-8")
    _load(network_text(2), bench)  # models are compiled and modules imported once, whatever the size
    start = time.process_time()
    loaded = _load(network_text(count), bench)
    bench.say("read and check the network file [s]", time.process_time() - start)
    _memory(bench, loaded)
    for _ in range(bench.rounds):
        await _connect(bench, loaded)
    with closing(SqliteJournal(bench.own / "journal", NAME)) as journal:
        async with Controller(loaded, Dialler(), journal=journal) as controller:
            await _bring(controller)
            clients = await scale_peer.connect(bench.agents)
            for _ in range(bench.rounds):
                await _read(bench, controller, clients)
            await _change(bench, controller, clients, min(_GROUP, count))
            await _watch(bench, loaded)
            if count > _GROUP:
                await _change(bench, controller, clients, count)
            for client in clients.values():
                await client.close()


def _inventory(bench: Bench) -> str:
    lines = [f"inventory:\n  username: noc\n  client-key-file: {bench.agents[0].key_file}\n  device:\n"]
    for at, agent in enumerate(bench.agents):
        key = public_of(bench.folder / node_name(at) / "host_key")
        lines.append(f"    - {{name: {node_name(at)}, address: 127.0.0.1, port: {agent.port}, host-key: {key}}}\n")
    return "".join(lines)


def _load(text: str, bench: Bench) -> LoadedNetwork:
    loaded = load_network(text, str(bench.own / "network.yaml"))
    file = bench.own / "inventory.yaml"
    inventory = load_inventory(file.read_text("utf-8"), str(file))
    known = {name: end for name, end in inventory.endpoints.items() if name in loaded.network.devices}
    return with_inventory(loaded, replace(inventory, endpoints=known))


def _memory(bench: Bench, loaded: LoadedNetwork) -> None:
    """Let a process that has read no file say what a device costs: who read one has memory to give away."""
    file = bench.own / "network.pickle"
    file.write_bytes(pickle.dumps(loaded.network))
    command = [sys.executable, "-m", "tools.bench.scale_client", str(file)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    for name, value in json.loads(done.stdout).items():
        bench.say(name, value)


async def _memory_of(loaded: LoadedNetwork) -> dict[str, float]:
    """What a device costs: its session, and what was read of it."""
    count = len(loaded.network.devices)
    async with Controller(loaded, Dialler()) as controller:
        for name in {device.model_set for device in loaded.network.devices.values()}:
            load(name)
        gc.collect()
        before_mib = resident_mib()
        await controller.read()
        plan = controller.plan()
        taken_mib = resident_mib() - before_mib
        assert len(plan.devices) == count
    return {"memory before the first session [MiB]": before_mib,
            "memory of a device [KiB]": taken_mib * 1024 / count}  # fmt: skip


async def _connect(bench: Bench, loaded: LoadedNetwork) -> None:
    clients: dict[int, Client] = {}

    async def bare() -> None:
        clients.update(await scale_peer.connect(bench.agents))

    await bench.timed("bare: connect all [s]", bare)
    for client in clients.values():
        await client.close()
    fleet = Fleet(loaded.network.devices, Dialler())

    async def ours() -> None:
        outcome = await fleet.each("", loaded.network.devices, fleet.session)
        if outcome.failures:
            raise RuntimeError(f"cannot connect: {outcome.failures}")

    with bench.profile("connect"):
        await bench.timed("connect all [s]", ours)
    await fleet.close()


async def _bring(controller: Controller) -> None:
    """Bring the devices to what the network file wants."""
    await controller.read()
    await controller.apply(controller.plan(), gate=OpenGate())


async def _read(bench: Bench, controller: Controller, clients: dict[int, Client]) -> None:
    calls = {port: [_GET_CONFIG] for port in clients}
    await bench.timed("bare: get-config of all [s]", lambda: scale_peer.play(clients, calls))

    async def ours() -> None:
        await controller.read()
        if not controller.plan().is_empty:
            raise RuntimeError("something has changed by itself")

    with bench.profile("read"):
        await bench.timed("read all, plan without change [s]", ours)


async def _change(bench: Bench, controller: Controller, clients: dict[int, Client], changed: int) -> None:
    """One leaf on each of so many devices and back; the peer makes the very same calls, told down before."""
    there, back = await _calls(bench, changed)
    calls = sum(map(len, there.values()))
    bench.say(f"calls of a transaction, each of {changed} devices", calls / changed)
    wanted = _load(network_text(len(bench.agents), [7.5] * (changed // 2)), bench)
    plan = await _plan(bench, wanted)

    async def bare() -> None:
        await scale_peer.play(clients, there)
        await scale_peer.play(clients, back)

    async def ours() -> None:
        await controller.apply(plan, gate=OpenGate())
        await controller.apply(plan.reverse(), gate=OpenGate())

    for _ in range(bench.rounds if changed <= _GROUP else 1):
        await bench.timed(f"bare: change {changed} devices and back [s]", bare)
        with bench.profile(f"change {changed}"):
            await bench.timed(f"change {changed} devices and back [s]", ours)


async def _plan(bench: Bench, wanted: LoadedNetwork, connector: Connector | None = None) -> Plan:
    async with Controller(wanted, connector or Dialler()) as controller:
        await controller.read()
        return controller.plan()


async def _calls(bench: Bench, changed: int) -> tuple[dict[int, list[bytes]], dict[int, list[bytes]]]:
    """What the controller calls for a change, and for the way back."""
    wanted = _load(network_text(len(bench.agents), [7.5] * (changed // 2)), bench)
    recorder = scale_peer.Recorder(Dialler())
    heard = []
    with closing(SqliteJournal(bench.own / f"recorded-{changed}", NAME)) as journal:
        async with Controller(wanted, recorder, journal=journal) as controller:
            await controller.read()
            plan = controller.plan()
            for each in (plan, plan.reverse()):
                recorder.start()
                await controller.apply(each, gate=OpenGate())
                heard.append(recorder.calls())
    # A new session is asked for its login time first, which is then known.
    there = {port: calls[1:] if calls[:1] == calls[1:2] else calls for port, calls in heard[0].items()}
    return there, heard[1]


async def _watch(bench: Bench, loaded: LoadedNetwork) -> None:
    """How much we work while nothing changes, and with all that is looked at once in a while for safety."""
    file = bench.own / "network.yaml"
    file.write_text(network_text(len(bench.agents)), encoding="utf-8")
    waiting, seen = set(loaded.network.devices), asyncio.Event()

    def report(told: Report) -> None:
        if told.kind in ("drift", "not applied", "alarm"):
            raise RuntimeError(f"{told.device}: {told.text}")
        waiting.discard(told.device)
        if not waiting:
            seen.set()

    with (
        closing(SqliteJournal(bench.own / "watch", NAME)) as journal,
        closing(SqliteWatchStore(bench.own / "watch")) as store,
    ):
        means = Means(
            Dialler(), MemoryQueue(random.random), store, store, SystemClock(), _refuse, report, random.random,
            "bench", JournalView(journal),
        )  # fmt: skip
        watching = asyncio.create_task(Watch(NetworkFile(file, lambda text: _load(text, bench)), means).run())
        start = time.perf_counter()
        await seen.wait()
        bench.say("watch: connect, subscribe and compare all [s]", time.perf_counter() - start)
        await asyncio.sleep(2.0)
        worked_s, start = time.process_time(), time.perf_counter()
        with bench.profile("watch"):
            await asyncio.sleep(bench.idle_s)
        idle = (time.process_time() - worked_s) / (time.perf_counter() - start)
        watching.cancel()
        await asyncio.wait((watching,))
    bench.say("watch: processor while nothing changes [%]", idle * 100)
    name = "read all, plan without change [s]"
    each_round = zip(bench.figures[name], bench.figures[f"{name}: of it work here, of each second"], strict=True)
    check_s = max(taken_s * worked for taken_s, worked in each_round)
    with_backstop = idle + check_s / (0.9 * WatchTerms().backstop_s)
    bench.say("watch: processor while nothing changes, with the backstop [%]", with_backstop * 100)


async def _refuse(loaded: LoadedNetwork, plan: Plan, purpose: str) -> None:
    raise RuntimeError(f"there is nothing to restore: {purpose}")


def _start() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if len(sys.argv) > 1:
        network: Network = pickle.loads(Path(sys.argv[1]).read_bytes())
        loaded = LoadedNetwork(sys.argv[1], network, EMPTY, {})
        print(json.dumps(asyncio.run(_memory_of(loaded))))
        return
    job = json.load(sys.stdin)
    folder = Path(job["folder"])
    key, pid = folder / "client_key", job["agents_pid"]
    agents = tuple(Endpoint(node_name(at), port, "noc", key, pid) for at, port in enumerate(job["ports"]))
    with tempfile.TemporaryDirectory(prefix="sdqkd-bench-") as own:
        bench = Bench(folder, Path(own), agents, job["rounds"], job["idle_s"], job["profile"], {})
        asyncio.run(main(bench))
        print(json.dumps(bench.figures))


if __name__ == "__main__":
    _start()
