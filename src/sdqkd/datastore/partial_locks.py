"""Who holds which parts of running: <partial-lock> and <partial-unlock>, RFC 5717.

A part is a node with all below it, whatever becomes of it: what is deleted there and made anew is locked as
before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sdqkd.datastore.locks import lock_denied
from sdqkd.errors import RpcError
from sdqkd.schema.diff import diff
from sdqkd.schema.path import format_path
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container, Path, get

MAX_LOCKED_NODES = 10_000  # of all sessions together: each is compared at every change of somebody else's


@dataclass(frozen=True, slots=True)
class PartialLock:
    """Some parts of running, held by one session. `selects` are the expressions that selected them."""

    session: int
    since: datetime
    selects: tuple[str, ...]
    nodes: tuple[Path, ...] = field(repr=False)


class PartialLocks:
    """The partial locks by their lock-ids, which are never used twice. Sessions are their ids."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._held: dict[int, PartialLock] = {}
        self._last_id = 0

    @property
    def held(self) -> Mapping[int, PartialLock]:
        """All partial locks."""
        return self._held

    def take(self, lock: PartialLock) -> int:
        """Lock, and give the lock-id. A session may lock again what it has locked itself.

        Raises RpcError lock-denied if another session has locked any of it, resource-denied if it is too much.
        """
        taken = sum(len(held.nodes) for held in self._held.values())
        if taken + len(lock.nodes) > MAX_LOCKED_NODES:
            message = f"more than {MAX_LOCKED_NODES} nodes would be locked: lock what holds them"
            raise RpcError("resource-denied", message)
        for held in self._held.values():
            if held.session != lock.session and _overlap(held.nodes, lock.nodes):
                raise lock_denied(f"session {held.session} has locked a part of this", str(held.session))
        self._last_id += 1
        self._held[self._last_id] = lock
        return self._last_id

    def give_back(self, lock_id: int, session: int) -> None:
        """Unlock. Raises RpcError invalid-value unless it is a lock of this session: section 2.4.2."""
        held = self._held.get(lock_id)
        if held is None or held.session != session:
            message = f"this session has no partial lock {lock_id}"
            raise RpcError("invalid-value", message, "protocol", info={"bad-element": "lock-id"})
        del self._held[lock_id]

    def release(self, session: int) -> None:
        """Free what an ended session held."""
        for lock_id in [number for number, held in self._held.items() if held.session == session]:
            del self._held[lock_id]

    def demand_none(self) -> None:
        """Raise RpcError lock-denied if there is any: running cannot be locked as a whole then."""
        for held in self._held.values():
            message = f"session {held.session} has locked a part of running"
            raise lock_denied(message, str(held.session))

    def demand_change(self, session: int, before: Container, after: Container) -> None:
        """Raise RpcError in-use if the change touches what another session has locked: section 2.5."""
        for held in self._held.values():
            if held.session == session:
                continue
            for path in held.nodes:
                if get(before, path) is not get(after, path):
                    self._demand_same(held, path, before, after)

    def _demand_same(self, held: PartialLock, path: Path, before: Container, after: Container) -> None:
        if changes := diff(self._schema, before, after, [path]):
            message = f"session {held.session} has locked this part of running"
            at = format_path(changes[0].path, self._schema)
            raise RpcError("in-use", message, path=at, app_tag="locked", info={"session-id": str(held.session)})


def _overlap(held: Iterable[Path], wanted: Sequence[Path]) -> bool:
    """Whether a node of one lies at or below a node of the other."""
    nodes = set(held)
    on_the_way = {path[:length] for path in nodes for length in range(1, len(path) + 1)}
    return any(
        path in on_the_way or any(path[:length] in nodes for length in range(1, len(path))) for path in wanted
    )
