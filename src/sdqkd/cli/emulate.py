"""`sdqkd emulate`: every device of a network on loopback, each behind its own NETCONF agent."""

from __future__ import annotations

import asyncio
import shutil
import signal
from pathlib import Path

import click

from sdqkd.cli.console import ProgressLines, note, show_json
from sdqkd.cli.emulation import RunDirectory, Users, start
from sdqkd.cli.inputs import (
    as_json,
    authorized_keys,
    default_run_directory,
    network_file,
    read_network_file,
    read_users,
    run_directory,
)
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.plant.plant import Plant


@click.command()
@network_file
@run_directory
@authorized_keys
@click.option("--factory-reset", is_flag=True, help="Forget what the devices hold from an earlier run.")
@as_json
def command(
    network: Path, run_dir: Path | None, authorized: tuple[str, ...], factory_reset: bool, json_output: bool
) -> None:
    """Serve every device of NETWORK on loopback, until interrupted.

    Each device gets a free port, its own host key and a file for its running configuration, all in the run
    directory, with the inventory and the key that `plan`, `apply` and `status` find there by themselves.
    """
    loaded = read_network_file(network)
    run = RunDirectory(run_dir) if run_dir else default_run_directory(loaded)
    if factory_reset:
        shutil.rmtree(run.path / "devices", ignore_errors=True)
    asyncio.run(_emulate(loaded, run, read_users(authorized), json_output))


async def _emulate(loaded: LoadedNetwork, run: RunDirectory, users: Users, json_output: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with ProgressLines() as progress:
        emulation = await start(Plant(loaded.network).devices, run, users, progress)
    try:
        if json_output:
            show_json({"agents": len(emulation.served), "inventory": str(run.inventory)})
        note(f"{len(emulation.served)} agents listen; inventory: {run.inventory}; stop with Ctrl-C")
        await stop.wait()
    finally:
        await emulation.close()
