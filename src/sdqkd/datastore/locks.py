"""Who holds which datastore: <lock> and <unlock>, RFC 6241 sections 7.5, 7.6."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from sdqkd.errors import RpcError

Target: TypeAlias = Literal["running", "candidate", "startup"]
NO_SESSION = "0"  # RFC 6241 appendix A: the session-id when no NETCONF session is in the way


@dataclass(frozen=True, slots=True)
class Held:
    """A lock, by whom and since when."""

    session: int
    since: datetime


class Locks:
    """The global locks. Sessions are their ids."""

    def __init__(self) -> None:
        self._held: dict[Target, Held] = {}

    @property
    def held(self) -> Mapping[Target, Held]:
        """All locks that are not free."""
        return self._held

    def holder(self, target: Target) -> int | None:
        """The session that holds a lock, None if it is free."""
        held = self._held.get(target)
        return held.session if held else None

    def take(self, target: Target, session: int, now: datetime) -> None:
        """Lock. Raises RpcError lock-denied, with the holder's session-id, if it is held already."""
        holder = self.holder(target)
        if holder is not None:
            whom = "this session" if holder == session else f"session {holder}"
            raise lock_denied(f"{target} is locked by {whom} already", str(holder))
        self._held[target] = Held(session, now)

    def give_back(self, target: Target, session: int) -> None:
        """Unlock. Raises RpcError operation-failed unless the session holds the lock (RFC 6241 section 7.6)."""
        holder = self.holder(target)
        if holder is None:
            raise RpcError("operation-failed", f"{target} is not locked", "protocol")
        if holder != session:
            message = f"{target} is locked by session {holder}, which alone can unlock it"
            raise RpcError("operation-failed", message, "protocol", info={"session-id": str(holder)})
        del self._held[target]

    def demand(self, session: int, *targets: Target) -> None:
        """Raise RpcError in-use if another session holds one of these locks."""
        for target in targets:
            holder = self.holder(target)
            if holder not in (None, session):
                raise RpcError(
                    "in-use", f"{target} is locked by session {holder}", info={"session-id": str(holder)}
                )

    def release(self, session: int) -> frozenset[Target]:
        """Free what an ended session held, and tell what that was."""
        held = frozenset(target for target, lock in self._held.items() if lock.session == session)
        for target in held:
            del self._held[target]
        return held


def lock_denied(message: str, session_id: str) -> RpcError:
    """Give the error of a lock that cannot be had; `session_id` is in its error-info."""
    return RpcError("lock-denied", message, "protocol", info={"session-id": session_id})
