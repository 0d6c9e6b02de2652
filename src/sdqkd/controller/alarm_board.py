"""Alarms as they are raised: kept, and told to whoever listens when their state changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from sdqkd.controller.alarm_store import AlarmStore
from sdqkd.controller.alarms import TYPES, Alarm, AlarmKey, cleared, raised
from sdqkd.controller.clock import Clock


class AlarmBoard:
    """`on_change` is told of each alarm whose severity, text or clearance has changed."""

    def __init__(
        self, store: AlarmStore, clock: Clock, on_change: Callable[[Alarm], None] = lambda alarm: None
    ) -> None:
        self._store = store
        self._clock = clock
        self._on_change = on_change
        # So that what is well costs nothing: there are no alarms but these to clear.
        self._active = {alarm.key for alarm in store.alarms() if not alarm.cleared}

    def raise_alarm(self, key: AlarmKey, text: str) -> None:
        """Something is wrong. Telling it again changes nothing. Raises StoreError."""
        now = self._clock.wall()
        before, after = self._store.update(key, lambda alarm: raised(alarm, key, TYPES[key.type], text, now))
        self._active.add(key)
        self._tell(before, after)

    def clear_alarm(self, key: AlarmKey, text: str = "") -> None:
        """It is well again. Raises StoreError."""
        if key not in self._active:
            return
        now = self._clock.wall()
        before, after = self._store.update(key, lambda alarm: None if alarm is None else cleared(alarm, now, text))
        self._active.discard(key)
        self._tell(before, after)

    def stand(self, resource: str, found: Mapping[str, str], among: Collection[str]) -> None:
        """Of these types exactly those stand on a resource that were found, with their texts."""
        for alarm_type in among:
            key = AlarmKey(resource, alarm_type)
            if alarm_type in found:
                self.raise_alarm(key, found[alarm_type])
            else:
                self.clear_alarm(key)

    def in_doubt(self, doubts: Mapping[str, str]) -> None:
        """Exactly these devices are in doubt after a transaction, with what they hold. For whoever runs one."""
        for key in [key for key in self._active if key.type == "in-doubt" and key.resource not in doubts]:
            self.clear_alarm(key)
        for device, holds in doubts.items():
            self.raise_alarm(AlarmKey(device, "in-doubt"), holds)

    def _tell(self, before: Alarm | None, after: Alarm | None) -> None:
        if after is not None and (before is None or before.changes != after.changes):
            self._on_change(after)
