"""Wakes the datastores when a confirmed commit was not confirmed in time."""

from __future__ import annotations

from sdqkd.agent import audit
from sdqkd.agent.clock import Clock, Timer
from sdqkd.agent.notifier import Notifier
from sdqkd.datastore.datastores import Datastores


class CommitTimer:
    """At most one call to come, at the moment that the datastores name. `device` is for the logs."""

    def __init__(self, device: str, datastores: Datastores, notifier: Notifier, clock: Clock) -> None:
        self._device = device
        self._datastores = datastores
        self._notifier = notifier
        self._clock = clock
        self._timer: Timer | None = None

    def set(self) -> None:
        """Wait for what the datastores wait for now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_s = self._datastores.due_s
        if due_s is not None:
            self._timer = self._clock.call_later(max(0.0, due_s - self._clock.now_s()), self._expire)

    def _expire(self) -> None:
        if event := self._datastores.expire(self._clock.now_s()):
            audit.server_event(self._device, "confirmed-commit", event)
            self._notifier.commit_pending(event)
        # A timer may ring a moment early.
        self.set()
