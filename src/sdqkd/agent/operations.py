"""Which operations an agent can do. What is in none of the tables joined here is not supported.

Each group of operations is a table of its own, by XML name, in a module of its own. Beside them a device does what
its own model has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sdqkd.agent import base_operations, get_schema, nmda, notification_operations, partial_lock
from sdqkd.agent.call import Call, Operation
from sdqkd.agent.model_operations import ACTION, model_operation
from sdqkd.agent.parameters import Parameters
from sdqkd.agent.service import Service
from sdqkd.agent.sessions import Session
from sdqkd.datastore.steps import Steps
from sdqkd.errors import RpcError, RpcErrors
from sdqkd.netconf.messages import Rpc
from sdqkd.netconf.xml import Element

OPERATIONS: Mapping[str, Operation] = {
    **base_operations.OPERATIONS,
    **get_schema.OPERATIONS,
    **notification_operations.OPERATIONS,
    **nmda.OPERATIONS,
    **partial_lock.OPERATIONS,
}


def perform(service: Service, session: Session, rpc: Rpc) -> bytes | Steps[bytes]:
    """Do what a call asks for and give the content of its reply, or the steps that are left to it.

    Raises RpcError or RpcErrors if it is refused; so do the steps.

    Whether the user may ask for it at all is settled first: RFC 8341 section 3.4.4.
    """
    assert rpc.operation is not None
    operation = find(service, rpc)
    if operation is None:
        message = f"<{rpc.name[:80]}> in '{rpc.namespace[:200]}' is no operation of this agent"
        raise RpcError("operation-not-supported", message, "protocol", info={"bad-element": rpc.name[:80]})
    if rpc.operation.tag != ACTION:  # of an action, the rules for its node decide
        service.access.demand_operation(session.username, rpc.namespace, rpc.name)
    if operation.repeats:
        return _repeated(service, session, rpc.operation, operation)
    return _done(service, session, rpc.operation, operation)


def _repeated(service: Service, session: Session, request: Element, operation: Operation) -> bytes | Steps[bytes]:
    """Give the answer that was given before, if it still is the right one."""
    rights, trees = service.access.rights(session.username), service.datastores.configurations
    known = service.answers.find(request, rights, trees)
    if known is not None:
        return known
    answer = _done(service, session, request, operation)
    if isinstance(answer, bytes):
        service.answers.keep(request, rights, trees, answer)
    return answer


def _done(service: Service, session: Session, request: Element, operation: Operation) -> bytes | Steps[bytes]:
    with _told_by_rights(service, session):
        targets = service.datastores.targets
        parameters = Parameters(request, operation.parameters, targets, operation.lists)
        answer = operation.handler(Call(service, session, parameters))
    return answer if isinstance(answer, bytes) else _stepwise(service, session, answer)


def _stepwise(service: Service, session: Session, steps: Steps[bytes]) -> Steps[bytes]:
    with _told_by_rights(service, session):
        return (yield from steps)


@contextmanager
def _told_by_rights(service: Service, session: Session) -> Iterator[None]:
    """Let an error say no more than the user may know."""
    try:
        yield
    except (RpcError, RpcErrors) as error:
        told = service.access.refusal(session.username, error)
        if told is error:
            raise
        raise told from None


def find(service: Service, rpc: Rpc) -> Operation | None:
    """Look up what a call asks for, None if this agent cannot do it."""
    if rpc.operation is None:
        return None
    known = OPERATIONS.get(str(rpc.operation.tag))
    if known is None and service.invoke is not None:
        return model_operation(service.schema, rpc.operation)
    return known
