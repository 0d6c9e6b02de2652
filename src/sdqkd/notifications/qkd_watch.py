"""When a QKD node sends the notifications of ETSI GS QKD 015: `judge`, a function of what was told and what is.

It is level-triggered: what was told last is compared with what is now, however it came to that. So nothing is
missed between two looks but what came and went, and what is held back is told later if it is still so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from sdqkd.notifications.qkd_aspects import ASPECTS, Aspect, Entry, Level, entries
from sdqkd.notifications.qkd_settings import DEFAULTS, Thresholds, thresholds_of
from sdqkd.notifications.streams import StreamSpec
from sdqkd.schema.tree import Container

QKD_STREAM = StreamSpec("QKD", "The notifications of ETSI GS QKD 015")
_Key: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Told:
    """The level that was told last, and when; None if nothing needed to be told yet."""

    level: Level
    time: datetime | None = None


Memory: TypeAlias = Mapping[_Key, Told]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be told now, what will have been told then, and when to look again at what is held back."""

    notifications: tuple[Container, ...]
    memory: Memory
    due: datetime | None


def begin(tree: Container, thresholds: Thresholds = DEFAULTS, known: Container | None = None) -> Memory:
    """The memory of one who knows the node as it is, and tells of no alarm yet.

    What is not in `known`, if that is given, is new.
    """
    memory = {}
    for aspect in ASPECTS:
        found = entries(tree, aspect.kind)
        for key in entries(tree if known is None else known, aspect.kind):
            entry = found.get(key)
            level = aspect.level(entry, aspect.initial, thresholds) if aspect.known_at_start else aspect.initial
            memory[aspect.name, key] = Told(level)
    return memory


def judge(memory: Memory, tree: Container, thresholds: Thresholds, now: datetime) -> Judgement:
    """Compare what was told with a whole tree, configuration and state."""
    judging = _Judging(memory, thresholds, now)
    told_ids: dict[str, list[str]] = {}
    for name, key in memory:
        told_ids.setdefault(name, []).append(key)
    for aspect in ASPECTS:
        found = entries(tree, aspect.kind)
        for key in dict.fromkeys((*told_ids.get(aspect.name, ()), *found)):
            judging.look(aspect, key, found.get(key))
    return Judgement(tuple(judging.notifications), judging.memory, judging.due)


@dataclass(slots=True)
class _Judging:
    before: Memory
    thresholds: Thresholds
    now: datetime
    memory: dict[_Key, Told] = field(default_factory=dict)
    notifications: list[Container] = field(default_factory=list)
    due: datetime | None = None

    def look(self, aspect: Aspect, key: str, entry: Entry) -> None:
        told = self.before.get((aspect.name, key), Told(aspect.initial))
        level = aspect.level(entry, told.level, self.thresholds)
        free_at = None if told.time is None else told.time + self.thresholds.min_interval
        if level != told.level:
            told = self._change(aspect, key, entry, told, level)
        if entry is not None or told.level != aspect.initial or (free_at is not None and free_at > self.now):
            self.memory[aspect.name, key] = told

    def _change(self, aspect: Aspect, key: str, entry: Entry, told: Told, level: Level) -> Told:
        notification = aspect.tell(key, entry, told.level, level)
        if notification is None:
            return Told(level, told.time)
        free_at = self.now if told.time is None else told.time + self.thresholds.min_interval
        if free_at > self.now:
            self.due = free_at if self.due is None else min(self.due, free_at)
            return told
        self.notifications.append(notification)
        return Told(level, self.now)


class QkdWatch:
    """Keeps the memory of one node. The thresholds are those of the tree, unless others are given."""

    stream = QKD_STREAM

    def __init__(self, thresholds: Callable[[Container], Thresholds] = thresholds_of) -> None:
        self._thresholds = thresholds
        self._memory: Memory = {}
        self._seen: Container | None = None
        self.due: datetime | None = None

    def begin(self, tree: Container, known: Container | None = None) -> None:
        """Learn how the node is when it starts; what is not in `known`, if that is given, is new."""
        self._memory = begin(tree, self._thresholds(tree), known)

    def look(self, tree: Container, now: datetime) -> tuple[Container, ...]:
        """What is to be told now."""
        if tree is self._seen and (self.due is None or now < self.due):
            return ()
        self._seen = tree
        judgement = judge(self._memory, tree, self._thresholds(tree), now)
        self._memory, self.due = judgement.memory, judgement.due
        return judgement.notifications
