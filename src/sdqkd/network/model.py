"""Typed values of a network file (module `sdqkd-network`). Losses in dB, frequencies in Hz, rates in bit/s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Literal, NamedTuple

Kind = Literal["qkd-node", "fibre-switch", "transponder", "encryptor"]
Policy = Literal["restore", "adopt", "alarm-only", "ignore"]
Transport = Literal["ssh", "tls"]
Action = Literal["plan", "apply", "force"]


class Port(NamedTuple):
    """An optical port: the element's name (device or multiplexer) and the port's name."""

    element: str
    name: str

    def __str__(self) -> str:
        return f"{self.element} port {self.name}"


@dataclass(frozen=True, slots=True)
class Passband:
    """A stretch of spectrum that a filter lets through, edges included."""

    lower_hz: int
    upper_hz: int


@dataclass(frozen=True, slots=True)
class Site:
    """Premises. `label` is the name as people write it."""

    name: str
    label: str
    domain: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a NETCONF server answers, or that it calls. None where nobody has said it."""

    address: str | None = None
    port: int = 830
    host_key: str | None = None
    username: str | None = None
    client_key_file: str | None = None
    transport: Transport = "ssh"
    call_home: bool = False  # the device opens the connection, and needs no address
    certificate: str | None = None  # its fingerprint, which the device must show over TLS
    certificate_name: str | None = None
    tls_certificate_file: str | None = None
    tls_key_file: str | None = None
    tls_issuers_file: str | None = None


@dataclass(frozen=True, slots=True)
class Interface:
    """One QKD module of an SD-QKD node. `technology` and `role` are the ETSI identities without module."""

    id: int
    vendor: str
    product: str
    profile: str
    technology: str
    role: str
    wavelength_range: str
    max_absorption_db: float
    port: Port


@dataclass(frozen=True, slots=True)
class Line:
    """A line port of an encryptor."""

    name: str
    line_rate_bps: int | None


@dataclass(frozen=True, slots=True)
class Device:
    """A managed device, behind one NETCONF agent. `path` is its instance path in the network file."""

    name: str
    path: str
    site: str
    kind: Kind
    model_set: str
    device_id: str
    vendor: str
    product: str
    management: Endpoint
    interfaces: Mapping[int, Interface]
    ports: tuple[str, ...]
    lines: Mapping[str, Line]
    layer: str | None
    insertion_loss_db: float
    profile: str | None = None  # of a transponder or encryptor; QKD modules have their own


@dataclass(frozen=True, slots=True)
class MultiplexerPort:
    """A filter between one port of a multiplexer and its line; it passes everything without passbands."""

    name: str
    insertion_loss_db: float
    passbands: tuple[Passband, ...]
    isolation_db: float = 30.0

    def loss_db(self, frequency_hz: int) -> float:
        """Loss of light that it passes, or that leaks through it."""
        if self.passes(frequency_hz):
            return self.insertion_loss_db
        return max(self.insertion_loss_db, self.isolation_db)

    def passes(self, frequency_hz: int) -> bool:
        """Whether light of this frequency gets through."""
        return not self.passbands or any(b.lower_hz <= frequency_hz <= b.upper_hz for b in self.passbands)


@dataclass(frozen=True, slots=True)
class Multiplexer:
    """A passive multiplexer: every other port is joined with the line port through its filter."""

    name: str
    site: str
    line_port: str
    ports: Mapping[str, MultiplexerPort]
    type: str = ""


@dataclass(frozen=True, slots=True)
class FibreSharing:
    """Least distances of a quantum channel from other light, and the most in a fibre; None where unsaid."""

    guard_hz: int | None = None
    spacing_hz: int | None = None
    per_fibre: int | None = None


@dataclass(frozen=True, slots=True)
class Fibre:
    """A fibre pair between two ports. What its `sharing` does not say, that of the network does."""

    name: str
    a: Port
    b: Port
    length_km: float
    loss_db: float
    scheme: str
    sharing: FibreSharing = FibreSharing()


@dataclass(frozen=True, slots=True)
class Amplifier:
    """An optical amplifier in the cord at a port: of light that is `arriving` at the port, or else leaves it."""

    name: str
    path: str
    port: Port
    arriving: bool
    gain_db: float
    noise_figure_db: float
    passbands: tuple[Passband, ...] = ()
    after_calibration: bool = False

    def amplifies(self, frequency_hz: int) -> bool:
        """Whether there is gain, and so noise, at a frequency."""
        return not self.passbands or any(b.lower_hz <= frequency_hz <= b.upper_hz for b in self.passbands)


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch cord inside a site."""

    a: Port
    b: Port
    loss_db: float


@dataclass(frozen=True, slots=True)
class ModuleEnd:
    """One end of a QKD link: SD-QKD node and interface."""

    device: str
    interface: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured on a link as the file describes it, or on another frequency, if that is given."""

    loss_db: float
    key_rate_bps: int
    frequency_hz: int | None = None


@dataclass(frozen=True, slots=True)
class HealthLimits:
    """What a QKD link keeps to while a change is on trial (module `sdqkd-health`). Percentages are of 100.

    `acquisition_s`: how long it may take to come up, None where the profile of its modules says it.
    """

    watched: bool = True
    soak_s: int = 60
    minimum_rate_percent_of_before: float = 80.0
    minimum_rate_percent_of_demand: float = 100.0
    qber_ceiling_percent: float = 8.0
    snr_drop_db: float = 1.0
    power_drop_db: float = 1.0
    acquisition_s: int | None = None


@dataclass(frozen=True, slots=True)
class Arm:
    """From an emitter to the hub that measures its light: the two modules, the way, and the loss if measured."""

    emitter: ModuleEnd
    input: ModuleEnd
    fibres: tuple[str, ...]
    loss_db: float | None = None


@dataclass(frozen=True, slots=True)
class MdiHub:
    """A hub with its emitters, each by its arm. `frequency_hz` is that of all their light."""

    name: str
    path: str
    device: str
    frequency_hz: int
    arms: tuple[Arm, ...]

    def path_of(self, arm: Arm) -> str:
        """Where the network file has an arm."""
        return f"{self.path}/emitter[device='{arm.emitter.device}']"

    def beam_name(self, arm: Arm) -> str:
        """What the light of an emitter of this hub is called, and what serves it."""
        return f"{self.name}-{arm.emitter.device}"


@dataclass(frozen=True, slots=True)
class QkdLink:
    """A QKD link that is wanted (`active`) or could be switched. `fibres` from transmitter to receiver.

    Of a link of three parties, `arms` lead from its two ends to a hub. Then `transmitter` and `receiver` are just
    its first and second end: both send, and no light runs between them. `fibres` are those of both arms, and the
    loss of the calibration is the larger one.
    """

    name: str
    path: str
    link_id: str
    domains: tuple[str, ...]
    active: bool
    transmitter: ModuleEnd
    receiver: ModuleEnd
    frequency_hz: int
    fibres: tuple[str, ...]
    demand_bps: int | None
    calibration: Calibration | None
    health: HealthLimits = HealthLimits()
    arms: tuple[Arm, ...] = ()

    @property
    def ends(self) -> tuple[ModuleEnd, ModuleEnd]:
        """The two ends, where the key is."""
        return self.transmitter, self.receiver

    @property
    def devices(self) -> frozenset[str]:
        """The SD-QKD nodes that it needs: those of its ends, and of its hub."""
        return frozenset(end.device for end in (*self.ends, *(arm.input for arm in self.arms)))


@dataclass(frozen=True, slots=True)
class OpticalChannel:
    """A classical channel. Somebody else's (`third_party`) has no ends here.

    `calibration_power_dbm` and `calibration_frequency_hz` are how it was while the links beside it were measured,
    None where the file does not say it.
    """

    name: str
    path: str
    role: str
    fibre: str
    frequency_hz: int
    launch_power_dbm: float
    third_party: bool
    a: Port | None
    b: Port | None
    calibration_power_dbm: float | None = None
    calibration_frequency_hz: int | None = None
    least_power_dbm: float | None = None
    most_power_dbm: float | None = None

    @property
    def carries_data(self) -> bool:
        """Whether it runs at the line rate for which a transponder's receiver is specified."""
        return self.role in ("classical-data", "encrypted-data")


@dataclass(frozen=True, slots=True)
class EncryptorEnd:
    """One end of a protected connection."""

    device: str
    line: str
    sae_id: str
    key_source_uri: str


@dataclass(frozen=True, slots=True)
class ProtectedConnection:
    """A connection between two encryptors."""

    name: str
    path: str
    a: EncryptorEnd
    b: EncryptorEnd
    rekey_interval_s: int
    vlan: int | None


@dataclass(frozen=True, slots=True)
class Service:
    """End-to-end key delivery that the network promises."""

    name: str
    a_site: str
    b_site: str
    delivery: str


@dataclass(frozen=True, slots=True)
class DriftRule:
    """What to do when devices hold something else at the data path `where`. No `devices` are all of them.

    `path` is the instance path of the rule in the network file.
    """

    name: str
    path: str
    where: str
    devices: tuple[str, ...]
    policy: Policy


@dataclass(frozen=True, slots=True)
class DriftRules:
    """The rules, the first that fits decides; `policy` where none fits."""

    policy: Policy = "restore"
    rules: tuple[DriftRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """What users of the controller's machine, and members of its groups, may do."""

    name: str
    users: tuple[str, ...]
    groups: tuple[str, ...]
    may: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """When the devices of some sites may be changed; no `sites` are all. Times of the clock in `time_zone`.

    `days` are those on which it begins, 0 for Monday; none are all. One that ends before it begins ends on the
    next day.
    """

    name: str
    path: str
    sites: tuple[str, ...]
    days: tuple[int, ...]
    begins: time
    ends: time
    time_zone: str


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may change a network, and when. Without a role everybody may do everything."""

    roles: tuple[Role, ...] = ()
    windows: tuple[MaintenanceWindow, ...] = ()


@dataclass(frozen=True, slots=True)
class Network:
    """The whole file; every mapping is by name, in the order of the file."""

    name: str
    description: str
    sites: Mapping[str, Site]
    devices: Mapping[str, Device]
    multiplexers: Mapping[str, Multiplexer]
    fibres: Mapping[str, Fibre]
    patches: tuple[Patch, ...]
    qkd_links: Mapping[str, QkdLink]
    optical_channels: Mapping[str, OpticalChannel]
    protected_connections: Mapping[str, ProtectedConnection]
    services: Mapping[str, Service]
    drift: DriftRules = DriftRules()
    rules: Rules = Rules()
    sharing: FibreSharing = FibreSharing()
    amplifiers: Mapping[str, Amplifier] = field(default_factory=dict)
    health: HealthLimits = HealthLimits()  # of what has none of its own: `acquisition_s` of classical channels
    hubs: Mapping[str, MdiHub] = field(default_factory=dict)

    @property
    def beams(self) -> Mapping[str, QkdLink]:
        """All quantum light that runs, or could run, from a module to a module, by name.

        That is one beam for each link of two parties, which is the link, and one for each emitter of a hub.
        """
        if not self.hubs:
            return self.qkd_links
        found = {name: link for name, link in self.qkd_links.items() if not link.arms}
        for hub in self.hubs.values():
            for arm in hub.arms:
                found[hub.beam_name(arm)] = self._beam(hub, arm)
        return found

    def _beam(self, hub: MdiHub, arm: Arm) -> QkdLink:
        served = (
            link.active and arm.input in (one.input for one in link.arms) and arm.emitter in link.ends
            for link in self.qkd_links.values()
        )
        return QkdLink(
            name=hub.beam_name(arm),
            path=hub.path_of(arm),
            link_id="",
            domains=(),
            active=any(served),
            transmitter=arm.emitter,
            receiver=arm.input,
            frequency_hz=hub.frequency_hz,
            fibres=arm.fibres,
            demand_bps=None,
            calibration=None,
        )

    def of_kind(self, kind: Kind) -> tuple[Device, ...]:
        """The devices of one kind, in the order of the file."""
        return tuple(device for device in self.devices.values() if device.kind == kind)

    def sharing_in(self, fibre: str) -> FibreSharing:
        """What the file says of sharing a fibre, be it there or for all."""
        own, of_all = self.fibres[fibre].sharing, self.sharing
        return FibreSharing(
            of_all.guard_hz if own.guard_hz is None else own.guard_hz,
            of_all.spacing_hz if own.spacing_hz is None else own.spacing_hz,
            of_all.per_fibre if own.per_fibre is None else own.per_fibre,
        )

    def module(self, end: ModuleEnd) -> Interface:
        """The QKD module at one end of a link."""
        return self.devices[end.device].interfaces[end.interface]
