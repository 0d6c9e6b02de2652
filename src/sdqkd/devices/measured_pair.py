"""The pairs that a hub measures, in the tree of its node: module `sdqkd-qkd-node`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sdqkd.devices.qkd_backend import NodeHardware, PairReport, PairSettings
from sdqkd.devices.qkd_link import TOP
from sdqkd.devices.trees import container, decimal, entries, optional
from sdqkd.errors import RpcError
from sdqkd.physics.grid import etsi_range_admits, hz_to_thz, thz_to_hz
from sdqkd.schema.path import format_path
from sdqkd.schema.reader import Reader
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container, Entries, Path

LIST = "sdqkd-qkd-node:measured-pair"
_TYPES = "etsi-qkd-node-types"


def pair_settings(tree: Container) -> dict[str, PairSettings]:
    """The pairs of a valid tree, by link id."""
    found = (_settings(entry) for entry in Reader(tree).inside(TOP).entries(LIST))
    return {pair.link_id: pair for pair in found}


def pair_errors(schema: Schema, hardware: NodeHardware, tree: Container) -> Iterator[RpcError]:
    """What this node cannot measure of the pairs in a whole tree."""
    for pair in pair_settings(tree).values():
        for node, number in pair.inputs.items():
            interface = hardware.interfaces.get(number)
            if interface is None:
                message, tag = f"this node has no interface {number}", "unknown-interface"
            elif interface.role != "RECEIVER":
                message, tag = f"interface {number} ({interface.model}) is a {interface.role}", "wrong-role"
            elif not etsi_range_admits(interface.wavelength_range, pair.frequency_hz):
                takes, light = interface.wavelength_range, hz_to_thz(pair.frequency_hz)
                message, tag = f"interface {number} takes {takes}, not {light} THz", "out-of-range"
            else:
                continue
            path: Path = (TOP, (LIST, (pair.link_id,)), ("emitter", (node,)), "interface")
            yield RpcError("invalid-value", message, path=format_path(path, schema), app_tag=tag)


def pairs_state(reports: Mapping[str, PairReport]) -> Entries:
    """What a hub reports of its pairs."""
    return entries("link-id", (_state(link_id, report) for link_id, report in reports.items()))


def _settings(entry: Reader) -> PairSettings:
    return PairSettings(
        link_id=entry.text("link-id"),
        enabled=entry.flag("enabled", "true"),
        inputs={one.text("node-id"): int(one.text("interface")) for one in entry.entries("emitter")},
        frequency_hz=thz_to_hz(entry.text("frequency-thz")),
    )


def _state(link_id: str, report: PairReport) -> Container:
    rate, visibility = report.coincidences_per_s, report.visibility
    return container(
        {
            "link-id": link_id,
            "oper-status": f"{_TYPES}:{report.status}",
            "oper-reason": optional(report.reason),
            "time-share": decimal(100 * report.time_share, 2),
            "coincidence-rate": None if rate is None else str(round(rate)),
            "visibility": None if visibility is None else decimal(100 * visibility, 2),
        }
    )
