"""Alarms as state, shaped like RFC 8632: raised, changed in severity, cleared, raised again, acknowledged. Pure.

An alarm is about one thing (`resource`), of one type, with a qualifier if there can be several of one type. It
stays when it is cleared, with its history; and whether a person has seen it is apart from whether it is over:
section 3.5 of the RFC. Telling again what is known already changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sdqkd.controller.clock import time_text

Severity = Literal["indeterminate", "warning", "minor", "major", "critical"]
MAX_CHANGES = 32  # of the status that are kept of one alarm; RFC 8632 has it as max-alarm-status-changes

# The types, with the severity that they have unless told otherwise.
TYPES: Mapping[str, Severity] = {
    "drift": "major",  # a device holds something else than is wanted, and nothing is done about it
    "restore-refused": "major",  # it was to be brought back, and that was not possible
    "adopt-refused": "warning",  # it was to be adopted, and the network file has no place for it
    "unreachable": "major",  # no session
    "login-refused": "major",  # the device refuses our user or key
    "host-key-changed": "critical",  # another key than expected: perhaps somebody else in its place
    "wrong-device": "critical",  # it says that it is another one, or reports what it cannot have
    "model-mismatch": "minor",  # other YANG modules, features or deviations than the controller knows
    "in-doubt": "critical",  # after a transaction it is not known what the device holds
    "internal": "major",  # a fault of the controller itself
}


class AlarmKey(NamedTuple):
    """What an alarm is about: RFC 8632 calls it resource, alarm-type-id and alarm-type-qualifier."""

    resource: str
    type: str
    qualifier: str = ""


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One entry of the history: the severity, None if it was cleared."""

    time: datetime
    severity: Severity | None
    text: str


@dataclass(frozen=True, slots=True)
class OperatorNote:
    """What a person has said of it."""

    time: datetime
    operator: str
    text: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm. `severity` is the last one that it had; `changes` and `notes` have the newest at their end."""

    key: AlarmKey
    created: datetime
    raised: datetime
    severity: Severity
    text: str
    cleared: bool = False
    changes: tuple[StatusChange, ...] = ()
    notes: tuple[OperatorNote, ...] = ()
    acknowledged: bool = False

    @property
    def changed(self) -> datetime:
        """When its status last changed."""
        return self.changes[-1].time

    def to_json(self) -> dict[str, Any]:
        """As a JSON object, with the names of RFC 8632."""
        return {
            "resource": self.key.resource,
            "alarm-type-id": self.key.type,
            "alarm-type-qualifier": self.key.qualifier,
            "time-created": time_text(self.created),
            "is-cleared": self.cleared,
            "last-raised": time_text(self.raised),
            "last-changed": time_text(self.changed),
            "perceived-severity": self.severity,
            "alarm-text": self.text,
            "acknowledged": self.acknowledged,
            "status-change": [_change_json(change) for change in self.changes],
            "operator-state-change": [
                {"time": time_text(note.time), "operator": note.operator, "state": "ack", "text": note.text}
                for note in self.notes
            ],
        }


def raised(alarm: Alarm | None, key: AlarmKey, severity: Severity, text: str, now: datetime) -> Alarm:
    """The alarm after something was found wrong. Who acknowledged an earlier one has not seen this one."""
    change = StatusChange(now, severity, text)
    if alarm is None:
        return Alarm(key, now, now, severity, text, changes=(change,))
    if not alarm.cleared and (alarm.severity, alarm.text) == (severity, text):
        return alarm
    worse = alarm.cleared or RANK[severity] > RANK[alarm.severity]
    return replace(
        alarm,
        raised=now if alarm.cleared else alarm.raised,
        severity=severity,
        text=text,
        cleared=False,
        changes=_with(alarm.changes, change),
        acknowledged=alarm.acknowledged and not worse,
    )


def cleared(alarm: Alarm, now: datetime, text: str = "") -> Alarm:
    """The alarm after all is well again."""
    if alarm.cleared:
        return alarm
    return replace(alarm, cleared=True, changes=_with(alarm.changes, StatusChange(now, None, text or alarm.text)))


def acknowledged(alarm: Alarm, operator: str, text: str, now: datetime) -> Alarm:
    """The alarm after a person has said that he knows of it."""
    notes = (*alarm.notes, OperatorNote(now, operator, text))
    return replace(alarm, acknowledged=True, notes=notes)


RANK: Mapping[Severity, int] = {
    "indeterminate": 0, "warning": 1, "minor": 2, "major": 3, "critical": 4,
}  # fmt: skip


def _with(changes: tuple[StatusChange, ...], change: StatusChange) -> tuple[StatusChange, ...]:
    return (*changes, change)[-MAX_CHANGES:]


def _change_json(change: StatusChange) -> dict[str, Any]:
    return {
        "time": time_text(change.time),
        "perceived-severity": change.severity or "cleared",
        "alarm-text": change.text,
    }
