"""Switching: one more link of the switched domain, in place of those that stand in its way. Pure.

What is decided here is how the network shall be afterwards. How it gets there follows from what changes: where
the new link needs nothing that an old one has, it is made first and the old ones are removed then
(`migration.making`); where a module has to move, both happen in one transaction, which the devices undo if no
key comes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sdqkd.controller.routing import routes, switch_ports
from sdqkd.errors import InputError
from sdqkd.network.model import ModuleEnd, Network, QkdLink
from sdqkd.network.topology import LightPath
from sdqkd.physics.grid import hz_to_channel, hz_to_thz
from sdqkd.planning.forecast import Forecast, Option
from sdqkd.planning.routes import Search, can_join, switched_modules
from sdqkd.planning.spectrum import Rules, Taken

_NAMESPACE = uuid.UUID("b0ad8b54-2c29-5f7c-a1fb-3f4c8a6e35ac")  # of the ids of links that a switch-over makes


@dataclass(frozen=True, slots=True)
class Wish:
    """A link that shall run. None leaves the choice to us; `instead_of` names active links that may end for
    it."""

    transmitter: ModuleEnd
    receiver: ModuleEnd
    frequency_hz: int | None = None
    fibres: tuple[str, ...] | None = None
    instead_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changeover:
    """The network as it shall be, the link that shall run, and the links that end. `is_new`: the file lacks
    it."""

    network: Network
    link: QkdLink
    option: Option
    stops: tuple[str, ...]
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Hindrance:
    """An active link that an option cannot run beside, and what both need."""

    link: str
    what: str


def wish_for_link(network: Network, name: str) -> Wish:
    """To run a link as the file describes it. Raises InputError."""
    link = network.qkd_links.get(name)
    if link is None:
        raise InputError(f"there is no link '{name}'; there are {', '.join(network.qkd_links)}")
    if link.arms:
        raise InputError(f"'{name}' is a link of three parties: its hub measures it while the file has it active")
    return Wish(link.transmitter, link.receiver, link.frequency_hz, link.fibres)


def module_named(forecast: Forecast, text: str, role: str) -> ModuleEnd:
    """The switched module that a person means: `DEVICE:INTERFACE`, or a site or device with one that can do it.

    `role` is TRANSMITTER or RECEIVER. Raises InputError.
    """
    network = forecast.network
    place, _, number = text.partition(":")
    found = [
        end
        for end in switched_modules(forecast)
        if place in {end.device, network.devices[end.device].site}
        and (not number or number == str(end.interface))
        and network.module(end).role in {role, "TRANSCEIVER"}
    ]
    if len(found) != 1:
        has = f"it has {', '.join(f'{one.device}:{one.interface}' for one in found)}" if found else "it has none"
        raise InputError(f"'{text}' is not one switched {role.lower()}: {has}")
    return found[0]


def changeover(forecast: Forecast, wish: Wish) -> Changeover:
    """The network with the wished link, on the best option that is free. Raises InputError if there is none.

    Links that use one of its modules end, and those that `instead_of` names; no other. Best is the most key,
    then the least loss.
    """
    network = forecast.network
    _demand_possible(network, wish)
    stops, rules = _must_stop(network, wish), Rules.of(network)
    paths = {name: path for name, path in routes(network, forecast.topology).paths.items() if name not in stops}
    options = [one for one in _options(forecast, wish, rules) if _fits(wish, one)]
    judged = {id(one): [*_hindrances(network, paths, one, rules)] for one in options if not one.obstacle}
    free = [one for one in options if not one.obstacle and not judged[id(one)]]
    if not free:
        raise InputError(_why_none(options, judged))
    best = max(free, key=lambda one: (one.rate_bps, -one.loss_db, -one.frequency_hz))
    return with_option(network, best, stops)


def _demand_possible(network: Network, wish: Wish) -> None:
    if not can_join(network, wish.transmitter, wish.receiver):
        sender, detector = (network.module(end) for end in (wish.transmitter, wish.receiver))
        ends = f"interface {sender.id} of {sender.port.element} and {detector.id} of {detector.port.element}"
        raise InputError(f"no link can run from {ends}: their nodes, roles or profiles do not fit")
    for name in wish.instead_of:
        if name not in network.qkd_links or not network.qkd_links[name].active:
            raise InputError(f"'{name}' is no active link, so nothing can run instead of it")


def _must_stop(network: Network, wish: Wish) -> tuple[str, ...]:
    modules = {wish.transmitter, wish.receiver}
    return tuple(
        link.name
        for link in network.qkd_links.values()
        if link.active and (link.name in wish.instead_of or {link.transmitter, link.receiver} & modules)
    )


def _options(forecast: Forecast, wish: Wish, rules: Rules) -> Iterator[Option]:
    # What the link's own modules hold, ends for it, also where they are not switched.
    movable = {*switched_modules(forecast), wish.transmitter, wish.receiver}
    search = Search(forecast, Taken.by_what_is_fixed(forecast.network, movable, rules))
    return search.options(wish.transmitter, wish.receiver)


def _fits(wish: Wish, option: Option) -> bool:
    fits = wish.frequency_hz is None or option.frequency_hz == wish.frequency_hz
    return fits and (wish.fibres is None or option.path.fibres == wish.fibres)


def _hindrances(
    network: Network, paths: Mapping[str, LightPath], option: Option, rules: Rules
) -> Iterator[_Hindrance]:
    """Links on these paths that an option cannot run beside: each once, with the first thing in the way."""
    found: dict[str, str] = {}
    beams = network.beams
    for name, path in paths.items():
        its_hz = beams[name].frequency_hz
        near_hz = abs(its_hz - option.frequency_hz)
        if shared := option.ports & switch_ports(path):
            found[name] = str(min(shared))
            continue
        for fibre in sorted(set(option.path.fibres) & set(path.fibres)):
            if near_hz < max(1, rules.in_(fibre).spacing_hz):
                found.setdefault(name, f"{_channel(its_hz)} of fibre {fibre}{_distance(near_hz)}")
    for fibre in option.path.fibres:
        most, through = rules.in_(fibre).per_fibre, [name for name in paths if fibre in paths[name].fibres]
        staying = [name for name in through if name not in found]
        for name in staying[: max(0, len(staying) + 1 - most)]:
            found[name] = f"one of the {most} quantum channels that fibre {fibre} takes"
    return (_Hindrance(name, what) for name, what in found.items())


def _distance(near_hz: int) -> str:
    return f", only {near_hz / 1e9:g} GHz away" if near_hz else ""


def _why_none(options: list[Option], judged: Mapping[int, list[_Hindrance]]) -> str:
    if not options:
        return "no light can run so: not on these fibres and this channel, or only with more loss than they bear"
    if not judged:
        least = min(options, key=lambda one: one.loss_db)
        crowded = "too close" in least.obstacle
        return f"{'the channel is not free' if crowded else 'no key would come'}: {least.obstacle}"
    nearest = min(judged.values(), key=len)
    names = ", ".join(f"{one.link} (it has {one.what})" for one in nearest)
    return f"there is no free way for it: in the way is {names}; name it as --instead-of, or choose otherwise"


def with_option(network: Network, option: Option, stops: tuple[str, ...]) -> Changeover:
    """The network with a link on this option, and without those that `stops` names."""
    known = next((one for one in network.qkd_links.values() if _is_of(one, option)), None)
    link = _new_link(network, option) if known is None else replace(known, active=True)
    link = _tuned(link, option.frequency_hz)
    stops = tuple(name for name in stops if name != link.name)
    links = {name: replace(one, active=False) if name in stops else one for name, one in network.qkd_links.items()}
    return Changeover(replace(network, qkd_links=links | {link.name: link}), link, option, stops, known is None)


def _tuned(link: QkdLink, frequency_hz: int) -> QkdLink:
    """The link on a frequency; what was measured on another one says so."""
    known = link.calibration
    if known is not None and frequency_hz != link.frequency_hz:
        known = replace(known, frequency_hz=known.frequency_hz or link.frequency_hz)
    return replace(link, frequency_hz=frequency_hz, calibration=known)


def _is_of(link: QkdLink, option: Option) -> bool:
    ends = (link.transmitter, link.receiver) == (option.transmitter, option.receiver)
    return ends and link.fibres == option.path.fibres


def _new_link(network: Network, option: Option) -> QkdLink:
    sites = (network.devices[end.device].site for end in (option.transmitter, option.receiver))
    technology = network.module(option.transmitter).technology.partition("-")[0]
    plain = f"{'-'.join(sites)}-{technology}"
    names = (plain, *(f"{plain}-{number}" for number in range(2, len(network.qkd_links) + 3)))
    name = next(name for name in names if name not in network.qkd_links)
    others = (one for one in network.qkd_links.values() if one.transmitter == option.transmitter)
    return QkdLink(
        name=name,
        path=f"/sdqkd-network:network/qkd-link[name='{name}']",
        link_id=str(uuid.uuid5(_NAMESPACE, f"{network.name}/{name}")),
        domains=next((one.domains for one in others), ()),
        active=True,
        transmitter=option.transmitter,
        receiver=option.receiver,
        frequency_hz=option.frequency_hz,
        fibres=option.path.fibres,
        demand_bps=None,
        calibration=None,
        health=replace(network.health, acquisition_s=None),
    )


def _channel(frequency_hz: int) -> str:
    number = hz_to_channel(frequency_hz)
    return f"{hz_to_thz(frequency_hz)} THz" if number is None else f"channel {number}"
