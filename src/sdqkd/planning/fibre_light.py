"""The light in a fibre as a spectrum analyser at one end would show it: a view for each direction and strand.

By coexistence scheme: `duplex` has a strand for each direction; `bidi` has a strand for the classical channels of
both directions and another for the quantum channels; behind a `circulator` everything is on one strand. Levels are
where light enters the fibre and where it leaves it. The noise is Raman scattering of the classical light on the
same strand, at the end to which a view's light runs, in 12.5 GHz (0.1 nm), the width of an analyser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sdqkd.coexistence.faults import Faults
from sdqkd.coexistence.light import Light, Span, light_of, spans
from sdqkd.coexistence.noise import Filter, noise_at_receiver
from sdqkd.coexistence.three_parties import emitted_dbm
from sdqkd.network.model import Fibre, ModuleEnd, MultiplexerPort, Network, OpticalChannel, Passband, Port, QkdLink
from sdqkd.network.topology import LightPath, Topology, any_port_of
from sdqkd.physics.decibel import Array, as_array, dbm_to_w, per_m, photon_energy_j, w_to_dbm
from sdqkd.physics.raman import backward_w, coefficient_per_m_hz, forward_w
from sdqkd.planning.forecast import Forecast
from sdqkd.profiles.profile import DvFigures, Profile

ANALYSER_HZ = 12.5e9
LEAST_DBM = -200.0  # stands for no light at all


@dataclass(frozen=True, slots=True)
class Line:
    """A channel in a fibre. `role` is `quantum` or what the network file says; levels in dBm.

    `active` is False for a QKD link that could be switched and is not. `noise_dbm` is what a quantum channel's
    receiver gets beside it in 12.5 GHz, most of it from the light `most_from`; None for classical channels.
    """

    name: str
    role: str
    frequency_hz: int
    outgoing: bool
    enters_dbm: float
    leaves_dbm: float
    third_party: bool = False
    active: bool = True
    noise_dbm: float | None = None
    most_from: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What runs one way through one strand, seen at the near end: `outgoing` light as it enters, else leaving.

    `against` is what runs the other way through the same strand. `elsewhere` are the quantum channels of the pair
    that have the other strand to themselves.
    """

    fibre: str
    strand: str
    near: str
    far: str
    outgoing: bool
    lines: tuple[Line, ...]
    against: tuple[Line, ...]
    elsewhere: tuple[Line, ...]
    length_km: float
    loss_db: float

    def level_dbm(self, line: Line) -> float:
        """What an analyser at the near end would show of a line."""
        return line.enters_dbm if line.outgoing else line.leaves_dbm

    def noise_dbm(self, frequencies_hz: Sequence[float]) -> Array:
        """Raman noise at the end to which the light runs, in 12.5 GHz; `LEAST_DBM` without classical light."""
        noise_w = self._scattered_w(self.lines, frequencies_hz, forward_w)
        noise_w = noise_w + self._scattered_w(self.against, frequencies_hz, backward_w)
        return w_to_dbm(noise_w.clip(min=float(dbm_to_w(LEAST_DBM))))

    def _scattered_w(
        self, lines: tuple[Line, ...], frequencies_hz: Sequence[float], directed: Callable[..., Array]
    ) -> Array:
        lit = [line for line in lines if line.role != "quantum"]
        noise_hz = as_array(frequencies_hz)
        if not lit or not self.length_km:
            return np.zeros_like(noise_hz)
        pump_hz = as_array([line.frequency_hz for line in lit])[:, None]
        launch_w = dbm_to_w([line.enters_dbm for line in lit])[:, None]
        coefficient = coefficient_per_m_hz(pump_hz, noise_hz[None, :])
        attenuation = per_m(self.loss_db / self.length_km)
        return as_array(
            directed(launch_w, coefficient, ANALYSER_HZ, self.length_km * 1000, attenuation).sum(axis=0)
        )


@dataclass(frozen=True, slots=True)
class FibreLight:
    """All views of one fibre pair, and the filters at its near end by the name of their port."""

    fibre: str
    scheme: str
    views: tuple[View, ...]
    passbands: tuple[tuple[str, Passband], ...]


def fibres_of(network: Network, name: str) -> tuple[str, ...]:
    """The fibres of a QKD link or classical channel, or the fibre of this name; none if there is nothing of it."""
    if name in network.qkd_links:
        return tuple(dict.fromkeys(network.qkd_links[name].fibres))
    if name in network.optical_channels:
        return (network.optical_channels[name].fibre,)
    return (name,) if name in network.fibres else ()


def ends_of(network: Network, name: str) -> tuple[str, str]:
    """The sites where a fibre ends."""
    fibre = network.fibres[name]
    return _site(network, fibre.a), _site(network, fibre.b)


def fibre_light(forecast: Forecast, name: str, near_site: str | None = None) -> FibreLight:
    """The light in a fibre, seen from its end at a site, or from the end that the file names first."""
    network, fibre = forecast.network, forecast.network.fibres[name]
    near, far = (fibre.b, fibre.a) if near_site == _site(network, fibre.b) else (fibre.a, fibre.b)
    quantum = tuple(_quantum(forecast, fibre, near))
    classical = tuple(_classical(network, forecast.topology, fibre, near))
    sites = _site(network, near), _site(network, far)
    views = tuple(_views(fibre, sites, quantum, classical))
    return FibreLight(name, fibre.scheme, views, tuple(_filters(network, forecast.topology, near)))


def way_of(network: Network, topology: Topology, link: QkdLink) -> LightPath | None:
    """The way that the file draws for a link: fewest crossings, then least loss; None if there is none."""
    start, goal = network.module(link.transmitter).port, network.module(link.receiver).port
    ways = topology.paths(start, link.frequency_hz, any_port_of(topology), link.fibres)
    return min((w for w in ways if w.end == goal), key=lambda w: (len(w.crossings), w.loss_db), default=None)


def quantum_power_dbm(profile: Profile, frequency_hz: int) -> float:
    """Mean power that a transmitter sends: photons a pulse, or half the modulation variance, at its clock."""
    figures = profile.figures
    photons = figures.mean_photons if isinstance(figures, DvFigures) else figures.modulation / 2
    return float(w_to_dbm(photons * figures.clock_hz * photon_energy_j(frequency_hz)))


def _views(
    fibre: Fibre, sites: tuple[str, str], quantum: tuple[Line, ...], classical: tuple[Line, ...]
) -> Iterator[View]:
    bidi = fibre.scheme == "bidi"
    everything = (*quantum, *classical)
    for outgoing in (True, False):
        strand = {"duplex": f"strand {1 if outgoing else 2}", "bidi": "classical strand"}.get(
            fibre.scheme, "one strand"
        )
        on_it = classical if bidi else everything
        lines, against = _split(on_it, outgoing)
        shared = fibre.scheme != "duplex"
        elsewhere = quantum if bidi else ()
        yield _view(fibre, strand, sites, outgoing, lines, against if shared else (), elsewhere)
    for outgoing in (True, False) if bidi else ():
        lines, against = _split(quantum, outgoing)
        if lines:
            yield _view(fibre, "quantum strand", sites, outgoing, lines, against, ())


def _view(
    fibre: Fibre,
    strand: str,
    sites: tuple[str, str],
    outgoing: bool,
    lines: tuple[Line, ...],
    against: tuple[Line, ...],
    elsewhere: tuple[Line, ...],
) -> View:
    near, far = sites
    return View(fibre.name, strand, near, far, outgoing, lines, against, elsewhere, fibre.length_km, fibre.loss_db)


def _split(lines: tuple[Line, ...], outgoing: bool) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    along = tuple(line for line in lines if line.outgoing == outgoing)
    return along, tuple(line for line in lines if line.outgoing != outgoing)


def _quantum(forecast: Forecast, fibre: Fibre, near: Port) -> Iterator[Line]:
    """The quantum channels that run, or could run, through a fibre."""
    network, dark = forecast.network, _unlit(forecast.topology)
    for link in network.beams.values():
        path = way_of(network, forecast.topology, link) if fibre.name in link.fibres else None
        span = next((one for one in spans(dark, path) if one.fibre == fibre.name), None) if path else None
        if path and span:
            sent_dbm = _sent_dbm(forecast, link)
            line = _line(link.name, "quantum", link.frequency_hz, sent_dbm - span.before_db, span, near)
            yield _with_noise(forecast, replace(line, active=link.active), link.receiver, path)


def _sent_dbm(forecast: Forecast, beam: QkdLink) -> float:
    hub = forecast.hub_of(beam.receiver)
    if hub is None:
        return quantum_power_dbm(forecast.profile_of(beam.transmitter), beam.frequency_hz)
    emitter = forecast.installation.emitters[forecast.network.module(beam.transmitter).profile]
    return emitted_dbm(hub, emitter, beam.frequency_hz)


def _with_noise(forecast: Forecast, line: Line, receiver: ModuleEnd, path: LightPath) -> Line:
    profile = forecast.hub_of(receiver) or forecast.profile_of(receiver)
    filters = Filter(profile.adjacent_isolation_db, profile.isolation_db)
    noise = noise_at_receiver(forecast.exposure(path), line.frequency_hz, filters)
    if not noise.w_per_hz:
        return line
    return replace(line, noise_dbm=float(w_to_dbm(noise.w_per_hz * ANALYSER_HZ)), most_from=noise.most_from)


def _classical(network: Network, topology: Topology, fibre: Fibre, near: Port) -> Iterator[Line]:
    """Classical channels, a line for each direction; one whose light finds no way is left out."""
    far = fibre.b if near == fibre.a else fibre.a
    for channel in network.optical_channels.values():
        if channel.fibre != fibre.name:
            continue
        if channel.a is None or channel.b is None:
            for entry in (near, far):
                span = Span(fibre.name, entry, 0.0, fibre.loss_db, 0.0)
                yield _channel_line(channel, channel.launch_power_dbm, span, near)
            continue
        for sender, peer in ((channel.a, channel.b), (channel.b, channel.a)):
            ways = topology.paths(sender, channel.frequency_hz, any_port_of(topology), [fibre.name])
            way = min((w for w in ways if w.end == peer), key=lambda w: w.loss_db, default=None)
            if way is not None:
                (span,) = spans(_unlit(topology), way)
                yield _channel_line(channel, channel.launch_power_dbm - span.before_db, span, near)


def _channel_line(channel: OpticalChannel, enters_dbm: float, span: Span, near: Port) -> Line:
    line = _line(channel.name, channel.role, channel.frequency_hz, enters_dbm, span, near)
    return replace(line, third_party=channel.third_party)


def _line(name: str, role: str, frequency_hz: int, enters_dbm: float, span: Span, near: Port) -> Line:
    return Line(name, role, frequency_hz, span.entry == near, enters_dbm, enters_dbm - span.loss_db)


def _unlit(topology: Topology) -> Light:
    """The topology without attenuators and faults."""
    return light_of(topology, {}, Faults())


def _filters(network: Network, topology: Topology, port: Port) -> Iterator[tuple[str, Passband]]:
    """The filters of the multiplexer behind a port, and of those in cascade behind its other ports."""
    multiplexer = network.multiplexers.get(port.element)
    for one in multiplexer.ports.values() if multiplexer and multiplexer.line_port == port.name else ():
        cord = topology.cords.get(Port(port.element, one.name))
        if one.name != port.name and cord is not None and cord.far.element in network.multiplexers:
            yield from _filters(network, topology, cord.far)
        elif one.name != port.name:
            yield from _bands(one)


def _bands(port: MultiplexerPort) -> Iterator[tuple[str, Passband]]:
    return ((port.name, band) for band in port.passbands)


def _site(network: Network, port: Port) -> str:
    found = network.multiplexers.get(port.element) or network.devices.get(port.element)
    assert found is not None, "validation has seen to it that a fibre ends at something"
    return found.site
