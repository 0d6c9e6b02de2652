"""What became of each transaction, from the entries of a journal. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sdqkd.controller.journal import (
    Begin,
    Committing,
    Confirmed,
    Decision,
    Editing,
    End,
    Entry,
    InDoubt,
    Locking,
    Outcome,
    Record,
    Remark,
    Result,
    Reverted,
    Saved,
    Verdict,
)
from sdqkd.errors import JournalError


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """How far a device came, by the journal. `sessions`: all that may hold its locks, with their login times.

    `persists`: the tokens that its commits may wait under. `read_back`: which configuration it was seen to hold
    after the decision, with its digest.
    """

    sessions: tuple[tuple[int, str | None], ...] = ()
    edited: bool = False
    committing: bool = False
    persists: tuple[str, ...] = ()
    deadline: str | None = None
    read_back: Verdict | None = None
    digest: str = ""
    saved: bool = False
    doubt: str = ""
    remedy: str = ""
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TransactionRecord:
    """A transaction, by the journal. `devices` are those that change."""

    begin: Begin
    epoch: int
    began_at: str
    ended_at: str | None = None
    verdict: Verdict | None = None
    reason: str = ""
    outcome: Outcome | None = None
    devices: Mapping[str, DeviceRecord] = field(default_factory=dict)

    @property
    def txid(self) -> str:
        """Its identifier."""
        return self.begin.txid

    @property
    def is_open(self) -> bool:
        """Whether something is left to do."""
        return self.outcome is None

    @property
    def in_doubt(self) -> Mapping[str, str]:
        """What each device holds of which it is not known for certain that it is right."""
        return {name: device.doubt for name, device in self.devices.items() if self.is_open and device.doubt}

    @property
    def status(self) -> str:
        """One word or two for people: the outcome, `in doubt` or `open`."""
        return self.outcome or ("in doubt" if self.in_doubt else "open")


def fold(entries: Iterable[Entry]) -> Mapping[str, TransactionRecord]:
    """Every transaction by its identifier, in the order of their beginning.

    Raises JournalError for records of a transaction that never began or began twice.
    """
    found: dict[str, TransactionRecord] = {}
    for entry in entries:
        record = entry.record
        if isinstance(record, Remark):
            continue
        if isinstance(record, Begin) == (record.txid in found):
            twice = "begins twice" if record.txid in found else "never began"
            raise JournalError(f"entry {entry.number} of the journal: the transaction {record.txid} {twice}")
        if isinstance(record, Begin):
            devices = dict.fromkeys(record.inverse, DeviceRecord())
            found[record.txid] = TransactionRecord(record, entry.epoch, entry.at, devices=devices)
        else:
            found[record.txid] = _after(found[record.txid], entry, record)
    return found


def open_transactions(entries: Iterable[Entry]) -> tuple[TransactionRecord, ...]:
    """Those that did not end, in the order of their beginning."""
    return tuple(transaction for transaction in fold(entries).values() if transaction.is_open)


def _after(transaction: TransactionRecord, entry: Entry, record: Record) -> TransactionRecord:
    match record:
        case Decision(verdict=verdict, reason=reason):
            return replace(transaction, verdict=verdict, reason=reason)
        case End(outcome=outcome, reason=reason):
            return replace(transaction, outcome=outcome, ended_at=entry.at, reason=reason or transaction.reason)
        case Begin() | Remark():
            return transaction
    known = transaction.devices.get(record.device)
    if known is None:
        return transaction
    return replace(transaction, devices={**transaction.devices, record.device: _device_after(known, record)})


def _device_after(device: DeviceRecord, record: Record) -> DeviceRecord:
    match record:
        case Locking(session_id=session_id, login_time=login_time):
            own = () if session_id is None else ((session_id, login_time),)
            return replace(device, sessions=(*device.sessions, *own))
        case Editing():
            return replace(device, edited=True)
        case Committing(persist=persist, deadline=deadline):
            tokens = dict.fromkeys((*device.persists, *([persist] if persist else [])))
            return replace(device, committing=True, persists=tuple(tokens), deadline=deadline, read_back=None)
        case Confirmed(digest=digest):
            return replace(device, read_back="CONFIRM", digest=digest, doubt="", remedy="")
        case Reverted(digest=digest):
            return replace(device, read_back="ABORT", digest=digest, doubt="", remedy="")
        case Saved():
            return replace(device, saved=True)
        case InDoubt(holds=holds, remedy=remedy):
            return replace(device, doubt=holds, remedy=remedy)
        case Result(step=step, error=error) if error:
            return replace(device, errors=(*device.errors, f"{step}: {error}"))
    return device
