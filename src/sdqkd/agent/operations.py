"""The operations of an agent and what each does: RFC 6241 section 7, and 8.3 to 8.6 for those of a capability.

A handler reads its parameters, asks the datastores, and gives the content of the reply. `OPERATIONS` is the
whole list; an operation that is not in it is not supported. Further groups of operations (monitoring, NMDA, the
device's own) are tables of their own that are joined there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, get_args

from sdqkd.agent.parameters import Parameters, invalid_value
from sdqkd.agent.service import Service
from sdqkd.agent.sessions import Session
from sdqkd.datastore.confirmed import DEFAULT_TIMEOUT_S, Confirmation
from sdqkd.datastore.datastores import DefaultOperation, ErrorOption, TestOption
from sdqkd.datastore.locks import Target
from sdqkd.errors import RpcError
from sdqkd.netconf.messages import Rpc
from sdqkd.netconf.xml import BASE, Element
from sdqkd.schema.filter import subtree
from sdqkd.schema.tree import Container
from sdqkd.schema.xml import decode, encode

_OK = b"<ok/>"


@dataclass(frozen=True, slots=True)
class Call:
    """One operation to be done: for whom, on what, with which parameters."""

    service: Service
    session: Session
    parameters: Parameters


Handler: TypeAlias = Callable[[Call], bytes]


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table. `changes`: whether it can change more than its own session."""

    handler: Handler
    parameters: tuple[str, ...] = ()
    changes: bool = True


def perform(service: Service, session: Session, rpc: Rpc) -> bytes:
    """Do what a call asks for and give the content of its reply. Raises RpcError or RpcErrors if it is refused."""
    assert rpc.operation is not None
    operation = find(rpc)
    if operation is None:
        message = f"<{rpc.name[:80]}> in '{rpc.namespace[:200]}' is no operation of this agent"
        raise RpcError("operation-not-supported", message, "protocol", info={"bad-element": rpc.name[:80]})
    parameters = Parameters(rpc.operation, operation.parameters, service.datastores.targets)
    return operation.handler(Call(service, session, parameters))


def find(rpc: Rpc) -> Operation | None:
    """Look up what a call asks for, None if no agent can do it."""
    return None if rpc.operation is None else OPERATIONS.get(str(rpc.operation.tag))


def _get(call: Call) -> bytes:
    return _data(call, call.service.datastores.get())


def _get_config(call: Call) -> bytes:
    return _data(call, call.service.datastores.get_config(call.parameters.datastore("source")))


def _data(call: Call, tree: Container) -> bytes:
    schema, wanted = call.service.schema, call.parameters.filter()
    if wanted is not None:
        tree = subtree(schema, tree, wanted)
    return b"<data>%b</data>" % encode(schema, tree)


def _edit_config(call: Call) -> bytes:
    parameters = call.parameters
    call.service.datastores.edit_config(
        call.session.id,
        parameters.datastore("target", "running", "candidate"),
        parameters.element("config"),
        default_operation=parameters.word("default-operation", get_args(DefaultOperation)) or "merge",
        test_option=parameters.word("test-option", get_args(TestOption)),
        error_option=parameters.word("error-option", get_args(ErrorOption)) or "stop-on-error",
    )
    return _OK


def _copy_config(call: Call) -> bytes:
    target = call.parameters.datastore("target")
    call.service.datastores.copy_config(call.session.id, _source(call), target)
    return _OK


def _delete_config(call: Call) -> bytes:
    call.service.datastores.delete_config(call.session.id, call.parameters.datastore("target"))
    return _OK


def _validate(call: Call) -> bytes:
    call.service.datastores.validate(_source(call))
    return _OK


def _source(call: Call) -> Target | Container:
    source = call.parameters.datastore_or_config("source")
    return source if isinstance(source, str) else decode(call.service.schema, _elements(source))


def _elements(config: Element) -> list[Element]:
    return [child for child in config if isinstance(child.tag, str)]


def _commit(call: Call) -> bytes:
    service, parameters = call.service, call.parameters
    service.datastores.commit(
        call.session.id,
        confirm=_confirmation(parameters),
        persist_id=parameters.optional_text("persist-id"),
        now_s=service.clock.now_s(),
    )
    service.commit_timer.set()
    return _OK


def _confirmation(parameters: Parameters) -> Confirmation | None:
    if not parameters.flag("confirmed"):
        # A client that gives these expects that nothing is final.
        for name in ("confirm-timeout", "persist"):
            if parameters.has(name):
                parameters.element("confirmed")
        return None
    timeout_s = parameters.number("confirm-timeout", 1) if parameters.has("confirm-timeout") else DEFAULT_TIMEOUT_S
    return Confirmation(timeout_s, parameters.optional_text("persist"))


def _cancel_commit(call: Call) -> bytes:
    try:
        call.service.datastores.cancel_commit(call.session.id, call.parameters.optional_text("persist-id"))
    finally:
        call.service.commit_timer.set()
    return _OK


def _discard_changes(call: Call) -> bytes:
    call.service.datastores.discard_changes(call.session.id)
    return _OK


def _lock(call: Call) -> bytes:
    call.service.datastores.lock(call.session.id, call.parameters.datastore("target"))
    return _OK


def _unlock(call: Call) -> bytes:
    call.service.datastores.unlock(call.session.id, call.parameters.datastore("target"))
    return _OK


def _close_session(call: Call) -> bytes:
    call.session.close_after_reply()
    return _OK


def _kill_session(call: Call) -> bytes:
    session_id = call.parameters.number("session-id")
    if session_id == call.session.id:
        raise invalid_value("session-id", "a session cannot kill itself; use close-session")
    victim = call.service.sessions.get(session_id)
    if victim is None:
        raise invalid_value("session-id", f"there is no session {session_id}")
    victim.end(f"killed by session {call.session.id}")
    return _OK


_BASE_OPERATIONS = {
    "get": Operation(_get, ("filter",), changes=False),
    "get-config": Operation(_get_config, ("source", "filter"), changes=False),
    "edit-config": Operation(
        _edit_config, ("target", "default-operation", "test-option", "error-option", "config")
    ),
    "copy-config": Operation(_copy_config, ("target", "source")),
    "delete-config": Operation(_delete_config, ("target",)),
    "lock": Operation(_lock, ("target",)),
    "unlock": Operation(_unlock, ("target",)),
    "close-session": Operation(_close_session, changes=False),
    "kill-session": Operation(_kill_session, ("session-id",)),
    "commit": Operation(_commit, ("confirmed", "confirm-timeout", "persist", "persist-id")),
    "cancel-commit": Operation(_cancel_commit, ("persist-id",)),
    "discard-changes": Operation(_discard_changes),
    "validate": Operation(_validate, ("source",), changes=False),
}

OPERATIONS: Mapping[str, Operation] = {
    f"{{{BASE}}}{name}": operation for name, operation in _BASE_OPERATIONS.items()
}
