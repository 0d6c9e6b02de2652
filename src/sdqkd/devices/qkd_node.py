"""SD-QKD node (ETSI GS QKD 015): QKD modules behind interfaces, and the links between them.

A link is wanted at this end when `qkdl_enable` is true and `qkdl_status` is ACTIVE: existing controllers create
links with OFF and then write ACTIVE. What it really does is in `oper-status`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from sdqkd.devices import huawei_cv
from sdqkd.devices.device import watch
from sdqkd.devices.hardware import hardware_changes, raise_all
from sdqkd.devices.measured_pair import LIST, pair_errors, pair_settings, pairs_state
from sdqkd.devices.qkd_backend import (
    HubBackend,
    InterfaceHardware,
    LinkReport,
    LinkSettings,
    NodeReport,
    QkdNodeBackend,
)
from sdqkd.devices.qkd_link import TOP, LinkReader, link_errors
from sdqkd.devices.trees import boolean, container, decimal, entries, optional
from sdqkd.physics.grid import band_of
from sdqkd.schema.reader import Reader
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container, Node

TYPES = "etsi-qkd-node-types"
OURS = "sdqkd-qkd-node"
MAX_UINT32 = 2**32 - 1


class QkdNode:
    """Translates between the ETSI model and a backend."""

    def __init__(self, name: str, schema: Schema, backend: QkdNodeBackend) -> None:
        self.name = name
        self.schema = schema
        self._backend = backend
        self._reader = LinkReader(backend.hardware)
        self._links: Mapping[str, LinkSettings] = {}
        self._shown_links: dict[str, tuple[LinkSettings, LinkReport, Container]] = {}
        self._shown: tuple[Mapping[str, LinkSettings], NodeReport, Container] | None = None

    def factory(self) -> Container:
        """Give identifiers, capabilities and interfaces."""
        return self._factory

    @functools.cached_property
    def _factory(self) -> Container:
        hardware = self._backend.hardware
        capabilities = {
            "link_stats_support": "true",
            "application_stats_support": "false",
            "key_relay_mode_enable": boolean(hardware.relays_keys),
        }
        interfaces = entries("qkdi_id", map(_interface, hardware.interfaces.values()))
        node = container(
            {
                "qkdn_id": hardware.node_id,
                "qkdn_version": hardware.version,
                "qkdn_location_id": hardware.location,
                "qkdn_capabilities": Container(capabilities),
                "qkd_interfaces": container({"qkd_interface": interfaces}),
            }
        )
        return Container({TOP: node})

    def check(self, proposed: Container) -> None:
        """Raise RpcError(s) for changed hardware and for links that the modules cannot make."""
        errors = list(hardware_changes(self.schema, self.factory(), proposed))
        errors += link_errors(self.schema, self._reader.read(proposed))
        errors += pair_errors(self.schema, self._backend.hardware, proposed)
        raise_all(errors)

    def apply(self, running: Container) -> None:
        """Hand the links to the backend."""
        asked = _consumption(running)
        told = {link.settings.id: link.settings for link in self._reader.read(running)}
        for name in asked.keys() & told.keys():
            told[name] = replace(told[name], consumption_bps=asked[name])
        self._links = told
        for gone in self._shown_links.keys() - told.keys():
            del self._shown_links[gone]
        self._backend.apply(self._links)
        if isinstance(self._backend, HubBackend):
            self._backend.measure(pair_settings(running))

    def state(self) -> Container:
        """Give the status of node, interfaces and links: the same tree as before, if nothing has changed."""
        report = self._backend.report()
        if self._shown is None or self._shown[0] is not self._links or self._shown[1] != report:
            self._shown = (self._links, report, self._state(report))
        return self._shown[2]

    def watch(self, listener: Callable[[], None]) -> Callable[[], None] | None:
        """Call `listener` whenever the state may have changed, if the modules can say so: see `Watchable`."""
        return watch(self._backend, listener)

    def _state(self, report: NodeReport) -> Container:
        interfaces = (
            Container({"qkdi_id": str(number), "qkdi_status": f"{TYPES}:{status}"})
            for number, status in report.interfaces.items()
        )
        done = [self._link_state(link, report.links[link.id]) for link in self._links.values()]
        node = container(
            {
                "qkdn_status": f"{TYPES}:{report.status}",
                "qkd_interfaces": container({"qkd_interface": entries("qkdi_id", interfaces)}),
                "qkd_links": container({"qkd_link": entries("qkdl_id", done)}),
                LIST: pairs_state(report.pairs),
            }
        )
        return Container({TOP: node})

    def _link_state(self, link: LinkSettings, report: LinkReport) -> Container:
        """The state of a link: the same tree as before, if nothing has changed."""
        shown = self._shown_links.get(link.id)
        if shown is None or shown[1] != report or shown[0] != link:
            shown = self._shown_links[link.id] = (link, report, self._new_link_state(link, report))
        return shown[2]

    def _new_link_state(self, link: LinkSettings, report: LinkReport) -> Container:
        interface = None if link.interface is None else self._backend.hardware.interfaces.get(link.interface)
        return container({**_link_state(link, report), **huawei_cv.link_state(interface, report)})


def _interface(interface: InterfaceHardware) -> Container:
    attached = {"device": interface.attached_device, "port": optional(interface.attached_port)}
    abilities = {
        "role_support": f"{TYPES}:{interface.role}",
        "wavelength_range": interface.wavelength_range,
        "max_absorption": decimal(interface.max_absorption_db, 3),
    }
    return container(
        {
            "qkdi_id": str(interface.id),
            "qkdi_model": interface.model,
            "qkdi_type": f"{TYPES}:{interface.technology}",
            "qkdi_att_point": container(attached),
            "qkdi_capabilities": Container(abilities),
            f"{OURS}:vendor": interface.vendor,
            f"{OURS}:port": interface.port,
        }
    )


def _consumption(tree: Container) -> dict[str, int]:
    """The least key rates that applications ask of the links that back them, summed by link, in bit/s."""
    asked: dict[str, int] = {}
    for app in Reader(tree).inside(TOP).inside("qkd_applications").entries("qkd_app"):
        for link in app.values("backing_qkdl_id"):
            asked[link] = asked.get(link, 0) + (app.inside("app_qos").optional_int("min_bandwidth") or 0)
    return asked


def _link_state(link: LinkSettings, report: LinkReport) -> dict[str, Node | None]:
    # Nothing inside the network uses keys yet, so what is left of the rate is all of it.
    rate = str(min(report.rate_bps, MAX_UINT32))
    performance = container(
        {
            "expected_consumption": str(min(link.consumption_bps, MAX_UINT32)),
            "skr": rate,
            "eskr": rate,
            "phys_perf": entries("perf_type", _measurements(report)),
        }
    )
    return {
        "qkdl_id": link.id,
        "qkdl_performance": performance,
        f"{OURS}:band": None if link.frequency_hz is None else band_of(link.frequency_hz),
        f"{OURS}:measured-loss-db": None if report.loss_db is None else decimal(report.loss_db, 3),
        f"{OURS}:oper-status": f"{TYPES}:{report.status}",
        f"{OURS}:oper-reason": optional(report.reason),
    }


def _measurements(report: LinkReport) -> Iterator[Container]:
    # The standard leaves the units open: QBER in per cent, signal-to-noise ratio in dB.
    if report.qber is not None:
        yield Container({"perf_type": f"{TYPES}:QBER", "value": decimal(report.qber * 100, 3)})
    if report.snr_db is not None:
        yield Container({"perf_type": f"{TYPES}:SNR", "value": decimal(report.snr_db, 3)})
