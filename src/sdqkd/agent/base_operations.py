"""The operations of RFC 6241 and what each does: section 7, and 8.3 to 8.7 for those of a capability.

A handler reads its parameters, asks the datastores, and gives the content of the reply.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from sdqkd.agent import retrieval
from sdqkd.agent.call import OK, Call, Operation
from sdqkd.agent.parameters import Parameters, invalid_value
from sdqkd.agent.retrieval import WITH_DEFAULTS, defaults_mode, reshaping
from sdqkd.datastore.confirmed import DEFAULT_TIMEOUT_S, Confirmation
from sdqkd.datastore.datastores import DefaultOperation, ErrorOption, TestOption
from sdqkd.datastore.locks import Target
from sdqkd.datastore.steps import Steps
from sdqkd.netconf.xml import BASE, Element
from sdqkd.schema.attributes import marks_defaults
from sdqkd.schema.edit import edit
from sdqkd.schema.tree import EMPTY, Container
from sdqkd.schema.xml import decode


def _edit_config(call: Call) -> bytes | Steps[bytes]:
    parameters = call.parameters
    target = parameters.datastore("target", "running", "candidate")
    config = parameters.element("config")
    operation: DefaultOperation = parameters.word("default-operation", get_args(DefaultOperation)) or "merge"
    test_option = parameters.word("test-option", get_args(TestOption))
    error_option: ErrorOption = parameters.word("error-option", get_args(ErrorOption)) or "stop-on-error"
    datastores, session = call.service.datastores, call.session.id
    if error_option == "continue-on-error" and operation != "replace":
        return _then_ok(datastores.edit_parts(session, target, config, operation, test_option, call.rights))
    datastores.edit_config(
        session,
        target,
        config,
        default_operation=operation,
        test_option=test_option,
        error_option=error_option,
        rights=call.rights,
    )
    return OK


def _then_ok(steps: Steps[None]) -> Steps[bytes]:
    yield from steps
    return OK


def _copy_config(call: Call) -> bytes:
    call.service.datastores.copy_config(
        call.session.id,
        _source(call),
        call.parameters.datastore("target"),
        rights=call.rights,
        reshape=reshaping(call.service.schema, defaults_mode(call.parameters)),
    )
    return OK


def _delete_config(call: Call) -> bytes:
    call.service.datastores.delete_config(call.session.id, call.parameters.datastore("target"))
    return OK


def _validate(call: Call) -> bytes:
    call.service.datastores.validate(_source(call))
    return OK


def _source(call: Call) -> Target | Container:
    source = call.parameters.datastore_or_config("source")
    if isinstance(source, str):
        return source
    if marks_defaults(source):
        # As an edit of nothing, since what is marked as default is not set.
        return edit(call.service.schema, EMPTY, source)
    return decode(call.service.schema, _elements(source))


def _elements(config: Element) -> list[Element]:
    return [child for child in config if isinstance(child.tag, str)]


def _commit(call: Call) -> bytes:
    service, parameters = call.service, call.parameters
    confirm = _confirmation(parameters)
    event = service.datastores.commit(
        call.session.id,
        confirm=confirm,
        persist_id=parameters.optional_text("persist-id"),
        now_s=service.clock.now_s(),
        rights=call.rights,
    )
    service.commit_timer.set()
    service.notifier.commit_pending(event, call.session, confirm.timeout_s if confirm else None)
    return OK


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
        event = call.service.datastores.cancel_commit(call.session.id, call.parameters.optional_text("persist-id"))
    finally:
        call.service.commit_timer.set()
    call.service.notifier.commit_pending(event, call.session)
    return OK


def _discard_changes(call: Call) -> bytes:
    call.service.datastores.discard_changes(call.session.id)
    return OK


def _lock(call: Call) -> bytes:
    target = call.parameters.any_datastore("target")
    call.service.datastores.lock(call.session.id, target, call.service.clock.wall())
    return OK


def _unlock(call: Call) -> bytes:
    call.service.datastores.unlock(call.session.id, call.parameters.any_datastore("target"))
    return OK


def _close_session(call: Call) -> bytes:
    call.session.close_after_reply()
    return OK


def _kill_session(call: Call) -> bytes:
    session_id = call.parameters.number("session-id")
    if session_id == call.session.id:
        raise invalid_value("session-id", "a session cannot kill itself; use close-session")
    victim = call.service.sessions.get(session_id)
    if victim is None:
        raise invalid_value("session-id", f"there is no session {session_id}")
    victim.end(f"killed by session {call.session.id}", "killed", call.session.id)
    return OK


def _tag(name: str) -> str:
    return f"{{{BASE}}}{name}"


OPERATIONS: Mapping[str, Operation] = {
    _tag("get"): Operation(retrieval.get, ("filter", WITH_DEFAULTS), changes=False),
    _tag("get-config"): Operation(
        retrieval.get_config, ("source", "filter", WITH_DEFAULTS), changes=False, repeats=True
    ),
    _tag("edit-config"): Operation(
        _edit_config, ("target", "default-operation", "test-option", "error-option", "config")
    ),
    _tag("copy-config"): Operation(_copy_config, ("target", "source", WITH_DEFAULTS)),
    _tag("delete-config"): Operation(_delete_config, ("target",)),
    _tag("lock"): Operation(_lock, ("target",)),
    _tag("unlock"): Operation(_unlock, ("target",)),
    _tag("close-session"): Operation(_close_session, changes=False),
    _tag("kill-session"): Operation(_kill_session, ("session-id",)),
    _tag("commit"): Operation(_commit, ("confirmed", "confirm-timeout", "persist", "persist-id")),
    _tag("cancel-commit"): Operation(_cancel_commit, ("persist-id",)),
    _tag("discard-changes"): Operation(_discard_changes),
    _tag("validate"): Operation(_validate, ("source",), changes=False),
}
