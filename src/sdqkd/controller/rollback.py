"""Taking back what a transaction has done: the plan that leads back, for the network as it is now. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sdqkd.controller.journal_state import TransactionRecord
from sdqkd.controller.plan import Plan
from sdqkd.errors import ApplyError, SdqkdError


def rollback_plan(history: Mapping[str, TransactionRecord], txid: str, now: Plan) -> Plan:
    """What takes back the transaction, and nothing else. `now` is a plan made now: it says what devices hold.

    Raises ApplyError if it was not done, or if a device that it has changed was changed again since.
    """
    record = history.get(txid)
    if record is None:
        raise ApplyError(f"there is no transaction {txid}: `sdqkd history` lists them")
    if record.outcome != "done":
        raise ApplyError(f"{txid} is {record.status}: there is nothing to take back")
    back = Plan.from_json(record.begin.plan).reverse()
    failures: dict[str, SdqkdError] = {}
    for name in back.changed:
        if name not in now.devices:
            failures[name] = SdqkdError("it is no longer in the network file")
        elif now.devices[name].base != back.devices[name].base:
            failures[name] = SdqkdError(_why_stale(history, txid, name))
    if failures:
        raise ApplyError(f"{txid} cannot be taken back; nothing was changed", failures)
    still = {name: replace(device, result=device.base, changes=()) for name, device in now.devices.items()}
    # What changes has the guarantee and the models of today: those of then may be gone.
    changing = {
        name: replace(back.devices[name], guarantee=now.devices[name].guarantee, models=now.devices[name].models)
        for name in back.changed
    }
    return Plan(now.network, {**still, **changing})


def _why_stale(history: Mapping[str, TransactionRecord], txid: str, device: str) -> str:
    txids = list(history)
    later = [
        other for other in txids[txids.index(txid) + 1 :]
        if history[other].outcome in ("done", "closed") and device in history[other].devices
    ]  # fmt: skip
    if later:
        return f"it was changed again since by {', '.join(reversed(later))}: take that back first"
    return "it does not hold what that transaction gave it"
