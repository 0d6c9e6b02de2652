"""`sdqkd keys`: another host key of a device, another key of our own."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from sdqkd.cli.changing import demand_person
from sdqkd.cli.console import ProgressLines, show, show_json
from sdqkd.cli.inputs import (
    as_json,
    inventory_file,
    network_file,
    open_journal,
    reachable,
    read_network_file,
    state_directory,
)
from sdqkd.cli.running import interruptible
from sdqkd.controller.connect import connections
from sdqkd.controller.controller import Controller
from sdqkd.controller.credentials import names_client_key, with_client_key, with_host_key
from sdqkd.controller.inventory import LoadedNetwork, load_inventory, read_file
from sdqkd.controller.journal import Remark
from sdqkd.controller.policy import this_person
from sdqkd.controller.whole_file import write_whole
from sdqkd.controller.yaml_edit import CannotEditError
from sdqkd.errors import HostKeyError, InputError
from sdqkd.network.model import Network
from sdqkd.transport.keys import fingerprint, make_key_pair, public_of
from sdqkd.transport.ssh_keys import shown_host_key


@click.group()
def command() -> None:
    """Change the keys by which devices and controller know each other."""


@command.command("accept-host")
@network_file
@click.argument("device")
@click.option(
    "--fingerprint",
    "expected",
    required=True,
    metavar="SHA256:…",
    help="As the device itself shows it, at its site.",
)
@inventory_file
@state_directory
@as_json
def accept_host(
    network: Path, device: str, expected: str, inventory: Path | None, state: Path | None, json_output: bool
) -> None:
    """Take the host key that DEVICE of NETWORK shows now, if it has the fingerprint that somebody has read there.

    It is written into the file that says where the device answers, and noted in the journal.
    """
    loaded = reachable(read_network_file(network), inventory)
    demand_person(loaded.network)
    if device not in loaded.network.devices:
        raise InputError(f"there is no device '{device}' in this network", str(network))
    end = loaded.network.devices[device].management
    if end.transport != "ssh" or end.call_home or end.address is None:
        raise InputError(f"{device} is not dialled over SSH: enter its key or certificate by hand", str(network))
    shown = interruptible(shown_host_key(end.address, end.port))
    if fingerprint(shown) != expected:
        raise HostKeyError(device, f"shows {fingerprint(shown)} and not {expected}: nothing was changed")
    file, is_inventory = _file_of(loaded, device)
    _rewrite(file, lambda text: with_host_key(text, device, shown, inventory=is_inventory))
    before = fingerprint(end.host_key) if end.host_key else None
    details = {"device": device, "before": before, "now": expected, "file": str(file)}
    _remark(loaded, state, "host-key-accepted", details)
    _tell(json_output, details, f"{device}: host key {expected} is expected from now on ({file})")


@command.command("client")
@network_file
@click.option(
    "--new",
    "new",
    type=click.Path(path_type=Path),
    required=True,
    help="Private key; made if it is not there yet.",
)
@inventory_file
@state_directory
@as_json
def client(network: Path, new: Path, inventory: Path | None, state: Path | None, json_output: bool) -> None:
    """Log in with another private key from now on, if every device of NETWORK lets that key in.

    Run it once to make the key, enter its public half at the devices, and run it again. The old key goes on until
    then; take it away at the devices afterwards.
    """
    loaded = reachable(read_network_file(network), inventory)
    demand_person(loaded.network)
    if not new.exists():
        public = make_key_pair(new)
        details: dict[str, Any] = {"made": str(new), "public-key": public, "in-use": False}
        _tell(json_output, details, f"made {new}; enter this at every device, then run this again:\n{public}")
        return
    interruptible(_log_in_everywhere(_with_key(loaded, new)))
    files = [Path(file) for file in (loaded.inventory, loaded.file) if file is not None]
    named = [file for file in files if names_client_key(read_file(file))]
    for file in named:
        place = os.path.relpath(new.absolute(), file.absolute().parent)
        _rewrite(file, partial(with_client_key, file=place))
    details = {"in-use": True, "fingerprint": fingerprint(public_of(new)), "files": [str(file) for file in named]}
    _remark(loaded, state, "client-key-changed", details)
    count = len(loaded.network.devices)
    _tell(json_output, details, f"all {count} devices let this key in; it is used from now on ({named[0]})")


async def _log_in_everywhere(loaded: LoadedNetwork) -> None:
    """Raise ApplyError naming each device that does not let us in."""
    with ProgressLines() as progress:
        async with connections(loaded) as connector, Controller(loaded, connector, progress) as controller:
            await controller.read()


def _with_key(loaded: LoadedNetwork, key: Path) -> LoadedNetwork:
    devices = {
        name: replace(device, management=replace(device.management, client_key_file=str(key)))
        for name, device in loaded.network.devices.items()
    }
    network: Network = replace(loaded.network, devices=devices)
    return replace(loaded, network=network)


def _file_of(loaded: LoadedNetwork, device: str) -> tuple[Path, bool]:
    """The file that says where a device answers, and whether it is an inventory."""
    if loaded.inventory is not None:
        listed = load_inventory(read_file(Path(loaded.inventory)), loaded.inventory).endpoints
        if device in listed:
            return Path(loaded.inventory), True
    return Path(loaded.file), False


def _rewrite(file: Path, edit: Callable[[str], str]) -> None:
    """Change a file as a whole or not at all. Raises InputError if there is no place, StoreError."""
    try:
        text = edit(read_file(file))
    except CannotEditError as error:
        raise InputError(f"this cannot be entered here: {error}", str(file)) from None
    write_whole(file, text)


def _remark(loaded: LoadedNetwork, state: Path | None, what: str, details: dict[str, Any]) -> None:
    with open_journal(loaded, state) as journal:
        journal.remark(Remark(what, this_person().name, details))


def _tell(json_output: bool, details: dict[str, Any], text: str) -> None:
    if json_output:
        show_json(details)
    else:
        show(text)
