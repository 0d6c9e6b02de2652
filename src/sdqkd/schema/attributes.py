"""The attributes that an edit-config request puts on elements: what to do, and where in an ordered list.

`operation` is RFC 6241 section 7.2, in the NETCONF namespace under any prefix; `insert`, `key` and `value` are
RFC 7950 sections 7.7.9 and 7.8.6, in YANG's namespace; `default` is RFC 6243 section 4.5.2, in its own.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, cast

from lxml import etree

from sdqkd.errors import RpcError
from sdqkd.schema.elements import Element, Reading
from sdqkd.schema.path import format_path, read_predicates
from sdqkd.schema.table import SchemaNode
from sdqkd.schema.types import canonical
from sdqkd.schema.working import Insertion, Where

NETCONF = "urn:ietf:params:xml:ns:netconf:base:1.0"
YANG = "urn:ietf:params:xml:ns:yang:1"
WITH_DEFAULTS = "urn:ietf:params:xml:ns:netconf:default:1.0"

Operation: TypeAlias = Literal["merge", "replace", "create", "delete", "remove", "none"]
OPERATIONS = frozenset({"merge", "replace", "create", "delete", "remove"})
DEFAULT_OPERATIONS = frozenset({"merge", "replace", "none"})

_OPERATION = f"{{{NETCONF}}}operation"
_INSERT, _KEY, _VALUE = (f"{{{YANG}}}{name}" for name in ("insert", "key", "value"))
_KNOWN = {_OPERATION, _INSERT, _KEY, _VALUE}
# In a wrong namespace they would be passed over, and something else be done than what was asked for.
_HINTS = {
    "operation": "; it must be in the NETCONF namespace, as in nc:operation",
    "insert": "; it must be in YANG's namespace, as in yang:insert",
}
_DEFAULT = f"{{{WITH_DEFAULTS}}}default"
_ANY_DEFAULT = etree.XPath("boolean(.//@wd:default)", namespaces={"wd": WITH_DEFAULTS})
_WITH_ATTRIBUTES = etree.XPath(".//*[@*]")
_FLAGS = {None: False, "true": True, "1": True, "false": False, "0": False}


def operation_of(reading: Reading, element: Element, inherited: Operation) -> Operation:
    """The operation for this element. Raises RpcError `bad-attribute` or `unknown-attribute`."""
    names = element.keys()
    if not names:
        return inherited
    for name in map(str, names):
        if name not in _KNOWN and _is_meant_for_us(name):
            raise _unknown_attribute(reading, element, name)
    operation = element.get(_OPERATION)
    if operation is None:
        return inherited
    if operation not in OPERATIONS:
        wanted = "merge, replace, create, delete or remove"
        raise bad_attribute(reading, element, "operation", f"the operation '{operation}' is not {wanted}")
    return cast(Operation, operation)


def refuse_attributes(reading: Reading, config: Element) -> None:
    """Raises RpcError `unknown-attribute` for what belongs on elements inside <config> and stands on it."""
    for name in map(str, config.keys()):
        if name in _KNOWN or _is_meant_for_us(name):
            raise _unknown_attribute(reading, config, name)


def _is_meant_for_us(name: str) -> bool:
    """Whether an attribute says what to do, though perhaps wrongly. Others' annotations say nothing to us."""
    known = etree.QName(name)
    return known.namespace in {None, NETCONF, YANG} or known.localname in _HINTS


def with_attributes_below(config: Element) -> frozenset[Element]:
    """The elements of a request below which another one has an attribute."""
    found: set[Element] = set()
    for element in cast(list[Element], _WITH_ATTRIBUTES(config)):
        above = element.getparent()
        while above is not None and above not in found:
            found.add(above)
            above = above.getparent()
    return frozenset(found)


def marks_defaults(config: Element) -> bool:
    """Whether anything in a request is marked as a default."""
    return bool(_ANY_DEFAULT(config))


def is_marked_default(reading: Reading, node: SchemaNode, element: Element, operation: Operation) -> bool:
    """Whether the request marks this leaf or value as the default, so that it is not to be set but unset.

    Raises RpcError `invalid-value` if it is another value, or if the operation does not set it anyhow (RFC 6243
    section 4.5.2), `bad-attribute` if the mark is no boolean or stands on something else.
    """
    mark = element.get(_DEFAULT)
    if mark not in _FLAGS or (mark is not None and node.kind not in {"leaf", "leaf-list"}):
        raise bad_attribute(reading, element, "default", f"the attribute 'default' cannot mark this as '{mark}'")
    if not _FLAGS[mark]:
        return False
    if operation not in {"create", "merge", "replace"}:
        raise _error("invalid-value", reading, element, "default", f"a default is not marked to {operation} it")
    if reading.value(node, element) not in node.default:
        message = f"the value is marked as the default of {node.name}, and is not"
        raise _error("invalid-value", reading, element, "default", message)
    return True


def insertion_of(reading: Reading, node: SchemaNode, element: Element) -> Insertion | None:
    """Where the request wants this list entry or leaf-list value; None if it does not say.

    Raises RpcError `bad-attribute`, or `missing-attribute` if before or after lacks its neighbour.
    """
    where = element.get(_INSERT)
    if where is None:
        return None
    if not node.user_ordered or where not in {"first", "last", "before", "after"}:
        why = f"'{where}' is no place" if node.user_ordered else f"{node.name} is in no order of the user's"
        raise bad_attribute(reading, element, "insert", f"cannot insert: {why}")
    beside = _neighbour(reading, node, element) if where in {"before", "after"} else ()
    return Insertion(cast(Where, where), beside)


def _neighbour(reading: Reading, node: SchemaNode, element: Element) -> tuple[str, ...]:
    attribute = _KEY if node.kind == "list" else _VALUE
    name = etree.QName(attribute).localname
    text = element.get(attribute)
    if text is None:
        message = f"inserting before or after an entry of {node.name} needs the attribute '{name}'"
        raise _error("missing-attribute", reading, element, name, message)
    try:
        if node.kind == "list":
            given = read_predicates(node, text)
            leafs = [node.children[key] for key in node.keys]
        else:
            given, leafs = (text,), [node]
        resolve = reading.namespaces(element)
        return tuple(
            canonical(leaf.type, value, resolve) if leaf.type else value
            for leaf, value in zip(leafs, given, strict=True)
        )
    except (ValueError, RpcError) as error:
        raise bad_attribute(reading, element, name, f"'{text}' names no entry of {node.name}") from error


def missing_neighbour(reading: Reading, node: SchemaNode, element: Element) -> RpcError:
    """The entry beside which to insert does not exist (RFC 7950 section 15.7)."""
    name = "key" if node.kind == "list" else "value"
    error = bad_attribute(reading, element, name, f"the entry of {node.name} to insert beside does not exist")
    error.app_tag = "missing-instance"
    return error


def bad_attribute(reading: Reading, element: Element, name: str, message: str) -> RpcError:
    """The error for an attribute with a wrong value."""
    return _error("bad-attribute", reading, element, name, message)


def _unknown_attribute(reading: Reading, element: Element, name: str) -> RpcError:
    local = etree.QName(name).localname
    hint = " here; it belongs on what this element holds" if name in _KNOWN else _HINTS.get(local, "")
    return _error("unknown-attribute", reading, element, local, f"the attribute '{local}' is not known{hint}")


def _error(tag: str, reading: Reading, element: Element, name: str, message: str) -> RpcError:
    path = format_path(reading.path_of(element), reading.schema)
    info = {"bad-attribute": name, "bad-element": etree.QName(element).localname}
    return RpcError(tag, message, path=path, info=info)
