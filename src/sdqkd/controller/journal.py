"""What the controller writes down before it acts: records, their JSON, and what stands behind a journal.

A record is flushed *before* the step that it announces. So whoever reads the journal after a crash knows at least
what was done, and `journal_state` makes of the records what became of each transaction. The journal is never
changed but by adding to it, and each entry vouches for all before it: it is the audit trail too.

    Begin        a transaction: plan, way back, footprint, author
    Locking      a device's datastores are about to be locked, in this session
    Editing      its configuration is about to be edited: the candidate, or running where there is no candidate
    Committing   it is about to be committed; with `persist`, provisionally until `deadline`
    Result       what came of a step on a device
    Decision     what shall become of all: written before any device is told
    Confirmed    a device was read back, and holds the new configuration
    Reverted     a device was read back, and holds the old configuration
    Saved        a device keeps the new configuration over a restart: its startup datastore was read back
    InDoubt      a device holds neither for certain
    End          nothing is left to do
    Remark       something else that shall not be forgotten, outside of transactions
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias, get_args

from sdqkd.errors import JournalError

Json: TypeAlias = Mapping[str, Any]  # what JSON knows: texts, numbers, lists, objects, None
Verdict = Literal["CONFIRM", "ABORT"]
# done: all devices new; rolled back: all old again; refused: none was asked to commit; closed: a person took over.
Outcome = Literal["done", "rolled back", "refused", "closed"]
Step = Literal["lock", "compare", "edit", "validate", "commit", "gate", "refresh", "confirm", "cancel", "save"]


@dataclass(frozen=True, slots=True)
class Begin:
    """A transaction begins. `inverse` has for each device that changes the JSON of the changes that lead back."""

    txid: str
    network: str
    author: str
    plan: Json = field(repr=False)
    inverse: Json = field(repr=False)
    footprint: Json = field(repr=False)
    guarantees: Json = field(repr=False)
    purpose: str = ""  # why, in a person's words: "rollback of …", "restore …"


@dataclass(frozen=True, slots=True)
class Locking:
    """`login_time` is as the device tells it, None if it does not; it counts, as ids are used again."""

    txid: str
    device: str
    session_id: int | None
    login_time: str | None


@dataclass(frozen=True, slots=True)
class Editing:
    """One device's edit comes next."""

    txid: str
    device: str


@dataclass(frozen=True, slots=True)
class Committing:
    """One device's commit comes next. `deadline` is the time of day when it undoes itself, None if it does not."""

    txid: str
    device: str
    persist: str | None
    deadline: str | None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a step; `error` is empty if it was done."""

    txid: str
    device: str
    step: Step
    error: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What shall become of all devices. There is a second one only if nobody knew whether the first was kept."""

    txid: str
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """`digest` is that of what was read back: see `plan.digest`."""

    txid: str
    device: str
    digest: str


@dataclass(frozen=True, slots=True)
class Reverted:
    """`digest` is that of what was read back: see `plan.digest`."""

    txid: str
    device: str
    digest: str


@dataclass(frozen=True, slots=True)
class Saved:
    """`digest` is that of what startup holds: see `plan.digest`."""

    txid: str
    device: str
    digest: str


@dataclass(frozen=True, slots=True)
class InDoubt:
    """`holds` says what the device holds as far as that is known, `remedy` what a person can do."""

    txid: str
    device: str
    holds: str
    remedy: str


@dataclass(frozen=True, slots=True)
class End:
    """Nothing is left to do."""

    txid: str
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something else for the audit trail: `what` is a word such as `drift-adopted`, `details` are its own."""

    what: str
    author: str
    details: Json = field(repr=False)


OfTransaction: TypeAlias = (
    Begin | Locking | Editing | Committing | Result | Decision | Confirmed | Reverted | Saved | InDoubt | End
)
Record: TypeAlias = OfTransaction | Remark

_KINDS: Mapping[str, type[Record]] = {kind.__name__: kind for kind in get_args(Record)}


@dataclass(frozen=True, slots=True)
class Entry:
    """A record in its place. `at` is the time of day, ISO 8601 in UTC; `epoch` is that of the lease, 0 without."""

    number: int
    at: str
    epoch: int
    record: Record
    hash: str


class Journal(Protocol):
    """The journal of one network. Any method raises JournalError if it cannot be kept or read."""

    @property
    def network(self) -> str:
        """The name of the network that it belongs to."""
        ...

    def entries(self, after: int = 0) -> Sequence[Entry]:
        """What was written, in order, from the entry after this number on."""
        ...

    def remark(self, remark: Remark) -> None:
        """Write something that belongs to no transaction; nobody needs a lease for that. Flushed on return."""
        ...

    def take(self, holder: str) -> Lease:
        """Become the one who changes the network. Raises LeaseError if somebody else does just now."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Lease(Protocol):
    """The right to change the network, as long as nobody else has taken it over."""

    @property
    def epoch(self) -> int:
        """Which lease this is; each has a higher one than all before."""
        ...

    def append(self, *records: Record) -> None:
        """Write records, all or none; flushed on return.

        Raises JournalError if it is not certain that they are kept: what could not be flushed may be found again
        after a crash, until something else was flushed in its place or after it. LeaseError if the lease is gone.
        """
        ...

    def demand(self) -> None:
        """Raise LeaseError if it is gone. To be asked before each step that changes a device."""
        ...

    def renew(self) -> None:
        """Say that its holder is alive. Raises LeaseError if it is gone."""
        ...

    def release(self) -> None:
        """Let others have it. Does nothing if it is gone."""
        ...


def to_json(record: Record) -> dict[str, Any]:
    """A record as a JSON object."""
    fields = {item.name.replace("_", "-"): getattr(record, item.name) for item in dataclasses.fields(record)}
    return {"record": type(record).__name__, **fields}


def from_json(document: Mapping[str, Any]) -> Record:
    """Read what `to_json` gave. Raises JournalError if it is no record that this version knows."""
    kind = _KINDS.get(str(document.get("record")))
    if kind is None:
        raise JournalError(
            f"the journal has a record '{document.get('record')}', which this version does not know"
        )
    names = {item.name.replace("_", "-"): item.name for item in dataclasses.fields(kind)}
    given = document.keys() - {"record"}
    if given != names.keys():
        wrong = ", ".join(sorted(given ^ names.keys()))
        raise JournalError(f"a record '{kind.__name__}' of the journal is not as this version writes it: {wrong}")
    return kind(**{names[key]: document[key] for key in given})


def text_of(record: Record) -> str:
    """A record as it is kept: one JSON object on one line, always the same for the same record."""
    return json.dumps(to_json(record), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def chained(before: str, number: int, at: str, epoch: int, text: str) -> str:
    """The hash of an entry, SHA-256 in hexadecimal: over itself and the hash of the one before it."""
    return hashlib.sha256(json.dumps([before, number, at, epoch, text]).encode()).hexdigest()
