"""`sdqkd import --new`: a device that the network file does not know yet is described there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import click

from sdqkd.cli.console import note, show, show_json
from sdqkd.cli.inputs import default_run_directory, read_network_file
from sdqkd.cli.running import interruptible
from sdqkd.controller.connect import Dialler
from sdqkd.controller.intent import OWNED
from sdqkd.controller.inventory import LoadedNetwork, load_inventory, load_network, read_file
from sdqkd.controller.newcomer import device_entry
from sdqkd.controller.session import Timeouts, open_session
from sdqkd.controller.yaml_append import append_entries
from sdqkd.controller.yaml_edit import CannotEditError
from sdqkd.errors import HostKeyError, InputError
from sdqkd.network.model import Device, Endpoint, Kind
from sdqkd.profiles.profile import load_profiles
from sdqkd.schema.tree import Container
from sdqkd.transport.keys import fingerprint
from sdqkd.transport.ssh_keys import shown_host_key

KINDS = tuple(OWNED)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What a person has to say of a new device. `host_key` is the fingerprint that was read there."""

    name: str
    site: str
    kind: str
    model_set: str
    host: str
    port: int
    host_key: str
    profiles: Mapping[int, str]


def new_text(network: Path, inventory: Path | None, newcomer: Newcomer) -> str:
    """The text of the network file with the device described. Raises InputError, TransportError, DeviceError."""
    loaded = read_network_file(network)
    if newcomer.name in loaded.network.devices:
        raise InputError(f"there is a device '{newcomer.name}' already", str(network))
    shown = interruptible(shown_host_key(newcomer.host, newcomer.port))
    if fingerprint(shown) != newcomer.host_key:
        raise HostKeyError(newcomer.name, f"shows {fingerprint(shown)} and not {newcomer.host_key}")
    device = _device(newcomer, _login(loaded, inventory), shown)
    entry = device_entry(device, interruptible(_read(device)), load_profiles(), newcomer.profiles)
    try:
        text = append_entries(read_file(network), "network", "device", [entry])
    except CannotEditError as error:
        raise InputError(f"the device cannot be entered: {error}", str(network)) from None
    load_network(text, str(network))
    return text


def tell(newcomer: Newcomer, file: Path, json_output: bool) -> None:
    """Say what was entered, and what comes next."""
    if json_output:
        show_json({"device": newcomer.name, "file": str(file)})
    else:
        show(f"{file}: device {newcomer.name}")
        note("describe its fibres and cords there; then `sdqkd import` enters what it does")


def _device(newcomer: Newcomer, login: Endpoint, host_key: str) -> Device:
    end = Endpoint(
        newcomer.host, newcomer.port, host_key, username=login.username, client_key_file=login.client_key_file
    )
    kind = cast(Kind, newcomer.kind)
    return Device(
        newcomer.name, "", newcomer.site, kind, newcomer.model_set, "", "", "", end, {}, (), {}, None, 0.0
    )


def _login(loaded: LoadedNetwork, inventory: Path | None) -> Endpoint:
    """As whom we log in: as the inventory says for all devices, else as at the first device of the file."""
    emulated = default_run_directory(loaded).inventory
    file = inventory or (emulated if emulated.exists() else None)
    ends = [device.management for device in loaded.network.devices.values()]
    if file is not None:
        ends.insert(0, load_inventory(read_file(file), str(file)).common)
    end = next((end for end in ends if end.username and end.client_key_file), None)
    if end is None:
        raise InputError("nobody says as whom to log in: give an inventory with username and client-key-file")
    return end


async def _read(device: Device) -> Container:
    session = await open_session(device, Dialler(), Timeouts())
    try:
        return await session.get()
    finally:
        await session.close()


def newcomer_of(
    name: str, site: str | None, kind: str | None, model_set: str | None, address: str | None,
    host_key: str | None, profiles: tuple[str, ...],
) -> Newcomer:  # fmt: skip
    """What the options say. Raises click.UsageError if something is missing or is no such thing."""
    if site is None or kind is None or address is None or host_key is None:
        raise click.UsageError("--new takes --site, --kind, --address and --fingerprint too")
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal():
        host, port = address, "830"
    chosen = {}
    for option in profiles:
        number, equals, profile = option.partition("=")
        if not equals or not number.isdecimal():
            raise click.UsageError(f"--profile takes INTERFACE=PROFILE, not '{option}'")
        chosen[int(number)] = profile
    return Newcomer(name, site, kind, model_set or kind, host.strip("[]"), int(port), host_key, chosen)
