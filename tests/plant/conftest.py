"""A plant on the bench: configured as a controller would, then changed and broken by the test."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from sdqkd.controller.intent import desired
from sdqkd.network.model import Network
from sdqkd.network.read import read_network
from sdqkd.plant.plant import Plant
from sdqkd.schema import json
from sdqkd.schema.path import parse_path
from sdqkd.schema.table import load
from sdqkd.schema.tree import Container, merge, put, remove
from sdqkd.schema.tree import Path as TreePath
from sdqkd.schema.validate import Validator
from sdqkd.schema.yaml import read_yaml

DATA = Path(__file__).parent / "data"
MADQCI = Path(__file__).parents[2] / "examples" / "madqci" / "network.yaml"
NODE = "/etsi-qkd-sdn-node:qkd_node/qkd_links/qkd_link[qkdl_id='{}']"
SWITCH = "/sdqkd-optical-device:optical-device/"

_VALIDATORS: dict[str, Validator] = {}


def validator_of(name: str) -> Validator:
    """Of the device alone: what an agent must report about itself is not the device's to know."""
    return _VALIDATORS.setdefault(name, Validator(load(name, alone=True)))


def read(file: Path) -> Network:
    schema = load("network")
    tree = read_yaml(schema, file.read_text("utf-8"), file.name).tree
    Validator(schema).check(tree)
    return read_network(schema, tree)


class Lab:
    """A plant with the running configuration of each device, and a clock that the test moves."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.now_s = 1000.0
        self.plant = Plant(network, now=lambda: self.now_s)
        wanted = desired(network)
        self.running: dict[str, Container] = {
            name: merge(device.schema, device.factory(), wanted[name].tree)
            for name, device in self.plant.devices.items()
        }

    def configure(self, names: Iterable[str] = ()) -> Lab:
        """Commit what is in `running`, on the named devices or on all."""
        for name in names or self.plant.devices:
            device = self.plant.devices[name]
            validator_of(device.schema.name).check(self.running[name])
            device.check(self.running[name])
            device.apply(self.running[name])
        return self

    def set(self, device: str, path: str, value: str) -> None:
        """Change one leaf and commit."""
        schema = self.plant.devices[device].schema
        self.running[device] = put(schema, self.running[device], parse_path(schema, path), value)
        self.configure([device])

    def delete(self, device: str, *paths: str) -> None:
        """Delete nodes, without a commit."""
        schema = self.plant.devices[device].schema
        for path in paths:
            self.running[device] = remove(self.running[device], parse_path(schema, path), schema)

    def retune(self, device: str, link: str, thz: str) -> None:
        """Set one end of a link to another frequency and commit."""
        self.delete(device, f"{self.place(link)}/phys_wavelength")
        self.set_link(device, link, "sdqkd-qkd-node:frequency-thz", thz)

    def place(self, link: str) -> str:
        """Where a link is in the model of either node."""
        return NODE.format(self.network.qkd_links[link].link_id)

    def set_link(self, device: str, link: str, leaf: str, value: str) -> None:
        self.set(device, f"{self.place(link)}/{leaf}", value)

    def join(self, device: str, name: str, a_port: str, b_port: str) -> None:
        """Make a cross-connection of this name lead elsewhere."""
        schema = self.plant.devices[device].schema
        place: TreePath = parse_path(schema, f"{SWITCH}cross-connection[name='{name}']")
        for leaf, value in (("a-port", a_port), ("b-port", b_port)):
            self.running[device] = put(schema, self.running[device], (*place, leaf), value)
        self.configure([device])

    def state(self, device: str) -> Any:
        """The state tree of a device, after libyang has found it valid together with what is running."""
        wrapped = self.plant.devices[device]
        state = wrapped.state()
        both = merge(wrapped.schema, self.running[device], state)
        validator_of(wrapped.schema.name).check(both, state=True)
        (top,) = json.encode(wrapped.schema, state).values()
        return top

    def states(self) -> dict[str, Any]:
        return {name: self.state(name) for name in self.plant.devices}

    def link(self, device: str, link: str) -> Any:
        """State of a link at one end."""
        link_id = self.network.qkd_links[link].link_id
        entries = self.state(device)["qkd_links"]["qkd_link"]
        return next(entry for entry in entries if entry["qkdl_id"] == link_id)

    def both(self, link: str) -> tuple[Any, Any]:
        """State of a link at its transmitter and at its receiver."""
        ends = self.network.qkd_links[link]
        return self.link(ends.transmitter.device, link), self.link(ends.receiver.device, link)

    def said(self, link: str) -> tuple[str, str, str, str]:
        """Status and reason of a link at its transmitter and at its receiver."""
        tx, rx = self.both(link)
        return *status_of(tx), *status_of(rx)

    def rate(self, link: str) -> int:
        tx, rx = self.both(link)
        assert tx["qkdl_performance"] == rx["qkdl_performance"]
        assert (tx["sdqkd-qkd-node:oper-status"] == "etsi-qkd-node-types:ACTIVE") == (
            tx["qkdl_performance"]["skr"] > 0
        )
        return tx["qkdl_performance"]["skr"]


def status_of(entry: Any) -> tuple[str, str]:
    status = entry["sdqkd-qkd-node:oper-status"].removeprefix("etsi-qkd-node-types:")
    return status, entry.get("sdqkd-qkd-node:oper-reason", "")


@pytest.fixture(scope="session")
def triangle() -> Network:
    return read(DATA / "network.yaml")


@pytest.fixture(scope="session")
def madqci() -> Network:
    return read(MADQCI)


@pytest.fixture(scope="session")
def make_lab() -> type[Lab]:
    return Lab


@pytest.fixture
def lab(triangle: Network) -> Lab:
    return Lab(triangle).configure()
