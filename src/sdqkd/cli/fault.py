"""`sdqkd fault`: break and mend parts of a network that is being emulated."""

from __future__ import annotations

from pathlib import Path

import click

from sdqkd.cli.console import show, show_json
from sdqkd.cli.control import ask
from sdqkd.cli.inputs import as_json, default_run_directory, network_file, read_network_file, run_directory
from sdqkd.plant.accidents import ACTIONS

# \b keeps click from filling the lines of the list.
HELP = "\n".join(
    (
        "Break or mend something in a running `sdqkd emulate` of NETWORK, then list what is broken.",
        "",
        "Without an ACTION it only lists. The lines of the list are actions: they break the same things again.",
        "What the agents report follows at once.",
        "",
        "\b",
        *(f"{' '.join((name, *action.asks)):45s}{action.help}" for name, action in ACTIONS.items()),
    )
)


@click.command(help=HELP, context_settings={"ignore_unknown_options": True})
@network_file
@click.argument("action", nargs=-1)
@run_directory
@as_json
def command(network: Path, action: tuple[str, ...], run_dir: Path | None, json_output: bool) -> None:
    """Tell the emulation, and show what it answers."""
    folder = run_dir or default_run_directory(read_network_file(network)).path
    faults = ask(folder, action)
    if json_output:
        show_json({"faults": faults})
    for words in () if json_output else faults:
        show(" ".join(words))
    if not faults and not json_output:
        show("nothing is broken")
