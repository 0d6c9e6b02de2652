"""The noise of amplifiers (ASE, amplified spontaneous emission), from each to the fibres that it enters first.

It goes the way of the amplified light, through filters also where these do not pass it (then as far as their
isolation lets it), and through switches to every port: where light could be led, noise is reckoned with. What
comes through a whole fibre and from there into others has passed twice as many filters, and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sdqkd.network.cords import Cord
from sdqkd.network.model import Amplifier, MultiplexerPort, Network, Port


class Hiss(NamedTuple):
    """Noise of an amplifier where it enters a fibre, behind a loss and filters."""

    amplifier: Amplifier
    loss_db: float
    filters: tuple[MultiplexerPort, ...]

    def lost_db(self, frequency_hz: int) -> float:
        """Loss of its noise at a frequency from the amplifier to the fibre."""
        return self.loss_db + sum(port.loss_db(frequency_hz) for port in self.filters)


class _Front(NamedTuple):
    """How far noise has come: to a port, from inside its element (`leaving`) or from outside."""

    port: Port
    leaving: bool
    loss_db: float
    filters: tuple[MultiplexerPort, ...]


def hiss_of(network: Network, cords: Mapping[Port, Cord]) -> dict[tuple[str, Port], tuple[Hiss, ...]]:
    """The noise that enters fibres, by fibre and the port through which it enters."""
    found: dict[tuple[str, Port], tuple[Hiss, ...]] = {}
    for one in network.amplifiers.values():
        for fibre, front in _entries(network, cords, _Front(one.port, not one.arriving, 0.0, ())):
            noise = Hiss(one, front.loss_db, front.filters)
            found[fibre, front.port] = (*found.get((fibre, front.port), ()), noise)
    return found


def _entries(network: Network, cords: Mapping[Port, Cord], start: _Front) -> Iterator[tuple[str, _Front]]:
    """Every fibre that is entered, with the front there."""
    fronts, seen = [start], {(start.port, start.leaving)}
    while fronts:
        front = fronts.pop()
        cord = cords.get(front.port)
        if front.leaving and cord is None:
            continue
        if front.leaving and cord is not None and cord.fibre is not None:
            yield cord.fibre, front
            continue
        beyond = _through(cord, front, start) if front.leaving and cord is not None else _inside(network, front)
        for one in beyond:
            if (one.port, one.leaving) not in seen:
                seen.add((one.port, one.leaving))
                fronts.append(one)


def _through(cord: Cord, front: _Front, start: _Front) -> Iterator[_Front]:
    # The amplifier's own gain is in its noise already.
    boost_db = 0.0 if front is start else cord.boost_db
    yield front._replace(
        port=cord.far, leaving=False, loss_db=front.loss_db + cord.loss_db - boost_db - cord.lift_db
    )


def _inside(network: Network, front: _Front) -> Iterator[_Front]:
    element, name = front.port
    if element in network.multiplexers:
        multiplexer = network.multiplexers[element]
        line = multiplexer.line_port
        leaving = [line] if name != line else [each for each in multiplexer.ports if each != line]
        for far in leaving:
            filters = (*front.filters, multiplexer.ports[name], multiplexer.ports[far])
            yield _Front(Port(element, far), True, front.loss_db, filters)
    elif network.devices[element].kind == "fibre-switch":
        device = network.devices[element]
        for far in device.ports:
            if far != name:
                yield _Front(Port(element, far), True, front.loss_db + device.insertion_loss_db, front.filters)
