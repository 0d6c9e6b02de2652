"""What a valid network file can still get wrong: what YANG cannot say.

Every check gives all that it finds, as InputErrors with the instance path; who read the file adds name and line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sdqkd.controller import crowding, drift_rules, hub_checks, optics_checks, policy
from sdqkd.controller.intent import entries, owned_by
from sdqkd.controller.obstacles import light, why_dark
from sdqkd.controller.routing import candidates, ends_of, routes
from sdqkd.errors import InputError, RpcError, RpcErrors
from sdqkd.network.model import Device, ModuleEnd, Network, Port, QkdLink
from sdqkd.network.read import TOP
from sdqkd.network.topology import topology_of
from sdqkd.physics.grid import etsi_range_admits
from sdqkd.profiles.profile import load_profiles, module_profile
from sdqkd.schema.path import quote
from sdqkd.schema.reader import Reader
from sdqkd.schema.table import load, set_names
from sdqkd.schema.tree import Container

_TOP = f"/{TOP}"


def check(network: Network) -> tuple[InputError, ...]:
    """All that is wrong with a network whose tree is valid; empty if nothing is.

    What follows from another fault is not reported with it: light is not traced while the cords are in disorder.
    """
    found = (
        *_name_clashes(network),
        *_model_sets(network),
        *_shared_ports(network),
        *_loose_amplifiers(network),
        *hub_checks.faults(network),
        *_shared_modules(network),
        *(tuple(_wavelength_ranges(network)) or (*_tuning(network), *optics_checks.lasers(network))),
        *optics_checks.off_grid(network),
        *policy.faults(network.rules),
    )
    found = found or (
        *_dark_links(network),
        *optics_checks.dark_channels(network),
        *optics_checks.budgets(network),
        *_shared_spectrum(network),
    )
    found = found or tuple(crowding.faults(network))
    return found or (*_collisions(network), *_refused_entries(network), *drift_rules.faults(network))


def unknown_profiles(tree: Container) -> tuple[InputError, ...]:
    """Equipment profiles that do not exist, in a tree that nobody has found valid yet."""
    known = load_profiles()
    found: list[InputError] = []
    for device in Reader(tree).inside(TOP).entries("device"):
        found.extend(optics_checks.unknown_equipment(device))
        for interface in device.entries("interface") if device.has("interface") else ():
            if interface.has("profile"):
                place = f"device[name={quote(device.text('name'))}]/interface[id='{interface.text('id')}']"
                try:
                    module_profile(known, interface.text("profile"), f"{_TOP}/{place}/profile")
                except InputError as error:
                    found.append(error)
    return tuple(found)


def _name_clashes(network: Network) -> Iterator[InputError]:
    for name in (name for name in network.multiplexers if name in network.devices):
        yield InputError(f"a device has the name {name} too", path=f"{_TOP}/multiplexer[name={quote(name)}]")


def _model_sets(network: Network) -> Iterator[InputError]:
    right: set[tuple[str, str]] = set()
    for device in network.devices.values():
        if (device.model_set, device.kind) in right:
            continue
        if _fits(device.model_set, device):
            right.add((device.model_set, device.kind))
        else:
            fitting = ", ".join(name for name in set_names() if _fits(name, device))
            message = f"{device.name} is a {device.kind}, so this must be one of: {fitting}"
            yield InputError(f"{message}; not '{device.model_set}'", path=f"{device.path}/model-set")


def _fits(set_name: str, device: Device) -> bool:
    """Whether there is such a model set, and it has what the controller writes to this kind of device."""
    if set_name not in set_names():
        return False
    schema = load(set_name)
    try:
        for path in owned_by(device):
            schema.node(path)
    except KeyError:
        return False
    return True


def _shared_ports(network: Network) -> Iterator[InputError]:
    """A port holds one cord; a line port of a transponder serves one channel."""
    held: dict[Port, str] = {}
    for port, what, path in _cord_ends(network):
        if port in held:
            yield InputError(f"{what} ends at {port}, where {held[port]} ends already", path=path)
        held.setdefault(port, what)
    serving: dict[Port, str] = {}
    for channel in network.optical_channels.values():
        for end in (channel.a, channel.b):
            if end in serving:
                yield InputError(f"{end} serves channel {serving[end]} already", path=channel.path)
            if end is not None:
                serving.setdefault(end, channel.name)


def _cord_ends(network: Network) -> Iterator[tuple[Port, str, str]]:
    for patch in network.patches:
        path = f"{_TOP}/patch[element={quote(patch.a.element)}][port={quote(patch.a.name)}]"
        yield patch.a, f"the patch cord to {patch.b}", path
        yield patch.b, f"the patch cord to {patch.a}", path
    for fibre in network.fibres.values():
        for port in (fibre.a, fibre.b):
            yield port, f"fibre {fibre.name}", f"{_TOP}/fibre[name={quote(fibre.name)}]"


def _loose_amplifiers(network: Network) -> Iterator[InputError]:
    """Amplifiers at ports where no cord is plugged in."""
    plugged = {port for port, _, _ in _cord_ends(network)}
    for amplifier in network.amplifiers.values():
        if amplifier.port not in plugged:
            yield InputError(f"nothing is plugged into {amplifier.port}, so no light comes", path=amplifier.path)


def _shared_modules(network: Network) -> Iterator[InputError]:
    """A module serves one active link, whether it sends there or receives."""
    serving: dict[ModuleEnd, str] = {}
    for link in (beam for beam in network.beams.values() if beam.active):
        for role, end in (("transmitter", link.transmitter), ("receiver", link.receiver)):
            if (other := serving.setdefault(end, link.name)) != link.name:
                what = f"its {role}, {end.device} interface {end.interface}"
                yield InputError(f"{what}, already serves the active link {other}", path=link.path)


def _wavelength_ranges(network: Network) -> Iterator[InputError]:
    """A range that runs backwards would admit nothing."""
    for device in network.devices.values():
        for interface in device.interfaces.values():
            for part in interface.wavelength_range.split(","):
                lower, _, upper = part.partition("-")
                if upper and int(lower) > int(upper):
                    path = f"{device.path}/interface[id='{interface.id}']/wavelength-range"
                    yield InputError(f"{part} runs backwards: write {upper}-{lower}", path=path)


def _tuning(network: Network) -> Iterator[InputError]:
    for link in network.beams.values():
        for what, end in (("transmitter", link.transmitter), ("receiver", link.receiver)):
            admitted = network.module(end).wavelength_range
            if not etsi_range_admits(admitted, link.frequency_hz):
                where = f"{end.device} interface {end.interface}"
                message = f"the {what}, {where}, takes {admitted} and not {light(link.frequency_hz)}"
                yield InputError(message, path=_position(link))


def _position(link: QkdLink) -> str:
    # The file may have said it by frequency: then the link is the nearest place that it has.
    return f"{link.path}/channel"


def _dark_links(network: Network) -> Iterator[InputError]:
    """Links that are not active are checked too: they could be switched on."""
    topology = topology_of(network)
    for link in network.beams.values():
        if not candidates(network, topology, link):
            start, goal = ends_of(network, link)
            what = f"no light of {light(link.frequency_hz)} can run from {start} to {goal}"
            yield InputError(f"{what}: {why_dark(network, topology, link)}", path=link.path)


def _shared_spectrum(network: Network) -> Iterator[InputError]:
    """On one fibre a frequency serves one active link or one channel.

    On a `bidi` pair channels run on the one strand and links on the other, so they cannot meet.
    """
    held: dict[tuple[str, str, int], str] = {}
    for fibre, strand, frequency_hz, what, path in _occupied(network):
        place = (fibre, strand, frequency_hz)
        if place in held:
            message = f"{light(frequency_hz)} on fibre {fibre} is taken by {held[place]}"
            yield InputError(message, path=path)
        held.setdefault(place, what)


def _occupied(network: Network) -> Iterator[tuple[str, str, int, str, str]]:
    bidi = {fibre.name for fibre in network.fibres.values() if fibre.scheme == "bidi"}
    for link in network.beams.values():
        for fibre in link.fibres if link.active else ():
            strand = "quantum" if fibre in bidi else ""
            yield fibre, strand, link.frequency_hz, f"QKD link {link.name}", link.path
    for channel in network.optical_channels.values():
        strand = "classical" if channel.fibre in bidi else ""
        yield channel.fibre, strand, channel.frequency_hz, f"optical channel {channel.name}", channel.path


def _collisions(network: Network) -> Iterator[InputError]:
    for collision in routes(network, topology_of(network)).collisions:
        message = f"needs {collision.port}, which link {collision.other.name} takes, and there is no other way"
        yield InputError(message, path=collision.link.path)


def _refused_entries(network: Network) -> Iterator[InputError]:
    """What a device's own model does not take: a VLAN on a layer 1 card, a rekey interval that is too short."""
    given: Counter[tuple[str, str]] = Counter()
    for entry in entries(network):
        device = network.devices[entry.device]
        try:
            entry.tree(load(device.model_set))
        except (RpcError, RpcErrors) as error:
            given[entry.source, entry.device] += 1
            if given[entry.source, entry.device] == 1:
                # Without the place in the device's tree: the place to mend is the one in the file.
                errors = error.errors if isinstance(error, RpcErrors) else (error,)
                reasons = "; ".join(each.message for each in errors)
                yield InputError(f"{device.name} does not take it: {reasons}", path=entry.source)
