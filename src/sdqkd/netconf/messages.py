"""The messages after the hello: <rpc> and <rpc-reply>, RFC 6241 section 4. Not framed; payloads are opaque.

A reply is put together from bytes: what the payload holds is not parsed and written again. It must declare
its own namespaces, as `schema` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lxml import etree

from sdqkd.errors import RpcError
from sdqkd.netconf.rpc_error import build_error, parse_error
from sdqkd.netconf.xml import BASE, Element, escape, local_name_of, namespace_of, parse, text_of

MAX_ATTRIBUTES = 1000  # of an rpc
_XML = "http://www.w3.org/XML/1998/namespace"
_RPC = f"{{{BASE}}}rpc"
_REPLY = f"{{{BASE}}}rpc-reply"
_EVENTS = "urn:ietf:params:xml:ns:netconf:notification:1.0"
NOTIFICATION = f"{{{_EVENTS}}}notification"


@dataclass(frozen=True, slots=True, eq=False)
class Rpc:
    """A call, or as much of one as could be read: what its reply must echo, and the operation.

    `attributes` are all those of <rpc> (namespaced ones in the form `{namespace}name`), `prefixes` the
    namespaces in scope there. `operation` is None only if the call is refused.
    """

    message_id: str | None = None
    attributes: Mapping[str, str] | None = None
    prefixes: Mapping[str, str] | None = None
    operation: Element | None = None

    @property
    def name(self) -> str:
        """Local name of the operation, such as `get-config`."""
        return "" if self.operation is None else local_name_of(self.operation)

    @property
    def namespace(self) -> str:
        """Namespace of the operation."""
        return "" if self.operation is None else namespace_of(self.operation)


@dataclass(frozen=True, slots=True, eq=False)
class Notification:
    """An event that a server tells, RFC 5277 section 4. `event_time` as it says it; `content` is its element."""

    event_time: str
    content: Element


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """An answer, as a client sees it. `content` are the elements beside errors and <ok/>.

    Warnings are among `errors`, and do not make a reply fail.
    """

    message_id: str | None
    errors: tuple[RpcError, ...] = ()
    content: tuple[Element, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the operation was done: no error but warnings."""
        return all(error.severity == "warning" for error in self.errors)

    @property
    def data(self) -> Element | None:
        """The <data> of a reply to get, get-config or get-data; None if there is none."""
        return next((element for element in self.content if local_name_of(element) == "data"), None)


def parse_rpc(root: Element) -> tuple[Rpc, RpcError | None]:
    """Read a call. The error, if any, says why it must be refused; the reply echoes it none the less."""
    if root.tag != _RPC:
        return Rpc(), _no_rpc(root)
    if len(root.attrib) > MAX_ATTRIBUTES or len(root.nsmap) > MAX_ATTRIBUTES:
        # lxml takes quadratic time to read them all. So the reply echoes what it needs only.
        message = f"the rpc has more than {MAX_ATTRIBUTES} attributes or namespaces, which would all come back"
        message_id = _message_id(root)
        return Rpc(message_id, {"message-id": message_id or ""}), RpcError("too-big", message, "rpc")
    operations = [child for child in root if isinstance(child.tag, str)]
    rpc = Rpc(
        _message_id(root),
        {str(name): str(value) for name, value in root.attrib.items()},
        {prefix: uri for prefix, uri in root.nsmap.items() if prefix is not None},
        operations[0] if len(operations) == 1 else None,
    )
    return rpc, _refusal(rpc, operations)


def _message_id(root: Element) -> str | None:
    # Some clients put the attribute in the namespace of its element; its name is no other for that.
    return root.get("message-id", root.get(f"{{{BASE}}}message-id"))


def _no_rpc(root: Element) -> RpcError:
    name, namespace = local_name_of(root), namespace_of(root)
    if namespace == BASE:
        return RpcError("unknown-element", f"<{name}> came where <rpc> is expected", "protocol",
                        info={"bad-element": name})  # fmt: skip
    message = f"<{name}> in '{namespace}' came where <rpc> in {BASE} is expected"
    return RpcError(
        "unknown-namespace", message, "protocol", info={"bad-element": name, "bad-namespace": namespace}
    )


def _refusal(rpc: Rpc, operations: Sequence[Element]) -> RpcError | None:
    if rpc.message_id is None:
        info = {"bad-attribute": "message-id", "bad-element": "rpc"}
        return RpcError("missing-attribute", "the rpc has no message-id", "rpc", info=info)
    if not operations:
        info = {"bad-element": "rpc"}
        return RpcError("missing-element", "the rpc names no operation", "protocol", info=info)
    if len(operations) > 1:
        info = {"bad-element": local_name_of(operations[1])}
        return RpcError("bad-element", "the rpc names more than one operation", "protocol", info=info)
    return None


def build_rpc(message_id: str, payload: bytes) -> bytes:
    """Write a call; the payload is the operation, with its namespace declared."""
    return b'<rpc xmlns="%b" message-id="%b">%b</rpc>' % (BASE.encode(), escape(message_id).encode(), payload)


def reply(rpc: Rpc, content: bytes) -> bytes:
    """Write an answer: its content is `<ok/>` or the output of the operation, with its namespaces declared."""
    return b"<rpc-reply %b>%b</rpc-reply>" % (_echo(rpc).encode(), content)


def reply_errors(rpc: Rpc, errors: Sequence[RpcError], namespaces: Mapping[str, str]) -> bytes:
    """Write an answer with errors; `namespaces` gives the namespace of each module that a path names."""
    return reply(rpc, b"".join(build_error(error, namespaces) for error in errors))


def _echo(rpc: Rpc) -> str:
    """Attributes of a reply: all of the call's, RFC 6241 section 4.2, and the prefixes they need."""
    attributes, prefixes = rpc.attributes or {}, rpc.prefixes or {}
    if not prefixes and attributes.keys() == {"message-id"}:
        return f'xmlns="{BASE}" message-id="{escape(attributes["message-id"])}"'
    names = {uri: prefix for prefix, uri in prefixes.items()} | {_XML: "xml"}
    declared = [f'xmlns="{BASE}"', *(f'xmlns:{prefix}="{escape(uri)}"' for prefix, uri in prefixes.items())]
    for name, value in attributes.items():
        qualified = etree.QName(name)
        prefix = f"{names[qualified.namespace]}:" if qualified.namespace else ""
        declared.append(f'{prefix}{qualified.localname}="{escape(value)}"')
    return " ".join(declared)


def parse_reply(data: bytes, modules: Mapping[str, str]) -> Reply:
    """Read an answer; `modules` gives the module of a namespace, to bring error paths into the inner form.

    Servers that leave out parts of an rpc-error, or use tags of their own, are understood.
    Raises RpcError if the message is no readable <rpc-reply>.
    """
    return read_reply(parse(data), modules)


def read_reply(root: Element, modules: Mapping[str, str]) -> Reply:
    """Read an answer that is parsed already: see `parse_reply`. Raises RpcError."""
    if root.tag != _REPLY:
        raise _no_reply(root)
    children = [child for child in root if isinstance(child.tag, str)]
    errors = tuple(parse_error(child, modules) for child in children if child.tag == f"{{{BASE}}}rpc-error")
    content = tuple(child for child in children if child.tag not in (f"{{{BASE}}}rpc-error", f"{{{BASE}}}ok"))
    return Reply(root.get("message-id"), errors, content)


def _no_reply(root: Element) -> RpcError:
    name, namespace = local_name_of(root), namespace_of(root)
    return RpcError("unknown-element", f"<{name}> in '{namespace}' came where <rpc-reply> is expected", "protocol")


def read_notification(root: Element) -> Notification:
    """Read a parsed <notification>. Raises RpcError if it has no eventTime, or not one event."""
    time = root.find(f"{{{_EVENTS}}}eventTime")
    content = [child for child in root if isinstance(child.tag, str) and child is not time]
    if time is None or len(content) != 1:
        raise RpcError("malformed-message", "a notification has one eventTime and one event", "rpc")
    return Notification(text_of(time), content[0])
