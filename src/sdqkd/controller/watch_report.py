"""What a watch has to say, as values: one for each thing that happened, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sdqkd.controller.alarms import Alarm
from sdqkd.controller.clock import time_text
from sdqkd.controller.drift import Drift

Kind = Literal[
    "connected", "lost", "in step", "drift", "not applied", "restored", "adopted", "alarm", "cleared", "told",
    "file",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """Something happened. `device` is empty for what concerns them all; `details` go into the JSON only."""

    at: datetime
    kind: Kind
    device: str
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)
    drift: Drift | None = None

    def to_json(self) -> dict[str, Any]:
        """One line of JSON, as an object."""
        shown: dict[str, Any] = {"time": time_text(self.at), "event": self.kind.replace(" ", "-")}
        if self.device:
            shown["device"] = self.device
        shown |= {"text": self.text, **self.details}
        if self.drift is not None:
            shown |= {"changes": self.drift.to_json()["changes"]}
        return shown


def of_alarm(alarm: Alarm, at: datetime) -> Report:
    """The change of an alarm."""
    if alarm.cleared:
        return Report(at, "cleared", alarm.key.resource, f"cleared: {alarm.key.type}", {"alarm": alarm.to_json()})
    text = f"alarm ({alarm.severity}): {alarm.key.type}: {alarm.text}"
    return Report(at, "alarm", alarm.key.resource, text, {"alarm": alarm.to_json()})
