"""Moving what one site does to other equipment: first all that is new is made, then all that is old is removed.

In between both are there, so nobody is without key; each half is a transaction with its gates. That asks for free
modules, ports and frequencies: where a new link needs what an old one has, there is no making before breaking, and
that is said before anything is written. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sdqkd.controller.intent import owned_by
from sdqkd.controller.plan import DevicePlan, Plan, digest
from sdqkd.devices.qkd_link import HUB
from sdqkd.errors import ApplyError, SdqkdError
from sdqkd.network.model import Kind, Network
from sdqkd.schema.diff import Change, apply
from sdqkd.schema.path import format_path
from sdqkd.schema.tree import Container, Entries, get
from sdqkd.schema.validate import Validator

_QUIET = ("phys_channel_att", "launch-power-dbm")  # leafs that can change while key and light come
# What serves one entry at a time, by the kind of device: the list, and the leafs that name it.
_CLAIMS: Mapping[Kind, tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]] = {
    "qkd-node": (("etsi-qkd-sdn-node:qkd_node", "qkd_links", "qkd_link"), (("qkdl_local", "qkdi_id"),)),
    "fibre-switch": (("sdqkd-optical-device:optical-device", "cross-connection"), (("a-port",), ("b-port",))),
    "transponder": (("sdqkd-optical-device:optical-device", "optical-channel"), (("port",),)),
}


def demand_moved(network: Network, site: str) -> None:
    """Raise ApplyError if the network file, which says how it shall be, still wants something of the site."""
    if site not in network.sites:
        raise ApplyError(f"there is no site {site}; the network has {', '.join(network.sites)}")
    here = {name for name, device in network.devices.items() if device.site == site}
    staying = [
        *(
            f"QKD link {link.name}" for link in network.qkd_links.values()
            if link.active and link.devices & here
        ),
        *(
            f"protected connection {one.name}" for one in network.protected_connections.values()
            if {one.a.device, one.b.device} & here
        ),
    ]  # fmt: skip
    if staying:
        raise ApplyError(f"{site} has not moved in the network file, which still wants {', '.join(staying)} there")


def making(plan: Plan, network: Network, running: Mapping[str, Container]) -> Plan:
    """The first half of a plan: what is new. The second half is what is left to do after it.

    Raises ApplyError, per device, for what cannot be made before something is broken.
    """
    devices: dict[str, DevicePlan] = {}
    failures: dict[str, SdqkdError] = {}
    for name, device in plan.devices.items():
        changes = tuple(change for change in device.changes if change.op != "remove")
        try:
            new = apply(device.schema, running[name], changes)
            if problems := [*_interruptions(device, changes), *_claimed_twice(network.devices[name].kind, new)]:
                raise SdqkdError("; ".join(problems))
            if changes:
                Validator(device.schema).check(new)
        except SdqkdError as error:
            failures[name] = error
        else:
            result = digest(device.schema, new, owned_by(network.devices[name]))
            devices[name] = replace(device, changes=changes, result=result)
    if failures:
        raise ApplyError("not everything new can be made before something old is broken", failures)
    return Plan(plan.network, devices)


def _interruptions(device: DevicePlan, changes: tuple[Change, ...]) -> Iterator[str]:
    for change in changes:
        inside_entry = any(isinstance(step, tuple) for step in change.path[:-1])
        if inside_entry and change.path[-1] not in _QUIET:
            yield f"{format_path(change.path, device.schema)} would change under what it serves now"


def _claimed_twice(kind: Kind, tree: Container) -> Iterator[str]:
    if kind not in _CLAIMS:
        return
    where, leafs = _CLAIMS[kind]
    found = get(tree, where)
    claimed: dict[str, str] = {}
    for keys, entry in found.entries.items() if isinstance(found, Entries) else ():
        if HUB in entry.children:
            continue  # an emitter serves all links of its hub
        for leaf in leafs:
            claim = get(entry, leaf)
            if isinstance(claim, str) and (other := claimed.setdefault(claim, keys[0])) != keys[0]:
                yield f"{leaf[-1]} {claim} serves {other}, and {keys[0]} needs it"
