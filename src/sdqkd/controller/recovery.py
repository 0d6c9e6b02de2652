"""Finishes what a controller left undone: by its journal, and by what the devices answer.

Without a decision in the journal there was none, so everything is taken back; with one, it is carried out. Nothing
is concluded from the time of day: a device that should have gone back by now is asked all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sdqkd.controller.clock import Clock
from sdqkd.controller.fleet import Fleet
from sdqkd.controller.journal import Decision, End, InDoubt, Lease, Outcome, Verdict
from sdqkd.controller.journal_state import DeviceRecord, TransactionRecord
from sdqkd.controller.part import Part, Reach, Terms
from sdqkd.controller.plan import Plan
from sdqkd.controller.settle import RECOVER, Settlement
from sdqkd.errors import InputError, JournalError

NO_DECISION = "the controller that began it died before it had decided"


@dataclass(frozen=True, slots=True)
class Recovered:
    """What came of one transaction. `outcome` is None while devices are in doubt; `doubts` says what they hold."""

    txid: str
    verdict: Verdict
    outcome: Outcome | None
    doubts: Mapping[str, InDoubt]


def verdict_of(transaction: TransactionRecord) -> Verdict:
    """What shall become of a transaction that was left: presumed abort."""
    return transaction.verdict or "ABORT"


def outcome_of(transaction: TransactionRecord) -> Outcome:
    """How it ends once every device is where it should be."""
    if verdict_of(transaction) == "CONFIRM":
        return "done"
    return "rolled back" if any(device.committing for device in transaction.devices.values()) else "refused"


async def recover(
    transaction: TransactionRecord, fleet: Fleet, lease: Lease, clock: Clock, terms: Terms
) -> Recovered:
    """Bring one open transaction to its end, as far as its devices answer.

    Raises JournalError if it cannot be understood or nothing can be written down, LeaseError if somebody else has
    taken over.
    """
    reach = Reach(transaction.txid, fleet, lease, clock, terms)
    parts, strangers = _parts(transaction, reach)
    verdict = verdict_of(transaction)
    if transaction.verdict is None:
        lease.append(Decision(transaction.txid, verdict, NO_DECISION))
    lease.append(*strangers.values())
    settlement = Settlement(reach, parts)
    doubts = {**strangers, **await settlement.settle(verdict)}
    if settlement.journal_error is not None:
        raise settlement.journal_error
    if doubts:
        return Recovered(transaction.txid, verdict, None, doubts)
    outcome = outcome_of(transaction)
    lease.append(End(transaction.txid, outcome))
    return Recovered(transaction.txid, verdict, outcome, {})


def _parts(transaction: TransactionRecord, reach: Reach) -> tuple[list[Part], dict[str, InDoubt]]:
    """The devices as far as they had come, and those that the network no longer has."""
    try:
        plan = Plan.from_json(transaction.begin.plan)
        planned = {name: plan.devices[name] for name in transaction.devices}
    except (InputError, KeyError) as error:
        raise JournalError(f"the transaction {transaction.txid} cannot be read: {error}") from None
    parts, strangers = [], {}
    for name, record in transaction.devices.items():
        if name in reach.fleet.devices:
            parts.append(_part(reach.part(name, planned[name]), record))
        else:
            holds = "not known, it is not in the network file"
            strangers[name] = InDoubt(transaction.txid, name, holds, RECOVER.replace("answers", "is there"))
    return parts, strangers


def _part(part: Part, record: DeviceRecord) -> Part:
    part.committing = record.committing
    part.tokens = record.persists
    part.former = record.sessions
    return part
