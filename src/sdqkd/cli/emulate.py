"""`sdqkd emulate`: every device of a network on loopback, each behind its own NETCONF agent."""

from __future__ import annotations

from pathlib import Path

import click

from sdqkd.cli.console import ProgressLines, note, show_json
from sdqkd.cli.control import control
from sdqkd.cli.emulation import Terms, Users, start
from sdqkd.cli.inputs import (
    as_json,
    authorized_keys,
    default_run_directory,
    network_file,
    read_network_file,
    read_roles,
    read_users,
    recovery_users,
    run_directory,
    user_roles,
)
from sdqkd.cli.run_directory import RunDirectory
from sdqkd.cli.running import interruptible, until_stopped
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.plant.plant import Plant


@click.command()
@network_file
@run_directory
@authorized_keys
@user_roles
@recovery_users
@click.option("--factory-reset", is_flag=True, help="Forget what the devices hold from an earlier run.")
@click.option(
    "--stop-at-eof", is_flag=True, help="Also stop when standard input ends: for programs that start this one."
)
@as_json
def command(
    network: Path,
    run_dir: Path | None,
    authorized: tuple[str, ...],
    user_roles: tuple[str, ...],
    recovery_users: tuple[str, ...],
    factory_reset: bool,
    stop_at_eof: bool,
    json_output: bool,
) -> None:
    """Serve every device of NETWORK on loopback, until interrupted.

    Each device gets a free port, its own host key and a file for its running configuration, all in the run
    directory, with the inventory and the key that `plan`, `apply` and `status` find there by themselves.
    """
    loaded = read_network_file(network)
    run = RunDirectory(run_dir) if run_dir else default_run_directory(loaded)
    users = read_users(authorized)
    terms = Terms(roles=read_roles(user_roles), recovery_users=recovery_users)
    interruptible(_emulate(loaded, run, users, terms, factory_reset, stop_at_eof, json_output))


async def _emulate(
    loaded: LoadedNetwork,
    run: RunDirectory,
    users: Users,
    terms: Terms,
    factory_reset: bool,
    stop_at_eof: bool,
    json_output: bool,
) -> None:
    plant = Plant(loaded.network)
    with ProgressLines() as progress:
        emulation = await start(plant.devices, run, users, progress, factory_reset=factory_reset, terms=terms)
    try:
        async with control(plant, run.path):
            if json_output:
                show_json({"agents": len(emulation.served), "inventory": str(run.inventory)})
            note(f"{len(emulation.served)} agents listen; inventory: {run.inventory}; stop with Ctrl-C")
            await until_stopped(at_eof=stop_at_eof)
    finally:
        await emulation.close()
