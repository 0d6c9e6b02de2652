"""Looks whether a device still has a provisional commit waiting, before a person has done with its transaction.

Who closes a transaction says that nobody shall see to it any more. But what waits on a device would then go back
by itself, after everybody was told that it stays. NETCONF has no question for that; running cannot be locked,
though, while another session's confirmed commit waits (RFC 6241 section 7.5). So each device is asked for that
lock, which is given back at once. Whoever else holds it may have something waiting as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sdqkd.controller.fleet import Fleet
from sdqkd.controller.journal import Lease
from sdqkd.controller.journal_state import DeviceRecord, TransactionRecord
from sdqkd.errors import DeviceError, LeaseError, LockHeldError, SdqkdError

LOOKING = "look for what waits"


@dataclass(frozen=True, slots=True)
class Look:
    """Devices where something may wait still, and those that could not be asked, each with the reason."""

    waiting: Mapping[str, SdqkdError]
    unseen: Mapping[str, SdqkdError]


async def look(transaction: TransactionRecord, fleet: Fleet, lease: Lease) -> Look:
    """Ask each device that was told to commit until further notice, and was not read back since.

    Raises LeaseError if somebody else has taken over.
    """
    names = [name for name, device in transaction.devices.items() if _may_wait(device)]

    async def ask(name: str) -> None:
        if name not in fleet.devices:
            raise DeviceError(name, "it is not in the network file")
        session = await fleet.session(name)
        lease.demand()
        await session.lock("running")
        await session.unlock("running")

    failures = (await fleet.each(LOOKING, names, ask)).failures
    for error in failures.values():
        if isinstance(error, LeaseError):
            raise error
    waiting = {name: error for name, error in failures.items() if isinstance(error, LockHeldError)}
    return Look(waiting, {name: error for name, error in failures.items() if name not in waiting})


def _may_wait(device: DeviceRecord) -> bool:
    return device.committing and device.deadline is not None and device.read_back is None
