"""From a valid tree of the `network` model set to typed values.

The tree has passed validation, so references hold and mandatory leafs are there; nothing is checked twice here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import time
from typing import Any, cast

from sdqkd.network.model import (
    Action,
    Amplifier,
    Arm,
    Calibration,
    Device,
    DriftRule,
    DriftRules,
    EncryptorEnd,
    Endpoint,
    Fibre,
    FibreSharing,
    HealthLimits,
    Interface,
    Kind,
    Line,
    MaintenanceWindow,
    MdiHub,
    ModuleEnd,
    Multiplexer,
    MultiplexerPort,
    Network,
    OpticalChannel,
    Passband,
    Patch,
    Policy,
    Port,
    ProtectedConnection,
    QkdLink,
    Role,
    Rules,
    Service,
    Site,
    Transport,
)
from sdqkd.physics.grid import channel_to_hz, nm_to_hz, slot_to_hz, thz_to_hz
from sdqkd.schema.path import format_path, quote
from sdqkd.schema.reader import Reader
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container

TOP = "sdqkd-network:network"
DRIFT = "sdqkd-drift:drift"
HEALTH = "sdqkd-health:health-gate"
POLICY = "sdqkd-policy:policy"
DEFAULT_REKEY_INTERVAL_S = 60
DEFAULT_CHANNEL_ACQUISITION_S = 60
_HEALTH_FIGURES = (
    "minimum-rate-percent-of-before", "minimum-rate-percent-of-demand", "qber-ceiling-percent", "snr-drop-db",
    "power-drop-db",
)  # fmt: skip
_HEALTH_TIMES = {
    "soak-s": "soak_s",
    "acquisition-s": "acquisition_s",
    "channel-acquisition-s": "acquisition_s",
}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PORTS: dict[Transport, str] = {"ssh": "830", "tls": "6513"}  # by IANA


def read_network(schema: Schema, tree: Container) -> Network:
    """Typed values of a valid network file. `schema` is the `network` model set."""
    top = Reader(tree).inside(TOP)
    health = _health_limits(top.inside(HEALTH), HealthLimits(acquisition_s=DEFAULT_CHANNEL_ACQUISITION_S))
    of_links = replace(health, acquisition_s=None)
    hubs = {entry.text("name"): _hub(schema, entry) for entry in top.entries("mdi-hub")}
    links = {q.name: q for q in (_qkd_link(schema, e, of_links) for e in top.entries("qkd-link"))}
    for entry in top.entries("mdi-hub"):
        links |= {one.name: one for one in _pairs(hubs[entry.text("name")], entry, of_links)}
    return Network(
        name=top.text("name", "network"),
        description=top.text("description"),
        sites={s.name: s for s in map(_site, top.entries("site"))},
        devices={d.name: d for d in (_device(schema, e) for e in top.entries("device"))},
        multiplexers={m.name: m for m in _multiplexers(top)},
        fibres={f.name: f for f in map(_fibre, top.entries("fibre"))},
        patches=tuple(map(_patch, top.entries("patch"))),
        qkd_links=links,
        optical_channels={c.name: c for c in (_channel(schema, e) for e in top.entries("optical-channel"))},
        protected_connections={
            p.name: p for p in (_connection(schema, e) for e in top.entries("protected-connection"))
        },
        services={s.name: s for s in map(_service, top.entries("service"))},
        drift=_drift_rules(schema, top.inside(DRIFT)),
        rules=_rules(schema, top.inside(POLICY)),
        sharing=_sharing(top),
        amplifiers={a.name: a for a in (_amplifier(schema, e) for e in top.entries("amplifier"))},
        health=health,
        hubs=hubs,
    )


def _path(schema: Schema, list_name: str, name: str) -> str:
    return format_path((TOP, (list_name, (name,))), schema)


def _port(reader: Reader) -> Port:
    return Port(reader.text("element"), reader.text("port"))


def position_hz(reader: Reader) -> int:
    """Frequency in Hz of whatever way was chosen to say a spectral position."""
    if reader.has("channel"):
        return channel_to_hz(int(reader.text("channel")))
    if reader.has("frequency-thz"):
        return thz_to_hz(reader.text("frequency-thz"))
    if reader.has("wavelength-nm"):
        return nm_to_hz(reader.number("wavelength-nm"))
    return slot_to_hz(int(reader.inside("slot").text("n")))


def _site(entry: Reader) -> Site:
    return Site(entry.text("name"), entry.text("label", entry.text("name")), entry.text("domain"))


def read_endpoint(entry: Reader) -> Endpoint:
    """Where a NETCONF server answers: `management` of a device here, or an entry of an inventory."""
    transport = cast(Transport, entry.text("transport", "ssh"))
    return Endpoint(
        address=entry.optional_text("address"),
        port=int(entry.text("port", _PORTS[transport])),
        host_key=entry.optional_text("host-key"),
        username=entry.optional_text("username"),
        client_key_file=entry.optional_text("client-key-file"),
        transport=transport,
        call_home=entry.flag("call-home"),
        certificate=entry.optional_text("certificate"),
        certificate_name=entry.optional_text("certificate-name"),
        tls_certificate_file=entry.optional_text("tls-certificate-file"),
        tls_key_file=entry.optional_text("tls-key-file"),
        tls_issuers_file=entry.optional_text("tls-issuers-file"),
    )


def _device(schema: Schema, entry: Reader) -> Device:
    name, kind = entry.text("name"), entry.local("kind")
    return Device(
        name=name,
        path=_path(schema, "device", name),
        site=entry.text("site"),
        kind=cast(Kind, kind),
        model_set=entry.text("model-set", kind),
        device_id=entry.text("device-id"),
        vendor=entry.text("vendor"),
        product=entry.text("product"),
        management=read_endpoint(entry.inside("management")),
        interfaces={i.id: i for i in (_interface(name, e) for e in entry.entries("interface"))},
        ports=tuple(port.text("name") for port in entry.entries("port")),
        lines={
            line.text("name"): Line(line.text("name"), line.optional_int("line-rate-bps"))
            for line in entry.entries("line")
        },
        layer=entry.optional_text("layer"),
        insertion_loss_db=entry.number("insertion-loss-db"),
        profile=entry.optional_text("profile"),
    )


def _interface(device: str, entry: Reader) -> Interface:
    return Interface(
        id=int(entry.text("id")),
        vendor=entry.text("vendor"),
        product=entry.text("product"),
        profile=entry.text("profile"),
        technology=entry.local("technology"),
        role=entry.local("role"),
        wavelength_range=entry.text("wavelength-range"),
        max_absorption_db=entry.number("max-absorption-db"),
        port=Port(device, entry.text("port")),
    )


def _multiplexers(top: Reader) -> Iterator[Multiplexer]:
    types = {entry.text("name"): entry for entry in top.entries("multiplexer-type")}
    for entry in top.entries("multiplexer"):
        built = types[entry.text("type")]
        ports = {port.text("name"): _multiplexer_port(port) for port in built.entries("port")}
        yield Multiplexer(
            entry.text("name"), entry.text("site"), built.text("line-port"), ports, entry.text("type")
        )


def _multiplexer_port(entry: Reader) -> MultiplexerPort:
    return MultiplexerPort(
        entry.text("name"),
        entry.number("insertion-loss-db"),
        _passbands(entry),
        entry.number("isolation-db", "30"),
    )


def _passbands(entry: Reader) -> tuple[Passband, ...]:
    return tuple(
        Passband(thz_to_hz(band.text("lower-thz")), thz_to_hz(band.text("upper-thz")))
        for band in entry.entries("passband")
    )


def _fibre(entry: Reader) -> Fibre:
    return Fibre(
        name=entry.text("name"),
        a=_port(entry.inside("a")),
        b=_port(entry.inside("b")),
        length_km=entry.number("length-km"),
        loss_db=entry.number("loss-db"),
        scheme=entry.text("scheme", "duplex"),
        sharing=_sharing(entry),
    )


def _sharing(entry: Reader) -> FibreSharing:
    return FibreSharing(
        _ghz_to_hz(entry.optional_number("guard-band-ghz")),
        _ghz_to_hz(entry.optional_number("quantum-spacing-ghz")),
        entry.optional_int("quantum-channels-at-most"),
    )


def _ghz_to_hz(ghz: float | None) -> int | None:
    return None if ghz is None else round(ghz * 1e9)


def _amplifier(schema: Schema, entry: Reader) -> Amplifier:
    return Amplifier(
        name=entry.text("name"),
        path=_path(schema, "amplifier", entry.text("name")),
        port=_port(entry),
        arriving=entry.text("direction") == "arriving",
        gain_db=entry.number("gain-db"),
        noise_figure_db=entry.number("noise-figure-db"),
        passbands=_passbands(entry),
        after_calibration=entry.flag("after-calibration"),
    )


def _patch(entry: Reader) -> Patch:
    return Patch(_port(entry), _port(entry.inside("to")), entry.number("loss-db"))


def _module_end(entry: Reader) -> ModuleEnd:
    return ModuleEnd(entry.text("device"), int(entry.text("interface")))


def _qkd_link(schema: Schema, entry: Reader, health: HealthLimits) -> QkdLink:
    measured = entry.inside("calibration")
    return QkdLink(
        name=entry.text("name"),
        path=_path(schema, "qkd-link", entry.text("name")),
        link_id=entry.text("link-id"),
        domains=entry.values("domain"),
        active=entry.flag("active", "true"),
        transmitter=_module_end(entry.inside("transmitter")),
        receiver=_module_end(entry.inside("receiver")),
        frequency_hz=position_hz(entry),
        fibres=entry.values("fibre"),
        demand_bps=entry.optional_int("demand-bps"),
        calibration=_calibration(measured, measured.number("loss-db")) if entry.has("calibration") else None,
        health=_health_limits(entry.inside(HEALTH), health),
    )


def _calibration(entry: Reader, loss_db: float) -> Calibration:
    then_thz = entry.optional_text("frequency-thz")
    then_hz = None if then_thz is None else thz_to_hz(then_thz)
    return Calibration(loss_db, int(entry.text("key-rate-bps")), then_hz)


def _hub(schema: Schema, entry: Reader) -> MdiHub:
    name, device = entry.text("name"), entry.text("device")
    return MdiHub(
        name=name,
        path=_path(schema, "mdi-hub", name),
        device=device,
        frequency_hz=position_hz(entry),
        arms=tuple(
            Arm(_module_end(one), ModuleEnd(device, int(one.text("input"))), one.values("fibre"))
            for one in entry.entries("emitter")
        ),
    )


def _pairs(hub: MdiHub, entry: Reader, health: HealthLimits) -> Iterator[QkdLink]:
    """The links between two emitters of a hub."""
    of_device = {arm.emitter.device: arm for arm in hub.arms}
    for pair in entry.entries("pair"):
        measured = pair.inside("calibration")
        first, second = (
            replace(of_device[pair.text(end)], loss_db=measured.optional_number(f"{end}-loss-db"))
            for end in ("first", "second")
        )
        losses_db = [arm.loss_db for arm in (first, second) if arm.loss_db is not None]
        yield QkdLink(
            name=pair.text("name"),
            path=f"{hub.path}/pair[name={quote(pair.text('name'))}]",
            link_id=pair.text("link-id"),
            domains=pair.values("domain"),
            active=pair.flag("active", "true"),
            transmitter=first.emitter,
            receiver=second.emitter,
            frequency_hz=hub.frequency_hz,
            fibres=(*first.fibres, *second.fibres),
            demand_bps=pair.optional_int("demand-bps"),
            calibration=_calibration(measured, max(losses_db)) if losses_db else None,
            health=health,
            arms=(first, second),
        )


def _health_limits(entry: Reader, otherwise: HealthLimits) -> HealthLimits:
    """The limits that a container gives, of the network or of one link, and the others."""
    given: dict[str, Any] = {
        leaf.replace("-", "_"): entry.number(leaf) for leaf in _HEALTH_FIGURES if entry.has(leaf)
    }
    for leaf, name in _HEALTH_TIMES.items():
        if entry.has(leaf):
            given[name] = int(entry.text(leaf))
    if entry.has("watched"):
        given["watched"] = entry.flag("watched")
    return replace(otherwise, **given)


def _channel(schema: Schema, entry: Reader) -> OpticalChannel:
    third_party = entry.flag("third-party")
    a, b = (entry.inside(end) for end in ("a", "b"))
    then_thz = entry.optional_text("calibration-frequency-thz")
    return OpticalChannel(
        name=entry.text("name"),
        path=_path(schema, "optical-channel", entry.text("name")),
        role=entry.local("role"),
        fibre=entry.text("fibre"),
        frequency_hz=position_hz(entry),
        launch_power_dbm=entry.number("launch-power-dbm"),
        third_party=third_party,
        a=None if third_party else Port(a.text("device"), a.text("port")),
        b=None if third_party else Port(b.text("device"), b.text("port")),
        calibration_power_dbm=entry.optional_number("calibration-power-dbm"),
        calibration_frequency_hz=None if then_thz is None else thz_to_hz(then_thz),
        least_power_dbm=entry.optional_number("least-launch-power-dbm"),
        most_power_dbm=entry.optional_number("most-launch-power-dbm"),
    )


def _encryptor_end(entry: Reader) -> EncryptorEnd:
    return EncryptorEnd(
        entry.text("device"), entry.text("line"), entry.text("sae-id"), entry.text("key-source-uri")
    )


def _connection(schema: Schema, entry: Reader) -> ProtectedConnection:
    return ProtectedConnection(
        name=entry.text("name"),
        path=_path(schema, "protected-connection", entry.text("name")),
        a=_encryptor_end(entry.inside("a")),
        b=_encryptor_end(entry.inside("b")),
        rekey_interval_s=int(entry.text("rekey-interval", str(DEFAULT_REKEY_INTERVAL_S))),
        vlan=entry.optional_int("vlan"),
    )


def _service(entry: Reader) -> Service:
    return Service(entry.text("name"), entry.text("a-site"), entry.text("b-site"), entry.text("delivery"))


def _drift_rules(schema: Schema, entry: Reader) -> DriftRules:
    rules = (
        DriftRule(
            name=rule.text("name"),
            path=format_path((TOP, DRIFT, ("rule", (rule.text("name"),))), schema),
            where=rule.text("path"),
            devices=rule.values("device"),
            policy=cast(Policy, rule.text("policy")),
        )
        for rule in entry.entries("rule")
    )
    return DriftRules(cast(Policy, entry.text("policy", "restore")), tuple(rules))


def _rules(schema: Schema, entry: Reader) -> Rules:
    roles = (
        Role(
            role.text("name"),
            role.values("user"),
            role.values("group"),
            cast("tuple[Action, ...]", role.values("may")),
        )
        for role in entry.entries("role")
    )
    return Rules(tuple(roles), tuple(_window(schema, window) for window in entry.entries("maintenance-window")))


def _window(schema: Schema, entry: Reader) -> MaintenanceWindow:
    name = entry.text("name")
    return MaintenanceWindow(
        name=name,
        path=format_path((TOP, POLICY, ("maintenance-window", (name,))), schema),
        sites=entry.values("site"),
        days=tuple(_DAYS.index(day) for day in entry.values("day")),
        begins=time.fromisoformat(entry.text("from")),
        ends=time.fromisoformat(entry.text("until")),
        time_zone=entry.text("time-zone", "UTC"),
    )
