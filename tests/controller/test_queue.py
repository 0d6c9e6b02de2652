"""Laws of the work queue: nothing is lost, nobody has a device twice, no device waits for another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sdqkd.controller.queue import BackOff, MemoryQueue

KEYS = st.sampled_from("abcd")
SECONDS = st.floats(0, 100)
BACK_OFF = BackOff(first_s=1.0, most_s=20.0)


@given(st.integers(1, 5000), st.floats(0, 1, exclude_max=True))
def test_waiting_grows_within_bounds(failures: int, chance: float) -> None:
    wait_s = BACK_OFF.after(failures, chance)
    assert BACK_OFF.first_s * (1 - BACK_OFF.jitter) <= wait_s <= BACK_OFF.most_s
    assert BACK_OFF.after(failures, 0.0) <= BACK_OFF.after(failures + 1, 0.0)
    assert BACK_OFF.after(failures, 0.0) * (1 - BACK_OFF.jitter) <= wait_s <= BACK_OFF.after(failures, 0.0)


class Queue(RuleBasedStateMachine):
    """Against the simplest model: when each device is to be taken, if at all."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = MemoryQueue(chance=lambda: 0.25, back_off=BACK_OFF)
        self.now = 0.0
        self.due: dict[str, float] = {}
        self.not_before: dict[str, float] = {}
        self.failures: dict[str, int] = {}
        self.taken: set[str] = set()

    @rule(key=KEYS, delay_s=SECONDS)
    def add(self, key: str, delay_s: float) -> None:
        self.queue.add(key, self.now + delay_s)
        due = max(self.now + delay_s, self.not_before.get(key, 0.0))
        self.due[key] = min(due, self.due.get(key, due))

    @rule(seconds=SECONDS)
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def take(self) -> None:
        ready = {key: due for key, due in self.due.items() if due <= self.now and key not in self.taken}
        key = self.queue.take(self.now)
        if key is None:
            assert not ready
            return
        assert ready[key] == min(ready.values())
        assert key not in self.taken
        self.taken.add(key)
        del self.due[key]

    @rule(key=KEYS)
    def done(self, key: str) -> None:
        if key in self.taken:
            self.queue.done(key)
            self.taken.discard(key)
            self.failures.pop(key, None)
            self.not_before.pop(key, None)

    @rule(key=KEYS)
    def failed(self, key: str) -> None:
        if key in self.taken:
            self.failures[key] = self.failures.get(key, 0) + 1
            wait_s = self.queue.failed(key, self.now)
            assert wait_s == BACK_OFF.after(self.failures[key], 0.25)
            self.taken.discard(key)
            self.due[key] = self.not_before[key] = self.now + wait_s

    @invariant()
    def the_next_is_known(self) -> None:
        waiting = [due for key, due in self.due.items() if key not in self.taken]
        assert self.queue.next_due() == min(waiting, default=None)
        assert all(self.queue.failures(key) == self.failures.get(key, 0) for key in "abcd")


TestQueue = Queue.TestCase


def test_what_is_forgotten_does_not_come() -> None:
    queue = MemoryQueue(chance=lambda: 0.0)
    queue.add("a", 0.0)
    queue.forget("a")
    assert queue.take(1.0) is None
    assert queue.next_due() is None
