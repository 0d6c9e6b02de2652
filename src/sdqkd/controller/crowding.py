"""Active QKD links that come closer to other light, or are more in a fibre, than the network file allows.

What the file does not say is no rule: planning has defaults, and a network that runs may be closer than these.
Part of `checks`.
"""

from __future__ import annotations

from collections.abc import Iterator

from sdqkd.controller.obstacles import light
from sdqkd.errors import InputError
from sdqkd.network.model import Network, OpticalChannel, QkdLink
from sdqkd.network.read import TOP
from sdqkd.schema.path import quote


def faults(network: Network) -> Iterator[InputError]:
    """Each link that is too close, and each fibre that is too full."""
    by_fibre: dict[str, list[QkdLink]] = {name: [] for name in network.fibres}
    for link in network.beams.values():
        for name in dict.fromkeys(link.fibres if link.active else ()):
            by_fibre[name].append(link)
    channels: dict[str, list[OpticalChannel]] = {name: [] for name in network.fibres}
    for channel in network.optical_channels.values():
        channels[channel.fibre].append(channel)
    for name, links in by_fibre.items():
        most = network.sharing_in(name).per_fibre
        if most is not None and len(links) > most:
            message = f"{len(links)} quantum channels run through it, and it takes {most} at most"
            yield InputError(message, path=f"/{TOP}/fibre[name={quote(name)}]")
        beside = channels[name] if network.fibres[name].scheme != "bidi" else []
        yield from _too_close(network, name, links, beside)


def _too_close(
    network: Network, fibre: str, links: list[QkdLink], channels: list[OpticalChannel]
) -> Iterator[InputError]:
    said = network.sharing_in(fibre)
    for index, link in enumerate(links):
        others = [(one.frequency_hz, f"link {one.name}", said.spacing_hz) for one in links[:index]]
        others += [(c.frequency_hz, f"channel {c.name}", said.guard_hz) for c in channels]
        for other_hz, who, least_hz in others:
            if least_hz is not None and abs(other_hz - link.frequency_hz) < least_hz:
                message = (
                    f"{light(link.frequency_hz)} is less than {least_hz / 1e9:g} GHz from {light(other_hz)}"
                    f" of {who} in fibre {fibre}"
                )
                yield InputError(message, path=link.path)
