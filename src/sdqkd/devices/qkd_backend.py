"""What crosses between an SD-QKD node's model and its modules: settings down, reports up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol, runtime_checkable

OperStatus = Literal["ACTIVE", "PASSIVE", "PENDING", "OFF"]
InterfaceStatus = Literal["ENABLED", "DISABLED", "FAILED"]


@dataclass(frozen=True, slots=True)
class InterfaceHardware:
    """One QKD module. `technology` and `role` are ETSI identities without module.

    `attached_device` and `attached_port` say what its quantum port is plugged into, as far as it is known.
    """

    id: int
    vendor: str
    model: str
    technology: str
    role: str
    wavelength_range: str
    max_absorption_db: float
    port: str
    attached_device: str | None = None
    attached_port: int | None = None


@dataclass(frozen=True, slots=True)
class NodeHardware:
    """What a node is. `location` is the site that houses it."""

    node_id: str
    version: str
    location: str
    relays_keys: bool
    interfaces: Mapping[int, InterfaceHardware]


class HubInput(NamedTuple):
    """Where the light of an end of a link of three parties is measured: the hub's node id and its interface."""

    node: str
    interface: int


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """What a node is told of one link. None: not said (yet).

    `status` and `role` are ETSI identities without module; `physical` is None without a type; `raw_key` leaves
    out the post-processing that makes a secret key. `hub` is None for links of two parties.
    """

    id: str
    physical: bool | None
    enabled: bool
    status: str
    interface: int | None
    remote_node: str | None
    remote_interface: int | None
    role: str | None
    frequency_hz: int | None
    consumption_bps: int = 0
    raw_key: bool = False
    hub: HubInput | None = None

    @property
    def wanted(self) -> bool:
        """Whether this end shall make key."""
        return self.enabled and self.status == "ACTIVE"


@dataclass(frozen=True, slots=True)
class LinkReport:
    """What a link does. `reason` is empty if and only if it is ACTIVE.

    `loss_db` is None without a light path; `qber` (a fraction, DV modules) and `snr_db` (CV modules) where
    measured; `laser_hz` while the laser is on.
    """

    status: OperStatus
    reason: str = ""
    loss_db: float | None = None
    rate_bps: int = 0
    qber: float | None = None
    snr_db: float | None = None
    laser_hz: int | None = None


@dataclass(frozen=True, slots=True)
class PairSettings:
    """What a hub is told of one link that it measures: its interface for each emitter, by node id."""

    link_id: str
    enabled: bool
    inputs: Mapping[str, int]
    frequency_hz: int


@dataclass(frozen=True, slots=True)
class PairReport:
    """What a hub makes of one pair. `reason` is empty if and only if it is ACTIVE.

    `time_share` and `visibility` are fractions; rate and visibility are None without light from both.
    """

    status: OperStatus
    reason: str = ""
    time_share: float = 0.0
    coincidences_per_s: float | None = None
    visibility: float | None = None


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What a node does; links by id, one report for each link that it was told of, and `pairs` likewise.

    An interface whose module is not plugged in has no status.
    """

    status: str
    interfaces: Mapping[int, InterfaceStatus]
    links: Mapping[str, LinkReport]
    pairs: Mapping[str, PairReport] = field(default_factory=dict)


class QkdNodeBackend(Protocol):
    """The modules and key management of one site."""

    @property
    def hardware(self) -> NodeHardware:
        """What the node is; it never changes."""
        ...

    def apply(self, links: Mapping[str, LinkSettings]) -> None:
        """Run these links, by id, and no others."""
        ...

    def report(self) -> NodeReport:
        """Give what the node does now."""
        ...


@runtime_checkable
class HubBackend(Protocol):
    """A node that may have the inputs of a hub of links of three parties."""

    def measure(self, pairs: Mapping[str, PairSettings]) -> None:
        """Measure these pairs of emitters, by link id, and no others."""
        ...
