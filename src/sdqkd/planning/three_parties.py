"""What links of three parties would do, on the ways and the channel that the network file gives them.

Planning chooses nothing for them. It keeps others away from their light, and says how much their neighbours may
send.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

from sdqkd.coexistence.exposure import Exposure
from sdqkd.coexistence.three_parties import ArmConditions, PairConditions, anchor_of, pair_performance
from sdqkd.network.model import Arm, Network, QkdLink
from sdqkd.network.topology import LightPath
from sdqkd.planning.assignment import least_bps
from sdqkd.planning.fibre_light import way_of
from sdqkd.planning.forecast import Forecast


@dataclass(frozen=True, slots=True)
class PairForecast:
    """What two emitters of a hub would do: larger loss, key rate, and why there is none, "" if there is."""

    loss_db: float
    rate_bps: int
    obstacle: str
    met: Exposure


def pairs_that_run(network: Network) -> Iterator[QkdLink]:
    """The active links of three parties."""
    return (link for link in network.qkd_links.values() if link.active and link.arms)


def pair_forecast(
    forecast: Forecast, link: QkdLink, lit: Callable[[Exposure], Exposure] = lambda met: met
) -> PairForecast:
    """What a link of three parties would do beside what the file wants, or what `lit` makes of that."""
    installation, measured = forecast.installation, forecast.installation.pairs.get(frozenset(link.ends))
    arms: list[ArmConditions] = []
    for arm in link.arms:
        way = _way(forecast, arm)
        if way is None:
            return PairForecast(0.0, 0, f"no light gets from {arm.emitter.device} to the hub", ())
        excess_db = measured.arms[arm.emitter].excess_db if measured else 0.0
        arms.append(ArmConditions(max(0.0, way.loss_db + excess_db), lit(forecast.exposure(way))))
    hub = installation.hubs[forecast.network.module(link.arms[0].input).profile]
    emitter = installation.emitters[forecast.network.module(link.transmitter).profile]
    now = PairConditions(arms[0], arms[1], link.frequency_hz)
    anchor = None if measured is None else anchor_of(measured, *link.ends)
    does = pair_performance(hub, emitter, now, anchor, 1 / _pairs_at(forecast.network, link))
    worst_db = max(arm.loss_db for arm in arms)
    return PairForecast(worst_db, does.rate_bps, does.why_no_key, (*arms[0].met, *arms[1].met))


def why_not_served(link: QkdLink, does: PairForecast) -> str:
    """Why a link of three parties has not what it needs; "" if it has."""
    if does.obstacle or does.rate_bps >= least_bps(link):
        return does.obstacle
    return f"{does.rate_bps:,} bit/s is less than its demand of {least_bps(link):,}"


def pairs_in(forecast: Forecast, dark: Collection[str]) -> dict[str, PairForecast]:
    """What each active link of three parties would do with these fibres cut; `obstacle`: why not served."""
    found = {}
    for link in pairs_that_run(forecast.network):
        cut = [fibre for fibre in dict.fromkeys(link.fibres) if fibre in dark]
        does = pair_forecast(forecast, link)
        if cut:
            why = f"{' and '.join(cut)} {'is' if len(cut) == 1 else 'are'} cut"
            does = PairForecast(does.loss_db, 0, why, ())
        found[link.name] = replace(does, obstacle=why_not_served(link, does))
    return found


def _way(forecast: Forecast, arm: Arm) -> LightPath | None:
    beams = forecast.network.beams.values()
    beam = next(one for one in beams if one.ends == (arm.emitter, arm.input))
    return way_of(forecast.network, forecast.topology, beam)


def _pairs_at(network: Network, link: QkdLink) -> int:
    hub = link.arms[0].input.device
    return max(1, sum(one.arms[0].input.device == hub for one in pairs_that_run(network)))
