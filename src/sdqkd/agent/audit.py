"""Who did what: one line for each call and session in the log `sdqkd.audit`, never with a payload.

Calls that change something, sessions and refusals are at level INFO, reading is at DEBUG.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sdqkd.agent.sessions import Session
from sdqkd.errors import RpcError

_LOG = logging.getLogger("sdqkd.audit")
_SHOWN = 64  # characters of a name that the client chose


def session_event(device: str, session: Session, event: str) -> None:
    """Tell that a session began or ended."""
    _write(logging.INFO, device, session, "session", event)


def call_done(
    device: str, session: Session, operation: str, changes: bool, errors: Sequence[RpcError] = ()
) -> None:
    """Tell how a call was answered; `operation` is its name, `changes` whether it can change anything."""
    result = ",".join(error.tag for error in errors) or "ok"
    level = logging.INFO if changes or errors else logging.DEBUG
    _write(level, device, session, operation[:_SHOWN], result)


def server_event(device: str, event: str, result: str) -> None:
    """Tell what the agent did by itself."""
    _LOG.log(logging.INFO, "device=%s operation=%s result=%s", device, event, result)


def _write(level: int, device: str, session: Session, operation: str, result: str) -> None:
    _LOG.log(
        level,
        "device=%s user=%s peer=%s session=%d operation=%s result=%s",
        device,
        session.username,
        session.peer,
        session.id,
        operation,
        result,
    )
