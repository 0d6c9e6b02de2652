"""Who did what: one line for each call, change and session in the log `sdqkd.audit`, never with a value.

Calls that change something, changes, sessions and refusals are at level INFO, reading is at DEBUG. A change names
the datastore and where it was edited: `+` before what is new, `-` before what is gone, `~` before what is
different. Keys of list entries are told, since they say which entry it is.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sdqkd.agent.sessions import Session
from sdqkd.datastore.ports import Changed
from sdqkd.errors import RpcError
from sdqkd.schema.diff import diff
from sdqkd.schema.path import format_path
from sdqkd.schema.table import Schema

_LOG = logging.getLogger("sdqkd.audit")
_SHOWN = 64  # characters of a name that the client chose
_SHOWN_EDITS = 20
_SHOWN_PATH = 300  # characters
_MARKS = {"add": "+", "remove": "-", "change": "~"}


def session_event(device: str, session: Session, event: str) -> None:
    """Tell that a session began or ended."""
    _write(logging.INFO, device, session, "session", event)


def call_done(
    device: str, session: Session, operation: str, changes: bool, errors: Sequence[RpcError] = ()
) -> None:
    """Tell how a call was answered; `operation` is its name, `changes` whether it can change anything."""
    level = logging.INFO if changes or errors else logging.DEBUG
    if _LOG.isEnabledFor(level):
        result = ",".join(error.tag for error in errors) or "ok"
        _write(level, device, session, operation[:_SHOWN], result)


def invoked(device: str, session: Session, path: str) -> None:
    """Tell which action of which node is asked for."""
    _LOG.info("device=%s user=%s session=%d invoked=%s", device, _name(session), session.id, _printable(path))


def changed(device: str, session: Session | None, schema: Schema, change: Changed) -> None:
    """Tell what was edited; without a session the agent did it by itself."""
    if not _LOG.isEnabledFor(logging.INFO):
        return
    edits = diff(schema, change.before, change.after)
    shown = " ".join(
        f"{_MARKS[edit.op]}{_printable(format_path(edit.path, schema))}" for edit in edits[:_SHOWN_EDITS]
    )
    more = f" (and {len(edits) - _SHOWN_EDITS} more)" if len(edits) > _SHOWN_EDITS else ""
    user = "none" if session is None else _name(session)
    number = 0 if session is None else session.id
    text = "device=%s user=%s session=%d changed=%s edits=%s%s"
    _LOG.info(text, device, user, number, change.target, shown or "none", more)


def _name(session: Session) -> str:
    # A certificate may name its user in several words, and could so write fields of its own: then in quotes.
    name = session.username
    return name if name.isprintable() and " " not in name else repr(name)


def _printable(path: str) -> str:
    # A key is a client's text: a line end in it would make a line of its own.
    shown = path if len(path) <= _SHOWN_PATH else f"{path[:_SHOWN_PATH]}…"
    if shown.isprintable():
        return shown
    return "".join(character if character.isprintable() else "?" for character in shown)


def server_event(device: str, event: str, result: str) -> None:
    """Tell what the agent did by itself."""
    _LOG.log(logging.INFO, "device=%s operation=%s result=%s", device, event, result)


def _write(level: int, device: str, session: Session, operation: str, result: str) -> None:
    _LOG.log(
        level,
        "device=%s user=%s peer=%s session=%d operation=%s result=%s",
        device,
        _name(session),
        session.peer,
        session.id,
        operation,
        result,
    )
