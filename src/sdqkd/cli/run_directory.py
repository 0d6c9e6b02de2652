"""Where an emulated network and its controller keep their files.

A run directory holds, and nothing of it belongs into a repository:

    emulate.lock               held while an emulation runs here
    inventory.yaml             where each device answers and which host key it shows; written once all listen
    audit.log                  who did what on which device
    noc_key                    what the user `noc` logs in with
    controller/                the journal of a controller of this network
    devices/NAME/host_key      the device's host key
    devices/NAME/running.json  its running configuration, which survives a restart; beside it a journal
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sdqkd.errors import StoreError


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """The files of one emulated network."""

    path: Path

    @property
    def inventory(self) -> Path:
        """Where the inventory is written."""
        return self.path / "inventory.yaml"

    @property
    def audit_log(self) -> Path:
        """Who did what on which device."""
        return self.path / "audit.log"

    @property
    def noc_key(self) -> Path:
        """The private key of the user `noc`."""
        return self.path / "noc_key"

    @property
    def controller(self) -> Path:
        """Where a controller of this network keeps its journal."""
        return self.path / "controller"

    @property
    def is_emulation(self) -> bool:
        """Whether an emulation runs here or did so."""
        return (self.path / "emulate.lock").exists()

    def device(self, name: str) -> Path:
        """What one device keeps."""
        return self.path / "devices" / name

    def prepare(self) -> None:
        """Make the folders, for their owner only; one that is there already keeps its mode. Raises StoreError."""
        with as_store_error(self.path):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.path / "devices").mkdir(mode=0o700, exist_ok=True)

    def take(self) -> int:
        """Keep other emulations out of it, until the returned file descriptor is closed. Raises StoreError."""
        file = self.path / "emulate.lock"
        with as_store_error(file):
            lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise StoreError(f"{self.path}: another emulation runs in this run directory") from None
        return lock


@contextmanager
def as_store_error(place: Path) -> Iterator[None]:
    """Turn what the system says of a file into a StoreError that names it."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{error.filename or place}: cannot be used: {error.strerror}") from error
