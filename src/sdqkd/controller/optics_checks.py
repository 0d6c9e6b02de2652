"""What the optics of a network file can get wrong: lasers, filters, the grid, and powers at odds.

Parts of `checks`, which says in what order they run.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sdqkd.controller.obstacles import light, why_unreached
from sdqkd.errors import InputError
from sdqkd.network.equipment import transponder_of
from sdqkd.network.model import Interface, Multiplexer, MultiplexerPort, Network, Port
from sdqkd.network.read import TOP
from sdqkd.network.topology import Topology, arrival_losses_db, topology_of
from sdqkd.physics.grid import channel_to_hz, hz_to_thz, nm_to_hz, on_grid
from sdqkd.profiles.equipment import Encryptor, Transponder, load_equipment
from sdqkd.profiles.profile import load_profiles
from sdqkd.schema.path import quote
from sdqkd.schema.reader import Reader

_TOP = f"/{TOP}"
_KINDS: Mapping[str, type[Transponder] | type[Encryptor]] = {"transponder": Transponder, "encryptor": Encryptor}


class Stretch(NamedTuple):
    """Frequencies in Hz, ends included, that a laser can be tuned to."""

    lower_hz: float
    upper_hz: float


def unknown_equipment(device: Reader) -> Iterator[InputError]:
    """A profile that does not exist or is of other equipment, in a device that nobody has found valid yet."""
    kind = _KINDS.get(device.local("kind")) if device.has("kind") else None
    if kind is None or not device.has("profile"):
        return
    name = device.text("profile")
    path = f"{_TOP}/device[name={quote(device.text('name'))}]/profile"
    known = load_equipment()
    if name not in known:
        fitting = ", ".join(each for each, one in known.items() if isinstance(one, kind))
        yield InputError(f"there is no equipment profile '{name}'; known of this kind are: {fitting}", path=path)
    elif not isinstance(known[name], kind):
        yield InputError(f"the profile '{name}' is of {known[name].article}, not of {kind.article}", path=path)


def off_grid(network: Network) -> Iterator[InputError]:
    """Positions between channels: what lies there would meet nobody on paper and everybody in a fibre."""
    positions = [(link.frequency_hz, link.path) for link in network.qkd_links.values() if not link.arms]
    positions += [
        (link.calibration.frequency_hz, f"{link.path}/calibration/frequency-thz")
        for link in network.qkd_links.values()
        if link.calibration is not None and link.calibration.frequency_hz is not None
    ]
    positions += [(hub.frequency_hz, hub.path) for hub in network.hubs.values()]
    for channel in network.optical_channels.values():
        positions.append((channel.frequency_hz, channel.path))
        then_hz = channel.calibration_frequency_hz or channel.frequency_hz
        if then_hz != channel.frequency_hz:
            positions.append((then_hz, f"{channel.path}/calibration-frequency-thz"))
    for frequency_hz, path in positions:
        if not on_grid(frequency_hz):
            where = f"{hz_to_thz(frequency_hz)} THz"
            message = (
                f"{where} is on no grid: 193.1 THz and a multiple of 6.25 GHz (ITU-T G.694.1), or CWDM (G.694.2)"
            )
            yield InputError(message, path=path)


def lasers(network: Network) -> Iterator[InputError]:
    """Lasers that are told what they cannot do, and filters that none of them reaches."""
    modules = [i for device in network.devices.values() for i in device.interfaces.values()]
    strange = tuple(_strange_tuning(network))
    yield from strange
    yield from _launches(network)
    if modules and not strange:
        yield from _unreached(network, modules)


def dark_channels(network: Network) -> Iterator[InputError]:
    """Channels of ours whose light does not come from one end to the other, for want of cords or by filters."""
    topology = topology_of(network)
    for channel in network.optical_channels.values():
        reached = arrival_losses_db(topology, channel)
        for end, start in ((channel.b, channel.a), (channel.a, channel.b)):
            if end is not None and end not in reached:
                what = f"no light of {light(channel.frequency_hz)} can run from {start} to {end}"
                mend = "choose a channel that the filters pass, or mend its ends, its fibre or the patches"
                why = f"over fibre {channel.fibre}: {why_unreached(topology, channel, end)}"
                yield InputError(f"{what} {why}; {mend}", path=channel.path)
                break  # one direction says why


def budgets(network: Network) -> Iterator[InputError]:
    """Data channels that arrive with less or more light than their receivers take."""
    topology = topology_of(network)
    for channel in network.optical_channels.values():
        profiles = {end: transponder_of(network, end) for end in (channel.a, channel.b)}
        if not channel.carries_data or not any(profiles.values()):
            continue
        for end, loss_db in arrival_losses_db(topology, channel).items():
            one, arrives_dbm = profiles[end], channel.launch_power_dbm - loss_db
            if one and not one.sensitivity_dbm <= arrives_dbm <= one.overload_dbm:
                needs = f"{end} needs {one.sensitivity_dbm:g} to {one.overload_dbm:g} dBm ({one.name})"
                message = f"it arrives with {arrives_dbm:.1f} dBm, and {needs}"
                yield InputError(message, path=f"{channel.path}/launch-power-dbm")


def _strange_tuning(network: Network) -> Iterator[InputError]:
    """Modules whose range has nothing in common with the spectrum in which their product works."""
    profiles = load_profiles()
    for device in network.of_kind("qkd-node"):
        for interface in device.interfaces.values():
            profile = profiles.get(interface.profile)
            band = Stretch(profile.lower_hz, profile.upper_hz) if profile else None
            if band and not any(_overlap(one, band) for one in _range(interface.wavelength_range)):
                message = f"it takes {interface.wavelength_range}, and {interface.profile} works {_thz(*band)}"
                path = f"{device.path}/interface[id='{interface.id}']/wavelength-range"
                yield InputError(message, path=path)


def _launches(network: Network) -> Iterator[InputError]:
    """Channels whose frequency or launch power is beyond their transponders."""
    for channel in network.optical_channels.values():
        for end in (channel.a, channel.b):
            profile = transponder_of(network, end)
            if profile is None:
                continue
            least, most = profile.least_launch_dbm, profile.most_launch_dbm
            if not least <= channel.launch_power_dbm <= most:
                message = f"{end} launches {least:g} to {most:g} dBm ({profile.name})"
                yield InputError(
                    f"{message}, not {channel.launch_power_dbm:g}", path=f"{channel.path}/launch-power-dbm"
                )
            if not profile.lower_hz <= channel.frequency_hz <= profile.upper_hz:
                message = f"{end} can be tuned {_thz(profile.lower_hz, profile.upper_hz)} ({profile.name})"
                yield InputError(f"{message}, not to {light(channel.frequency_hz)}", path=channel.path)


def _unreached(network: Network, modules: Sequence[Interface]) -> Iterator[InputError]:
    """Ports of multiplexers that are in use and let through what no laser can send there."""
    topology = topology_of(network)
    reach: dict[Port, frozenset[Stretch]] = {one.port: _range(one.wavelength_range) for one in modules}
    # Light of any module may come through a switch. What transponders without a profile send, nobody knows.
    switched = None if _classical_switching(network, topology) else frozenset().union(*reach.values())
    told: set[str | None] = set()  # multiplexers of one type are wrong alike
    for multiplexer in network.multiplexers.values():
        for port in multiplexer.ports.values():
            cord = topology.cords.get(Port(multiplexer.name, port.name))
            if cord is None or port.name == multiplexer.line_port or not port.passbands:
                continue
            of_switch = switched if cord.far.element in topology.switch_ports else None
            lasers = reach.get(cord.far) or of_switch or _transponder_range(network, cord.far)
            if lasers and not any(_passes(port, one) for one in lasers):
                error = _unreached_error(network, multiplexer, port, cord.far)
                if error.path not in told:
                    yield error
                told.add(error.path)


def _classical_switching(network: Network, topology: Topology) -> bool:
    """Whether transponders are plugged into switches."""
    ports = (Port(one.name, name) for one in network.of_kind("transponder") for name in one.ports)
    return any(
        port in topology.cords and topology.cords[port].far.element in topology.switch_ports for port in ports
    )


def _unreached_error(network: Network, multiplexer: Multiplexer, port: MultiplexerPort, far: Port) -> InputError:
    passed = ", ".join(_thz(band.lower_hz, band.upper_hz) for band in port.passbands)
    message = f"port {port.name} of {multiplexer.name} passes light {passed}"
    if network.devices[far.element].kind == "fibre-switch":
        place = f"multiplexer-type[name={quote(multiplexer.type)}]/port[name={quote(port.name)}]"
        return InputError(f"{message}: no laser reaches it through {far}", path=f"{_TOP}/{place}")
    path = _patch_path(network, Port(multiplexer.name, port.name))
    return InputError(f"{message}, which {far} cannot be tuned to", path=path)


def _patch_path(network: Network, port: Port) -> str:
    for patch in network.patches:
        if port in (patch.a, patch.b):
            return f"{_TOP}/patch[element={quote(patch.a.element)}][port={quote(patch.a.name)}]"
    return f"{_TOP}/multiplexer[name={quote(port.element)}]"


@functools.lru_cache(maxsize=64)  # thousands of modules are of few products
def _range(wavelength_range: str) -> frozenset[Stretch]:
    """What a module tunes to, channel by channel or as one stretch of wavelengths."""
    found: set[Stretch] = set()
    for part in wavelength_range.split(","):
        lower, _, upper = part.partition("-")
        low, high = int(lower), int(upper or lower)
        if high < 1000:
            found.update(Stretch(hz, hz) for hz in map(channel_to_hz, range(low, high + 1)))
        else:
            found.add(Stretch(nm_to_hz(high + 0.5), nm_to_hz(low - 0.5)))
    return frozenset(found)


def _transponder_range(network: Network, port: Port) -> frozenset[Stretch] | None:
    profile = transponder_of(network, port)
    return None if profile is None else frozenset((Stretch(profile.lower_hz, profile.upper_hz),))


def _passes(port: MultiplexerPort, one: Stretch) -> bool:
    return any(_overlap(one, Stretch(band.lower_hz, band.upper_hz)) for band in port.passbands)


def _overlap(one: Stretch, other: Stretch) -> bool:
    return one.lower_hz <= other.upper_hz and other.lower_hz <= one.upper_hz


def _thz(lower_hz: float, upper_hz: float) -> str:
    return f"from {hz_to_thz(int(lower_hz))} to {hz_to_thz(int(upper_hz))} THz"
