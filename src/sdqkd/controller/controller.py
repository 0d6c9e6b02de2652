"""The controller as the command line uses it: read, plan, apply, status, over one set of sessions."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from sdqkd.controller.apply import apply_plan
from sdqkd.controller.connect import Connector
from sdqkd.controller.fleet import LIMIT, Fleet, Progress, silent
from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.plan import Plan, make_plan
from sdqkd.controller.session import Timeouts
from sdqkd.controller.status import NetworkStatus, network_status
from sdqkd.errors import ApplyError, SdqkdError
from sdqkd.schema.tree import Container


class Controller:
    """One network under one controller. Use it as `async with Controller(…) as controller`."""

    def __init__(
        self,
        loaded: LoadedNetwork,
        connector: Connector,
        progress: Progress = silent,
        limit: int = LIMIT,
        timeouts: Timeouts | None = None,
    ) -> None:
        """`progress` is told what is being done, how many devices are done, and of how many.

        `limit` bounds how many devices are worked with at the same time.
        """
        self.network = loaded.network
        self.desired = desired(loaded.network)
        self._fleet = Fleet(loaded.network.devices, connector, progress, limit, timeouts)
        self._running: Mapping[str, Container] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._fleet.close()

    async def read(self) -> Mapping[str, Container]:
        """Read the running configuration of every device.

        Raises ApplyError naming each device that cannot be read: nothing can be planned without it.
        """
        outcome = await self._fleet.each("read", self.network.devices, self._running_of)
        if outcome.failures:
            message = f"{len(outcome.failures)} of {len(self.network.devices)} devices cannot be read"
            raise ApplyError(f"{message}; nothing was changed", outcome.failures)
        self._running = outcome.results
        return outcome.results

    def plan(self) -> Plan:
        """What leads from what was read to what the network file wants. `read` comes first."""
        if self._running is None:
            raise RuntimeError("nothing was read yet")
        return make_plan(self.network.name, self.desired, self._running)

    async def apply(self, plan: Plan) -> None:
        """Bring all devices to what the plan says, or none. Raises ApplyError: see `apply.apply_plan`."""
        if plan.network != self.network.name:
            raise ApplyError(f"this plan is for the network {plan.network}, not for {self.network.name}")
        self._running = None
        await apply_plan(plan, self._fleet)

    async def status(self) -> NetworkStatus:
        """Read configuration and state of every device. For one that cannot be read, its rows say so."""
        outcome = await self._fleet.each("read state", self.network.devices, self._state_of)
        readings: dict[str, Container | SdqkdError] = {**outcome.results, **outcome.failures}
        return network_status(self.network, self.desired, readings)

    async def _running_of(self, name: str) -> Container:
        return await (await self._fleet.session(name)).get_config()

    async def _state_of(self, name: str) -> Container:
        return await (await self._fleet.session(name)).get()
