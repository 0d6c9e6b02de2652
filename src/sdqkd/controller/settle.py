"""Brings every device to what was decided, and makes sure by reading back: no `<ok/>` and no timer is trusted.

    CONFIRM   confirm what waits; a device that went back in the meantime gets the new configuration again
    ABORT     cancel what waits; a device that does not go back gets the old configuration written

It does the same for a transaction that is under way and for one that a dead controller left behind: in both, a
session may be gone, a timer may have run out, an answer may be lost. A device that does not answer, or refuses, is
asked again for a while. What it then holds may be unknown, and that is what is said of it: it is in doubt.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

from sdqkd.controller.guarantee import undoes_itself
from sdqkd.controller.journal import (
    Confirmed,
    Editing,
    InDoubt,
    Record,
    Result,
    Reverted,
    Saved,
    Verdict,
)
from sdqkd.controller.part import Part, Reach
from sdqkd.controller.plan import differences
from sdqkd.errors import (
    DeviceError,
    JournalError,
    LeaseError,
    LockHeldError,
    RpcError,
    RpcErrors,
    SdqkdError,
    TransportError,
)
from sdqkd.schema.diff import Change, invert
from sdqkd.schema.tree import Container

PUTTING_BACK = "putting devices back"  # the steps as the progress names them
CONFIRMING = "confirm"

RECOVER = "run `sdqkd recover` when it answers again"
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0

_Work: TypeAlias = Callable[[Part], Awaitable[Record]]


class UnsettledError(SdqkdError):
    """A device is not where it should be. `holds` is what it holds; `again`: it may help to ask again."""

    def __init__(self, holds: str, *, again: bool, remedy: str = "") -> None:
        super().__init__(holds)
        self.holds = holds
        self.again = again
        self.remedy = remedy or RECOVER


class Settlement:
    """Brings the devices of one transaction to a verdict."""

    def __init__(self, reach: Reach, parts: Sequence[Part]) -> None:
        self._reach = reach
        self._parts = parts
        self.journal_error: JournalError | None = None

    async def settle(self, verdict: Verdict) -> Mapping[str, InDoubt]:
        """Bring them there and give back their locks; the devices of which that is not certain.

        Raises LeaseError as soon as somebody else has taken over. If the journal cannot be written, the devices
        are brought there all the same, and `journal_error` says why nothing tells of it.
        """
        touched = [part for part in self._parts if part.committing]
        untouched = [part for part in self._parts if not part.committing]
        found: dict[str, InDoubt] = {}
        if untouched:
            found |= await self._each("", untouched, self._withdraw)
        if touched:
            what, work = (CONFIRMING, self._confirm) if verdict == "CONFIRM" else (PUTTING_BACK, self._revert)
            found |= await self._each(what, touched, work)
        if verdict == "CONFIRM":
            settled = [part for part in touched if part.name not in found and part.open.has_startup]
            found |= await self._each("save", settled, self._save) if settled else {}
        self._note(*found.values())
        await self._unlock()
        return found

    async def leave(self, doubts: Mapping[str, InDoubt]) -> None:
        """Leave the devices as they are, without our locks, for whoever reads the journal next.

        Raises LeaseError if somebody else has taken over.
        """
        self._note(*doubts.values())
        await self._unlock()

    async def _each(self, what: str, parts: Sequence[Part], work: _Work) -> dict[str, InDoubt]:
        by_name = {part.name: part for part in parts}
        outcome = await self._reach.fleet.each(what, by_name, lambda name: self._patiently(by_name[name], work))
        for error in outcome.failures.values():
            if isinstance(error, LeaseError):
                raise error
        self._note(*(record for record in outcome.results.values() if not isinstance(record, Result)))
        return {name: self._doubt(name, error) for name, error in outcome.failures.items()}

    async def _patiently(self, part: Part, work: _Work) -> Record:
        """Do it, and do it again while that may help."""
        clock, pause_s = self._reach.clock, _FIRST_PAUSE_S
        until_s = clock.now_s() + self._reach.terms.patience_s
        while True:
            try:
                return await work(part)
            except (TransportError, UnsettledError) as error:
                over = clock.now_s() + pause_s > until_s
                if over or (isinstance(error, UnsettledError) and not error.again):
                    raise
            await clock.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _doubt(self, name: str, error: SdqkdError) -> InDoubt:
        if isinstance(error, UnsettledError):
            return InDoubt(self._reach.txid, name, error.holds, error.remedy)
        return InDoubt(self._reach.txid, name, f"not known, it cannot be asked: {error}", RECOVER)

    async def _withdraw(self, part: Part) -> Record:
        """Nothing was committed: see that neither edits nor locks of ours are left, as far as it answers."""
        if part.former and (part.session is None or not part.session.alive):
            # A device that does not answer is in no doubt: it was never asked to commit.
            with contextlib.suppress(TransportError, DeviceError, RpcError, RpcErrors):
                await self._reach.session(part)
        await self._reach.discard(part)
        return Result(self._reach.txid, part.name, "cancel")

    async def _confirm(self, part: Part) -> Record:
        session = await self._reach.session(part)
        refusal = await self._confirm_pending(part)
        held = await session.get_config()
        if part.holds(held) == "old":
            held = await self._written(
                part, part.plan.changes, "the old configuration, and it does not take the new"
            )
        if part.holds(held) != "new":
            raise _neither()
        if refusal is not None:
            message = f"the new configuration, but it does not confirm it and may go back: {refusal}"
            raise UnsettledError(message, again=True)
        return Confirmed(self._reach.txid, part.name, part.digest(held))

    async def _confirm_pending(self, part: Part) -> Exception | None:
        """Confirm what waits on a device; why it refuses to, None if nothing waits any more."""
        if part.tokens:
            # What somebody else has put into the candidate would be committed with it.
            await self._hold_candidate(part, "the new configuration, provisionally")
        elif part.provisional is not part.session or part.session is None:
            return await self._held_by_another(part) if part.guarantee == "session" else None
        for token in part.tokens or (None,):
            try:
                self._reach.lease.demand()
                await part.open.commit(persist_id=token)
            except (RpcError, RpcErrors) as error:
                if not _unknown_token(error):
                    return error
            else:
                break
        part.provisional = None
        return None

    async def _held_by_another(self, part: Part) -> Exception | None:
        """Why running cannot be locked, None if it is locked by us now.

        Another session holds it, or has a provisional commit waiting there (RFC 6241 section 7.5), which only that
        session could confirm, and which goes back when it ends. It may be one that we lost.
        """
        self._note(await self._reach.locking(part))
        try:
            await self._reach.lock(part, "running")
        except LockHeldError as error:
            return error
        return None

    async def _revert(self, part: Part) -> Record:
        session = await self._reach.session(part)
        await self._reach.discard(part)
        refusal = await self._cancel(part)
        lost = await self._lost_at_work(part)
        held = await session.get_config()
        changes, what = self._way_back(part, held)
        if changes:
            why = f"{what}, which it does not give up{f' ({refusal})' if refusal else ''}"
            held = await self._written(part, changes, why)
        if part.holds(held) != "old":
            raise _neither()
        if lost is not None:
            message = f"the old configuration, but a session that we lost may still write the new: {lost}"
            raise UnsettledError(message, again=True)
        return Reverted(self._reach.txid, part.name, part.digest(held))

    async def _lost_at_work(self, part: Part) -> Exception | None:
        """Why a commit for good may still come from a session that we lost; None if none does.

        As long as that session lives, running is locked for it. A provisional commit would go back by itself.
        """
        return None if part.held or undoes_itself(part.guarantee) else await self._held_by_another(part)

    def _way_back(self, part: Part, held: Container) -> tuple[Sequence[Change], str]:
        """What leads a device back that was not taken back by itself, and what it holds, for people."""
        if part.holds(held) == "new":
            return invert(part.plan.changes), "the new configuration"
        if part.holds(held) == "other" and part.held and part.old is not None:
            # While our locks hold nobody else can have written: it has rewritten what we gave it.
            return differences(
                part.plan.schema, held, part.old, part.owned
            ), "what it made of the new configuration"
        return (), ""

    async def _cancel(self, part: Part) -> Exception | None:
        """Cancel what waits on a device; why it refuses to, None if nothing waits any more."""
        if not part.tokens and (part.provisional is not part.session or part.session is None):
            return None
        for token in part.tokens or (None,):
            try:
                self._reach.lease.demand()
                await part.open.cancel_commit(token)
            except (RpcError, RpcErrors) as error:
                if not _unknown_token(error):
                    return error
            else:
                break
        return None

    async def _written(self, part: Part, changes: Sequence[Change], otherwise: str) -> Container:
        """Write a configuration anew, for good; what the device then holds.

        Raises UnsettledError beginning with `otherwise` if it does not take it.
        """
        try:
            await self._write(part, changes)
        except LockHeldError as error:
            raise UnsettledError(f"{otherwise}: {error}", again=True) from None
        except (RpcError, RpcErrors, DeviceError) as error:
            await self._reach.discard(part)
            raise UnsettledError(f"{otherwise}: {error}", again=True) from None
        held = await part.open.get_config()
        wanted = part.plan.result if changes is part.plan.changes else part.plan.base
        if part.digest(held) != wanted and part.holds(held) != "other":
            raise UnsettledError(f"{otherwise}, though it says that it does", again=True)
        return held

    async def _write(self, part: Part, changes: Sequence[Change]) -> None:
        reach = self._reach
        if part.target == "candidate":
            await self._hold_candidate(part, "")
        else:
            self._note(await reach.locking(part))
            await reach.lock(part, "running")
        self._note(Editing(reach.txid, part.name))
        reach.lease.demand()
        if part.target == "candidate":
            part.edited = True
            await part.open.edit_config(changes)
        self._announce(part)
        reach.lease.demand()
        if part.target == "running":
            await part.open.edit_config(changes, "running")
        else:
            await self._commit_for_good(part)
        part.edited = False

    async def _commit_for_good(self, part: Part) -> None:
        """Commit; where a provisional commit of ours still waits, as its confirmation."""
        for token in part.tokens:
            try:
                return await part.open.commit(persist_id=token)
            except (RpcError, RpcErrors) as error:
                if not _unknown_token(error):
                    raise
        return await part.open.commit()

    async def _hold_candidate(self, part: Part, holds: str) -> None:
        """Have the candidate for ourselves. Raises UnsettledError with what the device holds, if that is given.

        Running cannot be locked while a confirmed commit of another session waits (RFC 6241 section 7.5).
        """
        if part.held:
            return
        try:
            if "candidate" not in part.locks:
                self._note(await self._reach.locking(part))
                await self._reach.lock(part, "candidate")
            await self._reach.demand_clean(part, await part.open.get_config())
        except (LockHeldError, DeviceError) as error:
            if not holds:
                raise
            raise UnsettledError(f"{holds}: it cannot be confirmed, {error}", again=True) from None

    async def _save(self, part: Part) -> Record:
        session = await self._reach.session(part)
        why = "the new configuration, but not over a restart"
        try:
            self._reach.lease.demand()
            await session.copy_config("running", "startup")
            held = await session.get_config("startup")
        except (RpcError, RpcErrors) as error:
            raise UnsettledError(f"{why}: {error}", again=True) from None
        if part.holds(held) != "new":
            raise UnsettledError(f"{why}: its startup datastore holds something else", again=True)
        return Saved(self._reach.txid, part.name, part.digest(held))

    async def _unlock(self) -> None:
        locked = {part.name: part for part in self._parts if part.locks}
        outcome = await self._reach.fleet.each("unlock", locked, lambda name: self._reach.unlock(locked[name]))
        for error in outcome.failures.values():
            if isinstance(error, LeaseError):
                raise error

    def _announce(self, part: Part) -> None:
        try:
            self._reach.committing([part], provisional=False)
        except JournalError as error:
            self._bear(error)

    def _note(self, *records: Record) -> None:
        try:
            self._reach.note(*records)
        except JournalError as error:
            self._bear(error)

    def _bear(self, error: JournalError) -> None:
        if isinstance(error, LeaseError):
            raise error
        # What was decided is in the journal, or the journal knows of no decision: either way the devices may go
        # there without it. Who recovers reads them again.
        self.journal_error = error


def undecided(txid: str, part: Part) -> InDoubt:
    """A device that has committed, while nobody knows whether the journal has the decision."""
    holds = "the new configuration"
    if undoes_itself(part.guarantee):
        holds += ", and goes back by itself unless that is confirmed"
    return InDoubt(txid, part.name, holds, "run `sdqkd recover`: it goes by what the journal has kept")


def _unknown_token(error: RpcError | RpcErrors) -> bool:
    """Whether a device says that nothing waits under this token: RFC 6241 section 8.4.4.1."""
    return isinstance(error, RpcError) and error.tag == "invalid-value"


def _neither() -> UnsettledError:
    remedy = "see what it holds with `sdqkd plan`; `sdqkd recover --close` leaves it so"
    return UnsettledError(
        "neither the old nor the new configuration; it was left alone", again=False, remedy=remedy
    )
