"""A commit that waits to be confirmed: RFC 6241 section 8.4. Pure: seconds of any steady clock are arguments.

Whoever may confirm it may also extend or cancel it: the session that issued it or, if it bears a token
(`persist`), any session that gives this token (`persist-id`).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from sdqkd.datastore.locks import NO_SESSION, lock_denied
from sdqkd.errors import RpcError
from sdqkd.schema.tree import Container

DEFAULT_TIMEOUT_S = 600  # RFC 6241 section 8.4.1
NOBODY = 0  # no session has this id

# What happens to a confirmed commit, as RFC 6470 names it.
ConfirmEvent: TypeAlias = Literal["start", "cancel", "timeout", "extend", "complete"]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What `<commit>` with `<confirmed/>` asks for."""

    timeout_s: int = DEFAULT_TIMEOUT_S
    persist: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Pending:
    """A confirmed commit under way: what running becomes again at `due_s`, and who has a say in it."""

    rollback: Container = field(repr=False)
    session: int
    due_s: float
    persist: str | None = field(repr=False)

    def extended(self, session: int, now_s: float, asked: Confirmation) -> Pending:
        """Give it after a follow-up. Without a new token it keeps the one that it has."""
        persist = self.persist if asked.persist is None else asked.persist
        return replace(self, session=session, due_s=now_s + asked.timeout_s, persist=persist)

    def orphaned(self) -> Pending:
        """Give it after its session has ended."""
        return replace(self, session=NOBODY)


def begin(rollback: Container, session: int, now_s: float, asked: Confirmation) -> Pending:
    """Give the first confirmed commit of a sequence; `rollback` is running as it was before."""
    return Pending(rollback, session, now_s + asked.timeout_s, asked.persist)


def demand_say(pending: Pending | None, session: int, persist_id: str | None) -> None:
    """Raise RpcError unless this session may commit now.

    `invalid-value` for a token that is not the pending commit's, `in-use` if one is pending and needs its
    token or another session.
    """
    if persist_id is not None:
        if pending is None or pending.persist is None or not _equal(pending.persist, persist_id):
            message = "no confirmed commit with this persist-id is pending"
            raise RpcError("invalid-value", message, "protocol", info={"bad-element": "persist-id"})
    elif pending is not None and pending.persist is not None:
        raise RpcError("in-use", "a persistent confirmed commit is pending: give its persist-id", "protocol")
    elif pending is not None and pending.session != session:
        message = f"a confirmed commit of session {pending.session} is pending"
        raise RpcError("in-use", message, "protocol", info={"session-id": str(pending.session)})


def demand_lockable(pending: Pending | None, session: int) -> None:
    """Raise RpcError lock-denied while another session's confirmed commit is pending: RFC 6241 section 7.5."""
    if pending is None or pending.session == session:
        return
    holder = NO_SESSION if pending.session == NOBODY else str(pending.session)
    whose = "whose session has ended" if pending.session == NOBODY else f"of session {holder}"
    raise lock_denied(f"a confirmed commit {whose} is pending", holder)


def none_pending() -> RpcError:
    """Give the error for a cancel-commit without anything to cancel."""
    return RpcError("operation-failed", "no confirmed commit is pending", "protocol")


def _equal(token: str, other: str) -> bool:
    # A token lets any session decide: how long the comparison takes must not give it away.
    return hmac.compare_digest(token.encode(), other.encode())
