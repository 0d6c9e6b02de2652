"""Huawei's switched CV-QKD modules: what `sdqkd-huawei-cv-qkd` adds to a link that ends at one."""

from __future__ import annotations

from sdqkd.devices.qkd_backend import InterfaceHardware, LinkReport
from sdqkd.physics.grid import hz_to_thz
from sdqkd.schema.reader import Reader

VENDOR = "Huawei"
KEY_OUTPUT = "sdqkd-huawei-cv-qkd:key-output"
LASER = "sdqkd-huawei-cv-qkd:laser-frequency-thz"


def hands_out_raw_key(link: Reader) -> bool:
    """Whether a `qkd_link` entry tells the module to leave out post-processing; the model's default is not to."""
    return link.text(KEY_OUTPUT) == "raw"


def link_state(interface: InterfaceHardware | None, report: LinkReport) -> dict[str, str]:
    """State of a link: where the laser stands, while it is on. Modules of other vendors do not have the leaf."""
    if interface is None or interface.vendor != VENDOR or report.laser_hz is None:
        return {}
    return {LASER: hz_to_thz(report.laser_hz)}
