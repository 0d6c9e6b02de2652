"""What links of three parties can get wrong beyond the model: modules that are no hub, or no emitters alike.

Part of `checks`. That light gets from an emitter to its hub is checked there, as for all quantum light.
"""

from __future__ import annotations

from collections.abc import Iterator

from sdqkd.errors import InputError
from sdqkd.network.model import MdiHub, ModuleEnd, Network
from sdqkd.profiles.equipment import MdiEmitter, OfThreeParties, of_three_parties
from sdqkd.profiles.equipment import MdiHub as HubProfile


def faults(network: Network) -> Iterator[InputError]:
    """All that is wrong with the hubs of a network, their emitters and pairs."""
    yield from _roles(network)
    yield from _plain_links(network)
    yield from _beam_names(network)
    for hub in network.hubs.values():
        wrong = [*_inputs(network, hub), *_emitters(network, hub)]
        yield from wrong or (*_too_many(network, hub), *_spectrum(network, hub), *_pairs(network, hub))


def _roles(network: Network) -> Iterator[InputError]:
    """A hub's input detects and an emitter sends, and neither does anything else."""
    for device in network.of_kind("qkd-node"):
        for interface in device.interfaces.values():
            profile = of_three_parties(interface.profile)
            role = "RECEIVER" if isinstance(profile, HubProfile) else "TRANSMITTER"
            if profile is not None and interface.role != role:
                path = f"{device.path}/interface[id='{interface.id}']/role"
                yield InputError(f"{profile.name} is {profile.article}: this must be {role}", path=path)


def _plain_links(network: Network) -> Iterator[InputError]:
    for link in network.qkd_links.values():
        for end in link.ends if not link.arms else ():
            profile = of_three_parties(network.module(end).profile)
            if profile is not None:
                where = f"{end.device} interface {end.interface} ({profile.name})"
                message = f"{where} is {profile.article}: write a pair of an mdi-hub"
                yield InputError(message, path=link.path)


def _beam_names(network: Network) -> Iterator[InputError]:
    """What serves an emitter's light has a name of its own, which a link could have too."""
    for hub in network.hubs.values():
        for arm in hub.arms:
            name = hub.beam_name(arm)
            if name in network.qkd_links:
                message = f"the light of this emitter is called {name}, and so is a QKD link"
                yield InputError(message, path=hub.path_of(arm))


def _inputs(network: Network, hub: MdiHub) -> Iterator[InputError]:
    profiles: set[str] = set()
    for arm in hub.arms:
        module = network.module(arm.input)
        if not isinstance(of_three_parties(module.profile), HubProfile):
            message = (
                f"interface {module.id} of {hub.device} is no input of a hub: it is a {_what(module.profile)}"
            )
            yield InputError(message, path=f"{hub.path_of(arm)}/input")
        else:
            profiles.add(module.profile)
    if len(profiles) > 1:
        message = f"its inputs are of several equipment profiles: {', '.join(sorted(profiles))}"
        yield InputError(message, path=hub.path)


def _emitters(network: Network, hub: MdiHub) -> Iterator[InputError]:
    first = network.module(hub.arms[0].emitter)
    for arm in hub.arms:
        module, where = network.module(arm.emitter), f"interface {arm.emitter.interface} of {arm.emitter.device}"
        path = f"{hub.path_of(arm)}/interface"
        if not isinstance(of_three_parties(module.profile), MdiEmitter):
            yield InputError(f"{where} is no emitter for a hub: it is a {_what(module.profile)}", path=path)
        elif module.profile != first.profile:
            message = f"{where} is of the profile {module.profile}, and {hub.arms[0].emitter.device} is of"
            yield InputError(f"{message} {first.profile}: a hub measures emitters alike", path=path)


def _what(profile: str) -> str:
    found = of_three_parties(profile)
    return f"module of the profile {profile}" + (f", {found.article}" if found else "")


def _too_many(network: Network, hub: MdiHub) -> Iterator[InputError]:
    profile = of_three_parties(network.module(hub.arms[0].input).profile)
    assert isinstance(profile, HubProfile), "checked before"
    if len(hub.arms) > profile.emitters:
        message = f"{len(hub.arms)} emitters are plugged in, and {profile.product} takes {profile.emitters:g}"
        yield InputError(message, path=hub.path)


def _spectrum(network: Network, hub: MdiHub) -> Iterator[InputError]:
    modules: dict[str, OfThreeParties | None] = {
        network.module(end).profile: of_three_parties(network.module(end).profile)
        for arm in hub.arms
        for end in (arm.emitter, arm.input)
    }
    for name, profile in modules.items():
        if profile is not None and not profile.lower_hz <= hub.frequency_hz <= profile.upper_hz:
            yield InputError(f"{name} does not work at {hub.frequency_hz / 1e12:g} THz", path=hub.path)


def _pairs(network: Network, hub: MdiHub) -> Iterator[InputError]:
    """Two emitters make one key: a second link between them would not make more."""
    known: dict[frozenset[ModuleEnd], str] = {}
    for link in network.qkd_links.values():
        if link.arms and link.path.startswith(f"{hub.path}/"):
            other = known.setdefault(frozenset(link.ends), link.name)
            if other != link.name:
                yield InputError(f"the hub measures these two emitters for {other} already", path=link.path)
