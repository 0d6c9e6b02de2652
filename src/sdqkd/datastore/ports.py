"""What the datastores and the world around them know of each other.

They need a place that keeps the configuration, and hardware that obeys it; they tell what has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from sdqkd.datastore.locks import Target
from sdqkd.schema.tree import Container


@dataclass(frozen=True, slots=True)
class Changed:
    """A datastore is not what it was. `session` did it, or the agent itself (None), as when time runs out."""

    target: Target
    session: int | None
    before: Container = field(repr=False)
    after: Container = field(repr=False)


# Is called after a change that cannot be undone any more, and must neither fail nor take long.
Watcher: TypeAlias = Callable[[Changed], None]


class Store(Protocol):
    """Keeps the configuration of the next start. Implemented in `agent`."""

    def load(self) -> Container | None:
        """Give what was saved last, None if there is nothing. Raises StoreError if it cannot be read."""
        ...

    def save(self, configuration: Container | None) -> None:
        """Keep a configuration, or nothing; on return that survives a crash.

        Raises StoreError, what was kept before being kept then.
        """
        ...


class Hardware(Protocol):
    """What obeys running. Every `Device` is one."""

    def factory(self) -> Container:
        """Give the configuration of the first start."""
        ...

    def check(self, proposed: Container) -> None:
        """Raise RpcError if the hardware cannot do what is proposed. Changes nothing."""
        ...

    def apply(self, running: Container) -> None:
        """Make the hardware do what running says."""
        ...

    def state(self) -> Container:
        """Give what the hardware reports now: config-false nodes and the keys above them."""
        ...
