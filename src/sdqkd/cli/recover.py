"""`sdqkd recover`: finish what a controller left undone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from sdqkd.cli.changing import demand_person
from sdqkd.cli.console import ProgressLines, note, show, show_json
from sdqkd.cli.inputs import (
    as_json,
    changing_journal,
    inventory_file,
    network_file,
    reachable,
    read_network_file,
    state_directory,
)
from sdqkd.cli.main import EXIT_IN_DOUBT
from sdqkd.cli.running import interruptible
from sdqkd.controller.connect import connections
from sdqkd.controller.controller import Controller
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.recovery import Recovered
from sdqkd.controller.transaction import told
from sdqkd.errors import InDoubtError

T = TypeVar("T")


@click.command()
@network_file
@inventory_file
@state_directory
@click.option("--close", "closed", metavar="TXID", help="Have done with a transaction; devices stay as they are.")
@as_json
def command(
    network: Path, inventory: Path | None, state: Path | None, closed: str | None, json_output: bool
) -> int:
    """Finish changes of NETWORK that a controller left undone: take them back, or carry out what it had decided.

    `apply` does this by itself before it begins. A transaction is not closed while something still waits on a
    device provisionally, as that would go back by itself. Exits with 4 if it is not certain what some device
    holds; then the devices are named, with what they hold and what can be done.
    """
    loaded = reachable(read_network_file(network), inventory)
    demand_person(loaded.network)
    if closed is not None:
        return _close(loaded, state, closed, json_output)
    recovered = interruptible(_controlled(loaded, state, lambda controller: controller.recover()))
    if json_output:
        show_json({"recovered": [as_object(one) for one in recovered], "closed": None, "not-seen": {}})
    else:
        for line in recovered_lines(recovered):
            show(line)
        if not recovered:
            show("nothing was left undone")
    return EXIT_IN_DOUBT if any(one.doubts for one in recovered) else 0


def _close(loaded: LoadedNetwork, state: Path | None, txid: str, json_output: bool) -> int:
    unseen = interruptible(_controlled(loaded, state, lambda controller: controller.close_transaction(txid)))
    if json_output:
        not_seen = {name: str(error) for name, error in unseen.items()}
        show_json({"recovered": [], "closed": txid, "not-seen": not_seen})
        return 0
    show(f"closed {txid}")
    for error in unseen.values():
        show(f"{error}; a provisional commit that waits there goes back when its time is over")
    return 0


async def _controlled(loaded: LoadedNetwork, state: Path | None, work: Callable[[Controller], Awaitable[T]]) -> T:
    with ProgressLines() as progress, changing_journal(loaded, state) as journal:
        async with (
            connections(loaded) as connector,
            Controller(loaded, connector, progress, journal=journal) as controller,
        ):
            return await work(controller)


async def recover_first(controller: Controller) -> None:
    """What `apply` does before it begins. Raises InDoubtError if something stays in doubt."""
    recovered = await controller.recover()
    for line in recovered_lines(recovered):
        note(line)
    if left := {name: told(doubt) for one in recovered for name, doubt in one.doubts.items()}:
        txids = ", ".join(one.txid for one in recovered if one.doubts)
        raise InDoubtError(f"{txids} was left undone and cannot be finished; nothing else was changed", left=left)


def recovered_lines(recovered: Sequence[Recovered]) -> list[str]:
    """What came of each transaction, and of each device in doubt."""
    lines = []
    for one in recovered:
        lines.append(f"{one.txid}: {one.outcome or 'in doubt'}, as it was {_DECIDED[one.verdict]}")
        lines += [f"  now in {name}: {told(doubt)}" for name, doubt in one.doubts.items()]
    return lines


_DECIDED = {"CONFIRM": "decided to confirm", "ABORT": "not decided to confirm"}


def as_object(one: Recovered) -> dict[str, Any]:
    """The same as a JSON object."""
    doubts = {name: {"holds": doubt.holds, "remedy": doubt.remedy} for name, doubt in one.doubts.items()}
    return {"txid": one.txid, "verdict": one.verdict, "outcome": one.outcome, "in-doubt": doubts}
