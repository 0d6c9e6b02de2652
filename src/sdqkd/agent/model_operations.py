"""Operations that a device's own model has: RPCs and actions, RFC 7950 sections 7.14 and 7.15.

The model says which parameters there are, and the device what they do. `must` and `when` of parameters are the
device's to judge.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping

from sdqkd.agent import audit
from sdqkd.agent.call import OK, Call, Operation
from sdqkd.agent.parameters import bad_element
from sdqkd.errors import RpcError
from sdqkd.netconf.xml import YANG, Element, local_name_of
from sdqkd.schema.defaults import with_defaults
from sdqkd.schema.elements import Reading, is_content
from sdqkd.schema.path import format_path
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Container, Entries, Node, Path, Step, get
from sdqkd.schema.xml import decode_below, encode_one

ACTION = f"{{{YANG}}}action"


def model_operation(schema: Schema, request: Element) -> Operation | None:
    """Give the operation that an element asks for, None if the model has no such RPC."""
    if request.tag == ACTION:
        return _ACTION
    return _RPC if _rpc_of(schema, request) in schema.rpcs else None


def _rpc_of(schema: Schema, request: Element) -> str:
    namespace, _, name = str(request.tag)[1:].partition("}")
    return f"{schema.module_of(namespace)}:{name}"


def _rpc(call: Call) -> bytes:
    request, schema = call.parameters.operation, call.service.schema
    member = _rpc_of(schema, request)
    rpc = schema.rpcs[member]
    given = _parameters(schema, rpc.input, request, f"/{member}")
    return _invoked(call, member, (), given, rpc.output)


def _action(call: Call) -> bytes:
    schema = call.service.schema
    element, action, at = _asked_for(schema, call.parameters.operation)
    # Before anything that would tell whether the node is there: RFC 8341 section 3.4.4.
    call.service.access.demand_action(call.session.username, action, (*at, action.member))
    _demand_node(schema, call.service.datastores.get(), at)
    where = f"{format_path(at, schema)}/{action.member}"
    given = _parameters(schema, action.operations["input"], element, where)
    audit.invoked(call.service.name, call.session, where)
    return _invoked(call, f"{action.module}:{action.name}", at, given, action.operations["output"])


def _invoked(call: Call, operation: str, at: Path, given: Container, output: SchemaNode) -> bytes:
    invoke = call.service.invoke
    assert invoke is not None
    told = invoke(operation, at, given).children
    schema = call.service.schema
    return b"".join(encode_one(schema, output.children[name], value) for name, value in told.items()) or OK


def _asked_for(schema: Schema, request: Element) -> tuple[Element, SchemaNode, Path]:
    """Give the action's element, the action, and the node that it belongs to: RFC 7950 section 7.15.2."""
    reading = Reading(schema, schema.by_tag, request)
    known, actions, keys = schema.by_tag, dict[str, SchemaNode](), frozenset[str]()
    steps: list[Step] = []
    at = request
    while True:
        reading.refuse_text(at)
        at = _only(at, keys)
        if (action := actions.get(str(at.tag))) is not None:
            return at, action, tuple(steps)
        node = known.get(str(at.tag))
        if node is None:
            raise reading.unknown(at, {**known, **actions})
        if node.kind not in ("container", "list"):
            raise bad_element(at, f"{node.name} is a {node.kind}, which has no actions")
        entry = node.kind == "list" and node.keys
        steps.append((node.member, reading.keys(node, at)) if entry else node.member)
        known, keys = node.by_tag, frozenset(node.children[key].tag for key in node.keys)
        actions = {one.tag: one for one in node.operations.values() if one.kind == "action"}


def _only(element: Element, keys: frozenset[str]) -> Element:
    """Give the one child that is no key."""
    inner = [child for child in element if is_content(child) and child.tag not in keys]
    if not inner:
        message = f"<{local_name_of(element)}> should hold an action, or the node that has it"
        raise RpcError("missing-element", message, "protocol", info={"bad-element": local_name_of(element)})
    if len(inner) > 1:
        raise bad_element(inner[1], "one <action> can ask for one action only")
    return inner[0]


def _demand_node(schema: Schema, tree: Container, at: Path) -> None:
    """Raise RpcError data-missing unless there is such a node. Containers without presence always are there."""
    for length, step in enumerate(at, 1):
        path = at[:length]
        if (isinstance(step, tuple) or schema.node(path).presence) and get(tree, path) is None:
            raise RpcError("data-missing", "there is no such node", path=format_path(path, schema))


def _parameters(schema: Schema, wanted: SchemaNode, element: Element, where: str) -> Container:
    """Read the parameters, with defaults. Errors get a path that begins with `where`."""
    try:
        Reading(schema, wanted.by_tag, element).refuse_text(element)
        given = decode_below(schema, wanted, element)
        for missing in _missing(wanted.children, given.children):
            message = f"<{local_name_of(element)}> needs <{missing}>"
            raise RpcError("missing-element", message, path="/", info={"bad-element": missing})
    except RpcError as error:
        if error.tag == "unknown-element" and error.path == "/":
            error.message = f"<{local_name_of(element)}> has no parameter '{error.info['bad-element']}'"
        error.path = f"{where}{(error.path or '').removesuffix('/')}"
        raise
    return with_defaults(_below(schema, wanted), given)


@functools.cache
def _below(schema: Schema, wanted: SchemaNode) -> Schema:
    """Give the schema of some parameters."""
    return dataclasses.replace(
        schema, data=wanted.children, by_tag=wanted.by_tag, default_cases=wanted.default_cases
    )


def _missing(known: Mapping[str, SchemaNode], given: Mapping[str, Node]) -> Iterator[str]:
    """Give the names of what must be there and is not, here and below."""
    for member, node in known.items():
        value = given.get(member)
        if value is None and (node.mandatory or node.min) and not node.choice:
            yield node.name
        for inside in _containers(node, value):
            yield from _missing(node.children, inside.children)


def _containers(node: SchemaNode, value: Node | None) -> tuple[Container, ...]:
    if isinstance(value, Entries):
        return tuple(value.entries.values())
    if isinstance(value, Container):
        return (value,)
    # What is mandatory in a container without presence is mandatory where this is.
    return (Container({}),) if node.kind == "container" and not (node.presence or node.choice) else ()


_RPC = Operation(_rpc, None)
_ACTION = Operation(_action, None)
