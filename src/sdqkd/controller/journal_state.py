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
    OfTransaction,
    Outcome,
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

    `persists`: the tokens that its commits may wait under; `deadline`: when what waits was to go back, None if no
    commit was provisional. `read_back`: which configuration it was seen to hold after the decision, with its
    digest.
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


class Folding:
    """What became of every transaction, as far as entries were taken; `last` is the number of the last of them.

    Without `ended`, those that ended are forgotten: their plans are long.
    """

    def __init__(self, *, ended: bool = True) -> None:
        self.last = 0
        self._ended = ended
        self._forgotten: set[str] = set()
        self._found: dict[str, TransactionRecord] = {}
        self._devices: dict[str, dict[str, DeviceRecord]] = {}  # what the records show, to be changed in place
        self._open: dict[str, None] = {}

    def take(self, entries: Iterable[Entry]) -> None:
        """Go on with the entries after `last`. Raises JournalError for those that do not go together."""
        for entry in entries:
            if not isinstance(entry.record, Remark) and entry.record.txid not in self._forgotten:
                self._take(entry, entry.record)
            self.last = entry.number

    @property
    def all(self) -> Mapping[str, TransactionRecord]:
        """Every transaction by its identifier, in the order of their beginning; taking more changes them."""
        return self._found

    @property
    def open(self) -> tuple[TransactionRecord, ...]:
        """Those that did not end, in the order of their beginning, as they are now."""
        return tuple(replace(self._found[txid], devices={**self._devices[txid]}) for txid in self._open)

    def _take(self, entry: Entry, record: OfTransaction) -> None:
        if isinstance(record, Begin) == (record.txid in self._found):
            twice = "begins twice" if record.txid in self._found else "never began"
            raise JournalError(f"entry {entry.number} of the journal: the transaction {record.txid} {twice}")
        if isinstance(record, Begin):
            devices = self._devices[record.txid] = dict.fromkeys(record.inverse, DeviceRecord())
            self._found[record.txid] = TransactionRecord(record, entry.epoch, entry.at, devices=devices)
            self._open[record.txid] = None
            return
        self._found[record.txid] = _after(self._found[record.txid], entry, record)
        if isinstance(record, End):
            self._end(record.txid)
        elif not isinstance(record, Decision) and record.device in self._devices[record.txid]:
            known = self._devices[record.txid]
            known[record.device] = _device_after(known[record.device], record)

    def _end(self, txid: str) -> None:
        self._open.pop(txid, None)
        if not self._ended:
            self._forgotten.add(txid)
            del self._found[txid], self._devices[txid]


def fold(entries: Iterable[Entry]) -> Mapping[str, TransactionRecord]:
    """Every transaction by its identifier, in the order of their beginning.

    Raises JournalError for records of a transaction that never began or began twice.
    """
    folding = Folding()
    folding.take(entries)
    return folding.all


def open_transactions(entries: Iterable[Entry]) -> tuple[TransactionRecord, ...]:
    """Those that did not end, in the order of their beginning."""
    return tuple(transaction for transaction in fold(entries).values() if transaction.is_open)


def _after(transaction: TransactionRecord, entry: Entry, record: OfTransaction) -> TransactionRecord:
    match record:
        case Decision(verdict=verdict, reason=reason):
            return replace(transaction, verdict=verdict, reason=reason)
        case End(outcome=outcome, reason=reason):
            return replace(transaction, outcome=outcome, ended_at=entry.at, reason=reason or transaction.reason)
    return transaction


def _device_after(device: DeviceRecord, record: OfTransaction) -> DeviceRecord:
    match record:
        case Locking(session_id=session_id, login_time=login_time):
            own = () if session_id is None else ((session_id, login_time),)
            return replace(device, sessions=(*device.sessions, *own))
        case Editing():
            return replace(device, edited=True)
        case Committing(persist=persist, deadline=deadline):
            tokens = dict.fromkeys((*device.persists, *([persist] if persist else [])))
            # A later commit for good may fail, and what waited before it then waits still.
            until = deadline or device.deadline
            return replace(device, committing=True, persists=tuple(tokens), deadline=until, read_back=None)
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
