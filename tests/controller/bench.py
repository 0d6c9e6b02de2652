"""An emulated network with a transaction to be tried on it."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from tests.controller.emulated import Emulated, Tap

from sdqkd.controller.clock import SystemClock
from sdqkd.controller.fleet import Fleet
from sdqkd.controller.footprint import footprint_of
from sdqkd.controller.gate import Gate, GateRefusedError, OpenGate, Trial
from sdqkd.controller.intent import desired
from sdqkd.controller.journal import Lease
from sdqkd.controller.journal_sqlite import SqliteJournal
from sdqkd.controller.journal_state import TransactionRecord, fold
from sdqkd.controller.part import Terms
from sdqkd.controller.plan import Plan, make_plan
from sdqkd.controller.session import Timeouts
from sdqkd.controller.transaction import Order, Transaction
from sdqkd.errors import ApplyError, InDoubtError, RpcError
from sdqkd.network.model import Network
from sdqkd.schema.diff import apply
from sdqkd.schema.tree import Container

TERMS = Terms(timeout_s=60, patience_s=0.2)
OPERATION = re.compile(rb"<rpc[^>]*><([a-z-]+)")
TIMEOUTS = Timeouts(hello_s=1.0, answer_s=0.05)


def operation_in(data: bytes) -> str:
    found = OPERATION.search(data)
    return found[1].decode() if found else ""


def small(network: Network) -> Network:
    """One channel over two transponders: the least that is more than one device."""
    names = ("alfa-transponder", "bravo-transponder")
    return dataclasses.replace(
        network,
        devices={name: network.devices[name] for name in names},
        qkd_links={},
        protected_connections={},
        patches=(),
    )


class Bench:
    """An emulated network, a fleet of sessions with it, and the plan to its desired state."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.network = network
        self.emulated = Emulated(network)
        self.fleet = Fleet(network.devices, self.emulated, timeouts=TIMEOUTS)
        self.old = self.emulated.running()
        self.plan = make_plan(network.name, desired(network), self.old)
        self.new = {
            name: apply(device.schema, self.old[name], device.changes)
            for name, device in self.plan.devices.items()
        }
        self.journal = SqliteJournal(folder, network.name)
        self.terms = TERMS
        self.gate: Gate = OpenGate()

    async def apply(self, plan: Plan | None = None) -> None:
        lease = self.journal.take("test")
        try:
            await self.transaction(lease, self.fleet, plan or self.plan).run()
        finally:
            lease.release()

    def transaction(self, lease: Lease, fleet: Fleet, plan: Plan) -> Transaction:
        order = Order(f"t{lease.epoch}", plan, footprint_of(plan, self.network), "noc")
        return Transaction(order, fleet, lease, SystemClock(), self.terms, self.gate)

    def record(self) -> TransactionRecord | None:
        """The last transaction, by the journal."""
        return next(reversed(fold(self.journal.entries()).values()), None)

    async def refused(self, plan: Plan | None = None) -> ApplyError:
        with pytest.raises(ApplyError) as refused:
            await self.apply(plan)
        return refused.value

    def check_untouched(self, error: ApplyError) -> None:
        """Every device old, no candidate dirty, no lock held, and the journal says so."""
        assert error.left == {}
        assert not isinstance(error, InDoubtError)
        record = self.record()
        if record is not None:
            committing = {name for name, device in record.devices.items() if device.committing}
            assert record.outcome == ("rolled back" if committing else "refused")
            assert {name for name, device in record.devices.items() if device.read_back} == committing
            assert all(d.digest == self.plan.devices[n].base for n, d in record.devices.items() if d.read_back)
        assert "every device is as it was" in error.message
        assert self.emulated.running() == self.old
        assert self.emulated.candidates() == self.old
        assert self.emulated.nobody_locks()

    def check_all_or_none(self, outcome: object) -> str:
        """What came of an apply: `old` or `new`. Anything in between fails."""
        if isinstance(outcome, ApplyError):
            self.check_untouched(outcome)
            return "old"
        assert outcome is None
        record = self.record()
        assert record is not None
        assert (record.outcome, record.verdict) == ("done", "CONFIRM")
        assert all(device.digest == self.plan.devices[name].result for name, device in record.devices.items())
        assert self.emulated.running() == self.emulated.candidates() == self.new
        assert self.emulated.nobody_locks()
        return "new"


def refuse(*args: object, **named: object) -> None:
    raise RpcError("operation-failed", "the device does not feel like it")


def rewritten(tree: Container) -> Container:
    device = tree.children["sdqkd-optical-device:optical-device"]
    channels = device.children["optical-channel"]
    entry = channels.entries["alfa-bravo-c21",]
    entry = Container({**entry.children, "launch-power-dbm": "-2.0"})
    channels = type(channels)({("alfa-bravo-c21",): entry})
    return Container(
        {"sdqkd-optical-device:optical-device": Container({**device.children, "optical-channel": channels})}
    )


async def messages_of_an_apply(bench: Bench) -> int:
    count = 0

    def hear(device: str, data: bytes) -> bool:
        nonlocal count
        count += bool(operation_in(data))
        return True

    bench.emulated.tap = hear
    await bench.apply()
    return count


def losing(emulated: Emulated, at: int, *, obeyed: bool) -> Tap:
    """A session ends before a message, or after it was obeyed and before the answer."""
    count = -1

    def tap(device: str, data: bytes) -> bool:
        nonlocal count
        if not operation_in(data):
            return True
        count += 1
        if count != at:
            return True
        if obeyed:
            emulated.deaf.add(device)
            emulated.links[device].write(data)
            emulated.deaf.discard(device)
        emulated.hang_up(device)
        return False

    return tap


class Refusing:
    """A gate that does not let anything through."""

    async def baseline(self, trial: Trial) -> None: ...

    async def judge(self, trial: Trial) -> None:
        raise GateRefusedError("the light is bad")
