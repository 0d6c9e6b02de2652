"""A store in memory. It can be full."""

from __future__ import annotations

from sdqkd.errors import StoreError
from sdqkd.schema.tree import Container


class MemoryStore:
    """Remembers every save; with `full`, it takes no more."""

    def __init__(self) -> None:
        self.saved: list[Container | None] = []
        self.full = False

    def load(self) -> Container | None:
        return self.saved[-1] if self.saved else None

    def save(self, configuration: Container | None) -> None:
        if self.full:
            raise StoreError("running.json: cannot be written: No space left on device")
        self.saved.append(configuration)
