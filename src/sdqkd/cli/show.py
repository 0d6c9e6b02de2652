"""`sdqkd show`: one transaction in full."""

from __future__ import annotations

from pathlib import Path

import click

from sdqkd.cli.changing import demand_person
from sdqkd.cli.console import show, show_json
from sdqkd.cli.history import journal_entries
from sdqkd.cli.inputs import as_json, inventory_file, network_file, read_network_file, state_directory
from sdqkd.cli.plan import reverse_option, show_plan, xml_option
from sdqkd.controller.history_text import plan_of, transaction_json, transaction_lines
from sdqkd.controller.journal_state import fold
from sdqkd.controller.plan_xml import plan_xml
from sdqkd.errors import ApplyError


@click.command("show")
@network_file
@click.argument("txid")
@inventory_file
@state_directory
@reverse_option
@xml_option
@as_json
def command(
    network: Path,
    txid: str,
    inventory: Path | None,
    state: Path | None,
    reverse: bool,
    as_xml: bool,
    json_output: bool,
) -> None:
    """Show the transaction TXID of NETWORK: its plan, the decision, and what became of each device."""
    loaded = read_network_file(network)
    demand_person(loaded.network, changing=False)
    record = fold(journal_entries(loaded, inventory, state)).get(txid)
    if record is None:
        raise ApplyError(f"there is no transaction {txid}: `sdqkd history` lists them")
    plan = plan_of(record).reverse() if reverse else plan_of(record)
    if json_output:
        show_json({**transaction_json(record, whole=True), "plan": plan.to_json()})
    elif as_xml:
        show(plan_xml(plan))
    else:
        for line in transaction_lines(record):
            show(line)
        show_plan(loaded, plan)
