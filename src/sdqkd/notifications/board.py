"""Everything that an agent's notifications consist of: streams, outlets, and where data come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sdqkd.notifications.filters import Filters
from sdqkd.notifications.outlet import Outlet, Subscriber
from sdqkd.notifications.streams import Stream
from sdqkd.notifications.subscription import DynamicSubscription
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container

RUNNING = "ietf-datastores:running"
OPERATIONAL = "ietf-datastores:operational"
_DEVICE = ""  # no datastore's name


@dataclass(frozen=True, slots=True)
class Limits:
    """How much clients may ask for.

    `poll` is how often the device's state is looked at while somebody listens; None for a device that says
    itself when its state has changed (`Hub.state_changed`), which is cheaper where there are many.
    """

    subscriptions: int = 256
    subscriptions_of_session: int = 16
    shortest_period: timedelta = timedelta(seconds=1)
    poll: timedelta | None = timedelta(seconds=5)


class Sources:
    """The datastores by their identities, each read once in a moment however many ask.

    `device` is operational without what the agent counts, which changes whenever somebody is told of it: RFC 8641
    section 3.10 lets a server leave that out of what it tells on change.
    """

    def __init__(
        self, readers: Mapping[str, Callable[[], Container]], device: Callable[[], Container] | None = None
    ) -> None:
        self._readers = readers
        self._device = device or readers.get(OPERATIONAL)
        self._trees: dict[str, Container] = {}

    def __contains__(self, datastore: object) -> bool:
        return datastore in self._readers

    def __iter__(self) -> Iterator[str]:
        return iter(self._readers)

    def read(self, datastore: str) -> Container:
        """The datastore now. KeyError if there is none of this name."""
        tree = self._trees.get(datastore)
        if tree is None:
            tree = self._trees[datastore] = self._readers[datastore]()
        return tree

    def read_changing(self, datastore: str) -> Container:
        """What can be told on change of a datastore. KeyError if there is none of this name."""
        if datastore != OPERATIONAL or self._device is None:
            return self.read(datastore)
        tree = self._trees.get(_DEVICE)
        if tree is None:
            tree = self._trees[_DEVICE] = self._device()
        return tree

    def forget(self) -> None:
        """The moment is over."""
        self._trees.clear()


@dataclass(slots=True)
class Board:
    """The parts, and nothing that acts: `operations` changes them for clients, `hub` for the agent."""

    schema: Schema
    streams: dict[str, Stream]
    sources: Sources
    filters: Filters
    limits: Limits
    outlets: dict[int, Outlet] = field(default_factory=dict)
    last_id: int = 0

    def outlet(self, subscriber: Subscriber) -> Outlet:
        """The outlet of a session, made if there is none."""
        return self.outlets.setdefault(subscriber.id, Outlet(subscriber))

    def dynamic(self) -> Iterator[tuple[Outlet, DynamicSubscription]]:
        """All subscriptions of RFC 8639 with where they go to."""
        for outlet in tuple(self.outlets.values()):
            for subscription in outlet.dynamic:
                yield outlet, subscription
