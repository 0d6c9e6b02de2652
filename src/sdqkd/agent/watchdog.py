"""What must happen in time, or the session ends: one timer for all of it."""

from __future__ import annotations

from collections.abc import Callable

from sdqkd.agent.clock import Clock, Timer


class Watchdog:
    """Barks, once for each thing that was expected and did not happen in time."""

    def __init__(self, clock: Clock, bark: Callable[[str], None]) -> None:
        self._clock = clock
        self._bark = bark
        self._due: dict[str, float] = {}
        self._timer: Timer | None = None
        self._rings_s = 0.0

    def expect(self, what: str, within_s: float | None) -> None:
        """Expect something, from now on; None: whenever it comes. What was expected by that name is replaced."""
        if within_s is None:
            self._due.pop(what, None)
            return
        due_s = self._clock.now_s() + within_s
        self._due[what] = due_s
        # A timer that rings too early is cheaper than one that is set anew for each message.
        if self._timer is None or due_s < self._rings_s:
            self._set(due_s)

    def expects(self, what: str) -> bool:
        """Whether this is awaited."""
        return what in self._due

    def stop(self) -> None:
        """Expect nothing any more."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self, due_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_s = due_s
        self._timer = self._clock.call_later(max(0.0, due_s - self._clock.now_s()), self._ring)

    def _ring(self) -> None:
        self._timer = None
        now_s = self._clock.now_s()
        for what in [what for what, due_s in self._due.items() if due_s <= now_s]:
            self._due.pop(what, None)
            self._bark(what)
        if self._due and self._timer is None:
            self._set(min(self._due.values()))
