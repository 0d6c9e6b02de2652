"""What one device has to do with a transaction, and how the transaction reaches it.

Whoever asks a device to write goes through `Reach`: it sees to it that our lease is not gone, that a lost session
is replaced, and that a session of ours which is dead on our side does not keep its locks on the other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from sdqkd.controller.clock import Clock, time_text
from sdqkd.controller.fleet import Fleet
from sdqkd.controller.guarantee import Guarantee
from sdqkd.controller.intent import owned_by
from sdqkd.controller.journal import Committing, Lease, Locking, Record
from sdqkd.controller.plan import DevicePlan, digest
from sdqkd.controller.session import DeviceSession, Store
from sdqkd.errors import DeviceError, JournalError, LeaseError, RpcError, RpcErrors, SdqkdError
from sdqkd.schema.tree import Container, Path

Holds = Literal["old", "new", "other"]
Former = tuple[tuple[int, str | None], ...]  # session-ids of ours with their login times, as the device wrote them


@dataclass(frozen=True, slots=True)
class Terms:
    """How long things may take, in seconds.

    `timeout_s`: a provisional commit undoes itself after so long, unless it is extended. `patience_s`: how long a
    device is asked again that does not answer or refuses, once it is decided what shall become of it.
    """

    timeout_s: int = 120
    patience_s: float = 30.0

    @property
    def margin_s(self) -> float:
        """What must be left of the timeout, at the least, when it is decided to confirm."""
        return min(2.0, self.timeout_s / 4)


@dataclass(slots=True)
class Part:
    """One device that changes, and how far it came.

    `held`: all locks are ours, in this session. `tokens`: what a provisional commit may wait under; `provisional`:
    the session that issued it; `due_s`: when it undoes itself, by the clock's seconds. `former`: sessions of ours
    that may be alive over there still. `old`: what running was when we had locked it.
    """

    name: str
    plan: DevicePlan
    owned: tuple[Path, ...]
    session: DeviceSession | None = None
    locks: list[Store] = field(default_factory=list)
    held: bool = False
    edited: bool = False
    committing: bool = False
    committed: bool = False
    tokens: tuple[str, ...] = ()
    provisional: DeviceSession | None = None
    due_s: float | None = None
    former: Former = ()
    old: Container | None = None

    @property
    def open(self) -> DeviceSession:
        """The session that holds our locks. Raises DeviceError if it never came to one."""
        if self.session is None:
            raise DeviceError(self.name, "no session")
        return self.session

    @property
    def guarantee(self) -> Guarantee:
        """How safely this device can be changed, by its hello."""
        return self.open.guarantee

    @property
    def target(self) -> Store:
        """What is edited."""
        return "running" if self.guarantee == "running" else "candidate"

    def digest(self, tree: Container) -> str:
        """The digest of what a configuration has to do with the plan."""
        return digest(self.plan.schema, tree, self.owned)

    def holds(self, tree: Container) -> Holds:
        """Which configuration that is."""
        found = self.digest(tree)
        return "new" if found == self.plan.result else "old" if found == self.plan.base else "other"


class Reach:
    """How one transaction reaches its devices. Every call raises LeaseError once our lease is gone."""

    def __init__(self, txid: str, fleet: Fleet, lease: Lease, clock: Clock, terms: Terms) -> None:
        self.txid = txid
        self.fleet = fleet
        self.lease = lease
        self.clock = clock
        self.terms = terms

    def part(self, name: str, plan: DevicePlan) -> Part:
        """A device that did nothing yet."""
        return Part(name, plan, owned_by(self.fleet.devices[name]))

    def note(self, *records: Record) -> None:
        """Write records into the journal. Raises JournalError if they are not kept."""
        if records:
            self.lease.append(*records)

    async def session(self, part: Part) -> DeviceSession:
        """The session of a device, a new one if there is none or it was lost. Locks do not survive that.

        Raises TransportError, DeviceError.
        """
        self.lease.demand()
        if part.session is None or not part.session.alive:
            await self._connect(part)
        return part.open

    async def _connect(self, part: Part) -> None:
        session = await self.fleet.session(part.name)
        # The device gave up the locks, and what was in the candidate, with the session that had them.
        part.session, part.held, part.edited, part.old = session, False, False, None
        part.locks.clear()
        row = await session.own_row()
        if row is None:
            return
        alive = {(other.session_id, other.login_time, other.username) for other in await session.sessions()}
        for session_id, login_time in part.former:
            # Numbers are used again: another's session, or one after a restart, must not be killed for ours.
            if (session_id, login_time, row.username) in alive and session_id != row.session_id:
                self.lease.demand()
                # It may have ended by itself, or not be ours to kill: then a lock that it still holds says so.
                with contextlib.suppress(RpcError, RpcErrors):
                    await session.kill_session(session_id)
        part.former = ()

    async def locking(self, part: Part) -> Locking:
        """What the journal must know before a lock is asked for."""
        row = await part.open.own_row()
        login_time = row.login_time if row else None
        locking = Locking(self.txid, part.name, part.open.hello.session_id, login_time)
        if locking.session_id is not None:
            part.former = (*part.former, (locking.session_id, locking.login_time))
        return locking

    async def lock(self, part: Part, *targets: Store) -> None:
        """Lock what is not ours yet. Raises LockHeldError."""
        for target in targets:
            if target in part.locks:
                continue
            self.lease.demand()
            # Noted first: if we are interrupted in between, the lock may be ours.
            part.locks.append(target)
            try:
                await part.open.lock(target)
            except SdqkdError:
                part.locks.remove(target)
                raise

    async def demand_clean(self, part: Part, running: Container) -> None:
        """Raise DeviceError if a candidate that is locked by us holds edits.

        A server should have refused the lock (RFC 6241 section 7.5), but not all do.
        """
        if await part.open.get_config("candidate") != running:
            raise DeviceError(part.name, "its candidate holds changes of somebody else")

    async def unlock(self, part: Part) -> None:
        """Give back the locks; a device that does not take them back loses the session, and with it the locks."""
        while part.locks and part.open.alive:
            try:
                self.lease.demand()
                await part.open.unlock(part.locks[-1])
            except LeaseError:
                raise
            except (RpcError, RpcErrors, DeviceError, JournalError):
                part.open.abandon("it did not unlock")
            finally:
                part.locks.pop()
        part.held = False

    async def discard(self, part: Part) -> None:
        """Discard what we put into the candidate. Losing the session does the same."""
        if part.edited and part.session is not None and part.session.alive and part.target == "candidate":
            self.lease.demand()
            try:
                await part.session.discard_changes()
            except SdqkdError:
                part.session.abandon("it did not discard our changes")
        part.edited = False

    def committing(self, parts: Sequence[Part], *, provisional: bool) -> None:
        """Announce commits of several devices in the journal."""
        due = self.clock.wall() + timedelta(seconds=self.terms.timeout_s)
        records = []
        for part in parts:
            persist = self.token if provisional and part.guarantee == "confirmed" else None
            deadline = time_text(due) if provisional else None
            records.append(Committing(self.txid, part.name, persist, deadline))
            part.committing = True
            part.tokens = (persist,) if persist else part.tokens
        self.note(*records)

    @property
    def token(self) -> str:
        """What our provisional commits wait under: RFC 6241 section 8.4.1, `persist`."""
        return f"{self.txid}.{self.lease.epoch}"

    async def commit_provisionally(self, part: Part, *, again: bool = False) -> None:
        """Commit until the timeout, or with `again` extend that: the follow-up of RFC 6241 section 8.4.1."""
        self.lease.demand()
        timeout_s = self.terms.timeout_s
        # Before it is sent: the device may count from then on, and not from its answer.
        due_s = self.clock.now_s() + timeout_s
        persist = part.tokens[0] if part.tokens else None
        part.provisional = part.open
        within_s = max(1.0, timeout_s / 3) if again else None
        await part.open.commit(
            timeout_s=timeout_s, persist=persist, persist_id=persist if again else None, within_s=within_s
        )
        part.due_s = due_s
        part.committed, part.edited = True, False


def parts_with(parts: Sequence[Part], *, provisional: bool) -> list[Part]:
    """Those whose commits can, or cannot, be provisional."""
    return [part for part in parts if (part.guarantee in ("confirmed", "session")) == provisional]
