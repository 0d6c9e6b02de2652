"""How strong the classical neighbours of quantum channels may be, and how strong they must be.

A link bears so many dB more from its neighbours that are ours, all together, until its key rate falls to its
demand. A channel may be raised by the least that any link bears which meets it: so all ceilings hold at the same
time, as noise never falls when light is added. Somebody else's channels are as they are. A channel must arrive
with what its receiver needs: where that is more than its ceiling, the two limits contradict each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sdqkd.coexistence.exposure import Exposure, Guest
from sdqkd.network.model import OpticalChannel
from sdqkd.network.topology import any_port_of
from sdqkd.planning.assignment import least_bps
from sdqkd.planning.forecast import Forecast, Option

SENSITIVITY_DBM = -24.0  # what a receiver of 10 Gb/s with an avalanche photodiode needs. Assumed.
MOST_DB = 30.0  # nothing is raised or lowered by more
_STEP_DB = 0.01


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Limits of a channel's launch power in dBm. `most_dbm` is None where no link minds, `set_by` "" then."""

    channel: str
    launch_dbm: float
    most_dbm: float | None
    least_dbm: float | None
    set_by: str = ""

    @property
    def contradicts(self) -> bool:
        """Whether the channel cannot reach its receiver without harm to a link."""
        return self.most_dbm is not None and self.least_dbm is not None and self.least_dbm > self.most_dbm


def ceilings(
    forecast: Forecast, chosen: Mapping[str, Option], sensitivity_dbm: float = SENSITIVITY_DBM
) -> tuple[Ceiling, ...]:
    """Limits of every channel that is ours, beside the links as they are chosen."""
    network = forecast.network
    borne = {name: spare_db(forecast, name, option) for name, option in chosen.items()}
    met = {name: _names(forecast.exposure(option.path)) for name, option in chosen.items()}
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
    sensitivity_dbm: float,
) -> Ceiling:
    own = {str(channel.a), str(channel.b)}
    minding = {name: borne[name] for name in borne if own & met[name]}
    least_dbm = _least_dbm(forecast, channel, sensitivity_dbm)
    if not minding:
        return Ceiling(channel.name, channel.launch_power_dbm, None, least_dbm)
    tightest = min(minding, key=lambda name: minding[name])
    if minding[tightest] >= MOST_DB:
        return Ceiling(channel.name, channel.launch_power_dbm, None, least_dbm)
    most_dbm = channel.launch_power_dbm + minding[tightest]
    return Ceiling(channel.name, channel.launch_power_dbm, most_dbm, least_dbm, tightest)


def _least_dbm(forecast: Forecast, channel: OpticalChannel, sensitivity_dbm: float) -> float | None:
    """What the channel must be launched with; None where its light finds no way."""
    if channel.a is None:
        return None
    topology = forecast.topology
    ways = topology.paths(channel.a, channel.frequency_hz, any_port_of(topology), [channel.fibre])
    losses = [way.loss_db for way in ways if way.end == channel.b]
    return sensitivity_dbm + min(losses) if losses else None
