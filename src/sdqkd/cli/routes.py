"""`sdqkd routes`: what could be set up between switched modules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.table import Table

from sdqkd.cli.console import show, show_json
from sdqkd.cli.inputs import as_json, network_file, read_network_file
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.network.model import ModuleEnd, Network
from sdqkd.network.read import TOP
from sdqkd.physics.grid import hz_to_channel, hz_to_nm, hz_to_thz, nm_to_hz
from sdqkd.planning.forecast import Forecast, Option
from sdqkd.planning.routes import Routes, routing_combinations, switched_modules
from sdqkd.planning.spectrum import Rules
from sdqkd.schema.reader import Reader


@click.command()
@network_file
@click.option(
    "--dark", metavar="FIBRE", multiple=True, help="Leave out a fibre, as if it were cut. May be repeated."
)
@click.option("--all", "refused", is_flag=True, help="Show also what light could take, but makes no key, and why.")
@as_json
def command(network: Path, dark: tuple[str, ...], refused: bool, json_output: bool) -> None:
    """Show what could run between the switched modules of NETWORK: transmitter, receiver, path and channel.

    Each makes key if it runs alone, beside the links of modules that are not switched and the classical channels,
    and keeps from these what the file says of sharing a fibre, or else 200 GHz from classical channels.
    """
    loaded = read_network_file(network)
    known = loaded.network
    require_fibres(known, dark)
    forecast = Forecast(known)
    routes = routing_combinations(forecast, Rules.of(known), dark)
    inferred = _inferred(loaded, switched_modules(forecast))
    shown = (*routes.feasible, *(routes.refused if refused else ()))
    if json_output:
        show_json(_counts(routes) | {"inferred-modules": inferred, "options": [option_json(one) for one in shown]})
        return
    show(option_table(known, shown))
    counts = _counts(routes)
    show(
        f"{counts['combinations']} combinations of transmitter, receiver, path and channel,"
        f" {counts['paths']} without the channel; {counts['refused']} more without key"
    )
    if inferred:
        show(f"places and roles of {inferred} switched modules are inferred, and so is the count: see the file")


def require_fibres(network: Network, names: tuple[str, ...]) -> None:
    """Raise click.UsageError for a fibre that the network does not have."""
    for name in names:
        if name not in network.fibres:
            raise click.UsageError(f"there is no fibre '{name}'; there are {', '.join(network.fibres)}")


def _inferred(loaded: LoadedNetwork, modules: tuple[ModuleEnd, ...]) -> int:
    """How many of the modules stand where they do by inference."""
    devices = Reader(loaded.tree).inside(TOP).entries("device")
    return sum(
        ModuleEnd(device.text("name"), int(interface.text("id"))) in modules and interface.flag("inferred")
        for device in devices
        if device.has("interface")
        for interface in device.entries("interface")
    )


def _counts(routes: Routes) -> dict[str, int]:
    return {"combinations": len(routes.feasible), "paths": routes.paths, "refused": len(routes.refused)}


def option_json(option: Option) -> dict[str, Any]:
    """An option as a JSON object."""
    ends = {"transmitter": option.transmitter, "receiver": option.receiver}
    return {
        **{name: {"device": end.device, "interface": end.interface} for name, end in ends.items()},
        "fibres": list(option.path.fibres),
        "frequency-thz": hz_to_thz(option.frequency_hz),
        "channel": hz_to_channel(option.frequency_hz),
        "crossings": [[one.device, one.a_port, one.b_port] for one in option.path.crossings],
        "loss-db": option.loss_db,
        "key-rate-bps": option.rate_bps,
        "obstacle": option.obstacle,
    }


def option_table(network: Network, options: tuple[Option, ...]) -> Table:
    """Options, one a row."""
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("from", "to", "by fibre"):
        table.add_column(heading, overflow="fold")
    table.add_column("channel", no_wrap=True)
    for heading in ("loss\n[dB]", "key rate\n[kb/s]"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for one in options:
        table.add_row(
            module_name(network, one.transmitter),
            module_name(network, one.receiver),
            ", ".join(one.path.fibres),
            channel_name(one.frequency_hz),
            f"{one.loss_db:.2f}",
            f"{one.rate_bps / 1000:,.2f}",
            one.obstacle,
        )
    return table


def module_name(network: Network, end: ModuleEnd) -> str:
    """A module as people write it: its site and its number there."""
    return f"{network.sites[network.devices[end.device].site].label} {end.interface}"


def channel_name(frequency_hz: int) -> str:
    """A channel's number, whole nanometres, or a frequency: as a module is told."""
    number, whole_nm = hz_to_channel(frequency_hz), round(hz_to_nm(frequency_hz))
    if number is None and nm_to_hz(whole_nm) == frequency_hz:
        return f"{whole_nm} nm"
    return f"{hz_to_thz(frequency_hz)} THz" if number is None else str(number)
