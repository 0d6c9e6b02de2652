"""A device that the network file does not know yet: what it says of itself becomes its entry there. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sdqkd.controller.intent import identity_of
from sdqkd.controller.yaml_append import Value
from sdqkd.errors import InputError
from sdqkd.network.model import Device
from sdqkd.profiles.profile import Profile
from sdqkd.schema.reader import Reader
from sdqkd.schema.tree import Container, get

Entry = Mapping[str, Value]


def device_entry(
    device: Device, tree: Container, profiles: Mapping[str, Profile], chosen: Mapping[int, str]
) -> Entry:
    """The entry of a device, of which name, site, kind, model set and endpoint are known, from what it reports.

    `chosen` are equipment profiles by interface, for where vendor and technology do not tell. Raises InputError if
    something is missing that the file needs.
    """
    identity = get(tree, identity_of(device))
    if not isinstance(identity, str):
        raise InputError(f"{device.name} does not say which device it is")
    entry: dict[str, Value] = {"name": device.name, "site": device.site, "kind": device.kind}
    if device.model_set != device.kind:
        entry["model-set"] = device.model_set
    entry["device-id"] = identity
    end = device.management
    entry["management"] = {"address": end.address or "", "port": str(end.port), "host-key": end.host_key or ""}
    top = Reader(tree).inside(identity_of(device)[0])  # type: ignore[arg-type]
    if device.kind == "qkd-node":
        entry["interface"] = [*_interfaces(device.name, top, profiles, chosen)]
    elif device.kind == "encryptor":
        entry["layer"] = top.text("layer")
        entry["line"] = [_known(line, "name", "line-rate-bps") for line in top.entries("line")]
    else:
        entry["port"] = [_known(port, "name", "label") for port in top.entries("port")]
    return entry


def _known(entry: Reader, *leafs: str) -> Entry:
    return {leaf: entry.text(leaf) for leaf in leafs if entry.has(leaf)}


def _interfaces(
    device: str, top: Reader, profiles: Mapping[str, Profile], chosen: Mapping[int, str]
) -> Iterator[Entry]:
    for module in top.inside("qkd_interfaces").entries("qkd_interface"):
        able = module.inside("qkdi_capabilities")
        vendor, technology = module.text("sdqkd-qkd-node:vendor"), module.local("qkdi_type")
        entry = {
            "id": module.text("qkdi_id"),
            "vendor": vendor,
            "product": module.text("qkdi_model"),
            "profile": chosen.get(int(module.text("qkdi_id"))) or _profile(profiles, vendor, technology),
            "technology": technology,
            "role": able.local("role_support"),
            "wavelength-range": able.text("wavelength_range"),
            "max-absorption-db": able.text("max_absorption"),
            "port": module.text("sdqkd-qkd-node:port"),
        }
        if missing := [leaf for leaf, value in entry.items() if not value]:
            known = ", ".join(profiles)
            remedy = f": choose one of {known}" if "profile" in missing else ""
            raise InputError(f"interface {entry['id']} of {device} does not tell its {', '.join(missing)}{remedy}")
        yield entry


def _profile(profiles: Mapping[str, Profile], vendor: str, technology: str) -> str:
    """The one equipment profile of this vendor and technology, "" if there are several or none."""
    kind = technology.partition("-")[0]
    fitting = [one.name for one in profiles.values() if one.vendor == vendor and one.technology == kind]
    return fitting[0] if len(fitting) == 1 else ""
