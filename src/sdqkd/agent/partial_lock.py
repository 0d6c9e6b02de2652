"""<partial-lock> and <partial-unlock>: RFC 5717.

A user locks only what he sees and may update, so that nobody is kept from a part by one who could not change it.
"""

from __future__ import annotations

from collections.abc import Mapping

from sdqkd.agent.call import OK, Call, Operation
from sdqkd.agent.parameters import invalid_value
from sdqkd.errors import RpcError
from sdqkd.netconf.xml import Element, text_of
from sdqkd.schema.path import format_path
from sdqkd.schema.tree import Container, Entries, Path
from sdqkd.schema.xml import encode_one
from sdqkd.schema.xpath import NotNodesError, TooExpensiveError, XPathError, names_at
from sdqkd.schema.xpath_select import find

NAMESPACE = "urn:ietf:params:xml:ns:netconf:partial-lock:1.0"
_LOCK = "ietf-netconf-partial-lock:partial-lock"


def _partial_lock(call: Call) -> bytes:
    schema = call.service.schema
    call.parameters.element("select")
    selects = call.parameters.elements("select")
    running = call.readable(call.service.datastores.get_config("running"))
    nodes = tuple(dict.fromkeys(path for select in selects for path in _selected(call, running, select)))
    if not nodes:
        raise RpcError("operation-failed", "there is nothing to lock: no node is selected", app_tag="no-matches")
    for path in nodes:
        if not call.rights.may_write("update", path):
            message = f"the user '{call.session.username}' may not update this, and so not lock it"
            raise RpcError("access-denied", message, path=format_path(path, schema))
    texts = tuple(text_of(select) for select in selects)
    lock_id = call.service.datastores.lock_parts(call.session.id, texts, nodes, call.service.clock.wall())
    output = schema.rpcs[_LOCK].output.children
    located = tuple(format_path(path, schema) for path in nodes)
    return encode_one(schema, output["lock-id"], str(lock_id)) + encode_one(schema, output["locked-node"], located)


def _selected(call: Call, running: Container, select: Element) -> list[Path]:
    """Give the nodes that one <select> names. Raises RpcError as RFC 5717 section 2.4.1 says."""
    schema = call.service.schema
    try:
        paths = find(schema, running, text_of(select), names_at(schema, select))
    except TooExpensiveError as error:
        raise RpcError("resource-denied", str(error)) from error
    except XPathError as error:
        refusal = invalid_value("select", str(error))
        refusal.app_tag = "not-a-node-set" if isinstance(error, NotNodesError) else None
        raise refusal from error
    return [path for found in paths for path in ([found] if found else _tops(running))]


def _tops(running: Container) -> list[Path]:
    """Give the nodes at the top, since the root itself has no name."""
    paths: list[Path] = []
    for member, value in running.children.items():
        paths += [((member, keys),) for keys in value.entries] if isinstance(value, Entries) else [(member,)]
    return paths


def _partial_unlock(call: Call) -> bytes:
    call.service.datastores.unlock_parts(call.session.id, call.parameters.number("lock-id"))
    return OK


OPERATIONS: Mapping[str, Operation] = {
    f"{{{NAMESPACE}}}partial-lock": Operation(_partial_lock, ("select",), lists=("select",)),
    f"{{{NAMESPACE}}}partial-unlock": Operation(_partial_unlock, ("lock-id",)),
}
