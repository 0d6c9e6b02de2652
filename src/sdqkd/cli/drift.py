"""`sdqkd drift`: what devices hold that the network file does not want."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path

import click
from rich.text import Text

from sdqkd.cli.changing import demand_person
from sdqkd.cli.console import ProgressLines, note, show, show_json
from sdqkd.cli.inputs import (
    as_json,
    default_state_directory,
    inventory_file,
    network_file,
    open_journal,
    reachable,
    read_network_file,
    state_directory,
)
from sdqkd.cli.main import describe
from sdqkd.cli.running import interruptible
from sdqkd.cli.tables import SIGN_STYLES
from sdqkd.controller.alarm_store import SqliteWatchStore
from sdqkd.controller.connect import connections
from sdqkd.controller.drift import Drift, compare, summary
from sdqkd.controller.drift_rules import policies_of
from sdqkd.controller.fleet import Fleet, Outcome
from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.plan_text import device_lines, names_of
from sdqkd.controller.watch_journal import JournalView
from sdqkd.network.model import Network
from sdqkd.schema.tree import Container

EXIT_UNKNOWN = 1
EXIT_DRIFT = 2


@click.command()
@network_file
@inventory_file
@state_directory
@as_json
def command(network: Path, inventory: Path | None, state: Path | None, json_output: bool) -> int:
    """Show what the devices of NETWORK hold otherwise than it wants, but for what they tune by themselves.

    Nothing is written. Exits with 0 if there is no drift, with 2 if there is, with 1 if a device cannot be read.
    What only waits for `apply` is shown, and is no drift.
    """
    loaded = reachable(read_network_file(network), inventory)
    demand_person(loaded.network, changing=False)
    outcome = interruptible(_read(loaded))
    drifts = _compared(loaded, outcome.results, _agreed(loaded, state))
    if json_output:
        failures = {name: describe(error) for name, error in outcome.failures.items()}
        show_json({"devices": [drift.to_json() for drift in drifts.values()], "failures": failures})
    else:
        _show(loaded.network, drifts)
    for name, error in outcome.failures.items():
        note(f"{name} cannot be read: {getattr(error, 'message', error)}")
    if any(drift.state == "drifted" for drift in drifts.values()):
        return EXIT_DRIFT
    return EXIT_UNKNOWN if outcome.failures else 0


async def _read(loaded: LoadedNetwork) -> Outcome[Container]:
    with ProgressLines() as progress:
        async with connections(loaded) as connector:
            fleet = Fleet(loaded.network.devices, connector, progress)

            async def running(name: str) -> Container:
                return await (await fleet.session(name)).get_config()

            try:
                return await fleet.each("read", loaded.network.devices, running)
            finally:
                await fleet.close()


def _agreed(loaded: LoadedNetwork, state: Path | None) -> Mapping[str, tuple[str, ...]]:
    """What devices were seen to agree with, by a watch or the journal, if there are such. Nothing is made."""
    folder = state or default_state_directory(loaded)
    sources: list[Callable[[str], str | None]] = []
    with ExitStack() as stack:
        if (folder / "watch.sqlite").exists():
            store = stack.enter_context(closing(SqliteWatchStore(folder)))
            sources.append(store.agreed)
        if (folder / "journal.sqlite").exists():
            view = JournalView(stack.enter_context(open_journal(loaded, folder)))
            view.refresh()
            sources.append(view.agreed)
        return {name: tuple(filter(None, (of(name) for of in sources))) for name in loaded.network.devices}


def _compared(
    loaded: LoadedNetwork, running: Mapping[str, Container], agreed: Mapping[str, tuple[str, ...]]
) -> Mapping[str, Drift]:
    network, wanted = loaded.network, desired(loaded.network)
    return {
        name: compare(name, wanted[name], held, policies_of(network.devices[name], network.drift), agreed[name])
        for name, held in running.items()
    }


def _show(network: Network, drifts: Mapping[str, Drift]) -> None:
    names = names_of(network)
    for drift in drifts.values():
        if drift.deviations:
            policies = ", ".join(dict.fromkeys(each.policy for each in drift.deviations))
            what = f"drifted ({policies})" if drift.state == "drifted" else "waits for the file to be applied"
            show(Text(f"{drift.device}: {what}", style="bold"))
            for sign, line in device_lines(drift.as_plan(), names):
                show(Text(f"  {sign} {line}", style=SIGN_STYLES.get(sign, "")))
    show(summary(drifts))
