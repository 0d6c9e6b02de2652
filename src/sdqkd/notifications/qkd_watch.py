"""When a QKD node sends the notifications of ETSI GS QKD 015: `judge`, a function of what was told and what is.

It is level-triggered: what was told last is compared with what is now, however it came to that. So nothing is
missed between two looks but what came and went, and what is held back is told later if it is still so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from sdqkd.notifications.qkd_aspects import ASPECTS, LISTS, Aspect, Entry, Kind, Level, entries
from sdqkd.notifications.qkd_settings import DEFAULTS, Thresholds, thresholds_of
from sdqkd.notifications.streams import StreamSpec
from sdqkd.schema.tree import Container

QKD_STREAM = StreamSpec("QKD", "The notifications of ETSI GS QKD 015")
_Key: TypeAlias = tuple[str, str]  # an aspect's name, and a key
_Subject: TypeAlias = tuple[Kind, str]
_Found: TypeAlias = Mapping[Kind, Mapping[str, Container]]


@dataclass(frozen=True, slots=True)
class Told:
    """The level that was told last, and when; None if nothing needed to be told yet."""

    level: Level
    time: datetime | None = None


Memory: TypeAlias = Mapping[_Key, Told]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be told now, what will have been told then, and when to look again at what is held back.

    `again` are those of which something is held back, or that are gone and not forgotten yet.
    """

    notifications: tuple[Container, ...]
    memory: Memory
    due: datetime | None
    again: frozenset[_Subject]


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
    found = _found(tree)
    return _judge(memory, found, _all(memory, found), thresholds, now)


def _judge(
    memory: Memory, found: _Found, subjects: Sequence[_Subject], thresholds: Thresholds, now: datetime
) -> Judgement:
    judging = _Judging(dict(memory), thresholds, now)
    for aspect in ASPECTS:
        for kind, key in subjects:
            if kind == aspect.kind:
                judging.look(aspect, key, found[kind].get(key))
    return Judgement(tuple(judging.notifications), judging.memory, judging.due, frozenset(judging.again))


def _found(tree: Container) -> _Found:
    return {kind: entries(tree, kind) for kind in LISTS}


def _all(memory: Memory, found: _Found) -> Sequence[_Subject]:
    """All that was told of, and all that there is."""
    kinds = {aspect.name: aspect.kind for aspect in ASPECTS}
    told = ((kinds[name], key) for name, key in memory)
    return tuple(dict.fromkeys((*told, *((kind, key) for kind in found for key in found[kind]))))


@dataclass(slots=True)
class _Judging:
    memory: dict[_Key, Told]
    thresholds: Thresholds
    now: datetime
    notifications: list[Container] = field(default_factory=list)
    due: datetime | None = None
    again: set[_Subject] = field(default_factory=set)

    def look(self, aspect: Aspect, key: str, entry: Entry) -> None:
        told = self.memory.pop((aspect.name, key), None) or Told(aspect.initial)
        level = aspect.level(entry, told.level, self.thresholds)
        free_at = None if told.time is None else told.time + self.thresholds.min_interval
        if level != told.level:
            told = self._change(aspect, key, entry, told, level)
        is_waiting = told.level != level or (entry is None and free_at is not None and free_at > self.now)
        if is_waiting:
            self.again.add((aspect.kind, key))
        if entry is not None or told.level != aspect.initial or is_waiting:
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
    """Keeps the memory of one node. The thresholds are those of the tree, unless others are given.

    An entry that is the same object as at the last look is not judged again: trees share what did not change.
    """

    stream = QKD_STREAM

    def __init__(self, thresholds: Callable[[Container], Thresholds] = thresholds_of) -> None:
        self._thresholds = thresholds
        self._memory: Memory = {}
        self._seen: tuple[Container, Thresholds, _Found] | None = None
        self._again: frozenset[_Subject] = frozenset()
        self.due: datetime | None = None

    def begin(self, tree: Container, known: Container | None = None) -> None:
        """Learn how the node is when it starts; what is not in `known`, if that is given, is new."""
        self._memory = begin(tree, self._thresholds(tree), known)

    def look(self, tree: Container, now: datetime) -> tuple[Container, ...]:
        """What is to be told now."""
        if self._seen is not None and tree is self._seen[0] and (self.due is None or now < self.due):
            return ()
        found, thresholds = _found(tree), self._thresholds(tree)
        subjects = self._stirred(found, thresholds)
        judgement = _judge(self._memory, found, subjects, thresholds, now)
        self._seen = (tree, thresholds, found)
        self._memory, self._again, self.due = judgement.memory, judgement.again, judgement.due
        return judgement.notifications

    def _stirred(self, found: _Found, thresholds: Thresholds) -> Sequence[_Subject]:
        """What must be looked at."""
        if self._seen is None or thresholds != self._seen[1]:
            return _all(self._memory, found)
        changed = [
            (kind, key)
            for kind, before in self._seen[2].items()
            for key in dict.fromkeys((*before, *found[kind]))
            if found[kind].get(key) is not before.get(key)
        ]
        return tuple(dict.fromkeys((*changed, *sorted(self._again))))
