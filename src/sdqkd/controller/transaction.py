"""A plan on all its devices or on none.

Every device finishes a step before any starts the next, and each step is in the journal before it is taken:

    connect     a session with each device; BEGIN
    lock        running and candidate of each device that changes; a candidate with somebody's edits is refused.
                One device comes before all others, for everybody the same: of two who apply at once, one wins
    compare     every device in the footprint still holds what the plan was made from, or the plan is stale
    edit        the changes into the candidate
    validate    each device judges its candidate
    commit      provisionally, under a token; then, where nothing can be provisional, for good
    read back   each device holds what the plan promised
    gate        the network bears it: see `gate`. Meanwhile the devices are asked for more time, over and over
    refresh     each device answers once more, and enough time is left
    DECISION    confirm or abort: from here on that is what happens, whoever has to see to it
    settle      see `settle`

If we die before the decision, devices undo by themselves what was provisional, and whoever reads the journal next
makes sure of it. If the decision to confirm could not be flushed, nobody knows whether it is in the journal: it is
taken back by another one that is flushed after it, or all is left to whoever reads the journal next. Who
interrupts us before the decision waits for the way back, as long as the devices take.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from sdqkd.controller.change_json import change_to_json
from sdqkd.controller.clock import Clock
from sdqkd.controller.fleet import Fleet
from sdqkd.controller.footprint import Footprint
from sdqkd.controller.gate import Gate, GateRefusedError, Trial
from sdqkd.controller.guarantee import TEXTS
from sdqkd.controller.intent import owned_by
from sdqkd.controller.journal import (
    Begin,
    Decision,
    Editing,
    End,
    InDoubt,
    Lease,
    Result,
    Step,
    Verdict,
)
from sdqkd.controller.models import demand_same
from sdqkd.controller.part import Part, Reach, Terms, parts_with
from sdqkd.controller.plan import Plan, digest
from sdqkd.controller.settle import Settlement, undecided
from sdqkd.errors import (
    ApplyError,
    DeviceError,
    InDoubtError,
    InterruptedApplyError,
    JournalError,
    LeaseError,
    RolledBackError,
    SdqkdError,
)
from sdqkd.schema.diff import apply, invert

T = TypeVar("T")

_MAX_REFRESHES = 3  # before the decision, in the hope that the next one is faster
_JOURNALLED: Mapping[str, Step] = {
    "lock": "lock",
    "compare": "compare",
    "edit": "edit",
    "validate": "validate",
    "commit": "commit",
    "read back": "gate",
    "refresh": "refresh",
}

_Work: TypeAlias = Callable[[Part], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done, by whom and why."""

    txid: str
    plan: Plan
    footprint: Footprint
    author: str
    purpose: str = ""


class Transaction:
    """The steps of one transaction. Use it once."""

    def __init__(self, order: Order, fleet: Fleet, lease: Lease, clock: Clock, terms: Terms, gate: Gate) -> None:
        self._order = order
        self._reach = Reach(order.txid, fleet, lease, clock, terms)
        self._gate = gate
        # By name: the order in which locks are taken must not depend on the order of somebody's file.
        self._parts = [self._reach.part(name, order.plan.devices[name]) for name in sorted(order.plan.changed)]
        self._first_tried = asyncio.Event()
        self._begun = False

    async def run(self) -> None:
        """Bring every device of the plan to what it says, or leave every device as it was.

        Raises ApplyError if nothing was committed anywhere, RolledBackError if it was and every device is as it
        was, InDoubtError if that is not certain of each; InterruptedApplyError instead of a cancellation, after
        the way back; LeaseError if somebody else has taken over, who then sees to all that.
        """
        try:
            await self._run()
        except LeaseError:
            self._let_go()
            raise

    async def _run(self) -> None:
        try:
            await self._until_decision()
        except LeaseError:
            raise
        except ApplyError as error:
            raise await _to_its_end(self._back(error)) from None
        except GateRefusedError as error:
            refused = ApplyError(str(error), findings=error.to_json())
            raise await _to_its_end(self._back(refused)) from None
        except _PerhapsDecidedError as error:
            raise await _to_its_end(self._take_back_decision(error)) from None
        except JournalError as error:
            raise await _to_its_end(self._back(ApplyError(str(error)))) from None
        except asyncio.CancelledError:
            raise await _to_its_end(self._back(InterruptedApplyError("interrupted"))) from None
        except Exception:
            # A fault of our own: no reason to leave devices half way.
            await _to_its_end(self._back(ApplyError("failed")))
            raise
        await _to_its_end(self._forth())

    async def _until_decision(self) -> None:
        await self._begin()
        await self._step("lock", self._parts, self._lock)
        await self._compare()
        await self._gate.baseline(self._trial)
        await self._edit()
        await self._while_kept(self._try())
        await self._decide()

    async def _begin(self) -> None:
        reach, order = self._reach, self._order
        await self._step("connect", self._parts, self._connect)
        inverse = {
            part.name: [change_to_json(part.plan.schema, change) for change in invert(part.plan.changes)]
            for part in self._parts
        }
        guarantees = {part.name: part.guarantee for part in self._parts}
        begin = Begin(
            order.txid, order.plan.network, order.author, order.plan.to_json(), inverse,
            order.footprint.to_json(), guarantees, order.purpose,
        )  # fmt: skip
        reach.note(begin)
        self._begun = True
        reach.note(*[await reach.locking(part) for part in self._parts])

    async def _connect(self, part: Part) -> None:
        session = await self._reach.session(part)
        await session.own_row()
        demand_same(part.name, part.plan.models, session.models_id)
        if part.plan.guarantee not in (None, session.guarantee):
            raise DeviceError(
                part.name, f"is not as the plan was made for, it {TEXTS[session.guarantee]}: plan again"
            )

    async def _lock(self, part: Part) -> None:
        """Lock a device; all but the first wait for the first, and give up with it."""
        first = self._parts[0]
        if part is not first:
            await self._first_tried.wait()
            if not first.held:
                return
        try:
            await self._reach.lock(part, "running")
            if part.target == "candidate":
                await self._reach.lock(part, "candidate")
            part.held = True
        finally:
            self._first_tried.set()

    async def _compare(self) -> None:
        plan, parts = self._order.plan, {part.name: part for part in self._parts}
        devices = [name for name in plan.devices if name in parts or name in self._order.footprint.read]

        async def compare(name: str) -> None:
            await (self._compare_held(parts[name]) if name in parts else self._compare_read(name))

        await self._step_by_name("compare", devices, compare)

    async def _compare_held(self, part: Part) -> None:
        running = await part.open.get_config()
        if part.holds(running) != "old":
            raise _stale(part.name)
        part.old = running
        if part.digest(apply(part.plan.schema, running, part.plan.changes)) != part.plan.result:
            raise DeviceError(part.name, "the plan's changes do not lead to what it promises: plan again")
        if part.target == "candidate":
            await self._reach.demand_clean(part, running)

    async def _compare_read(self, name: str) -> None:
        fleet, planned = self._reach.fleet, self._order.plan.devices[name]
        running = await (await fleet.session(name)).get_config()
        if digest(planned.schema, running, owned_by(fleet.devices[name])) != planned.base:
            raise _stale(name)

    async def _edit(self) -> None:
        parts = [part for part in self._parts if part.target == "candidate"]
        self._reach.note(*(Editing(self._order.txid, part.name) for part in parts))
        await self._step("edit", parts, self._edit_one)
        await self._step("validate", [part for part in parts if part.open.can_validate], self._validate)

    async def _edit_one(self, part: Part) -> None:
        self._reach.lease.demand()
        part.edited = True
        await part.open.edit_config(part.plan.changes)

    async def _validate(self, part: Part) -> None:
        await part.open.validate()

    async def _try(self) -> None:
        """Commit everywhere, provisionally where that can be, and see how it goes."""
        provisional = parts_with(self._parts, provisional=True)
        self._reach.committing(provisional, provisional=True)
        await self._step("commit", provisional, self._reach.commit_provisionally)
        if final := parts_with(self._parts, provisional=False):
            # These come last: whatever can fail elsewhere has failed by now.
            self._reach.committing(final, provisional=False)
            await self._step("commit for good", final, self._commit_for_good)
        await self._step("read back", self._parts, self._read_back)
        await self._gate.judge(self._trial)

    async def _commit_for_good(self, part: Part) -> None:
        self._reach.lease.demand()
        if part.target == "running":
            await part.open.edit_config(part.plan.changes, "running")
        else:
            await part.open.commit()
        part.committed, part.edited = True, False

    async def _read_back(self, part: Part) -> None:
        if part.holds(await part.open.get_config()) != "new":
            raise DeviceError(part.name, "after the commit it holds something else than it was given")

    @property
    def _trial(self) -> Trial:
        order = self._order
        return Trial(order.txid, order.plan, order.footprint, self._reach.fleet.session)

    async def _while_kept(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work` while devices that have committed provisionally get more time, over and over."""
        tasks = [asyncio.ensure_future(work), asyncio.ensure_future(self._keep())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, asyncio.CancelledError):
                raise outcome

    async def _keep(self) -> None:
        while True:
            await self._reach.clock.sleep(self._reach.terms.timeout_s / 3)
            waiting = [part for part in parts_with(self._parts, provisional=True) if part.committed]
            await self._step("refresh", waiting, self._refresh, told=False)

    async def _refresh(self, part: Part) -> None:
        await self._reach.commit_provisionally(part, again=True)

    async def _decide(self) -> None:
        """Let every device answer once more and see that there is time to confirm; then write it down."""
        clock, terms = self._reach.clock, self._reach.terms
        waiting = parts_with(self._parts, provisional=True)
        left_s = 0.0
        for _ in range(_MAX_REFRESHES if waiting else 0):
            began_s = clock.now_s()
            await self._step("refresh", waiting, self._refresh, told=False)
            took_s = clock.now_s() - began_s
            left_s = min(part.due_s or 0.0 for part in waiting) - clock.now_s()
            if left_s > max(2 * took_s, terms.margin_s):
                break
        else:
            if waiting:
                raise ApplyError(f"the devices answer too slowly to confirm within {terms.timeout_s} s")
        reason = (
            f"every device answered, {left_s:.1f} s before the first would go back" if waiting else "all committed"
        )
        results = [Result(self._order.txid, part.name, "commit") for part in self._parts]
        try:
            self._reach.note(*results, Decision(self._order.txid, "CONFIRM", reason))
        except LeaseError:
            raise
        except JournalError as error:
            raise _PerhapsDecidedError(f"the decision to confirm could not be flushed: {error}") from error

    async def _forth(self) -> None:
        settlement = Settlement(self._reach, self._parts)
        doubts = await settlement.settle("CONFIRM")
        if not doubts and settlement.journal_error is None:
            self._end(settlement, End(self._order.txid, "done"))
            if settlement.journal_error is None:
                return
        raise _in_doubt(f"{self._order.txid} is to be confirmed", "CONFIRM", doubts, settlement.journal_error)

    async def _take_back_decision(self, error: _PerhapsDecidedError) -> ApplyError:
        """Take back a decision to confirm that may be in the journal, or may not; else leave the devices alone.

        Who reads the journal next goes by what it finds. So until an abort is flushed after that decision, nothing
        may be told, and no device be sent to either side.
        """
        settlement = Settlement(self._reach, self._parts)
        self._decide_to_abort(settlement, ApplyError(str(error)))
        if settlement.journal_error is None:
            return await self._back(ApplyError(str(error)), decided=True)
        doubts = {part.name: undecided(self._order.txid, part) for part in self._parts}
        await settlement.leave(doubts)
        message = f"{error}, and it could not be taken back: {len(doubts)} devices are in doubt"
        return InDoubtError(message, {}, {name: told(doubt) for name, doubt in doubts.items()})

    async def _back(self, error: ApplyError, *, decided: bool = False) -> ApplyError:
        """Leave every device as it was found; the error with what came of that."""
        settlement = Settlement(self._reach, self._parts)
        if self._begun and not decided:
            self._decide_to_abort(settlement, error)
        doubts = await settlement.settle("ABORT")
        if doubts:
            return _in_doubt(error.message, "ABORT", doubts, settlement.journal_error, error.failures)
        begun = any(part.committing for part in self._parts)
        if self._begun and settlement.journal_error is None:
            self._end(settlement, End(self._order.txid, "rolled back" if begun else "refused", error.message))
        kind: type[ApplyError] = RolledBackError if begun else ApplyError
        if isinstance(error, InterruptedApplyError):
            kind = InterruptedApplyError
        message = f"{error.message}; every device is as it was"
        if settlement.journal_error is not None:
            message += f", but the journal could not be written: {settlement.journal_error}"
        return kind(message, error.failures, findings=error.findings)

    def _end(self, settlement: Settlement, end: End) -> None:
        try:
            self._reach.note(end)
        except LeaseError:
            raise
        except JournalError as error:
            settlement.journal_error = error

    def _decide_to_abort(self, settlement: Settlement, error: ApplyError) -> None:
        results = [
            Result(self._order.txid, name, _JOURNALLED.get(getattr(error, "step", ""), "gate"), str(failure))
            for name, failure in error.failures.items()
        ]
        try:
            self._reach.note(*results, Decision(self._order.txid, "ABORT", error.message))
        except LeaseError:
            raise
        except JournalError as second:
            # Without a decision in the journal it is an abort, too.
            settlement.journal_error = second

    def _let_go(self) -> None:
        """Write nothing more to any device; it discards what only a session of ours held."""
        for part in self._parts:
            if part.session is not None:
                part.session.abandon("another controller has taken over")

    async def _step(self, step: str, parts: Sequence[Part], work: _Work, *, told: bool = True) -> None:
        by_name = {part.name: part for part in parts}
        await self._step_by_name(step, by_name, lambda name: work(by_name[name]), told=told)

    async def _step_by_name(
        self, step: str, names: Iterable[str], work: Callable[[str], Awaitable[None]], *, told: bool = True
    ) -> None:
        outcome = await self._reach.fleet.each(step if told else "", names, work)
        for error in outcome.failures.values():
            if isinstance(error, LeaseError):
                raise error
        if outcome.failures:
            of = len(outcome.failures) + len(outcome.results)
            message = f"{len(outcome.failures)} of {of} devices failed at the step '{step}'"
            raise _StepFailedError(message, outcome.failures, step=step)


@dataclass(eq=False)
class _StepFailedError(ApplyError):
    """Some devices could not do a step."""

    step: str = ""


class _PerhapsDecidedError(JournalError):
    """Nobody knows whether the decision to confirm is in the journal."""


def _stale(name: str) -> DeviceError:
    return DeviceError(name, "its configuration has changed since the plan was made: plan again")


def _in_doubt(
    message: str,
    verdict: Verdict,
    doubts: Mapping[str, InDoubt],
    journal_error: JournalError | None,
    failures: Mapping[str, SdqkdError] | None = None,
) -> InDoubtError:
    others = "holds the new configuration" if verdict == "CONFIRM" else "is as it was"
    if doubts:
        message += f"; {len(doubts)} devices are in doubt, every other {others}"
    else:
        message += f"; every device {others}"
    if journal_error is not None:
        message += f", but the journal could not be written ({journal_error}): run `sdqkd recover`"
    return InDoubtError(message, failures or {}, {name: told(doubt) for name, doubt in doubts.items()})


def told(doubt: InDoubt) -> str:
    """What a device in doubt holds and what can be done, in one line."""
    return f"{doubt.holds}; {doubt.remedy}"


async def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """What comes of `work`, which a cancellation does not stop: devices wait for it to put them in order."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    return task.result()
