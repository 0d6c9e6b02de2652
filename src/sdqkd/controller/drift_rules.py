"""Which policy is for which change of which device: the rules of the network file, and what devices tune. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sdqkd.controller.intent import owned_by
from sdqkd.errors import InputError, RpcError
from sdqkd.network.model import Device, DriftRules, Kind, Network, Policy
from sdqkd.schema.path import parse_path
from sdqkd.schema.table import load
from sdqkd.schema.tree import Path

# Configuration that a device writes by itself, by the kind of device; the operator's rules come first.
SELF_TUNED: Mapping[Kind, tuple[str, ...]] = {
    "qkd-node": (
        # Modules measure the attenuation of their channel and correct what they were told.
        "/etsi-qkd-sdn-node:qkd_node/qkd_links/qkd_link/phys_channel_att",
        # The key manager of the node enters who uses a link.
        "/etsi-qkd-sdn-node:qkd_node/qkd_links/qkd_link/qkdl_applications",
    ),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A part of one device's configuration and its policy. A list step without keys is for all entries."""

    path: Path
    policy: Policy
    rule: str  # its name; "" for what devices of this kind tune by themselves


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies of one device. The first place that a change lies in decides."""

    places: tuple[Place, ...]
    otherwise: Policy

    def of(self, path: Path) -> Policy:
        """What to do about a change at this path. One of a whole entry is not in a place inside the entry."""
        return next((place.policy for place in self.places if _lies_in(path, place.path)), self.otherwise)


def policies_of(device: Device, rules: DriftRules) -> Policies:
    """The policies of a device. Rules whose path its model does not have are not for it."""
    schema = load(device.model_set)
    wanted = [
        (rule.where, rule.policy, rule.name)
        for rule in rules.rules
        if not rule.devices or device.name in rule.devices
    ]
    tuned: list[tuple[str, Policy, str]] = [(where, "ignore", "") for where in SELF_TUNED.get(device.kind, ())]
    places = []
    for where, policy, name in (*wanted, *tuned):
        try:
            places.append(Place(parse_path(schema, where), policy, name))
        except RpcError:
            continue
    return Policies(tuple(places), rules.policy)


def faults(network: Network) -> Iterator[InputError]:
    """Rules that are for nothing: their path is in no configuration that the controller decides on."""
    for rule in network.drift.rules:
        names = rule.devices or tuple(network.devices)
        if not any(_concerns(network.devices[name], rule.where) for name in names):
            whom = " and ".join(rule.devices) or "any device"
            message = f"the rule is for nothing: {rule.where} is not what the controller configures on {whom}"
            yield InputError(message, path=f"{rule.path}/path")


def _concerns(device: Device, where: str) -> bool:
    try:
        path = parse_path(load(device.model_set), where)
    except RpcError:
        return False
    return any(_lies_in(owned, path) or _lies_in(path, owned) for owned in owned_by(device))


def _lies_in(path: Path, place: Path) -> bool:
    """Whether `path` is `place` or below it."""
    if len(path) < len(place):
        return False
    for step, wanted in zip(path, place, strict=False):
        if step != wanted and not (isinstance(wanted, str) and isinstance(step, tuple) and step[0] == wanted):
            return False
    return True
