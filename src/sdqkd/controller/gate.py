"""What stands between a provisional change and its confirmation: a gate says whether the network bears it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sdqkd.controller.footprint import Footprint
from sdqkd.controller.plan import Plan
from sdqkd.controller.session import DeviceSession
from sdqkd.errors import SdqkdError


class GateRefusedError(SdqkdError):
    """A gate finds that the change must not stay. `str()` of it is the reason, for the report and the journal."""

    def to_json(self) -> list[dict[str, Any]]:
        """The reason in parts, for programs: JSON objects. None unless a gate has more to say than the text."""
        return []


@dataclass(frozen=True, slots=True)
class Trial:
    """What a gate may look at. All devices of the plan hold the new configuration, provisionally."""

    txid: str
    plan: Plan
    footprint: Footprint
    session: Callable[[str], Awaitable[DeviceSession]]  # a session with a device of the network, to read from


class Gate(Protocol):
    """Looks on while a change is on trial."""

    async def baseline(self, trial: Trial) -> None:
        """See how things are before the change, while every device is locked. Nothing was written yet.

        Raises GateRefusedError if a change may not even begin.
        """
        ...

    async def judge(self, trial: Trial) -> None:
        """Return when the change may stay; take the time that it needs, as the devices are kept waiting meanwhile.

        Raises GateRefusedError if it may not. May be cancelled at any await.
        """
        ...


class OpenGate:
    """Lets everything through: that each device was read back is seen to anyway."""

    async def baseline(self, trial: Trial) -> None:
        """Need nothing."""

    async def judge(self, trial: Trial) -> None:
        """Find nothing wrong."""
