"""What links of three parties would do, on the ways and the channel that the network file gives them.

Planning chooses nothing for them. It keeps others away from their light, and says how much their neighbours may
send.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sdqkd.coexistence.exposure import Exposure
from sdqkd.coexistence.three_parties import ArmConditions, PairConditions, anchor_of, pair_performance
from sdqkd.network.model import Arm, Network, QkdLink
from sdqkd.network.topology import LightPath
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


def _way(forecast: Forecast, arm: Arm) -> LightPath | None:
    beams = forecast.network.beams.values()
    beam = next(one for one in beams if one.ends == (arm.emitter, arm.input))
    return way_of(forecast.network, forecast.topology, beam)


def _pairs_at(network: Network, link: QkdLink) -> int:
    hub = link.arms[0].input.device
    return max(1, sum(one.arms[0].input.device == hub for one in pairs_that_run(network)))
