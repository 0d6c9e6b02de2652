"""`sdqkd plan`: what would change on which device."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from sdqkd.cli.changing import demand_person
from sdqkd.cli.console import ProgressLines, note, show, show_json
from sdqkd.cli.history import journal_entries
from sdqkd.cli.inputs import (
    as_json,
    inventory_file,
    network_file,
    reachable,
    read_network_file,
    state_directory,
)
from sdqkd.cli.running import interruptible
from sdqkd.cli.tables import plan_text
from sdqkd.controller.both_ends import Trees, demand_both_ends
from sdqkd.controller.clock import time_text
from sdqkd.controller.coexistence import coexistence
from sdqkd.controller.coexistence_text import effect_lines, warning_lines
from sdqkd.controller.connect import connections
from sdqkd.controller.controller import Controller
from sdqkd.controller.history_text import open_lines
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.journal_state import open_transactions
from sdqkd.controller.plan import Plan
from sdqkd.controller.plan_xml import plan_xml
from sdqkd.controller.policy import shut_windows, this_person
from sdqkd.controller.saved_plan import save
from sdqkd.controller.whole_file import write_whole
from sdqkd.errors import JournalError

EXIT_CHANGES = 2

reverse_option = click.option("--reverse", is_flag=True, help="Show what leads back instead.")
xml_option = click.option("--xml", "as_xml", is_flag=True, help="Show the edit-config that each device is sent.")


@click.command()
@network_file
@inventory_file
@state_directory
@click.option(
    "--out", type=click.Path(path_type=Path), help="Keep the plan in this file, to be applied later as it is."
)
@reverse_option
@xml_option
@as_json
def command(
    network: Path,
    inventory: Path | None,
    state: Path | None,
    out: Path | None,
    reverse: bool,
    as_xml: bool,
    json_output: bool,
) -> int:
    """Show what would change on which device to reach what NETWORK wants. Writes nothing to any device.

    A plan after which devices would not fit each other is refused, with the rules that it breaks.
    Exits with 0 if nothing would change, with 2 if something would.
    """
    loaded = reachable(read_network_file(network), inventory)
    demand_person(loaded.network, changing=False)
    plan, running = interruptible(_plan(loaded))
    demand_both_ends(loaded.network, plan, running)
    if out is not None:
        _keep(plan, loaded, out)
    shown = plan.reverse() if reverse else plan
    if as_xml and not json_output:
        show(plan_xml(shown))
    elif reverse:
        show_plan(loaded, shown, json_output)
    else:
        _show_with_effects(loaded, plan, running, json_output)
    if held := shut_windows(loaded.network, plan.changed, datetime.now(UTC)):
        note(f"outside of a maintenance window: {', '.join(held)}")
    note_open(loaded, inventory, state)
    return 0 if plan.is_empty else EXIT_CHANGES


def note_open(loaded: LoadedNetwork, inventory: Path | None, state: Path | None) -> None:
    """Say on stderr which transactions have no end: what devices hold for them is not what they will hold."""
    try:
        for transaction in open_transactions(journal_entries(loaded, inventory, state)):
            for line in open_lines(transaction):
                note(line)
    except JournalError as error:
        note(str(error))


async def _plan(loaded: LoadedNetwork) -> tuple[Plan, Trees]:
    with ProgressLines() as progress:
        async with connections(loaded) as connector, Controller(loaded, connector, progress) as controller:
            running = await controller.read()
            return controller.plan(), running


def _show_with_effects(loaded: LoadedNetwork, plan: Plan, running: Trees, json_output: bool) -> None:
    effects = coexistence(loaded.network, plan, running)
    if json_output:
        show_json({**plan.to_json(), "coexistence": effects.to_json()})
        return
    show_plan(loaded, plan)
    for line in (*effect_lines(effects), *warning_lines(effects)):
        show(line)


def _keep(plan: Plan, loaded: LoadedNetwork, file: Path) -> None:
    saved = save(plan, loaded, this_person().name, time_text(datetime.now(UTC)))
    text = json.dumps(saved.to_json(), ensure_ascii=False, indent=2) + "\n"
    write_whole(file, text)
    note(f"kept in {file}; `sdqkd apply {file}` applies it as it is")


def show_plan(loaded: LoadedNetwork, plan: Plan, json_output: bool = False, *, brief: bool = False) -> None:
    """Print a plan, and how much it is. Not as JSON it may be `brief`."""
    if json_output:
        show_json(plan.to_json())
    elif plan.is_empty:
        show("no changes")
    else:
        show(plan_text(plan, loaded.network, brief=brief))
        show(str(plan.summary()))
