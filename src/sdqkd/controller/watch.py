"""Keeps devices in their desired state, for as long as it runs.

Whatever happens puts the name of a device into the queue: an event that it tells, the end of its session, the
time to look again. Then the device is read and compared with the network file, and that alone decides what is
done: what an event says is used only to tell who has changed something. So nothing that was missed stays unseen,
and what was told ten times is looked at once.

A device is seen to by one task at a time, each device for itself. What cannot be done is tried again, later each
time. Devices that somebody is changing with the controller's journal are left alone meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sdqkd.controller.adopt import CannotAdoptError, places
from sdqkd.controller.alarm_board import AlarmBoard
from sdqkd.controller.alarm_store import Agreements, AlarmStore
from sdqkd.controller.alarms import Alarm
from sdqkd.controller.clock import Clock
from sdqkd.controller.connect import Connector
from sdqkd.controller.drift import Drift, compare, restoring
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.plan import Plan
from sdqkd.controller.policy import demand_window
from sdqkd.controller.queue import WorkQueue
from sdqkd.controller.session import DeviceSession, Timeouts
from sdqkd.controller.watch_events import ConfigChange, ConfirmedCommit, read_event
from sdqkd.controller.watch_file import NetworkFile
from sdqkd.controller.watch_journal import JournalView
from sdqkd.controller.watch_report import Kind, Report, of_alarm
from sdqkd.controller.watch_sessions import WatchSessions
from sdqkd.errors import (
    DeviceError,
    HostKeyError,
    InputError,
    InterruptedApplyError,
    LeaseError,
    LoginRefusedError,
    SdqkdError,
    TransportError,
)
from sdqkd.netconf.messages import Notification
from sdqkd.schema.diff import Change
from sdqkd.schema.tree import Container

# Apply a plan that was made from this reading of the network file, with its purpose.
Restore: TypeAlias = Callable[[LoadedNetwork, Plan, str], Awaitable[object]]

NEVER = "never"  # what a device has agreed with that was never seen to agree
MAX_EVIDENCE = 20  # of who changed a device, until it is looked at
# Of these the one found last stands alone. That somebody else answered stands until the device itself does.
_PASSING = ("unreachable", "login-refused", "internal")
_CONNECTION = (*_PASSING, "host-key-changed", "wrong-device")
_HELD = ("drift", "restore-refused", "adopt-refused", "model-mismatch")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WatchTerms:
    """How often to look though nothing was told, in seconds: at devices that tell of events, and at others."""

    backstop_s: float = 600.0
    poll_s: float = 60.0
    busy_s: float = 2.0  # between two looks at a device that somebody is changing
    follow_s: float = 2.0  # between two looks at the network file and the journal
    settle_s: float = 0.2  # from an event to the look at the device: changes seldom come alone


@dataclass(slots=True)
class Means:
    """What a watch works with. `chance` gives random numbers from 0 up to 1."""

    connector: Connector
    queue: WorkQueue
    store: AlarmStore
    agreements: Agreements
    clock: Clock
    restore: Restore
    report: Callable[[Report], None]
    chance: Callable[[], float]
    author: str
    journal: JournalView | None = None
    terms: WatchTerms = field(default_factory=WatchTerms)
    timeouts: Timeouts = field(default_factory=Timeouts)


@dataclass(slots=True)
class _Known:
    """What the watch remembers of a device while it runs."""

    evidence: list[ConfigChange] = field(default_factory=list)
    told: object = None  # what was last reported of its state


class Watch:
    """Run it once, until cancelled."""

    def __init__(self, file: NetworkFile, means: Means) -> None:
        self._file = file
        self._means = means
        self._alarms = AlarmBoard(means.store, means.clock, self._alarm_changed)
        self._sessions = WatchSessions(means.connector, means.timeouts, self._heard, self._lost)
        self._known: dict[str, _Known] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """See to all devices. Ends only by being cancelled; then all sessions end."""
        self._see_to(self._file.desired)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow())
                while True:
                    while (name := self._means.queue.take(self._now())) is not None:
                        group.create_task(self._work(name))
                    await self._until_due()
        finally:
            await self._sessions.close()

    async def _follow(self) -> None:
        """Notice what others do to the file and the journal, though no device tells of anything."""
        while True:
            await self._means.clock.sleep(self._means.terms.follow_s)
            with contextlib.suppress(SdqkdError):  # whoever sees to a device next says so
                self._refresh_file()
                self._refresh_journal()

    # The queue

    def _now(self) -> float:
        return self._means.clock.now_s()

    def _see_to(self, names: Mapping[str, object] | Sequence[str], delay_s: float = 0.0) -> None:
        due = self._now() + delay_s
        for name in names:
            self._means.queue.add(name, due)
        self._wake.set()

    async def _until_due(self) -> None:
        due = self._means.queue.next_due()
        try:
            async with asyncio.timeout(None if due is None else max(0.0, due - self._now())):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    async def _work(self, name: str) -> None:
        """See to one device; whatever comes of that is its own."""
        queue = self._means.queue
        try:
            again_s = await self._reconcile(name)
        except Exception as error:
            # Whatever it is, one device never stops the others.
            self._failed(name, error)
            queue.failed(name, self._now())
        else:
            queue.done(name)
            if again_s is not None:
                queue.add(name, self._now() + again_s)
        self._wake.set()

    def _failed(self, name: str, error: Exception) -> None:
        if isinstance(error, _RefusedError):
            return
        if not isinstance(error, SdqkdError):
            _LOG.error("a fault of the controller itself, on %s", name, exc_info=error)
        text = getattr(error, "message", None) or str(error) or type(error).__name__
        kind = _alarm_of(error)
        try:
            self._alarms.stand(name, {kind: text}, {*_PASSING, kind})
        except SdqkdError as broken:
            _LOG.error("alarms cannot be kept: %s", broken)

    # What happens

    def _heard(self, name: str, notification: Notification) -> None:
        event = read_event(notification, self._sessions.modules(name))
        known = self._known.setdefault(name, _Known())
        match event:
            case None:
                return
            case ConfigChange() if event.datastore == "running":
                if event.session_id is None or event.session_id != self._sessions.own_id(name):
                    known.evidence = [*known.evidence, event][-MAX_EVIDENCE:]
                self._see_to([name], self._means.terms.settle_s)
            case ConfirmedCommit():
                self._see_to([name], self._means.terms.settle_s)
            case ConfigChange():
                return
            case _:
                self._tell("told", name, f"{event.name}: {event.text}", {"name": event.name, "at": event.at})

    def _lost(self, name: str, error: SdqkdError) -> None:
        self._tell("lost", name, str(getattr(error, "message", error)))
        self._see_to([name])

    # One device

    async def _reconcile(self, name: str) -> float | None:
        """Read a device and do what is to be done. Gives the seconds after which to look again, None for never.

        Raises SdqkdError if it cannot be done now.
        """
        self._refresh_file()
        if name not in self._file.desired:
            await self._sessions.drop(name)
            self._means.queue.forget(name)
            return None
        if self._is_busy(name):
            return self._means.terms.busy_s
        desired = self._file.desired
        session = await self._session(name)
        found = {"model-mismatch": text} if (text := await self._sessions.mismatch(session)) else {}
        known = self._known.setdefault(name, _Known())
        seen = len(known.evidence)
        held = await session.get_config()
        if self._is_busy(name):  # since a moment ago: what was read may be half of a change
            return self._means.terms.busy_s
        if self._file.desired is not desired:  # nor is this the device that the file means now, perhaps
            return 0.0
        wanted = desired[name]
        drift = compare(name, wanted, held, self._file.policies(name), self._agreed(name))
        if drift.state == "in step":
            self._in_step(known, drift, seen)
        else:
            self._out_of_step(known, drift)
        again_s = await self._act(drift, session, held, found) if drift.state == "drifted" else None
        self._alarms.stand(name, found, _HELD)
        return self._pause_s(name) if again_s is None else again_s

    async def _session(self, name: str) -> DeviceSession:
        device = self._file.loaded.network.devices[name]
        had = self._sessions.reaches(device)
        suspect = self._means.queue.failures(name) > 0
        session = await self._sessions.session(device, suspect=suspect)
        self._alarms.stand(name, {}, _CONNECTION)
        if not had:
            how = "it tells of changes" if self._sessions.notified(name) else "it is polled"
            self._tell("connected", name, f"connected; {how}", {"notifies": self._sessions.notified(name)})
        return session

    def _is_busy(self, name: str) -> bool:
        """Whether somebody is changing it with our journal. Raises JournalError, StoreError."""
        self._refresh_journal()
        journal = self._means.journal
        return journal is not None and journal.under_way(name) is not None

    def _agreed(self, name: str) -> tuple[str, ...]:
        """What the device was seen to agree with: by the watch, and by who changed it last."""
        journal = self._means.journal
        found = (self._means.agreements.agreed(name), journal.agreed(name) if journal else None)
        return tuple(filter(None, found)) or (NEVER,)

    def _pause_s(self, name: str) -> float:
        terms = self._means.terms
        whole = terms.backstop_s if self._sessions.notified(name) else terms.poll_s
        return whole * (0.9 + 0.2 * self._means.chance())

    def _in_step(self, known: _Known, drift: Drift, seen: int) -> None:
        self._means.agreements.agree(drift.device, drift.wanted)
        del known.evidence[:seen]
        if known.told is not None:
            self._tell("in step", drift.device, "holds what is wanted again")
        known.told = None

    def _out_of_step(self, known: _Known, drift: Drift) -> None:
        """Report how it is, once."""
        if known.told == (drift.state, drift.deviations):
            return
        known.told = drift.state, drift.deviations
        who = _who(known.evidence)
        by = {"by": [change.to_json() for change in known.evidence]}
        if drift.state == "drifted":
            self._tell("drift", drift.device, f"changed by {who}", by, drift)
        else:
            text = "does not hold what the network file wants, which was not applied there yet"
            self._tell("not applied", drift.device, text, by, drift)

    # What to do about drift

    async def _act(
        self, drift: Drift, session: DeviceSession, held: Container, found: dict[str, str]
    ) -> float | None:
        """Adopt, restore, or have an alarm raised: into `found`.

        Gives the seconds after which to look again, None if nothing was changed. Raises SdqkdError.
        """
        who = _who(self._known[drift.device].evidence)
        again_s: float | None = None
        if to_adopt := drift.under("adopt"):
            try:
                self._adopt(drift, to_adopt, who)
                again_s = 0.0
            except CannotAdoptError as error:
                found["adopt-refused"] = str(error)
        if left := drift.under("alarm-only"):
            where = ", ".join(places(drift.schema, left))
            found["drift"] = f"changed by {who} and left so: {where}"
        if drift.under("restore") and again_s is None:
            again_s = await self._restore(drift, session, held, who, found)
        return again_s

    def _adopt(self, drift: Drift, changes: Sequence[Change], who: str) -> None:
        result = self._file.adopt(drift.device, changes)
        where = places(drift.schema, changes)
        details = {"device": drift.device, "paths": [*where], "by": who, "others": [*result.others]}
        if self._means.journal is not None:
            self._means.journal.remark("drift-adopted", self._means.author, details)
        wanted = self._file.desired[drift.device]
        now_wanted = compare(drift.device, wanted, wanted.tree, self._file.policies(drift.device)).wanted
        self._means.agreements.agree(drift.device, now_wanted)
        others = f"; {', '.join(result.others)} now wait for it to be applied" if result.others else ""
        self._tell("adopted", drift.device, f"{', '.join(where)} adopted into {self._file.path}{others}", details)
        self._see_to(result.others)

    async def _restore(
        self, drift: Drift, session: DeviceSession, held: Container, who: str, found: dict[str, str]
    ) -> float:
        wanted = self._file.desired[drift.device]
        plan = restoring(self._file.loaded.network.name, drift, wanted, held, session.models_id)
        try:
            demand_window(self._file.loaded.network, plan.changed, self._means.clock.wall())
            await self._means.restore(self._file.loaded, plan, f"restore {drift.device}, changed by {who}")
        except InterruptedApplyError:
            raise asyncio.CancelledError from None  # the transaction has taken the cancellation for its own
        except LeaseError:
            return self._means.terms.busy_s  # somebody else is changing the network
        except SdqkdError as error:
            self._alarms.stand(drift.device, found | {"restore-refused": str(error)}, _HELD)
            raise _RefusedError(str(error)) from error
        self._tell("restored", drift.device, f"restored what was changed by {who}", {}, drift)
        return 0.0

    # Around it

    def _refresh_file(self) -> None:
        before = self._file.desired
        try:
            if not self._file.refresh():
                return
        except InputError as error:
            self._tell("file", "", f"the network file is not right, so the earlier one still holds: {error}")
            return
        self._tell("file", "", f"{self._file.path} was read again")
        self._see_to({**before, **self._file.desired})

    def _refresh_journal(self) -> None:
        if self._means.journal is not None:
            self._means.journal.refresh()
            self._alarms.in_doubt(self._means.journal.doubts)

    def _alarm_changed(self, alarm: Alarm) -> None:
        self._means.report(of_alarm(alarm, self._means.clock.wall()))

    def _tell(
        self,
        kind: Kind,
        device: str,
        text: str,
        details: Mapping[str, Any] | None = None,
        drift: Drift | None = None,
    ) -> None:
        self._means.report(Report(self._means.clock.wall(), kind, device, text, details or {}, drift))


class _RefusedError(SdqkdError):
    """A restore was refused; its alarm is raised already."""


def _alarm_of(error: Exception) -> str:
    kinds: Sequence[tuple[type[Exception], str]] = (
        (HostKeyError, "host-key-changed"),
        (LoginRefusedError, "login-refused"),
        (TransportError, "unreachable"),
        (DeviceError, "wrong-device"),
    )
    return next((name for kind, name in kinds if isinstance(error, kind)), "internal")


def _who(evidence: Sequence[ConfigChange]) -> str:
    """Who has changed a device, for people."""
    people = dict.fromkeys(f"{change.who} at {change.at}" for change in evidence)
    return ", then ".join(people) or "somebody, the device does not say who"
