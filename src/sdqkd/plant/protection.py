"""Protected connections: up when both encryptors agree and trusted nodes join their sites by links with key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sdqkd.coexistence.faults import Faults
from sdqkd.devices.encryptor import ConnectionSettings, ConnectionStatus
from sdqkd.network.model import Network

Connections = Mapping[str, Mapping[str, ConnectionSettings]]


def connection_statuses(
    network: Network, connections: Connections, keyed: Iterable[tuple[str, str]], faults: Faults
) -> dict[str, dict[str, ConnectionStatus]]:
    """Status of every connection, by encryptor and name. `keyed` are the pairs of sites that make key."""
    group = _groups(keyed)

    def status(device: str, own: ConnectionSettings) -> ConnectionStatus:
        if not own.enabled:
            return "disabled"
        if not _agreed(device, own, connections, faults):
            return "no-peer"
        here, there = (network.devices[end].site for end in (device, own.peer))
        return "up" if group.get(here, here) == group.get(there, there) else "no-key"

    return {
        device: {name: status(device, own) for name, own in mine.items()} for device, mine in connections.items()
    }


def _agreed(device: str, own: ConnectionSettings, connections: Connections, faults: Faults) -> bool:
    """Whether the other end is configured as this one's mirror image, and both lines work."""
    other = connections.get(own.peer, {}).get(own.name)
    if other is None or not other.enabled:
        return False
    if {(device, own.line), (own.peer, other.line)} & faults.failed:
        return False
    mirrored = (other.peer, other.local_sae_id, other.peer_sae_id, other.vlan)
    return mirrored == (device, own.peer_sae_id, own.local_sae_id, own.vlan)


def _groups(keyed: Iterable[tuple[str, str]]) -> dict[str, str]:
    """One member of its group for each site; sites of a group reach each other hop by hop."""
    group: dict[str, str] = {}

    def root(site: str) -> str:
        while group.setdefault(site, site) != site:
            group[site] = group[group[site]]
            site = group[site]
        return site

    for a, b in keyed:
        group[root(a)] = root(b)
    return {site: root(site) for site in list(group)}
