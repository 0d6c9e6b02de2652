"""A plan on all its devices or on none, as far as a plain candidate allows it.

Every device finishes a step before any starts the next:

    lock        candidate and running of each device that changes; a candidate with somebody's edits is refused.
                One device comes before all others, for everybody the same: of two who apply at once, one wins
    compare     every device of the plan still holds what the plan was made from, or the plan is stale
    edit        the changes into the candidate
    validate    each device judges its candidate
    commit      candidate to running
    read back   each device holds what the plan promised

A failure before the first commit leaves nothing but candidates to discard. After it, each device that holds
anything but its old configuration is put back to it; what cannot be put back is named, with what it holds. Who
interrupts us waits for that, as long as the devices take to answer and no longer. If we die between the commits,
nobody puts anything back: only confirmed commits could prevent that.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypeVar

from sdqkd.controller.fleet import Fleet
from sdqkd.controller.intent import owned_by
from sdqkd.controller.plan import DevicePlan, Plan, differences, digest
from sdqkd.controller.session import DeviceSession, Store
from sdqkd.errors import ApplyError, DeviceError, InterruptedApplyError, SdqkdError, SessionLostError
from sdqkd.schema.diff import Change, apply
from sdqkd.schema.tree import EMPTY, Container, Path

T = TypeVar("T")

PUTTING_BACK = "putting devices back"  # the step of the way back, as the progress names it

_LOCKED: tuple[Store, ...] = ("candidate", "running")


@dataclass(slots=True)
class _Part:
    """What one device has to do with the change: what is planned, and how far it came."""

    name: str
    plan: DevicePlan
    owned: tuple[Path, ...]
    session: DeviceSession | None = None
    locks: list[Store] = field(default_factory=list)
    held: bool = False
    edited: bool = False
    old: Container = EMPTY
    new: Container = EMPTY

    @property
    def open(self) -> DeviceSession:
        """The session that holds our locks. Raises DeviceError if it never came to one."""
        if self.session is None:
            raise DeviceError(self.name, "no session")
        return self.session

    def differ(self, old: Container, new: Container) -> tuple[Change, ...]:
        """The changes between two configurations below the owned paths."""
        return differences(self.plan.schema, old, new, self.owned)


_Work: TypeAlias = Callable[[_Part], Awaitable[None]]


class _StepFailedError(Exception):
    """Some devices could not do a step."""

    def __init__(self, step: str, error: ApplyError) -> None:
        self.step = step
        self.error = error


async def apply_plan(plan: Plan, fleet: Fleet) -> None:
    """Bring every device of the plan to what it says, or leave every device as it was.

    Raises ApplyError: `failures` says what each device objected to, `left` what those hold that are not as they
    were; it is empty if nothing was changed. A cancellation becomes an InterruptedApplyError, after the way back.
    """
    if strangers := [name for name in plan.devices if name not in fleet.devices]:
        raise ApplyError(f"the plan is for another network: {', '.join(strangers)} is not known here")
    parts = [_Part(name, device, owned_by(fleet.devices[name])) for name, device in plan.devices.items()]
    await _Transaction(fleet, parts).run()


async def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """What comes of `work`, which a cancellation does not stop: devices wait for it to put them in order."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    return task.result()


class _Transaction:
    """The steps, and the way back."""

    def __init__(self, fleet: Fleet, parts: Sequence[_Part]) -> None:
        self._fleet = fleet
        self._all = parts
        # By name: the order in which locks are taken must not depend on the order of somebody's file.
        self._changing = sorted((part for part in parts if part.plan.changes), key=lambda part: part.name)
        self._first_tried = asyncio.Event()
        self._committing = False

    async def run(self) -> None:
        """Take all steps; on a failure or an interruption go back, and raise ApplyError."""
        try:
            await self._steps()
        except _StepFailedError as failed:
            raise await _to_its_end(self._back(failed.error)) from None
        except asyncio.CancelledError:
            raise await _to_its_end(self._back(InterruptedApplyError("interrupted"))) from None
        except Exception:
            # A fault of our own: no reason to leave devices half way.
            await _to_its_end(self._back(ApplyError("failed")))
            raise
        await _to_its_end(self._each("unlock", self._changing, self._unlock))

    async def _steps(self) -> None:
        await self._step("lock", self._changing, self._lock)
        await self._step("compare", self._all, self._compare)
        await self._step("edit", self._changing, self._edit)
        await self._step("validate", self._changing, lambda part: part.open.validate())
        self._committing = True
        await self._step("commit", self._changing, lambda part: part.open.commit())
        await self._step("read back", self._changing, self._read_back)

    async def _step(self, step: str, parts: Sequence[_Part], work: _Work) -> None:
        failures = await self._each(step, parts, work)
        if failures:
            message = f"{len(failures)} of {len(parts)} devices failed at the step '{step}'"
            raise _StepFailedError(step, ApplyError(message, failures))

    async def _each(self, step: str, parts: Sequence[_Part], work: _Work) -> dict[str, SdqkdError]:
        by_name = {part.name: part for part in parts}
        outcome = await self._fleet.each(step, by_name, lambda name: work(by_name[name]))
        return dict(outcome.failures)

    async def _lock(self, part: _Part) -> None:
        """Lock a device; all but the first wait for the first, and give up with it."""
        first = self._changing[0]
        if part is not first:
            await self._first_tried.wait()
            if not first.held:
                return
        try:
            await self._hold(part)
        finally:
            self._first_tried.set()

    async def _hold(self, part: _Part) -> None:
        part.session = await self._fleet.session(part.name)
        await self._take_locks(part, part.session)
        # A server should have refused the lock (RFC 6241 section 7.5), but not all do.
        candidate, running = await asyncio.gather(part.session.get_config("candidate"), part.session.get_config())
        if candidate != running:
            raise DeviceError(part.session.peer, "its candidate holds changes of somebody else")
        part.held = True

    async def _take_locks(self, part: _Part, session: DeviceSession) -> None:
        for target in _LOCKED:
            # Noted first: if we are interrupted in between, the lock may be ours.
            part.locks.append(target)
            try:
                await session.lock(target)
            except SdqkdError:
                part.locks.pop()
                raise

    async def _compare(self, part: _Part) -> None:
        session = part.session or await self._fleet.session(part.name)
        part.old = await session.get_config()
        if digest(part.plan.schema, part.old, part.owned) != part.plan.base:
            raise DeviceError(session.peer, "its configuration has changed since the plan was made: plan again")
        part.new = apply(part.plan.schema, part.old, part.plan.changes)
        if digest(part.plan.schema, part.new, part.owned) != part.plan.result:
            raise DeviceError(session.peer, "the plan's changes do not lead to what it promises: plan again")

    async def _edit(self, part: _Part) -> None:
        part.edited = True
        await part.open.edit_config(part.plan.changes)

    async def _read_back(self, part: _Part) -> None:
        held = await part.open.get_config()
        if wrong := part.differ(part.new, held):
            raise DeviceError(part.open.peer, f"after the commit it holds something else in {len(wrong)} places")

    async def _unlock(self, part: _Part) -> None:
        """Give back the locks; a device that does not take them back loses the session, and with it the locks."""
        while part.locks and part.open.alive:
            try:
                await part.open.unlock(part.locks[-1])
            except SdqkdError:
                part.open.abandon("it did not unlock")
            part.locks.pop()

    async def _back(self, error: ApplyError) -> ApplyError:
        """Leave every device as it was found; the error with what came of that."""
        work = self._restore if self._committing else self._withdraw
        failures = await self._each(PUTTING_BACK, self._changing, work)
        await self._each("unlock", self._changing, self._unlock)
        left = {name: getattr(failure, "message", str(failure)) for name, failure in failures.items()}
        outcome = "every device is as it was" if not left else "not every device is as it was"
        return replace(error, message=f"{error.message}; {outcome}", left=left)

    async def _withdraw(self, part: _Part) -> None:
        """Nothing was committed: discard what we put into the candidate. Losing the session does the same."""
        if part.edited and part.open.alive:
            try:
                await part.open.discard_changes()
            except SdqkdError:
                part.open.abandon("it did not discard our changes")

    async def _restore(self, part: _Part) -> None:
        """Somebody committed: see what this device holds, and put it back if that is not the old configuration.

        Raises SdqkdError with what the device holds if it cannot be put back.
        """
        ours = part.open.alive
        try:
            session = part.open if ours else await self._locked_anew(part)
            if ours:
                await session.discard_changes()
            held = await session.get_config()
        except SdqkdError as error:
            raise DeviceError(part.name, f"not known, it cannot be asked: {error}") from None
        if not part.differ(part.old, held):
            return
        # While our locks held nobody else can have written; after a new session somebody may have.
        if not ours and part.differ(part.new, held):
            raise DeviceError(part.name, "neither the old nor the new configuration; it was left alone")
        await self._write_back(part, session, held)

    async def _locked_anew(self, part: _Part) -> DeviceSession:
        part.session = session = await self._fleet.session(part.name)
        part.locks.clear()
        await self._take_locks(part, session)
        return session

    async def _write_back(self, part: _Part, session: DeviceSession, held: Container) -> None:
        try:
            await session.edit_config(part.differ(held, part.old))
            await session.validate()
            await session.commit()
            held = await session.get_config()
        except SessionLostError as error:
            raise DeviceError(part.name, f"not known, it was lost while it was put back: {error}") from None
        except SdqkdError as error:
            await self._withdraw(part)
            raise DeviceError(part.name, f"the new configuration, which it does not give up: {error}") from None
        if part.differ(part.old, held):
            raise DeviceError(part.name, "something else than its old configuration after it was put back")
