"""A device with what its agent reports of itself: together they are what a client sees."""

from __future__ import annotations

from collections.abc import Callable

from sdqkd.devices.device import Device
from sdqkd.schema.tree import Container, merge


class Reporting:
    """The Hardware of an agent's datastores.

    `reports` give further state, each time that it is asked for; `checks` may refuse what is proposed.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self.factory = device.factory
        self.apply = device.apply
        self.reports: list[Callable[[], Container]] = []
        self.checks: list[Callable[[Container], None]] = [device.check]

    def check(self, proposed: Container) -> None:
        """Raise RpcError(s) for what the device, or the agent, cannot do."""
        for check in self.checks:
            check(proposed)

    def state(self) -> Container:
        """Give the state of the device and of the agent."""
        state = self._device.state()
        for report in self.reports:
            state = merge(self._device.schema, state, report())
        return state
