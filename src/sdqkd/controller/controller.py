"""The controller as the command line uses it: read, plan, apply, recover, status, over one set of sessions."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from sdqkd.controller.clock import Clock, SystemClock
from sdqkd.controller.closing import look
from sdqkd.controller.connect import Connector
from sdqkd.controller.fleet import LIMIT, Fleet, Progress, silent
from sdqkd.controller.footprint import Footprint, footprint_of, overlap
from sdqkd.controller.gate import Gate
from sdqkd.controller.guarantee import Guarantee
from sdqkd.controller.health_gate import HealthGate
from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.journal import End, Journal, Lease
from sdqkd.controller.journal_state import Folding, TransactionRecord, fold
from sdqkd.controller.part import Terms
from sdqkd.controller.plan import Plan, make_plan
from sdqkd.controller.policy import this_person
from sdqkd.controller.recovery import Recovered, recover
from sdqkd.controller.saved_plan import demand_own
from sdqkd.controller.session import Timeouts
from sdqkd.controller.status import NetworkStatus, network_status
from sdqkd.controller.transaction import Order, Transaction
from sdqkd.errors import ApplyError, JournalError, SdqkdError
from sdqkd.schema.tree import Container

_RENEW_S = 3.0  # between two signs of life in the journal, while we have the lease


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a plan must know of a device: its configuration, and what its hello offers."""

    running: Container
    guarantee: Guarantee
    models: str


class Controller:
    """One network under one controller. Use it as `async with Controller(…) as controller`."""

    def __init__(
        self,
        loaded: LoadedNetwork,
        connector: Connector,
        progress: Progress = silent,
        limit: int = LIMIT,
        timeouts: Timeouts | None = None,
        *,
        journal: Journal | None = None,
        terms: Terms | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`progress` is told what is being done, how many devices are done, and of how many.

        `limit` bounds how many devices are worked with at the same time. Without a `journal` nothing can be
        changed, only looked at; whoever opened it closes it.
        """
        self.network = loaded.network
        self.desired = desired(loaded.network)
        self._fleet = Fleet(loaded.network.devices, connector, progress, limit, timeouts)
        self._running: Mapping[str, Container] | None = None
        self._readings: Mapping[str, _Reading] = {}
        self._journal = journal
        self._folding = Folding(ended=False)
        self._terms = terms or Terms()
        self._clock = clock or SystemClock()
        self._lease: Lease | None = None
        self._tenants = 0
        self._under_way: dict[str, Footprint] = {}
        self._ended = asyncio.Condition()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._fleet.close()

    def take(self, loaded: LoadedNetwork) -> None:
        """Go by this reading of the network file from now on. What is under way goes on as it began.

        Raises JournalError for a file of another network: the journal is not its.
        """
        if loaded.network.name != self.network.name:
            raise JournalError(f"the journal is that of {self.network.name}, and not of {loaded.network.name}")
        if loaded.network is not self.network:
            self.network, self.desired = loaded.network, desired(loaded.network)
            self._fleet.take(loaded.network.devices)
            self._running, self._readings = None, {}

    async def read(self) -> Mapping[str, Container]:
        """Read the running configuration of every device.

        Raises ApplyError naming each device that cannot be read: nothing can be planned without it.
        """
        outcome = await self._fleet.each("read", self.network.devices, self._running_of)
        if outcome.failures:
            message = f"{len(outcome.failures)} of {len(self.network.devices)} devices cannot be read"
            raise ApplyError(f"{message}; nothing was changed", outcome.failures)
        self._running = {name: reading.running for name, reading in outcome.results.items()}
        self._readings = outcome.results
        return self._running

    async def read_state(self) -> Mapping[str, Container]:
        """Read configuration and state of every device. Raises ApplyError naming each that cannot be read."""
        outcome = await self._fleet.each("read state", self.network.devices, self._state_of)
        if outcome.failures:
            message = f"{len(outcome.failures)} of {len(self.network.devices)} devices cannot be read"
            raise ApplyError(f"{message}; nothing was changed", outcome.failures)
        return outcome.results

    def plan(self) -> Plan:
        """What leads from what was read to what the network file wants. `read` comes first."""
        if self._running is None:
            raise RuntimeError("nothing was read yet")
        guarantees = {name: reading.guarantee for name, reading in self._readings.items()}
        models = {name: reading.models for name, reading in self._readings.items()}
        return make_plan(self.network.name, self.desired, self._running, guarantees, models)

    async def apply(
        self, plan: Plan, *, author: str = "", purpose: str = "", gate: Gate | None = None, wait: bool = False
    ) -> str:
        """Bring all devices to what the plan says, or none; give the identifier of the transaction.

        Raises as `transaction.Transaction.run`; ApplyError too if the plan is for another network, or meets
        another change that is under way or was left undone. With `wait` it stands in line for one under way.
        Unless another `gate` is given, links must keep to the limits of the network file: see `health_gate`.
        """
        demand_own(plan, self.network)
        order = Order(
            self._new_txid(), plan, footprint_of(plan, self.network), author or this_person().name, purpose
        )
        async with self._room_for(order, wait), self._leased() as lease:
            self._running = None
            self._demand_nothing_left(order.footprint)
            gate = gate or HealthGate(self.network, self._clock)
            await Transaction(order, self._fleet, lease, self._clock, self._terms, gate).run()
        return order.txid

    async def recover(self) -> tuple[Recovered, ...]:
        """Finish what was left undone; what came of each transaction, in the order of their beginning.

        Raises JournalError, LeaseError.
        """
        if not self.left_undone():
            return ()
        async with self._leased() as lease:
            self._running = None
            return tuple(
                [
                    await recover(transaction, self._fleet, lease, self._clock, self._terms)
                    for transaction in self.left_undone()
                ]
            )

    async def close_transaction(
        self, txid: str, *, author: str = "", reason: str = ""
    ) -> Mapping[str, SdqkdError]:
        """Have done with a transaction in doubt: devices stay as they are.

        Gives the devices that could not be asked whether a provisional commit still waits there. Raises ApplyError
        if one says so, or if there is no such transaction; JournalError, LeaseError.
        """
        async with self._leased() as lease:
            # Only now: until then somebody else could have gone on with it.
            found = next((one for one in self.left_undone() if one.txid == txid), None)
            if found is None:
                raise ApplyError(f"there is no transaction {txid} that was left undone")
            seen = await look(found, self._fleet, lease)
            if seen.waiting:
                what = f"{txid} stays open: a provisional commit may still wait, which would go back by itself"
                raise ApplyError(f"{what}: run `sdqkd recover`, or wait until its time is over", seen.waiting)
            lease.append(End(txid, "closed", f"{author or this_person().name}: {reason or 'taken over by hand'}"))
        return seen.unseen

    def left_undone(self) -> tuple[TransactionRecord, ...]:
        """Transactions without an end, but for those that are under way here. Raises JournalError."""
        self._folding.take(self._demand_journal().entries(self._folding.last))
        return tuple(transaction for transaction in self._folding.open if transaction.txid not in self._under_way)

    def history(self) -> Mapping[str, TransactionRecord]:
        """Every transaction by its identifier, in the order of their beginning. Raises JournalError."""
        return fold(self._demand_journal().entries())

    async def status(self) -> NetworkStatus:
        """Read configuration and state of every device. For one that cannot be read, its rows say so."""
        outcome = await self._fleet.each("read state", self.network.devices, self._state_of)
        readings: dict[str, Container | SdqkdError] = {**outcome.results, **outcome.failures}
        return network_status(self.network, self.desired, readings)

    async def _running_of(self, name: str) -> _Reading:
        session = await self._fleet.session(name)
        return _Reading(await session.get_config(), session.guarantee, session.models_id)

    async def _state_of(self, name: str) -> Container:
        return await (await self._fleet.session(name)).get()

    def _demand_journal(self) -> Journal:
        if self._journal is None:
            raise RuntimeError("a controller without a journal changes nothing")
        return self._journal

    def _demand_nothing_left(self, footprint: Footprint) -> None:
        for transaction in self.left_undone():
            meets = overlap(footprint, Footprint.from_json(transaction.begin.footprint))
            if meets:
                what = f"{transaction.txid} was left undone"
                raise ApplyError(f"{what}, and this change meets it ({meets}): run `sdqkd recover` first")

    def _new_txid(self) -> str:
        return f"{self._clock.wall():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"

    @asynccontextmanager
    async def _room_for(self, order: Order, wait: bool) -> AsyncIterator[None]:
        """Keep changes apart that meet; see `footprint`."""
        async with self._ended:
            while met := self._met_by(order.footprint):
                if not wait:
                    raise ApplyError(f"another change is under way: {met}")
                await self._ended.wait()
            self._under_way[order.txid] = order.footprint
        try:
            yield
        finally:
            del self._under_way[order.txid]
            async with self._ended:
                self._ended.notify_all()

    def _met_by(self, footprint: Footprint) -> str:
        met = {txid: overlap(footprint, other) for txid, other in self._under_way.items()}
        return "; ".join(f"{txid} ({what})" for txid, what in met.items() if what)

    @asynccontextmanager
    async def _leased(self) -> AsyncIterator[Lease]:
        """Have the lease, one for all that is under way here, and give signs of life meanwhile."""
        if self._lease is None:
            self._lease = self._demand_journal().take(
                f"{this_person().name} on {socket.gethostname()}, pid {os.getpid()}"
            )
        lease = self._lease
        self._tenants += 1
        renewal = asyncio.create_task(self._renew(lease))
        try:
            yield lease
        finally:
            renewal.cancel()
            self._tenants -= 1
            if self._tenants == 0:
                self._lease = None
                lease.release()
                await self._fleet.close_left()

    async def _renew(self, lease: Lease) -> None:
        # Who finds the lease gone, or the disk full, at the next step says so there.
        with contextlib.suppress(JournalError):
            while True:
                await self._clock.sleep(_RENEW_S)
                lease.renew()
