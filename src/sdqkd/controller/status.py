"""What the network does, from what its devices report: links with their figures, devices against the intent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from sdqkd.controller.history_text import open_json
from sdqkd.controller.intent import Desired
from sdqkd.controller.journal_state import TransactionRecord
from sdqkd.controller.plan import differences
from sdqkd.controller.readings import link_reading
from sdqkd.errors import SdqkdError
from sdqkd.network.model import ModuleEnd, Network, QkdLink
from sdqkd.physics.grid import hz_to_channel, hz_to_nm
from sdqkd.schema.table import load
from sdqkd.schema.tree import Container, config_only

Reading = Container | SdqkdError  # configuration and state of a device, or why there is none
Status = Literal["ACTIVE", "PENDING", "PASSIVE", "OFF", "missing", "unknown", "not switched"]

_WORST_FIRST: tuple[Status, ...] = ("unknown", "missing", "OFF", "PASSIVE", "PENDING", "ACTIVE")


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One QKD link as both ends report it. What no end reports is None; `reason` says why it is not ACTIVE.

    `transmitter` and `receiver` are labels of sites. `wanted`: the network file has it active.
    """

    name: str
    transmitter: str
    receiver: str
    vendor: str
    technology: str
    channel: str
    wanted: bool
    status: Status
    reason: str = ""
    loss_db: float | None = None
    key_rate_bps: int | None = None
    qber_percent: float | None = None
    snr_db: float | None = None

    @property
    def has_key(self) -> bool:
        """Whether both ends say that key comes."""
        return self.status == "ACTIVE" and bool(self.key_rate_bps)


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One device. `reason` says why it is not in its desired state."""

    name: str
    in_desired_state: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NetworkStatus:
    """All links and devices, in the order of the network file; `open` are transactions that have no end.

    `journal_error` is why nobody knows which these are, "" if it is known.
    """

    links: tuple[LinkRow, ...]
    devices: tuple[DeviceRow, ...]
    open: tuple[TransactionRecord, ...] = ()
    journal_error: str = ""

    @property
    def links_wanted(self) -> int:
        """How many links shall run."""
        return sum(row.wanted for row in self.links)

    @property
    def links_with_key(self) -> int:
        """How many of them report key."""
        return sum(row.wanted and row.has_key for row in self.links)

    @property
    def devices_in_desired_state(self) -> int:
        """How many devices hold what is wanted of them."""
        return sum(row.in_desired_state for row in self.devices)

    @property
    def in_doubt(self) -> tuple[str, ...]:
        """The devices of which it is not certain what they hold, or that they will hold it."""
        return tuple(dict.fromkeys(name for transaction in self.open for name in transaction.in_doubt))

    @property
    def good(self) -> bool:
        """Whether every device is as wanted, every wanted link reports key, and no transaction is left open."""
        all_wanted = self.devices_in_desired_state == len(self.devices)
        nothing_open = not self.open and not self.journal_error
        return self.links_with_key == self.links_wanted and all_wanted and nothing_open

    def to_json(self) -> dict[str, Any]:
        """The whole as a JSON object."""
        return {
            "good": self.good,
            "devices-in-desired-state": self.devices_in_desired_state,
            "links-wanted": self.links_wanted,
            "links-with-key": self.links_with_key,
            "links": [_with_dashes(asdict(row)) for row in self.links],
            "devices": [_with_dashes(asdict(row)) for row in self.devices],
            "open-transactions": [open_json(transaction) for transaction in self.open],
            "journal-error": self.journal_error or None,
        }


def network_status(
    network: Network, desired: Mapping[str, Desired], readings: Mapping[str, Reading]
) -> NetworkStatus:
    """Hold what the devices report against the network file. Each device of the network has a reading."""
    devices = tuple(_device_row(name, wanted, readings[name]) for name, wanted in desired.items())
    return NetworkStatus(link_table(network, readings), devices)


def link_table(network: Network, readings: Mapping[str, Reading]) -> tuple[LinkRow, ...]:
    """One row for each link of the network file."""
    return tuple(_link_row(network, link, readings) for link in network.qkd_links.values())


def _device_row(name: str, wanted: Desired, reading: Reading) -> DeviceRow:
    if isinstance(reading, SdqkdError):
        return DeviceRow(name, False, str(reading))
    schema = load(wanted.model_set)
    wrong = differences(schema, config_only(schema, reading), wanted.tree, wanted.owned)
    return DeviceRow(name, not wrong, f"{len(wrong)} differences" if wrong else "")


@dataclass(frozen=True, slots=True)
class _End:
    """What one end reports of a link."""

    status: Status
    reason: str = ""
    loss_db: float | None = None
    key_rate_bps: int | None = None
    qber_percent: float | None = None
    snr_db: float | None = None


def _link_row(network: Network, link: QkdLink, readings: Mapping[str, Reading]) -> LinkRow:
    module = network.module(link.transmitter)
    both = link.ends
    transmitter, receiver = (_site_label(network, end) for end in both)
    row = LinkRow(
        name=link.name,
        transmitter=transmitter,
        receiver=receiver,
        vendor=module.vendor,
        technology=module.technology.partition("-")[0],
        channel=_channel(link),
        wanted=link.active,
        status="not switched",
    )
    ends = [_end(end.device, link.link_id, readings[end.device]) for end in both]
    if not link.active and all(end.status == "missing" for end in ends):
        return row
    return _joined(row, ends)


def _joined(row: LinkRow, ends: list[_End]) -> LinkRow:
    """The worse of what the two ends say: a link is as good as its bad end."""
    worst = min(ends, key=lambda end: _WORST_FIRST.index(end.status))
    losses, rates, qbers, snrs = (
        [value for end in ends if (value := getattr(end, name)) is not None]
        for name in ("loss_db", "key_rate_bps", "qber_percent", "snr_db")
    )
    return replace(
        row,
        status=worst.status,
        reason=worst.reason,
        loss_db=max(losses, default=None),
        key_rate_bps=min(rates, default=None),
        qber_percent=max(qbers, default=None),
        snr_db=min(snrs, default=None),
    )


def _end(device: str, link_id: str, reading: Reading) -> _End:
    if isinstance(reading, SdqkdError):
        return _End("unknown", f"{device} cannot be read")
    found = link_reading(reading, link_id)
    if found is None:
        return _End("missing", f"{device} does not have it")
    return _End(
        next((status for status in _WORST_FIRST if status == found.status), "unknown"),
        found.reason or ("" if found.status else f"{device} reports no status"),
        loss_db=found.loss_db,
        key_rate_bps=found.key_rate_bps,
        qber_percent=found.qber_percent,
        snr_db=found.snr_db,
    )


def _site_label(network: Network, end: ModuleEnd) -> str:
    return network.sites[network.devices[end.device].site].label


def _channel(link: QkdLink) -> str:
    channel = hz_to_channel(link.frequency_hz)
    return str(channel) if channel is not None else f"{hz_to_nm(link.frequency_hz):.0f} nm"


def _with_dashes(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace("_", "-"): value for name, value in row.items()}
