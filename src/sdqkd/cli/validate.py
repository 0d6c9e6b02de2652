"""`sdqkd validate`: is a network file right?"""

from __future__ import annotations

from pathlib import Path

import click

from sdqkd.cli.console import show, show_json
from sdqkd.cli.inputs import as_json, network_file, read_network_file


@click.command()
@network_file
@as_json
def command(network: Path, json_output: bool) -> None:
    """Check NETWORK against the model and the rules of the network; reads no device."""
    found = read_network_file(network).network
    counts = {
        "sites": len(found.sites),
        "devices": len(found.devices),
        "QKD modules": sum(len(device.interfaces) for device in found.devices.values()),
        "fibres": len(found.fibres),
        "QKD links": len(found.qkd_links),
        "active QKD links": sum(link.active for link in found.qkd_links.values()),
        "optical channels": len(found.optical_channels),
        "protected connections": len(found.protected_connections),
    }
    if json_output:
        show_json({"file": str(network), "name": found.name, "valid": True, "counts": counts})
    else:
        show(f"{network}: {found.name} is valid: {', '.join(f'{n} {what}' for what, n in counts.items())}")
