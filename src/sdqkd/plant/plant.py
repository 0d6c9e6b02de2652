"""The plant: every device of a network, emulated together, and what may happen to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from sdqkd.devices.device import Device
from sdqkd.errors import InputError
from sdqkd.network.model import Network
from sdqkd.plant.backends import device_of
from sdqkd.plant.installation import install
from sdqkd.plant.running import Running
from sdqkd.profiles.profile import Profile, load_profiles


class Plant:
    """An emulated network. `devices` are by name, each to be served by an agent; they share one event loop.

    `cut`, `add_loss`, `fail` and `pull` break things, `mend`, `repair` and `plug` undo that; each raises
    InputError for what the network does not have.
    """

    def __init__(
        self,
        network: Network,
        profiles: Mapping[str, Profile] | None = None,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raise InputError for an unknown profile or an unfitting model set, ModelError for an unknown model set.

        `profiles` are by default those that come with the program. `now` gives seconds of a clock that does not
        go back; only the keys of protected connections age by it.
        """
        self._network = network
        installation = install(network, load_profiles() if profiles is None else profiles)
        self._running = Running(installation, now)
        self.devices: Mapping[str, Device] = {
            device.name: device_of(device, installation.topology, self._running)
            for device in network.devices.values()
        }

    def cut(self, fibre: str) -> None:
        """Cut a fibre pair."""
        faults = self._running.faults
        self._running.suffer(replace(faults, cut=faults.cut | {self._fibre(fibre)}))

    def add_loss(self, fibre: str, loss_db: float) -> None:
        """Add to the loss of a fibre pair, on top of what was added before."""
        if not 0 <= loss_db < float("inf"):
            raise InputError(f"the loss added to fibre '{fibre}' must be a number of dB and not negative")
        faults = self._running.faults
        added_db = faults.added_loss_db.get(self._fibre(fibre), 0.0) + loss_db
        self._running.suffer(replace(faults, added_loss_db={**faults.added_loss_db, fibre: added_db}))

    def mend(self, fibre: str) -> None:
        """Make a fibre pair as it was, without cut or added loss."""
        faults = self._running.faults
        left_db = {name: loss_db for name, loss_db in faults.added_loss_db.items() if name != self._fibre(fibre)}
        self._running.suffer(replace(faults, cut=faults.cut - {self._fibre(fibre)}, added_loss_db=left_db))

    def fail(self, device: str, part: str) -> None:
        """Let a part of a device fail: the number of an interface, a port or a line."""
        faults = self._running.faults
        self._running.suffer(replace(faults, failed=faults.failed | {self._part(device, part)}))

    def repair(self, device: str, part: str) -> None:
        """Make a failed part work again."""
        faults = self._running.faults
        self._running.suffer(replace(faults, failed=faults.failed - {self._part(device, part)}))

    def pull(self, device: str, interface: str) -> None:
        """Pull a QKD module out of its node: the number of an interface."""
        faults, part = self._running.faults, self._module(device, interface)
        self._running.suffer(replace(faults, failed=faults.failed | {part}, pulled=faults.pulled | {part}))

    def plug(self, device: str, interface: str) -> None:
        """Plug a QKD module in again. It works."""
        faults, part = self._running.faults, self._module(device, interface)
        self._running.suffer(replace(faults, failed=faults.failed - {part}, pulled=faults.pulled - {part}))

    def _module(self, device: str, interface: str) -> tuple[str, str]:
        part = self._part(device, interface)
        if interface not in map(str, self._network.devices[device].interfaces):
            raise InputError(f"'{interface}' of {device} is no QKD module")
        return part

    def _fibre(self, name: str) -> str:
        if name not in self._network.fibres:
            raise InputError(f"there is no fibre '{name}'; there are {', '.join(self._network.fibres)}")
        return name

    def _part(self, device: str, part: str) -> tuple[str, str]:
        known = self._network.devices.get(device)
        if known is None:
            raise InputError(f"there is no device '{device}'")
        parts = [*map(str, known.interfaces), *known.ports, *known.lines]
        if part not in parts:
            raise InputError(f"{device} has no interface, port or line '{part}'; it has {', '.join(parts)}")
        return device, part
