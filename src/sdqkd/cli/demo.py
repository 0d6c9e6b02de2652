"""`sdqkd demo`: a network comes up, from factory configuration to keys on every wanted link, and is checked."""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from sdqkd.cli.console import ProgressLines, note, show, show_json
from sdqkd.cli.inputs import as_json, network_file, open_journal, reachable, read_network_file
from sdqkd.cli.plan import show_plan
from sdqkd.cli.run_directory import RunDirectory
from sdqkd.cli.running import interruptible
from sdqkd.cli.status import show_status
from sdqkd.controller.connect import Dialler
from sdqkd.controller.controller import Controller
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.plan import Plan
from sdqkd.controller.status import NetworkStatus
from sdqkd.errors import SdqkdError

EXIT_NOT_UP = 1
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0


@dataclass
class Stopwatch:
    """Seconds of each step, in the order of the steps."""

    steps_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done inside."""
        start = time.perf_counter()
        yield
        self.steps_s[name] = round(time.perf_counter() - start, 4)

    @property
    def total_s(self) -> float:
        """Seconds of all steps."""
        return sum(self.steps_s.values())


@dataclass(frozen=True, slots=True)
class Shown:
    """What the demonstration came to: the plan, the network after it, and a second plan that must be empty."""

    plan: Plan
    status: NetworkStatus
    second_plan: Plan

    @property
    def good(self) -> bool:
        """Whether the network is as the file wants it, and there is nothing left to change."""
        return self.status.good and self.second_plan.is_empty


@click.command()
@network_file
@as_json
def command(network: Path, json_output: bool) -> int:
    """Emulate NETWORK, bring it up from factory configuration, and check it.

    The agents of all devices run in a process of their own and are reached over SSH, as real ones would be. Exits
    with 0 only if every device then holds what was wanted and every wanted link makes key.
    """
    loaded = read_network_file(network)
    watch = Stopwatch()
    with tempfile.TemporaryDirectory(prefix="sdqkd-demo-") as folder:
        shown = interruptible(_demo(loaded, RunDirectory(Path(folder)), watch, json_output))
    if json_output:
        show_json(_as_json(loaded, shown, watch))
    return 0 if shown.good else EXIT_NOT_UP


async def _demo(loaded: LoadedNetwork, run: RunDirectory, watch: Stopwatch, json_output: bool) -> Shown:
    async with AsyncExitStack() as stack:
        with watch.step("start agents"):
            await stack.enter_async_context(_agents(loaded.file, run))
        found = reachable(loaded, run.inventory)
        progress = stack.enter_context(ProgressLines())
        journal = stack.enter_context(open_journal(found, run.controller))
        controller = await stack.enter_async_context(Controller(found, Dialler(), progress, journal=journal))
        return await _bring_up(found, controller, watch, json_output)


async def _bring_up(loaded: LoadedNetwork, controller: Controller, watch: Stopwatch, json_output: bool) -> Shown:
    with watch.step("connect and read"):
        await controller.read()
    with watch.step("plan"):
        plan = controller.plan()
    if not json_output:
        show_plan(loaded, plan, brief=True)
    with watch.step("apply"):
        await controller.apply(plan)
    with watch.step("read back"):
        status = await controller.status()
    with watch.step("second plan"):
        await controller.read()
        second = controller.plan()
    if not json_output:
        show("")
        show_status(status, watch.total_s)
        show(f"a second apply: {'no changes' if second.is_empty else second.summary()}")
    return Shown(plan, status, second)


@asynccontextmanager
async def _agents(network: str, run: RunDirectory) -> AsyncIterator[None]:
    """All agents in a process of their own; they listen once this is entered."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sdqkd", "emulate", network, "--run-dir", str(run.path), "--json"),
        "--stop-at-eof",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # Ctrl-C is for us alone: the agents must be there while what was begun is taken back.
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                ready = await process.stdout.readline()
        except TimeoutError:
            raise SdqkdError(f"the agents did not start within {START_TIMEOUT_S:.0f} s") from None
        if not ready:
            raise SdqkdError("the agents did not start: see the message above")
        yield
    finally:
        await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.communicate()
    except TimeoutError:
        note("the agents did not stop when asked to, so they were killed")
        process.kill()
        await process.communicate()


def _as_json(loaded: LoadedNetwork, shown: Shown, watch: Stopwatch) -> dict[str, Any]:
    own, agents = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {
        "network": loaded.network.name,
        "good": shown.good,
        "devices": len(shown.status.devices),
        "plan": shown.plan.to_json(),
        "status": shown.status.to_json(),
        "second-plan-is-empty": shown.second_plan.is_empty,
        "steps_s": watch.steps_s,
        "memory_mib": {"controller": round(own.ru_maxrss / 1024), "agents": round(agents.ru_maxrss / 1024)},
    }
