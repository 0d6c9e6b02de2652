"""`sdqkd import`: what devices do already is entered into the network file."""

from __future__ import annotations

from pathlib import Path

import click

from sdqkd.cli.changing import demand_person
from sdqkd.cli.console import ProgressLines, note, show, show_json
from sdqkd.cli.inputs import as_json, inventory_file, network_file, reachable, read_network_file
from sdqkd.cli.newcomer import KINDS, new_text, newcomer_of, tell
from sdqkd.cli.running import interruptible
from sdqkd.controller.connect import connections
from sdqkd.controller.controller import Controller
from sdqkd.controller.importing import Found, Trees, imported
from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import LoadedNetwork, load_network, read_file
from sdqkd.controller.plan import Plan, make_plan
from sdqkd.controller.whole_file import write_whole
from sdqkd.controller.yaml_edit import CannotEditError
from sdqkd.errors import InputError
from sdqkd.schema.table import load
from sdqkd.schema.tree import config_only


@click.command("import")
@network_file
@inventory_file
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write the new network file here, and leave NETWORK as it is."
)
@click.option("--new", "new", metavar="NAME", help="Describe a device that NETWORK does not know yet.")
@click.option("--site", help="With --new: where it stands.")
@click.option("--kind", type=click.Choice(KINDS), help="With --new: what it is.")
@click.option("--model-set", help="With --new: the modules that it has, if they are not those of its kind.")
@click.option("--address", metavar="HOST[:PORT]", help="With --new: where it answers.")
@click.option(
    "--fingerprint", metavar="SHA256:…", help="With --new: of its host key, as somebody has read it there."
)
@click.option(
    "--profile", "profiles", metavar="INTERFACE=PROFILE", multiple=True,
    help="With --new: the equipment profile of a module that does not tell enough. May be repeated.",
)  # fmt: skip
@as_json
def command(
    network: Path,
    inventory: Path | None,
    out: Path | None,
    new: str | None,
    profiles: tuple[str, ...],
    json_output: bool,
    **said: str | None,
) -> None:
    """Enter into NETWORK what its devices do already: links, channels and connections that both ends hold.

    NETWORK must describe the devices, fibres and cords; a device comes into it with --new. Writes to no device.
    What cannot be entered is listed, and what the next plan would still change is counted.
    """
    if new is not None:
        newcomer = newcomer_of(
            new, said["site"], said["kind"], said["model_set"], said["address"], said["fingerprint"], profiles
        )
        demand_person(read_network_file(network).network, changing=False)
        write_whole(out or network, new_text(network, inventory, newcomer))
        tell(newcomer, out or network, json_output)
        return
    loaded = reachable(read_network_file(network), inventory)
    demand_person(loaded.network, changing=False)
    trees = interruptible(_read(loaded))
    try:
        text, found = imported(loaded, read_file(network), trees)
    except CannotEditError as error:
        raise InputError(f"what the devices hold cannot be entered: {error}", str(network)) from None
    if found.count:
        write_whole(out or network, text)
    rest = _rest(text, loaded, trees)
    if json_output:
        entered = {"entries": found.entries, "activated": found.activated, "left": found.left}
        show_json({**entered, "file": str(out or network), "plan": rest.to_json()})
    else:
        _tell(found, out or network, rest)


async def _read(loaded: LoadedNetwork) -> Trees:
    with ProgressLines() as progress:
        async with connections(loaded) as connector, Controller(loaded, connector, progress) as controller:
            return await controller.read_state()


def _rest(text: str, loaded: LoadedNetwork, trees: Trees) -> Plan:
    """What would still change."""
    network = load_network(text, loaded.file).network
    running = {name: config_only(load(network.devices[name].model_set), tree) for name, tree in trees.items()}
    return make_plan(network.name, desired(network), running)


def _tell(found: Found, file: Path, rest: Plan) -> None:
    for name, entries in found.entries.items():
        show(f"{file}: {name}: {', '.join(str(entry['name']) for entry in entries)}")
    for name in found.activated:
        show(f"{file}: qkd-link {name} is active")
    if not found.count:
        show("the devices hold nothing that the file lacks")
    for line in found.left:
        note(f"left to you: {line}")
    note(f"the next plan: {rest.summary()}")
