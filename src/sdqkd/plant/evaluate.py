"""From what every device is told, and what is broken, to what every device reports. Pure, and without a clock."""

from __future__ import annotations

from collections.abc import Mapping

from sdqkd.coexistence.exposure import guests_now, launches
from sdqkd.coexistence.faults import Faults
from sdqkd.coexistence.installation import Installation
from sdqkd.coexistence.light import light_of
from sdqkd.devices.fibre_switch import CrossConnectionStatus, SwitchSettings
from sdqkd.plant.classical import channel_reports
from sdqkd.plant.protection import connection_statuses
from sdqkd.plant.quantum import keyed_sites, node_reports
from sdqkd.plant.values import Reports, Settings


def evaluate(installation: Installation, settings: Settings, faults: Faults) -> Reports:
    """Reports of all devices in `settings`."""
    light = light_of(installation.topology, settings.switches, faults)
    ways = {one: light.ways(one.port, one.frequency_hz) for one in launches(settings.channels, faults)}
    guests = guests_now(installation.network, light, ways)
    nodes = node_reports(installation, settings.links, light, guests, settings.pairs)
    keyed = keyed_sites(installation, settings.links, nodes)
    return Reports(
        nodes=nodes,
        switches={name: _switch_report(name, own, faults) for name, own in settings.switches.items()},
        channels=channel_reports(settings.channels, light, ways),
        connections=connection_statuses(installation.network, settings.connections, keyed, faults),
    )


def _switch_report(device: str, settings: SwitchSettings, faults: Faults) -> Mapping[str, CrossConnectionStatus]:
    """A cross-connection is up unless one of its ports failed: whether there is light, a switch does not see."""
    return {
        crossing.name: "down" if {(device, crossing.a_port), (device, crossing.b_port)} & faults.failed else "up"
        for crossing in settings.cross_connections.values()
    }
