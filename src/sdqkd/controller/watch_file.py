"""The network file while it is watched: read again when it has changed, written when a change is adopted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sdqkd.controller.adopt import Adopted, CannotAdoptError, adopted
from sdqkd.controller.drift_rules import Policies, policies_of
from sdqkd.controller.intent import Desired, desired
from sdqkd.controller.inventory import LoadedNetwork, read_file
from sdqkd.controller.whole_file import write_whole
from sdqkd.errors import InputError, StoreError
from sdqkd.network.model import Endpoint
from sdqkd.schema.diff import Change


class NetworkFile:
    """What the file says now. `load` makes of its text what it means, inventory included; it raises InputError.

    `inventory` is that file, if there is one: it is looked at for changes, too.
    """

    def __init__(self, path: Path, load: Callable[[str], LoadedNetwork], inventory: Path | None = None) -> None:
        self.path = path
        self._files = (path,) if inventory is None else (path, inventory)
        self._load = load
        self._take()

    def _take(self) -> None:
        self._mark = self._stat()
        text = read_file(self.path)
        loaded = self._load(text)
        self.text, self.loaded = text, loaded
        self.desired: Mapping[str, Desired] = desired(loaded.network)
        self._policies: dict[str, Policies] = {}

    def policies(self, device: str) -> Policies:
        """What to do about drift of a device."""
        if device not in self._policies:
            network = self.loaded.network
            self._policies[device] = policies_of(network.devices[device], network.drift)
        return self._policies[device]

    def refresh(self) -> bool:
        """Read the file again if it has changed; whether it has. Raises InputError, and what was read stays."""
        mark = self._stat()
        if mark == self._mark:
            return False
        try:
            self._take()
        finally:
            self._mark = mark  # what is wrong is told once
        return True

    def adopt(self, device: str, changes: Sequence[Change]) -> Adopted:
        """Write what a device holds into the file. Raises CannotAdoptError, and nothing is written."""
        if self._stat() != self._mark or read_file(self.path) != self.text:
            raise CannotAdoptError(f"{self.path}: somebody has just changed it; it is not written over")
        result = adopted(self.loaded, self.text, device, changes)
        try:
            write_whole(self.path, result.text)
        except StoreError as error:
            raise CannotAdoptError(str(error)) from error
        self._take()
        return result

    def _stat(self) -> tuple[tuple[int, int, int], ...]:
        return tuple(map(_mark_of, self._files))


def _mark_of(file: Path) -> tuple[int, int, int]:
    try:
        found = file.stat()
    except OSError:
        return 0, 0, 0
    return found.st_ino, found.st_mtime_ns, found.st_size


def demand_watchable(first: LoadedNetwork, now: LoadedNetwork) -> None:
    """Raise InputError for a file that a watch which began with `first` cannot go on with.

    Its journal is that of one network, and where devices call home was decided when it began to listen.
    """
    if now.network.name != first.network.name:
        was, name = first.network.name, now.network.name
        raise InputError(
            f"the network is called {name} now, and {was} is watched: start the watch again", now.file
        )
    if (now.waiting, _calling(now)) != (first.waiting, _calling(first)):
        what = "devices call home otherwise than when this watch began to listen for them"
        raise InputError(f"{what}: start it again", now.file)


def _calling(loaded: LoadedNetwork) -> Mapping[str, Endpoint]:
    ends = {name: device.management for name, device in loaded.network.devices.items()}
    return {name: end for name, end in ends.items() if end.call_home}
