"""Networks drawn at random from a seed, to be planned: sites in a plane, each with a switch before its
multiplexers.

Every fibre is between two multiplexers that pass channels 34, 37 and 38 to the switches, as MadQCI's switched
domain has it, and carries a few classical channels of somebody else's. Lengths follow from the places.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from itertools import chain
from types import MappingProxyType

from sdqkd.network.model import (
    Device,
    Endpoint,
    Fibre,
    Interface,
    Kind,
    ModuleEnd,
    Multiplexer,
    MultiplexerPort,
    Network,
    OpticalChannel,
    Passband,
    Patch,
    Port,
    QkdLink,
    Site,
)
from sdqkd.physics.grid import channel_to_hz

CHANNELS = (34, 37, 38)
CLASSICAL = (21, 23, 25)
NEAREST_KM = 6.0  # what the nearest neighbours are apart, more or less


def random_network(
    sites: int, fibres: int, links: int, seed: int, *, modules: int = 1, shared: bool = False
) -> Network:
    """A network with so many sites, fibres and wanted links; `modules` transmitters and receivers at each site.

    Each module has one link at most, unless they are `shared`: then links are not active, and want their share.
    """
    draw = random.Random(seed)
    side_km = NEAREST_KM * math.sqrt(sites)
    places = [(draw.uniform(0, side_km), draw.uniform(0, side_km)) for _ in range(sites)]
    routes = _routes(places, fibres)
    names = [f"s{number:04}" for number in range(sites)]
    made = [_fibre(names, places, route) for route in routes]
    beside = _neighbours(sites, routes)
    nodes = [_node(name, modules) for name in names]
    switches = [
        _switch(name, modules, [names[far] for far in sorted(beside[at])]) for at, name in enumerate(names)
    ]
    ends = [(names[a], names[b]) for a, b in chain(routes, ((b, a) for a, b in routes))]
    return Network(
        name=f"random-{sites}-{seed}",
        description="",
        sites={name: Site(name, name, "") for name in names},
        devices={device.name: device for device in chain(nodes, switches)},
        multiplexers={f"{here}-{there}": _multiplexer(here, there) for here, there in ends},
        fibres={fibre.name: fibre for fibre in made},
        patches=tuple(chain(*(_cords(name, modules) for name in names), *(_channel_cords(*end) for end in ends))),
        qkd_links=(_pairs if shared else _links)(names, beside, links, modules, draw),
        optical_channels={one.name: one for fibre in made for one in _classical(fibre, draw)},
        protected_connections={},
        services={},
    )


def _routes(places: Sequence[tuple[float, float]], fibres: int) -> list[tuple[int, int]]:
    """The shortest pairs, each site first with its nearest neighbours."""
    near = math.ceil(2 * fibres / len(places)) + 2
    pairs: set[tuple[int, int]] = set()
    ranked = []
    for a, place in enumerate(places):
        others = sorted((math.dist(place, other), b) for b, other in enumerate(places) if b != a)[:near]
        ranked += [(rank, length, min(a, b), max(a, b)) for rank, (length, b) in enumerate(others)]
    for _, _, a, b in sorted(ranked):
        if len(pairs) < fibres:
            pairs.add((a, b))
    return sorted(pairs)


def _neighbours(sites: int, routes: Sequence[tuple[int, int]]) -> list[set[int]]:
    beside: list[set[int]] = [set() for _ in range(sites)]
    for a, b in routes:
        beside[a].add(b)
        beside[b].add(a)
    return beside


def _fibre(names: Sequence[str], places: Sequence[tuple[float, float]], route: tuple[int, int]) -> Fibre:
    a, b = names[route[0]], names[route[1]]
    length_km = round(max(0.5, math.dist(places[route[0]], places[route[1]])), 1)
    line = Port(f"{a}-{b}", "line"), Port(f"{b}-{a}", "line")
    return Fibre(f"{a}-{b}", *line, length_km, round(0.22 * length_km + 0.5, 2), "duplex")


def _device(
    name: str,
    site: str,
    kind: Kind,
    *,
    interfaces: Mapping[int, Interface] = MappingProxyType({}),
    ports: tuple[str, ...] = (),
    insertion_loss_db: float = 0.0,
) -> Device:
    return Device(
        name=name, path=f"/{name}", site=site, kind=kind, model_set=kind, device_id=name, vendor="", product="",
        management=Endpoint(), interfaces=interfaces, ports=ports, lines={}, layer=None,
        insertion_loss_db=insertion_loss_db,
    )  # fmt: skip


def _node(name: str, modules: int) -> Device:
    roles = ["TRANSMITTER"] * modules + ["RECEIVER"] * modules
    interfaces = {
        number: Interface(
            id=number, vendor="", product="", profile="huawei-cv-qkd", technology="CV-QKD", role=role,
            wavelength_range="34,37-38", max_absorption_db=16.0, port=Port(f"{name}-qkd", f"m{number}"),
        )
        for number, role in enumerate(roles, 1)
    }  # fmt: skip
    return _device(f"{name}-qkd", name, "qkd-node", interfaces=interfaces)


def _switch(name: str, modules: int, beside: Sequence[str]) -> Device:
    inside = [f"m{number}" for number in range(1, 2 * modules + 1)]
    outside = [f"{there}-c{channel}" for there in beside for channel in CHANNELS]
    return _device(f"{name}-switch", name, "fibre-switch", ports=(*inside, *outside), insertion_loss_db=0.8)


def _multiplexer(here: str, there: str) -> Multiplexer:
    ports = {"line": MultiplexerPort("line", 0.0, ())}
    for channel in CHANNELS:
        centre_hz = channel_to_hz(channel)
        band = Passband(centre_hz - 50_000_000_000, centre_hz + 50_000_000_000)
        ports[f"c{channel}"] = MultiplexerPort(f"c{channel}", 0.6, (band,))
    return Multiplexer(f"{here}-{there}", here, "line", ports)


def _cords(name: str, modules: int) -> list[Patch]:
    numbers = range(1, 2 * modules + 1)
    return [Patch(Port(f"{name}-qkd", f"m{one}"), Port(f"{name}-switch", f"m{one}"), 0.0) for one in numbers]


def _channel_cords(here: str, there: str) -> list[Patch]:
    return [
        Patch(Port(f"{here}-switch", f"{there}-c{one}"), Port(f"{here}-{there}", f"c{one}"), 0.0)
        for one in CHANNELS
    ]


def _classical(fibre: Fibre, draw: random.Random) -> list[OpticalChannel]:
    found = []
    for channel in CLASSICAL:
        name, power_dbm = f"{fibre.name}-c{channel}", draw.choice((-12.0, -9.0, -6.0))
        hz = channel_to_hz(channel)
        found.append(
            OpticalChannel(
                name=name, path="", role="classical-data", fibre=fibre.name, frequency_hz=hz,
                launch_power_dbm=power_dbm, calibration_power_dbm=power_dbm, third_party=True, a=None, b=None,
            )
        )  # fmt: skip
    return found


def _links(
    names: Sequence[str], beside: Sequence[set[int]], links: int, modules: int, draw: random.Random
) -> dict[str, QkdLink]:
    """Links between sites that are one or two fibres apart, every module at most once."""
    senders = [(site, number) for site in range(len(names)) for number in range(1, modules + 1)]
    free = {site: list(range(modules + 1, 2 * modules + 1)) for site in range(len(names))}
    draw.shuffle(senders)
    found: dict[str, QkdLink] = {}
    for site, number in senders:
        reach = {far for near in beside[site] for far in beside[near]} | beside[site]
        goals = sorted(far for far in reach if far != site and free[far])
        if len(found) == links or not goals:
            continue
        goal = draw.choice(goals)
        name = f"l{len(found):04}"
        ends = ModuleEnd(f"{names[site]}-qkd", number), ModuleEnd(f"{names[goal]}-qkd", free[goal].pop())
        found[name] = QkdLink(name, f"/{name}", name, (), True, *ends, channel_to_hz(34), (), None, None)
    return found


def _pairs(
    names: Sequence[str], beside: Sequence[set[int]], links: int, modules: int, draw: random.Random
) -> dict[str, QkdLink]:
    """Links between pairs of sites that are one or two fibres apart, each pair once, all by the first
    modules."""
    near = {
        (min(site, far), max(site, far))
        for site in range(len(names))
        for step in beside[site]
        for far in {step, *beside[step]} - {site}
    }
    found = {}
    for number, (a, b) in enumerate(draw.sample(sorted(near), min(links, len(near)))):
        name, ends = f"p{number:04}", (ModuleEnd(f"{names[a]}-qkd", 1), ModuleEnd(f"{names[b]}-qkd", modules + 1))
        found[name] = QkdLink(name, f"/{name}", name, (), False, *ends, channel_to_hz(34), (), None, None)
    return found
