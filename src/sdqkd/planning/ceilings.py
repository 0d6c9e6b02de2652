"""How strong the classical neighbours of quantum channels may be, and how strong they must be.

A link bears so many dB more from its neighbours that are ours, all together, until its key rate falls to its
demand. A channel may be raised by the least that any link bears which meets it: so all ceilings hold at the same
time, as noise never falls when light is added. Somebody else's channels are as they are. A channel must arrive
with what its receiver needs, and no more than it bears, and be launched with what its transponders, and the file,
allow: where the floor is above the ceiling, the limits contradict each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from sdqkd.coexistence.exposure import Exposure, Guest
from sdqkd.network.equipment import transponder_of
from sdqkd.network.model import Network, OpticalChannel, Port, QkdLink
from sdqkd.network.topology import arrival_losses_db
from sdqkd.planning.assignment import least_bps
from sdqkd.planning.forecast import Forecast, Option
from sdqkd.planning.three_parties import pair_forecast, pairs_that_run

# What a receiver of 10 Gb/s with an avalanche photodiode needs. Assumed, where no profile says it; and for
# channels that carry no data, which are slower than what the profile speaks of.
SENSITIVITY_DBM = -24.0
MOST_DB = 30.0  # nothing is raised or lowered by more
_STEP_DB = 0.01


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Limits of a channel's launch power in dBm, None where there are none.

    `set_by` is what sets `most_dbm`: a QKD link, or in other words what the equipment or the file allows.
    """

    channel: str
    launch_dbm: float
    most_dbm: float | None
    least_dbm: float | None
    set_by: str = ""

    @property
    def contradicts(self) -> bool:
        """Whether the channel cannot reach its receiver within all limits."""
        return self.most_dbm is not None and self.least_dbm is not None and self.least_dbm > self.most_dbm


def ceilings(
    forecast: Forecast,
    chosen: Mapping[str, Option],
    sensitivity_dbm: float | None = None,
    dark: Collection[str] = (),
) -> tuple[Ceiling, ...]:
    """Limits of every channel that is ours, beside the links as they are chosen, and those of three parties.

    A link of three parties that would not be served in the dark either, or whose fibres are `dark`, limits nobody.
    `sensitivity_dbm`, if given, is that of every receiver, whatever its profile says.
    """
    network = forecast.network
    borne = {name: spare_db(forecast, name, option) for name, option in chosen.items()}
    met = {name: _names(forecast.exposure(option.path)) for name, option in chosen.items()}
    for link in pairs_that_run(network):
        spare = _spare_of_pair_db(forecast, link)
        if spare <= -MOST_DB or not {*dark}.isdisjoint(link.fibres):
            continue
        borne[link.name] = spare
        met[link.name] = _names(pair_forecast(forecast, link).met)
    return tuple(
        _ceiling(forecast, channel, borne, met, sensitivity_dbm)
        for channel in network.optical_channels.values()
        if not channel.third_party
    )


def spare_db(forecast: Forecast, link: str, option: Option) -> float:
    """By how many dB all our neighbours of a link may be raised; negative if they must be lowered for its
    demand.

    Plus or minus `MOST_DB` stand for all that is beyond.
    """
    needed = least_bps(forecast.network.qkd_links[link])
    met = forecast.exposure(option.path)

    def bears(raise_db: float) -> bool:
        lit = raised(forecast, met, raise_db)
        there = option.transmitter, option.receiver, option.path, option.frequency_hz
        return forecast.beside(*there, lit).rate_bps >= needed

    return _most_db(bears)


def _spare_of_pair_db(forecast: Forecast, link: QkdLink) -> float:
    """The same for a link of three parties: by how many dB the neighbours of both arms may be raised together."""

    def bears(raise_db: float) -> bool:
        lit = pair_forecast(forecast, link, lambda met: raised(forecast, met, raise_db))
        return lit.rate_bps >= least_bps(link)

    return _most_db(bears)


def _most_db(bears: Callable[[float], bool]) -> float:
    if bears(MOST_DB):
        return MOST_DB
    low, high = -MOST_DB, MOST_DB
    while high - low > _STEP_DB:
        middle = (low + high) / 2
        low, high = (middle, high) if bears(middle) else (low, middle)
    return low


def raised(forecast: Forecast, met: Exposure, raise_db: float) -> Exposure:
    """What a quantum channel meets if our channels are raised."""
    ours = _ports(forecast)

    def lift(guests: tuple[Guest, ...]) -> tuple[Guest, ...]:
        return tuple(
            guest._replace(power_dbm=guest.power_dbm + raise_db) if guest.name in ours else guest
            for guest in guests
        )

    return tuple(replace(one, ahead=lift(one.ahead), against=lift(one.against)) for one in met)


def _ports(forecast: Forecast) -> Mapping[str, str]:
    """Our channels by the port that sends, as light in a fibre is named."""
    channels = forecast.network.optical_channels.values()
    return {str(port): one.name for one in channels for port in (one.a, one.b) if port is not None}


def _names(met: Exposure) -> frozenset[str]:
    return frozenset(guest.name for one in met for guest in (*one.ahead, *one.against))


def _ceiling(
    forecast: Forecast,
    channel: OpticalChannel,
    borne: Mapping[str, float],
    met: Mapping[str, frozenset[str]],
    sensitivity_dbm: float | None,
) -> Ceiling:
    own = {str(channel.a), str(channel.b)}
    by_links = (
        (channel.launch_power_dbm + borne[name], name)
        for name in borne
        if own & met[name] and borne[name] < MOST_DB
    )
    losses_db = arrival_losses_db(forecast.topology, channel)
    most_dbm, set_by = min(
        (*by_links, *_allowed(forecast.network, channel, losses_db)), key=lambda one: one[0], default=(None, "")
    )
    least_dbm = max(_needed(forecast.network, channel, losses_db, sensitivity_dbm), default=None)
    return Ceiling(channel.name, channel.launch_power_dbm, most_dbm, least_dbm, set_by)


def _allowed(
    network: Network, channel: OpticalChannel, losses_db: Mapping[Port, float]
) -> Iterator[tuple[float, str]]:
    """The most launch powers in dBm that the file and the transponders allow, and who says so."""
    if channel.most_power_dbm is not None:
        yield channel.most_power_dbm, "the file"
    for end in (end for end in (channel.a, channel.b) if end is not None):
        if (profile := transponder_of(network, end)) is not None:
            yield profile.most_launch_dbm, f"laser at {end}"
            if channel.carries_data and end in losses_db:
                yield profile.overload_dbm + losses_db[end], f"receiver at {end}"


def _needed(
    network: Network, channel: OpticalChannel, losses_db: Mapping[Port, float], sensitivity_dbm: float | None
) -> Iterator[float]:
    """The least launch powers in dBm that the file, the lasers and the receivers ask for."""
    if channel.least_power_dbm is not None:
        yield channel.least_power_dbm
    for end in (end for end in (channel.a, channel.b) if end is not None):
        profile = transponder_of(network, end)
        if profile is not None:
            yield profile.least_launch_dbm
        if end in losses_db:
            known = profile.sensitivity_dbm if profile and channel.carries_data else SENSITIVITY_DBM
            yield (known if sensitivity_dbm is None else sensitivity_dbm) + losses_db[end]
