"""The two files that a person writes: the network and, if need be, where its devices answer.

They are read whole or refused. An error names the file, the line and the instance path. All that is wrong is told
at once, as far as one fault does not hide another: first the YAML, then the model (libyang), then what YANG cannot
say.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from sdqkd.controller.callers import Waiting
from sdqkd.controller.checks import check, unknown_profiles
from sdqkd.controller.places import Lines, from_model, placed
from sdqkd.errors import InputError, InputErrors, RpcError, RpcErrors, some_of
from sdqkd.network.model import Device, Endpoint, Network
from sdqkd.network.read import TOP, read_endpoint, read_network
from sdqkd.schema.path import quote
from sdqkd.schema.reader import Reader
from sdqkd.schema.table import load
from sdqkd.schema.tree import Container
from sdqkd.schema.validate import Validator
from sdqkd.schema.yaml import YamlDocument, read_yaml
from sdqkd.transport.keys import read_private
from sdqkd.transport.tls_context import Identity, check_identity, read_certificates

Dangling: TypeAlias = Callable[[Container], Sequence[InputError]]

_INVENTORY = "sdqkd-inventory:inventory"
_FILES = ("client_key_file", "tls_certificate_file", "tls_key_file", "tls_issuers_file")  # of an endpoint
_NAMES = ("host_key", "username", "certificate", "certificate_name")


@dataclass(frozen=True, slots=True)
class LoadedNetwork:
    """A network file that is right. `lines` gives the line of each instance path.

    `inventory` is the file that its endpoints come from, if one was laid over them; `waiting` says where the
    controller listens for the devices that call home.
    """

    file: str
    network: Network
    tree: Container = field(repr=False)
    lines: Lines = field(repr=False)
    inventory: str | None = None
    waiting: Waiting = field(default_factory=Waiting)


@dataclass(frozen=True, slots=True)
class LoadedInventory:
    """What an inventory file says: `common` of every device, `endpoints` of those that it lists, by name."""

    file: str
    common: Endpoint
    endpoints: Mapping[str, Endpoint]
    waiting: Waiting
    lines: Lines = field(repr=False)


def load_network(text: str, file: str) -> LoadedNetwork:
    """Read and check a network file. Raises InputError, InputErrors if several things are wrong."""
    document = _read("network", text, file, unknown_profiles)
    if TOP not in document.tree.children:
        raise InputError("there is no network in this file: it begins with `network:`", file, 1)
    network = read_network(load("network"), document.tree)
    folder = Path(file).parent
    devices = {
        name: dataclasses.replace(device, management=_from_folder(folder, device.management))
        for name, device in network.devices.items()
    }
    network = dataclasses.replace(network, devices=devices)
    if faults := check(network):
        raise placed(faults, file, document.lines)
    return LoadedNetwork(file, network, document.tree, document.lines)


def load_inventory(text: str, file: str) -> LoadedInventory:
    """Read and check an inventory file. Raises InputError."""
    document = _read("inventory", text, file)
    top = Reader(document.tree).inside(_INVENTORY)
    folder = Path(file).parent
    endpoints = {entry.text("name"): _from_folder(folder, read_endpoint(entry)) for entry in top.entries("device")}
    common = _from_folder(folder, read_endpoint(top))
    return LoadedInventory(file, common, endpoints, _waiting(top.inside("call-home")), document.lines)


def _waiting(entry: Reader) -> Waiting:
    default = Waiting()
    return Waiting(
        entry.text("address", default.address),
        int(entry.text("ssh-port", str(default.ssh_port))),
        int(entry.text("tls-port", str(default.tls_port))),
        entry.number("patience", str(default.patience_s)),
    )


def with_inventory(loaded: LoadedNetwork, inventory: LoadedInventory) -> LoadedNetwork:
    """The network with the endpoints of an inventory laid over its own.

    What the inventory says of one device comes before what it says of all; what the network file says of one comes
    last, unless the inventory does not list that device. Raises InputErrors naming each device that the network
    does not have.
    """
    known = loaded.network.devices
    if unknown := [name for name in inventory.endpoints if name not in known]:
        raise placed((_stranger(name, loaded) for name in unknown), inventory.file, inventory.lines)
    devices = {
        name: dataclasses.replace(device, management=_endpoint(device, inventory))
        for name, device in known.items()
    }
    network = dataclasses.replace(loaded.network, devices=devices)
    return dataclasses.replace(loaded, network=network, inventory=inventory.file, waiting=inventory.waiting)


def _endpoint(device: Device, inventory: LoadedInventory) -> Endpoint:
    listed = inventory.endpoints.get(device.name)
    if listed is None:
        return _over(inventory.common, device.management)
    return _over(device.management, _over(inventory.common, listed))


def check_endpoints(loaded: LoadedNetwork) -> None:
    """See that every device could be reached, before any is asked.

    Raises InputErrors naming the devices of which the files do not say enough, InputError(s) for the files of our
    own private keys: missing, unreadable, open to others, or no keys.
    """
    lacking: dict[str, list[Device]] = {}
    for device in loaded.network.devices.values():
        missing = [what for what, value in _needed(device.management).items() if value is None]
        if missing:
            lacking.setdefault(", ".join(missing), []).append(device)
    if lacking:
        faults = (_unreachable(missing, devices, loaded.inventory) for missing, devices in lacking.items())
        raise placed(faults, loaded.file, loaded.lines)
    if wrong_keys := list(_wrong_keys(loaded.network)):
        raise wrong_keys[0] if len(wrong_keys) == 1 else InputErrors(wrong_keys)


def _unreachable(missing: str, devices: Sequence[Device], inventory: str | None) -> InputError:
    names = some_of([device.name for device in devices])
    remedy = f"enter it in the inventory {inventory}" if inventory else "give an inventory"
    message = f"{names} cannot be reached without {missing}: {remedy}, or `management` here"
    return InputError(message, path=devices[0].path)


def _wrong_keys(network: Network) -> Iterator[InputError]:
    """What is wrong with each of our keys and certificates, once, however many devices it is for."""
    ends = [device.management for device in network.devices.values()]
    for own in dict.fromkeys(own for end in ends for own in _own_files(end)):
        try:
            own.read(own.file)
        except InputError as error:
            yield error


@dataclass(frozen=True, slots=True)
class _OwnFile:
    """Something that we show or trust. `read` raises InputError if it cannot be used."""

    read: Callable[..., object]
    file: Path | Identity


def _own_files(end: Endpoint) -> Iterator[_OwnFile]:
    if end.transport == "ssh":
        yield _OwnFile(read_private, Path(end.client_key_file or ""))
        return
    yield _OwnFile(check_identity, Identity(Path(end.tls_certificate_file or ""), Path(end.tls_key_file or "")))
    if end.certificate is None:
        yield _OwnFile(read_certificates, Path(end.tls_issuers_file or ""))


def read_file(path: Path) -> str:
    """The text of a file. Raises InputError if it is missing, unreadable or not UTF-8."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError("this is not UTF-8 text", str(path), line) from None
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", str(path)) from None


def _read(set_name: str, text: str, file: str, dangling: Dangling = lambda tree: ()) -> YamlDocument:
    """Read a file and have the model judge it. `dangling` finds what it refers to and no model knows of."""
    schema = load(set_name)
    document = read_yaml(schema, text, file)
    nowhere = dangling(document.tree)
    try:
        Validator(schema).check(document.tree)
    except (RpcError, RpcErrors) as error:
        raise from_model(error, file, document.lines, nowhere) from None
    if nowhere:
        raise placed(nowhere, file, document.lines)
    return document


def _over(below: Endpoint, above: Endpoint) -> Endpoint:
    """What `above` says, and `below` where it says nothing. Port and transport belong to the address."""
    said = {name: getattr(above, name) or getattr(below, name) for name in (*_FILES, *_NAMES)}
    place = above if above.address or above.call_home else below
    return dataclasses.replace(place, **said)


def _from_folder(folder: Path, endpoint: Endpoint) -> Endpoint:
    files: dict[str, Any] = {name: str(folder / file) for name in _FILES if (file := getattr(endpoint, name))}
    return dataclasses.replace(endpoint, **files)


def _needed(endpoint: Endpoint) -> Mapping[str, str | None]:
    address = {} if endpoint.call_home else {"address": endpoint.address}
    if endpoint.transport == "ssh":
        return address | {
            "host key": endpoint.host_key,
            "user name": endpoint.username,
            "client key file": endpoint.client_key_file,
        }
    return address | {
        "TLS certificate file": endpoint.tls_certificate_file,
        "TLS key file": endpoint.tls_key_file,
        "certificate or TLS issuers file": endpoint.certificate or endpoint.tls_issuers_file,
    }


def _stranger(name: str, loaded: LoadedNetwork) -> InputError:
    message = f"the network {loaded.network.name} ({loaded.file}) has no device {name}"
    return InputError(message, path=f"/{_INVENTORY}/device[name={quote(name)}]")
