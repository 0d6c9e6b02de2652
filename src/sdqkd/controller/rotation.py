"""Turns of a schedule on the devices, one after the other: each is a transaction with its gates.

A turn that is rolled back leaves the one before it running; the next one has its chance at its time all the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from sdqkd.controller.changeover import with_option
from sdqkd.controller.clock import Clock
from sdqkd.errors import ApplyError, InDoubtError, InterruptedApplyError
from sdqkd.network.model import Network
from sdqkd.planning.forecast import Forecast
from sdqkd.planning.routes import switched_modules
from sdqkd.planning.schedule import Turn

SetUp = Callable[[int, Network], Awaitable[None]]
Failed = Callable[[int, ApplyError], None]


def network_of(forecast: Forecast, turn: Turn) -> Network:
    """The network in which just the turn's links run between switched modules; some may be new."""
    network = forecast.network
    modules = {*switched_modules(forecast)}
    links = {
        name: replace(link, active=link.active and not {link.transmitter, link.receiver} & modules)
        for name, link in network.qkd_links.items()
    }
    network = replace(network, qkd_links=links)
    for option in turn.options:
        network = with_option(network, option, ()).network
    return network


async def rotate(
    forecast: Forecast, turns: Iterable[Turn], clock: Clock, set_up: SetUp, failed: Failed
) -> tuple[int, int]:
    """Let every turn have its time: how many were set up, and how many were not.

    `set_up` leads the devices to a network, and raises ApplyError where it is as it was; `failed` hears of it.
    Raises what else `set_up` raises, and if devices are in doubt or somebody interrupts.
    """
    done = missed = 0
    due_s = clock.now_s()
    for number, turn in enumerate(turns, 1):
        due_s = max(due_s, clock.now_s()) + turn.dead_s + turn.key_s
        try:
            await set_up(number, network_of(forecast, turn))
            done += 1
        except (InDoubtError, InterruptedApplyError):
            raise
        except ApplyError as error:
            failed(number, error)
            missed += 1
        await clock.sleep(max(0.0, due_s - clock.now_s()))
    return done, missed
