"""`sdqkd watch`: keep the devices in their desired state."""

from __future__ import annotations

import asyncio
import getpass
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import click
from rich.text import Text

from sdqkd.cli.changing import demand_person
from sdqkd.cli.console import note, show
from sdqkd.cli.inputs import (
    Finite,
    as_json,
    default_state_directory,
    inventory_file,
    network_file,
    open_journal,
    reachable,
    read_network_file,
    state_directory,
)
from sdqkd.cli.recover import recovered_lines
from sdqkd.cli.running import interruptible, until_stopped
from sdqkd.cli.tables import SIGN_STYLES
from sdqkd.controller.alarm_store import SqliteWatchStore
from sdqkd.controller.clock import SystemClock
from sdqkd.controller.connect import connections
from sdqkd.controller.controller import Controller
from sdqkd.controller.gate import OpenGate
from sdqkd.controller.inventory import LoadedNetwork, load_network
from sdqkd.controller.plan import Plan
from sdqkd.controller.plan_text import device_lines, names_of
from sdqkd.controller.queue import MemoryQueue
from sdqkd.controller.watch import Means, Restore, Watch, WatchTerms
from sdqkd.controller.watch_file import NetworkFile, demand_watchable
from sdqkd.controller.watch_journal import JournalView
from sdqkd.controller.watch_report import Report
from sdqkd.errors import LeaseError

_STYLES = {
    "drift": "yellow",
    "alarm": "red",
    "lost": "red",
    "not applied": "yellow",
    "restored": "green",
    "adopted": "green",
}


@click.command()
@network_file
@inventory_file
@state_directory
@click.option(
    "--backstop", "backstop_s", type=Finite(min=1), default=WatchTerms().backstop_s, show_default=True,
    help="Seconds after which a device that tells of changes is looked at though it told none.",
)  # fmt: skip
@click.option(
    "--poll", "poll_s", type=Finite(min=1), default=WatchTerms().poll_s, show_default=True,
    help="Seconds between two looks at a device that does not.",
)  # fmt: skip
@as_json
def command(
    network: Path, inventory: Path | None, state: Path | None, backstop_s: float, poll_s: float, json_output: bool
) -> None:
    """Keep the devices of NETWORK in their desired state, until interrupted.

    What somebody else changes on a device is told, with who it was where the device says it; then it is restored,
    adopted into NETWORK, or left with an alarm, as `drift` in NETWORK says. What was never applied is not applied:
    that is for `apply`. With --json, each event is one line.
    """
    loaded = reachable(read_network_file(network), inventory)
    demand_person(loaded.network)

    def load(text: str) -> LoadedNetwork:
        now = reachable(load_network(text, str(network)), inventory)
        demand_watchable(loaded, now)
        return now

    file = NetworkFile(network, load, Path(loaded.inventory) if loaded.inventory else None)
    terms = WatchTerms(backstop_s=backstop_s, poll_s=poll_s)
    interruptible(_watch(loaded, file, state, terms, Printer(file, json_output)))


class Printer:
    """Prints what a watch reports. When that cannot be read any more, `on_error` is called; `error` says why."""

    def __init__(self, file: NetworkFile, json_output: bool) -> None:
        self._file = file
        self._waiting = set(file.loaded.network.devices)
        self._count = len(self._waiting)
        self._json = json_output
        self.error: OSError | None = None
        self.on_error: Callable[[], object] = lambda: None

    def __call__(self, report: Report) -> None:
        """Print one report."""
        try:
            self._print(report)
        except OSError as error:
            self.error = error
            self.on_error()

    def _print(self, report: Report) -> None:
        first = self._seen(report)
        if self._json:
            click.echo(json.dumps(report.to_json(), ensure_ascii=False))
            return
        # That all connect in the beginning is one line in the end.
        if report.kind == "connected" and first:
            return
        where = f"{report.device}: " if report.device else ""
        clock = report.at.astimezone().strftime("%H:%M:%S")
        show(Text(f"{clock} {where}").append(report.text, style=_STYLES.get(report.kind, "")))
        if report.drift is not None and report.kind in ("drift", "not applied"):
            for sign, line in device_lines(report.drift.as_plan(), names_of(self._file.loaded.network)):
                show(Text(f"         {sign} {line}", style=SIGN_STYLES.get(sign, "")))

    def _seen(self, report: Report) -> bool:
        """Whether this is the first that is said of a device; when all were seen, say so."""
        if report.device not in self._waiting or report.kind not in ("connected", "alarm"):
            return False
        self._waiting.discard(report.device)
        if not self._waiting:
            note(f"all {self._count} devices were seen to")
        return True


async def _watch(
    loaded: LoadedNetwork, file: NetworkFile, state: Path | None, terms: WatchTerms, printer: Printer
) -> None:
    async with _means(loaded, state, terms, printer) as means:
        note(f"watching {len(loaded.network.devices)} devices; stop with Ctrl-C")
        watching = asyncio.create_task(Watch(file, means).run())
        stopped = asyncio.create_task(until_stopped())
        printer.on_error = stopped.cancel
        try:
            await asyncio.wait((watching, stopped), return_when=asyncio.FIRST_COMPLETED)
        finally:
            watching.cancel()
            stopped.cancel()
            await asyncio.wait((watching, stopped))
        if printer.error is not None:
            raise printer.error
        if not watching.cancelled():
            watching.result()


@asynccontextmanager
async def _means(
    loaded: LoadedNetwork, state: Path | None, terms: WatchTerms, printer: Printer
) -> AsyncIterator[Means]:
    async with AsyncExitStack() as stack:
        journal = stack.enter_context(open_journal(loaded, state))
        store = stack.enter_context(closing(SqliteWatchStore(state or default_state_directory(loaded))))
        connector = await stack.enter_async_context(connections(loaded))
        controller = await stack.enter_async_context(Controller(loaded, connector, journal=journal))
        await _recover(controller)
        yield Means(
            connector=connector,
            queue=MemoryQueue(random.random),
            store=store,
            agreements=store,
            clock=SystemClock(),
            restore=restoring(controller),
            report=printer,
            chance=random.random,
            author=getpass.getuser(),
            journal=JournalView(journal),
            terms=terms,
        )


def restoring(controller: Controller) -> Restore:
    """How a watch restores: by the network file as it is now.

    What is restored was on trial before; and no link comes up while its other end is still changed.
    """

    async def restore(loaded: LoadedNetwork, plan: Plan, purpose: str) -> str:
        controller.take(loaded)
        return await controller.apply(plan, purpose=purpose, gate=OpenGate(), wait=True)

    return restore


async def _recover(controller: Controller) -> None:
    """Finish what a controller left undone; what stays in doubt shows as alarms."""
    try:
        for line in recovered_lines(await controller.recover()):
            note(line)
    except LeaseError as error:
        note(str(error))
