"""The terms of a subscription of RFC 8639 or 8641: what was agreed with the client.

They are kept as the tree that the request gave, since subscription-modified and the list of subscriptions repeat
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from sdqkd.notifications.refusals import YP
from sdqkd.notifications.times import read_time
from sdqkd.schema.tree import Container, Node

STREAM_FILTERS = ("stream-filter-name", "stream-subtree-filter", "stream-xpath-filter")
DATA_FILTERS = (
    f"{YP}:selection-filter-ref",
    f"{YP}:datastore-subtree-filter",
    f"{YP}:datastore-xpath-filter",
)
CENTISECOND = timedelta(milliseconds=10)
_PERIODIC = f"{YP}:periodic"
_ON_CHANGE = f"{YP}:on-change"


@dataclass(frozen=True, slots=True)
class Periodic:
    """Everything selected, again and again: at multiples of `period` from `anchor`, or from the beginning."""

    period: timedelta
    anchor: datetime | None


@dataclass(frozen=True, slots=True)
class OnChange:
    """What changes, at most once in `dampening`; everything at first if `sync`; without the `excluded` kinds."""

    dampening: timedelta
    sync: bool
    excluded: frozenset[str]


Trigger: TypeAlias = Periodic | OnChange


@dataclass(frozen=True, slots=True)
class Terms:
    """`tree` holds the leafs under the member names that they have in establish-subscription."""

    tree: Container

    @property
    def stream(self) -> str | None:
        """The stream's name; None if it is about a datastore."""
        return self._text("stream")

    @property
    def datastore(self) -> str | None:
        """The datastore's identity, such as `ietf-datastores:running`."""
        return self._text(f"{YP}:datastore")

    @property
    def start(self) -> datetime | None:
        """From when on events are replayed."""
        return self._time("replay-start-time")

    @property
    def stop(self) -> datetime | None:
        """When it ends by itself."""
        return self._time("stop-time")

    @property
    def filter(self) -> tuple[str, str] | None:
        """The member name and the value of the filter, if there is one."""
        members = (*STREAM_FILTERS, *DATA_FILTERS)
        return next(((name, text) for name in members if (text := self._text(name)) is not None), None)

    @property
    def trigger(self) -> Trigger | None:
        """When a datastore is told about; None if the request does not say."""
        periodic, on_change = self.tree.children.get(_PERIODIC), self.tree.children.get(_ON_CHANGE)
        if isinstance(periodic, Container):
            anchor = periodic.children.get("anchor-time")
            period = int(str(periodic.children.get("period", "0")))
            return Periodic(period * CENTISECOND, read_time(str(anchor)) if anchor else None)
        return _on_change(on_change) if isinstance(on_change, Container) else None

    def compact(self) -> Terms:
        """The same without repetitions, which the model allows and nobody needs."""
        on_change = self.tree.children.get(_ON_CHANGE)
        excluded = on_change.children.get("excluded-change") if isinstance(on_change, Container) else None
        if not isinstance(on_change, Container) or not isinstance(excluded, tuple):
            return self
        once = Container({**on_change.children, "excluded-change": tuple(dict.fromkeys(excluded))})
        return Terms(Container({**self.tree.children, _ON_CHANGE: once}))

    def _text(self, member: str) -> str | None:
        value = self.tree.children.get(member)
        return value if isinstance(value, str) else None

    def _time(self, member: str) -> datetime | None:
        text = self._text(member)
        return None if text is None else read_time(text)

    def changed_by(self, request: Terms) -> Terms:
        """These terms with what a modify-subscription gives; what it does not give stays as it is."""
        children: dict[str, Node] = dict(self.tree.children)
        if request.filter is not None:
            for name in (*STREAM_FILTERS, *DATA_FILTERS):
                children.pop(name, None)
        for name, node in request.tree.children.items():
            old = children.get(name)
            if isinstance(node, Container) and isinstance(old, Container):
                children[name] = Container({**old.children, **node.children})
            else:
                children[name] = node
        return Terms(Container(children))


def _on_change(container: Container) -> OnChange:
    leafs = container.children
    excluded = leafs.get("excluded-change")
    return OnChange(
        int(str(leafs.get("dampening-period", "0"))) * CENTISECOND,
        leafs.get("sync-on-start", "true") == "true",
        frozenset(excluded if isinstance(excluded, tuple) else ()),
    )
