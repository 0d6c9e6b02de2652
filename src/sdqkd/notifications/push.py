"""Subscriptions to datastores: YANG push, RFC 8641, periodic and on-change.

Trees are immutable, so what a client was told last is a pointer, and a client that does not read for a while gets
in one update all that has changed meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from sdqkd.errors import RpcError, SdqkdError
from sdqkd.notifications.filters import TooMuchWorkError
from sdqkd.notifications.message import Message, payload_of
from sdqkd.notifications.patch import Edit, edits_of, patch
from sdqkd.notifications.refusals import SN, YP, refusal
from sdqkd.notifications.subscription import DynamicSubscription
from sdqkd.notifications.terms import OnChange, Periodic, Terms
from sdqkd.schema.diff import Change, diff
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import EMPTY, Container, Node, Path, get
from sdqkd.schema.xml import encode

# Of how many nodes it is remembered that they changed and changed back before they were told of.
MAX_TOUCHED = 1000

View: TypeAlias = Callable[[], Container]
_LOG = logging.getLogger(__name__)


class PushSubscription(DynamicSubscription):
    """What periodic and on-change have in common. `view` gives what is selected and readable now."""

    def __init__(self, schema: Schema, number: int, terms: Terms, view: View) -> None:
        super().__init__(schema, number, terms)
        self._view = view
        self._sent = 0

    @property
    def counts(self) -> tuple[int, int]:
        """How many updates were sent; none is ever held back."""
        return self._sent, 0

    def resync(self) -> None:
        """Send everything again: resync-subscription. Raises RpcError where there is nothing to resync."""
        message = "only an on-change subscription with sync-on-start can be resynchronised"
        raise refusal(f"{YP}:on-change-sync-unsupported", message)

    def look(self) -> None:
        """Learn that the datastore, or what is selected of it, may have changed."""

    def see(self, view: View) -> None:
        """Look at something else from now on."""
        self._view = view
        self.look()

    def _next(self, now: datetime) -> Message | None:
        stop = self.terms.stop
        message = self._update(now) if stop is None or now <= stop else None
        if message is None and stop is not None and now >= stop:
            self.complete()
        return message

    def _update(self, now: datetime) -> Message | None:
        raise NotImplementedError

    def _whole(self, now: datetime, tree: Container) -> Message:
        contents = encode(self.schema, tree).decode()
        content = Container({"id": str(self.id), "datastore-contents": contents})
        return self._message(now, "push-update", content)

    def _message(self, now: datetime, name: str, content: Container) -> Message:
        self._sent += 1
        return Message(now, payload_of(self.schema, Container({f"{YP}:{name}": content})))

    def _read(self) -> Container | None:
        """What the view gives; None, and suspended until it gives something, if it is too much work now or the
        device does not answer."""
        try:
            tree = self._view()
        except (SdqkdError, TooMuchWorkError) as error:
            _LOG.warning("subscription %d: the datastore cannot be read: %s", self.id, error)
            self.suspend(f"{SN}:insufficient-resources")
            return None
        self.resume()
        return tree


class PeriodicPush(PushSubscription):
    """Everything selected at regular times. A client that was not reading then gets it once, later."""

    def __init__(self, schema: Schema, number: int, terms: Terms, view: View, now: datetime) -> None:
        super().__init__(schema, number, terms, view)
        self._at = self._first(now)

    def change(self, terms: Terms) -> None:
        """Go on with other terms: the next update comes one new period after the last one, or by the anchor."""
        before = self._periodic.period
        super().change(terms)
        if self._periodic.anchor is None:
            self._at += self._periodic.period - before
        else:
            self._at = _multiple(self._periodic.anchor, self._periodic.period, self._at - before)

    @property
    def _periodic(self) -> Periodic:
        trigger = self.terms.trigger
        assert isinstance(trigger, Periodic)
        return trigger

    def _first(self, now: datetime) -> datetime:
        anchor, period = self._periodic.anchor, self._periodic.period
        return now if anchor is None else _multiple(anchor, period, now - timedelta.resolution)

    def _update(self, now: datetime) -> Message | None:
        if now < self._at:
            return None
        self._at = _multiple(self._at, self._periodic.period, now)
        tree = self._read()
        return None if tree is None else self._whole(now, tree)

    def _next_due(self) -> datetime | None:
        return self._at


def _multiple(anchor: datetime, period: timedelta, after: datetime) -> datetime:
    """The first moment after `after` that is a whole number of periods from the anchor."""
    return anchor + ((after - anchor) // period + 1) * period


class OnChangePush(PushSubscription):
    """What changes. Updates are at least the dampening period apart.

    What changed and came back in that time is told too, with its value now: RFC 8641 section 3.3 wants the
    client to see that something stirs.
    """

    def __init__(self, schema: Schema, number: int, terms: Terms, view: View, now: datetime) -> None:
        super().__init__(schema, number, terms, view)
        self._told = self._seen = self._read() or EMPTY
        self._sync = self._on_change.sync
        self._changed: Sequence[Change] | None = ()  # from what was told to what was seen; None: in several steps
        self._touched: dict[Path, None] = {}  # what changed in those steps
        self._incomplete = False
        self._stale = False  # whether the datastore may be another than was seen
        self._free_at = now
        self._patches = 0

    @property
    def _on_change(self) -> OnChange:
        trigger = self.terms.trigger
        assert isinstance(trigger, OnChange)
        return trigger

    def resync(self) -> None:
        """Send everything again, instead of what has changed."""
        if not self._on_change.sync:
            super().resync()
        self._sync = True

    def look(self) -> None:
        """Compare with what was seen last, as soon as it is this subscription's turn."""
        self._stale = True

    def _compare(self) -> None:
        self._stale = False
        tree = self._read()
        if tree is None or tree is self._seen:
            return
        changes = diff(self.schema, self._seen, tree)
        if self._changed == ():
            # Nothing waits to be told, so these changes are all, and nothing can have come and gone.
            self._changed = changes
        elif changes:
            for change in (*(self._changed or ()), *changes):
                self._touch(change)
            self._changed = None
        self._seen = tree

    def _touch(self, change: Change) -> None:
        if change.path in self._touched or len(self._touched) < MAX_TOUCHED:
            self._touched[change.path] = None
        else:
            self._incomplete = True

    def _update(self, now: datetime) -> Message | None:
        if self._stale:
            self._compare()
        if not self._sync and (self._changed == () or now < self._free_at):
            return None
        message = self._whole(now, self._seen) if self._sync else self._changes(now)
        self._told, self._changed, self._touched, self._sync = self._seen, (), {}, False
        if message is not None:
            self._incomplete = False
            self._free_at = now + self._on_change.dampening
        return message

    def _next_due(self) -> datetime | None:
        return None if self._changed == () else self._free_at

    def _changes(self, now: datetime) -> Message | None:
        changes = self._changed
        if changes is None:
            changes = diff(self.schema, self._told, self._seen)
            changes = (*changes, *self._stirred(changes))
        edits = edits_of(self.schema, self._told, self._seen, changes)
        wanted = [edit for edit in edits if edit.operation not in self._on_change.excluded]
        return self._patch(now, wanted) if wanted else None

    def _patch(self, now: datetime, edits: Sequence[Edit]) -> Message:
        self._patches += 1
        changes = patch(edits, str(self._patches))
        content: dict[str, Node] = {"id": str(self.id), "datastore-changes": changes}
        if self._incomplete:
            content["incomplete-update"] = ""
        return self._message(now, "push-change-update", Container(content))

    def _stirred(self, changes: Iterable[Change]) -> list[Change]:
        """What changed and is again as it was told. Whole lists and leaf-lists are left out: they have no edit."""
        named = {change.path for change in changes}
        above = {path[:length] for path in named for length in range(len(path))}
        stirred = []
        for path in sorted(self._touched, key=len):
            covered = path in above or any(path[:length] in named for length in range(len(path) + 1))
            if covered or self.schema.node(path).kind == "leaf-list" or _is_whole_list(self.schema, path):
                continue
            now = get(self._seen, path)
            named.add(path)
            stirred.append(Change("remove" if now is None else "change", path, now, now))
        return stirred


def _is_whole_list(schema: Schema, path: Path) -> bool:
    return isinstance(path[-1], str) and schema.node(path).kind == "list"


def datastore_refused(datastore: str, known: Iterable[str]) -> RpcError:
    """The error for a datastore that cannot be subscribed to."""
    message = f"{datastore} cannot be subscribed to; {', '.join(known)} can"
    return refusal(f"{YP}:datastore-not-subscribable", message)
