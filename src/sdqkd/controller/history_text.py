"""The journal for people and programs: transactions as rows, one of them in full. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sdqkd.controller.journal_state import DeviceRecord, TransactionRecord
from sdqkd.controller.plan import Plan
from sdqkd.errors import some_of

_LONGEST = 120  # of a reason in a row
_READ_BACK = {"CONFIRM": "new", "ABORT": "old", None: ""}


def transaction_json(record: TransactionRecord, *, whole: bool = False) -> dict[str, Any]:
    """A transaction as a JSON object; with the plan and what became of each device if it is `whole`."""
    shown: dict[str, Any] = {
        "txid": record.txid,
        "status": record.status,
        "author": record.begin.author,
        "purpose": record.begin.purpose,
        "began-at": record.began_at,
        "ended-at": record.ended_at,
        "verdict": record.verdict,
        "reason": record.reason,
    }
    if not whole:
        return {**shown, "devices": [*record.devices]}
    devices = {name: _device_json(device) for name, device in record.devices.items()}
    return {**shown, "devices": devices, "footprint": record.begin.footprint, "plan": record.begin.plan}


def _device_json(device: DeviceRecord) -> dict[str, Any]:
    return {
        "holds": _READ_BACK[device.read_back],
        "digest": device.digest,
        "saved": device.saved,
        "in-doubt": device.doubt,
        "remedy": device.remedy,
        "errors": [*device.errors],
    }


def row(record: TransactionRecord) -> tuple[str, str, str, str, str]:
    """A transaction in five words: identifier, when, who, what became of it, and why it was made or undone."""
    began = record.began_at.replace("T", " ").partition(".")[0]
    devices = f"{len(record.devices)} device{'s' * (len(record.devices) != 1)}"
    why = record.begin.purpose or devices
    if record.outcome not in (None, "done"):
        why = f"{why}: {record.reason}" if record.reason else why
    why = why if len(why) <= _LONGEST else f"{why[: _LONGEST - 1]}…"
    return record.txid, began, record.begin.author, record.status, why


def transaction_lines(record: TransactionRecord) -> Iterator[str]:
    """One transaction with what became of each device; the plan is shown beside it."""
    yield f"transaction {record.txid}: {record.status}"
    yield f"  by {record.begin.author}, began {record.began_at}, ended {record.ended_at or 'not yet'}"
    if record.begin.purpose:
        yield f"  for: {record.begin.purpose}"
    if record.verdict:
        yield f"  decision: {record.verdict}"
    if record.reason:
        yield f"  reason: {record.reason}"
    for name, device in record.devices.items():
        said = [f"read back with the {_READ_BACK[device.read_back]} configuration"] if device.read_back else []
        said += [f"in doubt: {device.doubt}; {device.remedy}"] if device.doubt else []
        said += device.errors
        if said:
            yield f"  {name}: {'; '.join(said)}"


def open_json(record: TransactionRecord) -> dict[str, Any]:
    """A transaction without an end as a JSON object, with what devices in doubt hold and what can be done."""
    doubts = {
        name: {"holds": device.doubt, "remedy": device.remedy}
        for name, device in record.devices.items()
        if name in record.in_doubt
    }
    return {**transaction_json(record), "in-doubt": doubts}


def open_lines(record: TransactionRecord) -> Iterator[str]:
    """The same for people."""
    who = some_of(sorted(record.devices))
    yield f"{record.txid} is under way or was left undone ({who}): see `sdqkd recover`"
    for name in record.in_doubt:
        yield f"  in doubt, {name}: {record.devices[name].doubt}; {record.devices[name].remedy}"


def plan_of(record: TransactionRecord) -> Plan:
    """The plan that a transaction carried out, or was to. Raises InputError for one of a newer version."""
    return Plan.from_json(record.begin.plan)
