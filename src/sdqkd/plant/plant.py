"""The plant: every device of a network, emulated together, and what may happen to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from sdqkd.coexistence.faults import Booster, Faults
from sdqkd.coexistence.installation import install
from sdqkd.devices.device import Device
from sdqkd.errors import InputError
from sdqkd.network.model import Network
from sdqkd.plant.backends import device_of
from sdqkd.plant.running import Running
from sdqkd.profiles.profile import Profile, load_profiles

K = TypeVar("K")
V = TypeVar("V")


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

    @property
    def network(self) -> Network:
        """What is emulated."""
        return self._network

    @property
    def faults(self) -> Faults:
        """What is broken at present."""
        return self._running.faults

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

    def hiss(self, fibre: str, booster: Booster) -> None:
        """Let an amplifier at the classical inputs of a fibre pair send its noise past the multiplexers."""
        if not (0 <= booster.gain_db <= 60 and 3 <= booster.noise_figure_db <= 30):
            raise InputError("an amplifier has a gain of 0 to 60 dB and a noise figure of 3 to 30 dB")
        faults = self._running.faults
        self._running.suffer(replace(faults, boosters={**faults.boosters, self._fibre(fibre): booster}))

    def mend(self, fibre: str) -> None:
        """Make a fibre pair as it was, without cut, added loss or amplifier."""
        faults = self._running.faults
        cut = faults.cut - {self._fibre(fibre)}
        added_loss_db, boosters = _without(faults.added_loss_db, fibre), _without(faults.boosters, fibre)
        self._running.suffer(replace(faults, cut=cut, added_loss_db=added_loss_db, boosters=boosters))

    def fail(self, device: str, part: str) -> None:
        """Let a part of a device fail: the number of an interface, a port or a line."""
        faults = self._running.faults
        self._running.suffer(replace(faults, failed=faults.failed | {self._part(device, part)}))

    def repair(self, device: str, part: str) -> None:
        """Make a failed part work again. A module that is pulled out stays out."""
        faults = self._running.faults
        self._running.suffer(replace(faults, failed=faults.failed - {self._part(device, part)} | faults.pulled))

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

    def drift(self, device: str, part: str, drift_db: float) -> None:
        """Let a laser send this much more than it is told, or less if negative, whatever it did before.

        The laser of a QKD module can only weaken: the module guards against more.
        """
        place = self._part(device, part)
        most_db = {"transponder": 30.0, "qkd-node": 0.0}.get(self._network.devices[device].kind)
        if most_db is None:
            raise InputError(f"{device} has no lasers")
        if not -60 <= drift_db <= most_db:
            raise InputError(f"a laser of {device} drifts by -60 to {most_db:g} dB")
        faults = self._running.faults
        self._running.suffer(replace(faults, drift_db={**faults.drift_db, place: drift_db}))

    def misalign(self, device: str, interface: str, share: float) -> None:
        """Let a DV module get out of line: of its bits, this share more is wrong. Whatever it did before."""
        part = self._module(device, interface)
        if self._network.devices[device].interfaces[int(interface)].technology != "DV-QKD":
            raise InputError(f"interface {interface} of {device} counts no wrong bits: it is no DV module")
        if not 0 <= share <= 0.5:
            raise InputError("of the bits of a module 0 to 50 % more may be wrong")
        faults = self._running.faults
        self._running.suffer(replace(faults, misalignment={**faults.misalignment, part: share}))

    def adjust(self, device: str, part: str) -> None:
        """Make a laser send what it is told again, and bring a module back into line."""
        faults, place = self._running.faults, self._part(device, part)
        drift_db, misalignment = _without(faults.drift_db, place), _without(faults.misalignment, place)
        self._running.suffer(replace(faults, drift_db=drift_db, misalignment=misalignment))

    def heal(self) -> None:
        """Make everything as it was."""
        self._running.suffer(Faults())

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


def _without(values: Mapping[K, V], key: K) -> dict[K, V]:
    return {name: value for name, value in values.items() if name != key}
